"""Runs the ``omero`` program of a host."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.running import Done, run


def run_omero(
    program: str, arguments: list[str], omerodir: str, user: str, input_text: str = "", timeout: float = 120.0,
    environment: dict[str, str] | None = None,
) -> Done:  # fmt: skip
    """Run the toolkit of a host for an instance; it must succeed.

    :param program: path of ``omero``
    :param arguments: no secrets, others can read them
    :param user: account to run it as; empty: this one
    :param timeout: seconds
    :raises HostError: ``host-omero-failed`` with its own message and hint, else as
        :func:`omeroadmin.provisioning.agent.running.run`
    """
    variables = {"OMERODIR": omerodir, **(environment or {})}
    done = run([program, *arguments], timeout=timeout, user=user, environment=variables, input_text=input_text)
    if done.status == 0:
        return done
    lines = done.error_output.splitlines()
    words = next((line[len("omero: ") :] for line in lines if line.startswith("omero: ")), done.last_words())
    hint = next((line.strip()[len("-> ") :] for line in lines if line.strip().startswith("-> ")), "")
    command = " ".join(["omero", *arguments[:2]])
    raise HostError("host-omero-failed", f"{command} ended with {done.status}: {words}", hint)
