"""Processor: runs scripts of ``lib/scripts`` for users, each in a process of its own."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, failed_error
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.events import Events
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.system import clock, files

_POLL_SECONDS = 2.0
_FIRST_PAUSE = 0.05
_RESULT_SECONDS = 60.0


def run(context: ServiceContext) -> int:
    """Run jobs until the server shall stop."""
    files.make_directory(context.instance.temporary_directory, mode=0o700)
    processor = Processor(context)
    processor.settle()
    for event in Events(context.instance, context.stop, poll=_POLL_SECONDS):
        if event is None or event.entity.endswith("Job"):
            processor.work()
    return 0


class Processor:
    """Claims jobs from Blitz and runs them, one at a time."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._trouble = Trouble(context)
        self._blitz = InternalClient(context.instance)

    def settle(self) -> None:
        """Wait for Blitz, which starts at the same time, in pauses that begin far below those between later looks."""
        pause = _FIRST_PAUSE
        while not self.work() and not self._context.stop.wait(pause):
            pause = min(pause * 1.5, _POLL_SECONDS)

    def work(self) -> bool:
        """Run what is waiting; a Blitz that doesn't answer is asked again later.

        :return: whether Blitz answered
        """
        try:
            while not self._context.stop.requested:
                job = self._blitz.request("POST", "/internal/jobs/claim", {"processor": self._context.server_id})
                self._trouble.clear()
                if not job:
                    return True
                self._run(job)
        except AdminError as error:
            self._trouble.note(error.message)
            return False
        return True

    def _run(self, job: dict[str, Any]) -> None:
        from omeroadmin.runtime.services.processor.script import Outcome

        job_id = int(job["job_id"])
        self._context.log.info("Job:%d starts %s for %s", job_id, job.get("path"), job.get("user"))
        try:
            outcome = self._outcome(job)
        except AdminError as error:
            outcome = Outcome("Error", error.message)
        self._context.log.info("Job:%d %s: %s", job_id, outcome.status, outcome.message)
        self._context.health.count("jobs")
        self._send(job_id, asdict(outcome))

    def _outcome(self, job: dict[str, Any]) -> Any:
        from omeroadmin.runtime.services.processor.script import Limits, run_script

        script = self._script(str(job["path"]))
        user = InternalClient(self._context.instance)
        session = user.open_session(str(job["user"]), self._context.server_id)
        try:
            document = {
                "inputs": job.get("inputs") or {},
                "session": session["key"],
                "api": str(self._api_socket()),
            }
            limits = Limits(self._context.settings.number("omero.scripts.timeout") / 1000)
            return run_script(script, document, self._context.instance.temporary_directory, limits, self._context.stop)
        finally:
            with contextlib.suppress(AdminError):
                user.close_session()

    def _script(self, relative: str) -> Path:
        """A script that must be in ``lib/scripts``, links resolved.

        :raises AdminError: ``path-escapes``, ``script-missing``
        """
        root = self._context.instance.scripts_directory
        path = files.inside(root, relative.lstrip("/"))
        if not path.is_file() or path.suffix != ".py":
            raise failed_error("script-missing", f"there is no script {relative} in {root}")
        return files.inside(root.resolve(), os.path.relpath(path.resolve(), root.resolve()))

    def _api_socket(self) -> Path:
        found = sorted(self._context.instance.run_directory.glob("Blitz-[0-9]*.sock"))
        public = [path for path in found if not path.name.endswith("-internal.sock")]
        return public[0] if public else self._context.instance.run_directory / "Blitz-0.sock"

    def _send(self, job_id: int, result: dict[str, Any]) -> None:
        """Hand a result in; it was work, so Blitz gets a minute to come back for it."""
        failures: list[AdminError] = []

        def sent() -> bool:
            try:
                self._blitz.request("POST", f"/internal/jobs/{job_id}/result", result)
            except AdminError as error:
                failures.append(error)
                return error.exit_status is not ExitStatus.UNREACHABLE
            failures.clear()
            return True

        clock.wait_until(sent, timeout=_RESULT_SECONDS, longest_pause=2.0)
        if failures:
            raise failures[-1]
