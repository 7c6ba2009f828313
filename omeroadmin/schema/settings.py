"""The values in force: what is set, else the declared default, with ``${references}`` expanded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.schema.catalog import default_of
from omeroadmin.schema.kinds import FALSE_WORDS, TRUE_WORDS

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9._-]+)\}")


class Settings:
    """Typed, read-only view of a profile's properties over the catalog's defaults.

    :param values: what the active profile sets
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __iter__(self) -> Iterator[str]:
        """Names that are set."""
        return iter(self._values)

    def is_set(self, name: str) -> bool:
        """Whether the profile itself sets this property."""
        return name in self._values

    def explicit(self) -> dict[str, str]:
        """The profile's own properties, unexpanded, in their order."""
        return dict(self._values)

    def text(self, name: str) -> str:
        """Expanded value; an undeclared, unset property is the empty string.

        :raises AdminError: ``setting-recursive`` if references go in a circle
        """
        return self._expand(name, ())

    def number(self, name: str) -> int:
        """Value as a whole number.

        :raises AdminError: ``setting-invalid``
        """
        text = self.text(name).strip()
        try:
            return int(text)
        except ValueError:
            raise configuration_error(
                "setting-invalid",
                f"{name} is {text!r}, which is not a whole number",
                f"set one: omero config set {name} {default_of(name) or 1}",
            ) from None

    def flag(self, name: str) -> bool:
        """Value as true or false.

        :raises AdminError: ``setting-invalid``
        """
        text = self.text(name).strip().lower()
        if text in TRUE_WORDS:
            return True
        if text in FALSE_WORDS:
            return False
        raise configuration_error(
            "setting-invalid",
            f"{name} is {text!r}, which is neither true nor false",
            f"set it: omero config set {name} true",
        )

    def path(self, name: str) -> Path:
        """Value as a path.

        :raises AdminError: ``setting-invalid`` if it is empty
        """
        text = self.text(name).strip()
        if not text:
            raise configuration_error(
                "setting-invalid", f"{name} is empty where a path is needed", f"omero config set {name} PATH"
            )
        return Path(text)

    def port(self, name: str) -> int:
        """Port number with ``omero.ports.prefix`` put before it as text: "1" and 4064 make 14064.

        :param name: ``ssl``, ``tcp``, ``ws``, ``wss`` or ``registry``
        :raises AdminError: ``port-invalid``
        """
        text = self.text("omero.ports.prefix").strip() + self.text(f"omero.ports.{name}").strip()
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
            raise configuration_error(
                "port-invalid",
                f"omero.ports.prefix and omero.ports.{name} make {text!r}, which is not a port number",
                "a port is 1 to 65535; with the usual ports the prefix is 1 to 5",
            )
        return int(text)

    @property
    def data_directory(self) -> Path:
        """``omero.data.dir``: the binary repository."""
        return self.path("omero.data.dir")

    @property
    def managed_repository(self) -> Path:
        """``omero.managed.dir``: where imported files live."""
        return self.path("omero.managed.dir")

    def _expand(self, name: str, seen: tuple[str, ...]) -> str:
        if name in seen:
            circle = " -> ".join((*seen, name))
            raise configuration_error(
                "setting-recursive",
                f"properties refer to each other in a circle: {circle}",
                f"omero config set {name} VALUE",
            )
        raw = self._values.get(name)
        if raw is None:
            raw = default_of(name) or ""

        def value(match: re.Match[str]) -> str:
            other = match.group(1)
            known = other in self._values or default_of(other) is not None
            # An environment variable such as ${OMERODIR} is not a property: it stays as it is.
            return self._expand(other, (*seen, name)) if known else match.group(0)

        return _REFERENCE.sub(value, raw)
