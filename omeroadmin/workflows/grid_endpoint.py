"""What servers on other hosts are given to reach the master's: its address, its certificate's fingerprint, a token."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from omeroadmin.certificates.files import bundle_fingerprint
from omeroadmin.errors import configuration_error
from omeroadmin.grid.ports import grid_endpoint_port
from omeroadmin.schema import grid_endpoint as names
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import WriteFile
from omeroadmin.system import files

_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[0-9a-f]{64}")
_ICESSL = "omero.glacier2.IceSSL"


@dataclass(frozen=True)
class EndpointPlan:
    """What the grid's endpoint needs.

    :param properties: of all servers; none where there is no endpoint
    :param steps: that make the token, once
    """

    properties: Mapping[str, str] = field(default_factory=dict, repr=False)
    steps: tuple[WriteFile, ...] = ()


def plan_endpoint(instance: Instance, settings: Settings) -> EndpointPlan:
    """The properties of the grid's endpoint, and the token's file where it is still to be made.

    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``certificate-missing``, ``certificate-unreadable``
    """
    port = grid_endpoint_port(settings)
    if port is None:
        return EndpointPlan()
    token = _token(instance)
    steps: tuple[WriteFile, ...] = ()
    if token is None:
        token = secrets.token_hex(_TOKEN_BYTES)
        steps = (WriteFile(instance.grid_token_file, f"{token}\n".encode(), files.SECRET_MODE, "the grid's token"),)
    properties = {
        names.HOST: port.host,
        names.PORT: str(port.number),
        names.FINGERPRINT: _fingerprint(settings),
        names.TOKEN: token,
    }
    return EndpointPlan(properties, steps)


def _token(instance: Instance) -> str | None:
    """The token that was made before; one that is damaged is made anew."""
    if not instance.grid_token_file.exists():
        return None
    text = files.read_text(instance.grid_token_file).strip()
    return text if _TOKEN.fullmatch(text) else None


def _fingerprint(settings: Settings) -> str:
    """Of the certificate that OMERO.Glacier2 shows."""
    name = settings.text(f"{_ICESSL}.CertFile").strip()
    if not name:
        raise configuration_error(
            "certificate-missing",
            f"{_ICESSL}.CertFile is not set: servers on other hosts (omero.grid.endpoint) know the master by its "
            "certificate",
            "omero certificates",
        )
    path = settings.path(f"{_ICESSL}.DefaultDir") / name
    if not path.is_file():
        raise configuration_error(
            "certificate-missing", f"the certificate {path} ({_ICESSL}.CertFile) is missing", "omero certificates"
        )
    found = bundle_fingerprint(files.read_bytes(path), settings.text(f"{_ICESSL}.Password"))
    if found is None:
        raise configuration_error(
            "certificate-unreadable",
            f"{path} can't be used: it is no PKCS#12 file, or {_ICESSL}.Password is wrong",
            "omero certificates",
        )
    return found
