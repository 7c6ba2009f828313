"""What shells, sudo and Python say, on systems that no test runs on, is understood."""

from __future__ import annotations

import pytest

from omeroadmin.provisioning.launch_faults import Ended, why_not_started


@pytest.mark.parametrize(
    ("status", "errors", "code"),
    [
        (127, "bash: line 1: python3: command not found", "python-missing"),
        (127, "sh: 1: python3: not found", "python-missing"),
        (127, "fish: Unknown command: python3", "python-missing"),
        (1, "python3: Command not found.", "python-missing"),
        (127, "bash: Zeile 1: python3: Kommando nicht gefunden.", "python-missing"),
        (126, "bash: /opt/python3: Permission denied", "python-missing"),
        (1, "sudo: python3: command not found", "python-missing"),
        (
            1,
            "sudo: unable to resolve host x: not known\nsudo: python3: command not found",
            "python-missing",
        ),
        (2, "Unknown option: -I\nusage: python3 [option] ...", "python-too-old"),
        (127, "env: 'sudo': No such file or directory", "sudo-missing"),
        (127, "env: can't execute 'sudo': No such file or directory", "sudo-missing"),
        (127, "env: „sudo“: Datei oder Verzeichnis nicht gefunden", "sudo-missing"),
        (1, "sudo: a password is required", "sudo-password-needed"),
        (1, "sudo: sorry, you must have a tty to run sudo", "sudo-needs-terminal"),
        (1, "sudo: a terminal is required to read the password; either use -S", "sudo-needs-terminal"),
        (
            1,
            "admin is not in the sudoers file.\nThis incident has been reported.",
            "sudo-not-allowed",
        ),
        (1, "Sorry, user admin is not allowed to execute '/usr/bin/python3 -I' as root on x.", "sudo-not-allowed"),
        (1, "Sorry, user admin may not run sudo on x.", "sudo-not-allowed"),
        (1, "sudo: unknown user nobody1", "become-user-unknown"),
        (1, "sudo: no password was provided\nsudo: 1 incorrect password attempt", "sudo-refused"),
        (1, "Your account has expired; please contact your system administrator.", "login-shell-unfit"),
        (None, "", "host-lost"),
    ],
)
def test_words_have_a_code(status: int | None, errors: str, code: str) -> None:
    error = why_not_started("omero1", "python3", "root", Ended(status, (), errors), answered=True)
    assert error.code == code
    assert error.message.startswith("omero1")
    assert "\n" not in error.message


def test_what_a_login_shell_says_on_stdout_is_told() -> None:
    ended = Ended(1, ("Welcome", "This account is currently not available.\x1b[m"), "")
    error = why_not_started("omero1", "python3", "root", ended, answered=False)
    assert (error.code, error.message.rpartition(": ")[2]) == (
        "login-shell-unfit",
        "This account is currently not available.\\x1b[m",
    )
