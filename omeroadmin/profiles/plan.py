"""Properties as part of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.catalog import MASK, is_secret
from omeroadmin.steps.plan import Plan
from omeroadmin.system.host import Host


@dataclass(frozen=True)
class SetProperties:
    """Set properties of a profile as one change.

    :param config_xml: the instance's file
    :param values: names and values; some are secret; ``None`` takes a property out
    :param profile: by default that of ``OMERO_CONFIG``, else the active one
    :param cause: the command that asks for it, for the history
    """

    config_xml: Path
    values: tuple[tuple[str, str | None], ...] = field(repr=False)
    profile: str | None = None
    cause: str = ""

    def describe(self) -> str:
        """One line for the plan, without secrets."""
        shown = (
            f"{name} to its default" if value is None else f"{name}={MASK if value and is_secret(name) else value}"
            for name, value in self.values
        )
        return f"set {', '.join(shown)}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - profiles are changed where the toolkit runs
        """Make the change.

        :raises AdminError: as :func:`omeroadmin.profiles.store.update_profile`
        """
        wanted = {name: value for name, value in self.values if value is not None}
        removed = [name for name, value in self.values if value is None]
        update_profile(self.config_xml, wanted, removed, profile=self.profile, cause=self.cause)


def plan_properties(current: Mapping[str, str], wanted: Mapping[str, str], config_xml: Path, cause: str = "") -> Plan:
    """What is to be set so that a profile has the wanted properties; its other ones stay.

    :param current: what the profile sets now
    :param cause: the command that asks for it, for the history
    """
    values = tuple((name, value) for name, value in wanted.items() if current.get(name) != value)
    return Plan("set properties", (SetProperties(config_xml, values, cause=cause),) if values else ())
