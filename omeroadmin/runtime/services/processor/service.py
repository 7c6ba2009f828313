"""Processor: runs scripts of ``lib/scripts`` for users, each in a process of its own."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, ExitStatus, failed_error
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.events import Events
from omeroadmin.runtime.kernel.failure import CRASHED, ServiceFailure
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.system import clock, files

_POLL_SECONDS = 2.0
_FIRST_PAUSE = 0.05
_LEASE_SECONDS = 60.0
_ANSWER_SECONDS = 20.0
_SIGN_SECONDS = 5.0
_SECONDS_TO_LIVE = 11.0
_LARGEST_SCRIPT = 16 * 2**20


def run(context: ServiceContext) -> int:
    """Run jobs until the server shall stop."""
    files.make_directory(context.instance.temporary_directory, mode=0o700)
    processor = Processor(context)
    processor.settle()
    for event in Events(context.instance, context.stop, poll=_POLL_SECONDS, endpoint=context.endpoint):
        if event is None or event.entity.endswith("Job"):
            processor.work()
        processor.renew()
    return 0


class Processor:
    """Claims jobs from Blitz and runs them, one at a time."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._trouble = Trouble(context)
        self._endpoint = context.endpoint
        self._blitz = self._client()
        self._started = time.monotonic()
        self._worn_by = ""

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

    def renew(self) -> None:
        """End after a script that ran out of memory, to be started anew.

        Not before this process has lived long enough for the node to see no failure to start in its end: else users
        could have Processor given up.

        :raises ServiceFailure: then
        """
        if self._worn_by and time.monotonic() - self._started > _SECONDS_TO_LIVE:
            raise ServiceFailure(f"{self._worn_by} ran out of memory; Processor starts anew", CRASHED)

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
        if outcome.exhausted:
            self._worn_by = f"Job:{job_id}"
            self._context.log.error("%s: %s", self._worn_by, outcome.message)
        self._send(job_id, asdict(outcome), float(job.get("lease_seconds") or _LEASE_SECONDS))

    def _outcome(self, job: dict[str, Any]) -> Any:
        user = self._client()
        session = user.open_session(str(job["user"]), self._context.server_id)
        try:
            local = self._api_socket()
            document = {
                "inputs": job.get("inputs") or {},
                "session": session["key"],
                "api": str(local or self._context.socket_path("-api")),
            }
            if local is not None or self._endpoint is None:
                return self._run_script(job, self._script(str(job["path"])), document)
            return self._run_far_script(job, user, document)
        finally:
            with contextlib.suppress(AdminError):
                user.close_session()

    def _run_far_script(self, job: dict[str, Any], user: InternalClient, document: dict[str, Any]) -> Any:
        """Run a script of the master's, which this host needn't have."""
        with tempfile.NamedTemporaryFile(
            prefix="script-", suffix=".py", dir=self._context.instance.temporary_directory
        ) as stream:
            user.download(f"/api/v0/files/{int(job['script_id'])}/content", stream, _LARGEST_SCRIPT)
            stream.flush()
            return self._run_script(job, Path(stream.name), document, far=True)

    def _run_script(self, job: dict[str, Any], script: Path, document: dict[str, Any], *, far: bool = False) -> Any:
        from omeroadmin.runtime.services.processor.beside import Beside, Gateway, Lease
        from omeroadmin.runtime.services.processor.script import Limits, run_script

        lease = Lease(float(job.get("lease_seconds") or _LEASE_SECONDS), functools.partial(self._renew, job))
        if far and self._endpoint is not None:
            beside = Beside(lease.watch, Gateway(self._context.socket_path("-api"), self._endpoint).open)
        else:
            beside = Beside(lease.watch)
        settings = self._context.settings
        limits = Limits(
            settings.number("omero.scripts.timeout") / 1000, settings.number("omero.scripts.memory") * 2**20
        )
        scratch = self._context.instance.temporary_directory
        return run_script(script, document, scratch, limits, self._context.stop, beside)

    def _renew(self, job: dict[str, Any]) -> None:
        """Tell Blitz that the script still runs; not by the client that the main thread uses."""
        client = InternalClient(self._context.instance, self._endpoint, timeout=_SIGN_SECONDS)
        client.request("POST", f"/internal/jobs/{int(job['job_id'])}/lease", {"processor": self._context.server_id})

    def _client(self) -> InternalClient:
        return InternalClient(self._context.instance, self._endpoint, timeout=_ANSWER_SECONDS)

    def _script(self, relative: str) -> Path:
        """A script that must be in ``lib/scripts``, links resolved.

        :raises AdminError: ``path-escapes``, ``script-missing``
        """
        root = self._context.instance.scripts_directory
        path = files.inside(root, relative.lstrip("/"))
        if not path.is_file() or path.suffix != ".py":
            raise failed_error("script-missing", f"there is no script {relative} in {root}")
        return files.inside(root.resolve(), os.path.relpath(path.resolve(), root.resolve()))

    def _api_socket(self) -> Path | None:
        """A Blitz's socket on this host; without any and without an endpoint, where the first one's would be."""
        found = sorted(self._context.instance.run_directory.glob("Blitz-[0-9]*.sock"))
        public = [path for path in found if not path.name.endswith("-internal.sock")]
        if public:
            return public[0]
        return None if self._endpoint is not None else self._context.instance.run_directory / "Blitz-0.sock"

    def _send(self, job_id: int, result: dict[str, Any], lease: float) -> None:
        """Hand a result in; it was work, so Blitz gets as long to come back for it as it waits for us."""
        failures: list[AdminError] = []

        def sent() -> bool:
            failures.clear()
            try:
                self._blitz.request("POST", f"/internal/jobs/{job_id}/result", result)
            except AdminError as error:
                failures.append(error)
                return error.exit_status is not ExitStatus.UNREACHABLE or self._context.stop.requested
            return True

        clock.wait_until(sent, timeout=lease, longest_pause=2.0)
        if failures and failures[-1].code == "job-ended":
            self._context.log.warning("Job:%d: the result comes too late: %s", job_id, failures[-1].message)
        elif failures:
            self._context.log.error("Job:%d: the result is lost: %s", job_id, failures[-1].message)
            raise failures[-1]
