"""Which application descriptor is meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.grid.elements import known_targets
from omeroadmin.schema.instance import Instance


def chosen_descriptor(
    instance: Instance, file: Path | None = None, targets: Sequence[str] = ()
) -> tuple[Path, tuple[str, ...]]:
    """The descriptor and its targets; as with OMERO, a file that doesn't exist is taken for a target.

    :param file: by default ``etc/grid/default.xml``
    :raises AdminError: ``target-unknown``, ``descriptor-invalid``, ``file-not-read``
    """
    names = tuple(targets)
    if file is not None and (not file.exists() or file.is_dir()):
        file, names = None, (str(file), *names)
    descriptor = file or instance.default_xml
    known = known_targets(descriptor)
    for name in names:
        if name not in known:
            raise usage_error(
                "target-unknown",
                f"{name!r} is neither a file nor a target of {descriptor}",
                f"known targets: {', '.join(sorted(known))}",
            )
    return descriptor, names
