"""Programs run on a host: from argument lists, with a deadline, as whom the operation says."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import signal
import subprocess
import threading
from typing import Any, NamedTuple, Sequence

from omeroadmin.provisioning.agent import orphans
from omeroadmin.provisioning.agent.change import HostError

_MOST = 1 << 24
"""Bytes that a program may print: they are kept in memory, and each may be six on their way."""
_LOOK = 0.2
"""Seconds between two looks at how much it has printed."""
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Done(NamedTuple):
    """A program that has ended.

    :param status: exit status; negative: the signal that ended it
    """

    status: int
    output: str
    error_output: str

    def last_words(self) -> str:
        """Last line of stderr, or of stdout: what to show of a failure. Our own programs say it before their hint."""
        text = self.error_output.strip() or self.output.strip()
        lines = [line for line in text.splitlines() if not line.startswith("  -> ")]
        return lines[-1].strip() if lines else "(no output)"


def run(
    arguments: Sequence[str],
    timeout: float = 60.0,
    user: str = "",
    environment: dict[str, str] | None = None,
    input_text: str = "",
    directory: str = "/",
) -> Done:
    """Run a program to its end.

    :param arguments: program and arguments; no secrets, other users can read them
    :param timeout: seconds after which its whole process group is killed
    :param user: account to run it as, with its groups and home; this user by default
    :param environment: variables on top of a small clean set
    :raises HostError: ``host-program-missing``, ``host-program-timeout``, ``host-user-unknown``,
        ``host-output-too-long``
    """
    more: dict[str, Any] = {}
    variables = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    if user:
        more, account = _identity(user)
        variables.update(account)
    variables.update(environment or {})
    output, error_output = _memory(), _memory()
    try:
        with orphans.noted() as note:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.PIPE, stdout=output, stderr=error_output,
                env=variables, cwd=directory, start_new_session=True,
                preexec_fn=note,  # noqa: PLW1509 - it is system calls, no lock is taken for it
                **more,
            )  # fmt: skip
            _wait(process, input_text.encode(), timeout, arguments[0], (output, error_output))
        return Done(process.returncode, _content(output), _content(error_output))
    except OSError as error:
        name = directory if not os.path.isdir(directory) else arguments[0]
        raise HostError("host-program-missing", f"{name} can't be run: {error.strerror}") from error
    finally:
        os.close(output)
        os.close(error_output)


def _wait(
    process: "subprocess.Popen[bytes]", content: bytes, timeout: float, name: str, outputs: Sequence[int]
) -> None:
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(process, outputs, ended), daemon=True)
    watch.start()
    try:
        process.communicate(content, timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise HostError(
            "host-program-timeout", f"{name} did not end within {timeout:g} seconds and was killed"
        ) from None
    finally:
        ended.set()
        watch.join()
    if _is_too_much(outputs):
        raise HostError(
            "host-output-too-long", f"{name} printed more than {_MOST >> 20} MB", "let it write to a file there"
        )


def _watch(process: "subprocess.Popen[bytes]", outputs: Sequence[int], ended: threading.Event) -> None:
    """End a program that fills the memory."""
    while not ended.wait(_LOOK):
        if _is_too_much(outputs):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            return


def _is_too_much(outputs: Sequence[int]) -> bool:
    return sum(os.fstat(output).st_size for output in outputs) > _MOST


def _memory() -> int:
    # No pipe: a daemon that the program starts may hold on to it, and its end would never come.
    return os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def _content(descriptor: int) -> str:
    # Such a daemon gets errors from now on where it writes; the memory doesn't grow behind our back.
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)
    size = os.lseek(descriptor, 0, os.SEEK_END)
    return os.pread(descriptor, size, 0).decode(errors="replace")


def check(arguments: Sequence[str], doing: str, hint: str = "", **how: Any) -> Done:
    """Run a program that must succeed.

    :param doing: what it was for, in the message: ``install postgresql``
    :raises HostError: ``host-program-failed`` with its last words, else as :func:`run`
    """
    done = run(arguments, **how)
    if done.status != 0:
        name = os.path.basename(arguments[0])
        raise HostError("host-program-failed", f"{doing}: {name} ended with {done.status}: {done.last_words()}", hint)
    return done


def find_program(name: str) -> str | None:
    """Path of a program in the directories of programs, those of administrators among them."""
    for directory in SEARCH_PATH.split(":"):
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def _identity(user: str) -> "tuple[dict[str, Any], dict[str, str]]":
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise HostError("host-user-unknown", f"there is no user {user}") from None
    variables = {"HOME": account.pw_dir, "USER": user, "LOGNAME": user}
    if account.pw_uid == os.geteuid():
        return {}, variables
    groups: list[int] = os.getgrouplist(user, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}, variables
