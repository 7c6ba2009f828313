"""Properties of the binary repository."""

from __future__ import annotations

from omeroadmin.schema.kinds import PATH, TEXT
from omeroadmin.schema.setting import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.checksum.supported",
        "Binary repository",
        TEXT,
        "SHA1-160, MD5-128, Murmur3-128, Murmur3-32, CRC-32, Adler-32, File-Size-64",
        "",
    ),
    Setting(
        "omero.data.dir",
        "Binary repository",
        PATH,
        "/OMERO/",
        "",
    ),
    Setting(
        "omero.fs.repo.path",
        "Binary repository",
        TEXT,
        "%user%_%userId%//%year%-%month%/%day%/%time%",
        "",
    ),
    Setting(
        "omero.fs.repo.path_rules",
        "Binary repository",
        TEXT,
        "Windows required, UNIX required",
        "",
    ),
    Setting(
        "omero.managed.dir",
        "Binary repository",
        PATH,
        "${omero.data.dir}/ManagedRepository",
        "",
    ),
)
