"""A session with the agent of one host: started once per run, asked for facts once, given work stage by stage."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, failed_error, printable, unreachable_error
from omeroadmin.provisioning.channel import Channel
from omeroadmin.provisioning.packing import parcel
from omeroadmin.system.clock import monotonic

Message = dict[str, Any]
Wish = dict[str, Any]

_HELLO = 30.0
"""Seconds in which Python and the agent start on a host."""
_SHOWN = 80
_PULSE = 5.0
"""Seconds between two signs of life; the agent gives up after four."""
_LOOKING = 600.0
"""Seconds for facts: a file system that doesn't answer keeps a host at it for ever."""
_SILENCE = 30.0
"""Seconds without any line after which a host is given up: its agent answers signs of life whatever it is doing."""


@dataclass(frozen=True)
class Greeting:
    """What an agent says first.

    :param base: facts of the host, for playbooks
    :param pending: triggered operations that an earlier run did not get to
    """

    base: Message
    pending: tuple[str, ...]


class AgentSession:
    """Talks to an agent; one thread at a time asks, another one shows that the controller lives.

    :param channel: closed with the session, and where there is none
    :raises AdminError: ``host-lost``, ``host-silent``, and for what keeps the agent from its start
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._number = 0
        self._offered: dict[str, Path] = {}
        self._is_lost = False
        self._sending = threading.Lock()
        self._ended = threading.Event()
        try:
            self._send_bytes(parcel())
            self.greeting = self._greet()
        except BaseException:
            # Nothing has been begun there that would be worth waiting for.
            channel.close(wait=False)
            raise
        threading.Thread(target=self._beat, name=f"pulse of {channel.name}", daemon=True).start()

    def offer(self, digest: str, path: Path) -> None:
        """Name a file of this machine that operations may ask for.

        :param digest: as :func:`omeroadmin.provisioning.sources.with_source` found it
        """
        self._offered[digest] = path

    def facts(self, wishes: Sequence[Wish]) -> dict[str, Message]:
        """What is true of each wish: ``{"facts": …}`` or ``{"error": …}`` by its key, in one round trip.

        :raises AdminError: ``host-lost``, ``host-silent``, ``host-stuck``
        """
        answer = self._request({"do": "facts", "wishes": list(wishes)}, limit=_LOOKING)
        return {fact["key"]: fact for fact in answer["facts"]}

    def apply(
        self, run: str, who: str, stage: str, wishes: Sequence[Wish], triggered: Sequence[str],
        listener: Callable[[Message], None],
    ) -> Message:  # fmt: skip
        """Make wishes true, in order, until one fails.

        :param run: name of the run
        :param who: whom the lock names to others
        :param triggered: operations that changes of earlier stages have triggered
        :param listener: called with each message of an operation: started, done, failed
        :return: the last message: ``end`` is ``done``, ``failed`` or ``interrupted``; ``triggered`` says what has been
        :raises AdminError: ``host-locked``, ``host-lost``, ``host-silent``
        """
        request = {"do": "apply", "run": run, "who": who, "stage": stage, "wishes": list(wishes)}
        return self._request({**request, "triggered": list(triggered)}, listener)

    def undo(self, run: str, who: str, undone: str, stages: Sequence[str], listener: Callable[[Message], None]) -> None:
        """Take back what a run has changed, last first.

        :param run: name of this run
        :param undone: name of the run that is taken back
        :param stages: only changes of these stages; all by default
        """
        request = {"do": "undo", "run": run, "who": who, "undo": undone, "stages": list(stages)}
        self._request(request, listener)

    def run(self, arguments: Sequence[str], timeout: float, input_text: str = "") -> Message:
        """Run a program to its end: ``status``, ``output``, ``errors``."""
        request = {"do": "run", "arguments": list(arguments), "timeout": timeout, "input": input_text}
        return self._request(request)

    def halt(self) -> None:
        """Let the agent stop after the operation that it is carrying out; for any thread."""
        with contextlib.suppress(AdminError):
            self._send({"do": "halt"})

    def close(self) -> None:
        """Send the agent home."""
        if self._ended.is_set():
            return
        self._ended.set()
        with contextlib.suppress(AdminError):
            self._send({"do": "stop"})
        self._channel.close(wait=not self._is_lost)

    def _greet(self) -> Greeting:
        message = next(self._messages(_HELLO))
        if "refused" in message:
            raise host_error(self._channel.name, message["refused"])
        return Greeting(message["base"], tuple(message["pending"]))

    def _request(
        self, message: Message, listener: Callable[[Message], None] | None = None, limit: float | None = None
    ) -> Message:
        self._number += 1
        self._send({**message, "id": self._number})
        for answer in self._messages(_SILENCE, limit):
            if "error" in answer and "end" in answer:
                raise host_error(self._channel.name, answer["error"])
            if "end" in answer:
                return answer
            if "wants" in answer:
                self._supply(answer)
                continue
            if listener is not None:
                listener(answer)
        raise self._lost()

    def _supply(self, wanted: Message) -> None:
        """Send a block of an offered file, or word that there is none."""
        path = self._offered.get(wanted["wants"])
        if path is None:
            self._send({"do": "block", "error": "a file that is needed was not offered"})
            return
        try:
            with path.open("rb") as stream:
                stream.seek(wanted["offset"])
                block = stream.read(wanted["length"])
        except OSError as error:
            self._send({"do": "block", "error": f"{path.name} can't be read: {error.strerror}"})
            return
        self._send({"do": "block", "data": base64.b64encode(block).decode()})

    def _messages(self, timeout: float, limit: float | None = None) -> Iterator[Message]:
        """What the agent says but for signs of life.

        :param timeout: seconds without any line
        :param limit: seconds for all of it
        """
        began = monotonic()
        while True:
            if limit is not None and monotonic() - began > limit:
                self._is_lost = True
                raise unreachable_error(
                    "host-stuck",
                    f"{self._channel.name} has looked at itself for {limit:g} seconds, without an end",
                    "look there for a file system that doesn't answer: df",
                )
            try:
                line = self._channel.receive(timeout)
            except AdminError:
                self._is_lost = True
                raise
            if line is None:
                raise self._lost()
            message = self._parse(line)
            if "alive" not in message:
                yield message

    def _parse(self, line: bytes) -> Message:
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            said = printable(line[:_SHOWN].decode(errors="replace"))
            raise failed_error("host-talk-garbled", f"{self._channel.name}: the agent says {said!r}", "run it again")
        return message

    def _lost(self) -> AdminError:
        words = self._channel.last_words()
        return unreachable_error("host-lost", f"{self._channel.name}: the agent ended: {words}", "run it again")

    def _send(self, message: Message) -> None:
        self._send_bytes(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _send_bytes(self, content: bytes) -> None:
        with self._sending:
            self._channel.send(content)

    def _beat(self) -> None:
        while not self._ended.wait(_PULSE):
            try:
                self._send({"do": "alive"})
            except AdminError:
                return  # whoever receives, or sends next, is told


def host_error(host: str, error: dict[str, str]) -> AdminError:
    """What an agent reports, as an error of ours."""
    message = f"{host}: {error['message']}"
    if error["code"] == "host-locked":
        return AdminError(error["code"], message, hint=error["hint"], exit_status=ExitStatus.LOCKED)
    return failed_error(error["code"], message, error["hint"])
