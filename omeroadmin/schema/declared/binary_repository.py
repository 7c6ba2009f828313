"""Properties of the binary repository."""

from __future__ import annotations

from omeroadmin.schema.kinds import PATH, Kind, ValueType, list_from
from omeroadmin.schema.setting import Setting

_BLITZ = ("Blitz",)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.checksum.supported",
        "Binary repository",
        list_from("SHA1-160", "MD5-128", "Murmur3-128", "Murmur3-32", "CRC-32", "Adler-32", "File-Size-64"),
        "SHA1-160, MD5-128, Murmur3-128, Murmur3-32, CRC-32, Adler-32, File-Size-64",
        "Which checksums an import may use, the preferred one first; server and client take the first that both know. "
        "Files that are already there keep theirs. Leave SHA1-160 first: File-Size-64 and the 32-bit sums miss damage.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.data.dir",
        "Binary repository",
        PATH,
        "/OMERO/",
        "The directory of all that isn't in the database: imported files, pixels, thumbnails, pyramids, the search "
        "index, DropBox. It must be on a disk with room, and belong to the user who runs the server. To move it: stop "
        "the server, set this, move the directory with its hidden .omero, start; a server that doesn't find .omero "
        "takes the directory for a new repository.",
        affects=(
            "Blitz",
            "Indexer",
            "PixelData",
            "Tables",
            "FileServer",
            "MonitorServer",
            "DropBox",
            "TestDropBox",
            "toolkit",
        ),
    ),
    Setting(
        "omero.fs.repo.path",
        "Binary repository",
        ValueType(Kind.TEMPLATE_PATH),
        "%user%_%userId%//%year%-%month%/%day%/%time%",
        "Where below omero.managed.dir an import puts its files. Directories before // belong to root, those after it "
        "to the user; at least one must be the user's. Keep %time%, %increment% or %subdirs% in it, so that no two "
        "imports meet in one directory. What is already imported stays where it is.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.fs.repo.path_rules",
        "Binary repository",
        list_from(
            "Windows required",
            "Windows optional",
            "UNIX required",
            "UNIX optional",
            "local required",
            "local optional",
        ),
        "Windows required, UNIX required",
        "Whose file names must be possible: characters and names that a system named here forbids are replaced at "
        "import. Keep Windows required where people mount the repository on Windows; the optional rules also forbid "
        "what is merely awkward, such as a leading dash.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.managed.dir",
        "Binary repository",
        PATH,
        "${omero.data.dir}/ManagedRepository",
        "Where imported files are kept as they came. Set it to keep them on another disk than the rest of "
        "omero.data.dir. To move it: stop the server, set this, move the directory with its hidden .omero, start.",
        affects=("Blitz", "Indexer", "PixelData", "FileServer", "toolkit"),
    ),
)
