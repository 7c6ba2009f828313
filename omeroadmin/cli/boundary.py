"""The one place where failures become words on stderr and an exit status."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
"""Known to type checkers without typing, which would take a third of what the quick path takes."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.core import TyperGroup

    from omeroadmin.errors import AdminError


def run(application: TyperGroup, arguments: list[str]) -> int:
    """Run the application on a command line.

    :return: exit status
    """
    import typer

    from omeroadmin.cli.interruption import Interrupted
    from omeroadmin.errors import ExitStatus

    def main() -> int:
        try:
            return int(application.main(arguments, prog_name="omero", standalone_mode=False) or 0)
        except Interrupted as interrupted:
            say(interrupted.line())
            return ExitStatus.INTERRUPTED
        except typer.Abort:
            raise KeyboardInterrupt from None
        except SystemExit as ending:
            # Typer ends without a word where any pipe or connection broke.
            if isinstance(ending.__context__, BrokenPipeError):
                raise ending.__context__ from None
            raise
        except Exception as error:
            if hasattr(error, "format_message") and hasattr(error, "exit_code"):
                return _report_usage(error)
            raise

    return guard(lambda: with_warnings(main))


def with_warnings(action: Callable[[], int]) -> int:
    """Do something that may warn; its warnings are shown as lines on stderr."""
    import warnings

    from omeroadmin.errors import AdminWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", AdminWarning)
        warnings.showwarning = _show_warning
        return action()


def guard(action: Callable[[], int]) -> int:
    """Do what a command line asks for; whatever fails is said in words.

    :param action: gives the exit status
    :return: exit status
    """
    _open_streams()
    try:
        status = action()
        # Here, and not at the interpreter's end, a reader that has gone is still noticed.
        sys.stdout.flush()
    except KeyboardInterrupt:
        from omeroadmin.errors import ExitStatus

        say("Interrupted.")
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the boundary of the process
        return report(error)
    return status


def report(error: Exception) -> int:
    """Say what went wrong and give the exit status."""
    from omeroadmin.errors import AdminError, ExitStatus

    if isinstance(error, AdminError):
        return _report_failure(error)
    if isinstance(error, BrokenPipeError) and _has_reader_gone():
        # The reader of a pipe has gone, as `omero … | head` does; nothing is wrong here.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.DONE
    if isinstance(error, OSError) and error.filename is None and _is_stdout_full():
        say(f"omero: the result can't be written to standard output: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.FAILED
    failure = _unforeseen_failure(error)
    return _report_bug(error) if failure is None else _report_failure(failure)


def _report_failure(error: AdminError) -> int:
    from omeroadmin.errors import printable

    say(f"omero: {printable(error.message)}")
    if error.hint:
        say(f"  -> {printable(error.hint)}")
    return error.exit_status


def _unforeseen_failure(error: Exception) -> AdminError | None:
    """What the machine or the database may do to any command at any moment; ``None``: it is a bug."""
    from omeroadmin.database.failures import failure_of
    from omeroadmin.system.files import machine_error

    return machine_error(error) if isinstance(error, OSError) else failure_of(error)


def _has_reader_gone() -> bool:
    """Whether nobody reads what we say; what else breaks is a connection, and no reason to be content."""
    import select

    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    return bool(poll.poll(0))


def _open_streams() -> None:
    """Standard streams that whoever started us has closed: nothing else may get their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - open to the end


def _is_stdout_full() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    from omeroadmin.errors import printable

    say(f"WARNING: {printable(str(message))}")


def say(line: str) -> None:
    """A line on stderr; what can't be encoded there is escaped."""
    encoding = sys.stderr.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)  # noqa: T201


def _report_usage(error: Exception) -> int:
    from omeroadmin.errors import ExitStatus

    message = str(error.format_message()).strip()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        say(message)
        return ExitStatus.USAGE
    say(f"omero: {message}")
    if context is not None:
        say(f"  -> {context.command_path} --help")
    return ExitStatus.USAGE


def _report_bug(error: Exception) -> int:
    import traceback

    from omeroadmin.cli.context import user_directory
    from omeroadmin.errors import ExitStatus

    text = "".join(traceback.format_exception(error))
    summary = f"omero: bug: {type(error).__name__}: {error}".splitlines()[0]
    log = user_directory() / "omero-bugs.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
    except OSError:
        say(text)
    else:
        summary += f" (traceback in {log})"
    say(summary)
    return ExitStatus.BUG
