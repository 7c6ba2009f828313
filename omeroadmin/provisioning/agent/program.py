"""The agent: a loop that answers its controller, JSON lines in and out.

It ends when its standard input ends, or when the controller was silent for too long; what it is doing then is finished
first, so that no operation is left half-way that could be completed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import threading
import time
from typing import Any, Callable

from omeroadmin.provisioning.agent import arrivals, state
from omeroadmin.provisioning.agent.base import base_facts
from omeroadmin.provisioning.agent.change import Change, HostError, system_hint
from omeroadmin.provisioning.agent.kept import drop_old
from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.provisioning.agent.running import run as run_program

_SILENCE = 20.0
"""Seconds without a line after which the controller is given up."""

Message = dict[str, Any]


class _Lines:
    """Lines from a descriptor, with a limit to the patience."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._parts: list[bytes] = []
        self._lines: list[bytes] = []

    def next(self) -> bytes | None:
        """The next line; ``None`` at the end, or where the other side is silent."""
        while not self._lines:
            ready, _, _ = select.select([self._descriptor], [], [], _SILENCE)
            block = os.read(self._descriptor, 1 << 18) if ready else b""
            if not block:
                return None
            *whole, rest = block.split(b"\n")
            if whole:
                whole[0] = b"".join(self._parts) + whole[0]
                self._parts = []
                self._lines.extend(whole)
            if rest:
                self._parts.append(rest)
        return self._lines.pop(0)


