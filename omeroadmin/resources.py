"""Finds ``templates/`` and ``playbooks/``, which stand beside the package in a checkout and inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.errors import configuration_error

_PACKAGE = Path(__file__).resolve().parent


def templates_directory() -> Path:
    """Directory of the Jinja2 templates.

    :raises AdminError: ``resources-missing`` if the installation is incomplete
    """
    return _find("templates")


def playbooks_directory() -> Path:
    """Directory of the playbooks.

    :raises AdminError: ``resources-missing`` if the installation is incomplete
    """
    return _find("playbooks")


def _find(name: str) -> Path:
    for candidate in (_PACKAGE / f"_{name}", _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise configuration_error(
        "resources-missing",
        f"the installation of omeroadmin has no {name} directory beside {_PACKAGE}",
        "reinstall the package: pip install --force-reinstall omeroadmin",
    )
