"""What the settings say to some servers only: properties of one service, and the TLS of OMERO.Glacier2."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.grid.expansion import escape
from omeroadmin.schema.catalog import default_of
from omeroadmin.schema.catalog import settings as declared_settings
from omeroadmin.schema.settings import Settings

ICESSL = "omero.glacier2.IceSSL."
"""Beginning of the properties that OMERO.Glacier2 gets under the names that Ice knows."""

_MEMORY = "omero.jvmcfg."


def service_overrides(service: str, settings: Settings, names: Iterable[str]) -> list[tuple[str, str]]:
    """Properties given for one service only, such as ``omero.throttling.method_time.warn.indexer``.

    Their values are as those of all other properties: not expanded, which the server does for itself.

    :param service: ``blitz``, ``indexer``, ``pixeldata`` or ``repository``
    :param names: properties that may be given so
    :return: names without the service's, and values for the descriptor
    """
    ending = f".{service}"
    explicit = settings.explicit()
    return [
        (name.removesuffix(ending), escape(explicit.get(name, default_of(name) or "")))
        for name in names
        if name.endswith(ending) and not name.startswith(_MEMORY)
    ]


def known_names(settings: Settings) -> Iterable[str]:
    """All properties that are declared or set."""
    return dict.fromkeys((*declared_settings(), *settings))


def glacier2_tls(settings: Settings) -> list[tuple[str, str]]:
    """The TLS properties of OMERO.Glacier2 under the names that it knows; empty defaults say nothing."""
    return [
        (name.removeprefix("omero.glacier2."), escape(settings.text(name)))
        for name in known_names(settings)
        if name.startswith(ICESSL) and (settings.is_set(name) or settings.text(name))
    ]