class _Output:
    """Whole lines to a descriptor, from two threads; a reader that takes nothing any more ends the agent."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._writing = threading.Lock()
        os.set_blocking(descriptor, False)

    def send(self, message: Message) -> None:
        """Write one message.

        :raises BrokenPipeError: where nobody reads
        """
        view = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        with self._writing:
            while view:
                _, ready, _ = select.select([], [self._descriptor], [], _SILENCE)
                if not ready:
                    raise BrokenPipeError
                with contextlib.suppress(BlockingIOError):
                    view = view[os.write(self._descriptor, view) :]


class Agent:
    """Answers requests until its controller goes."""

    def __init__(self, input_descriptor: int, output_descriptor: int) -> None:
        self._lines = _Lines(input_descriptor)
        self._output = _Output(output_descriptor)
        self._send = self._output.send
        self._lock = state.HostLock()
        self._requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._alone = threading.Event()
        self._dismissed = False
        self._blocks = arrivals.Blocks(self._send)
        arrivals.use_supplier(self._blocks)
        self._halted = threading.Event()

    def serve(self) -> None:
        """Greet, and answer until the end."""
        self._send({"hello": 1, "base": base_facts(), "pending": self._pending()})
        threading.Thread(target=self._listen, daemon=True).start()
        requests = {"facts": self._facts, "apply": self._apply, "undo": self._undo, "run": self._run}
        while True:
            message = self._requests.get()
            if message is None:
                break
            self._answer(requests[message["do"]], message)
        if self._dismissed and self._lock.held:
            arrivals.sweep()
        self._lock.release()

    def _listen(self) -> None:
        """Take requests, and answer signs of life at once: also while an operation runs."""
        with contextlib.suppress(BrokenPipeError):
            while True:
                line = self._lines.next()
                if line is None:
                    break
                message = json.loads(line)
                self._lock.heard()
                if message["do"] == "stop":
                    self._dismissed = True
                    break
                if message["do"] == "alive":
                    self._send({"alive": 1})
                elif message["do"] == "block":
                    self._blocks.arrived(message)
                elif message["do"] == "halt":
                    self._halted.set()
                else:
                    self._requests.put(message)
        self._alone.set()
        self._blocks.arrived(None)
        self._requests.put(None)

    def _answer(self, handle: Callable[[Message], None], message: Message) -> None:
        try:
            handle(message)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the controller must hear of it
            self._send({"id": message["id"], "end": "failed", "error": _failure(error).record()})

    def _facts(self, message: Message) -> None:
        answers = []
        for wish in message["wishes"]:
            answer: Message = {"key": wish["key"]}
            try:
                answer["facts"] = registry.operation(wish["kind"]).facts(wish)
            except Exception as error:  # noqa: BLE001 - a fault of one operation must not hide the others' facts
                answer["error"] = _failure(error).record()
            answers.append(answer)
        self._send({"id": message["id"], "facts": answers, "end": "done"})

    def _apply(self, message: Message) -> None:
        self._lock.take(message["run"], message["who"])
        drop_old(message["run"])
        number, triggered = message["id"], set(message.get("triggered", [])) | set(self._pending())
        for wish in message["wishes"]:
            if self._alone.is_set():
                # Nobody watches any more: what is left is for the next run.
                raise BrokenPipeError
            if self._halted.is_set():
                self._send({"id": number, "end": "interrupted", "triggered": sorted(triggered)})
                return
            identifier = wish.get("id", "")
            if wish.get("only_triggered") and identifier not in triggered:
                self._send({"id": number, "key": wish["key"], "state": "done", "changes": [], "seconds": 0})
                continue
            self._send({"id": number, "key": wish["key"], "state": "started"})
            began = time.monotonic()
            try:
                changes = self._carry_out(message["run"], message["stage"], wish)
            except Exception as error:  # noqa: BLE001 - whatever it is, the controller must hear of it
                self._send({"id": number, "key": wish["key"], "state": "failed", "error": _failure(error).record()})
                self._send({"id": number, "end": "failed"})
                return
            if _alters(changes):
                triggered.update(wish.get("triggers", []))
            self._send(
                {
                    "id": number, "key": wish["key"], "state": "done", "seconds": round(time.monotonic() - began, 3),
                    "changes": [change._asdict() for change in changes],
                }
            )  # fmt: skip
        self._send({"id": number, "end": "done", "triggered": sorted(triggered)})

    def _carry_out(self, run: str, stage: str, wish: Message) -> list[Change]:
        operation = registry.operation(wish["kind"])
        changes = operation.plan(wish, operation.facts(wish))
        if _alters(changes) and wish.get("triggers"):
            state.add_pending(wish["triggers"], run, stage)
        for change in changes:
            record = operation.apply(wish, change)
            if record is not None:
                state.record_undo(run, stage, wish["kind"], record)
        if wish.get("only_triggered"):
            state.drop_pending(wish["id"])
        return changes

    def _undo(self, message: Message) -> None:
        self._lock.take(message["run"], message["who"])
        records = list(state.undo_records(message["undo"], message.get("stages", [])))
        # What only has to be done once more, such as a restart, needs what the others bring back.
        late = [record for number, record in enumerate(records) if record not in records[:number] and _is_late(record)]
        ordered = [*(record for record in records if not _is_late(record)), *reversed(late)]
        for number, record in enumerate(ordered):
            try:
                words = registry.operation(record["kind"]).undo(record["undo"])
            except Exception as error:
                # Those before it were made on top of what failed, or beside it: nobody knows, so they are left.
                raise _stuck(_failure(error), [record["kind"] for record in ordered[number:]], len(ordered)) from error
            self._send({"id": message["id"], "state": "undone", "words": words})
        state.drop_pending_of(message["undo"], message.get("stages", []))
        state.forget_run(message["undo"], message.get("stages", []))
        self._send({"id": message["id"], "end": "done"})

    def _run(self, message: Message) -> None:
        done = run_program(
            message["arguments"],
            timeout=message["timeout"],
            user=message.get("user", ""),
            input_text=message.get("input", ""),
        )
        self._send(
            {
                "id": message["id"],
                "end": "done",
                "status": done.status,
                "output": done.output,
                "errors": done.error_output,
            }
        )

    @staticmethod
    def _pending() -> list[str]:
        try:
            return state.pending_triggers()
        except HostError:
            return []


def _alters(changes: list[Change]) -> bool:
    return any(not change.waits for change in changes)


def _is_late(record: Message) -> bool:
    return bool(record["undo"].get("late"))


def _stuck(failure: HostError, left: list[str], count: int) -> HostError:
    """A failure to take something back, with what is left as it is."""
    hint = (
        f"{failure.hint}; then take the run back once more" if failure.hint else "mend it, and take the run back again"
    )
    what = f"{len(left)} of {count} changes are left: {', '.join(left)}"
    return HostError(failure.code, f"{failure.message} ({what})", hint)


def _failure(error: Exception) -> HostError:
    if isinstance(error, HostError):
        return error
    if isinstance(error, OSError):
        words = f"{error.filename or 'the system'}: {error.strerror or error}"
        return HostError("host-system-error", words, system_hint(error))
    return HostError("host-agent-fault", f"{type(error).__name__}: {error}", "report it: this is a fault of omeroadmin")


def main() -> None:
    """Serve on standard input and output; what programs print must not get between the lines."""
    output = os.dup(1)
    os.dup2(2, 1)
    os.umask(0o022)
    try:
        Agent(0, output).serve()
    except BrokenPipeError:
        # What follows the interpreter's end would only try to write again.
        os._exit(0)
