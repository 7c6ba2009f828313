"""Properties of PixelData."""

from __future__ import annotations

from omeroadmin.schema.kinds import BEAN_NAME, BOOL, CLASS_NAME, CRON, PATH, duration, enum, optional, size, whole
from omeroadmin.schema.setting import Setting

_PIXELDATA = ("PixelData",)
_BOTH = ("Blitz", "PixelData")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.pixeldata.backoff",
        "Pixeldata",
        CLASS_NAME,
        "ome.io.nio.SimpleBackOff",
        "The Java class that estimates how long users wait until an image that is being prepared can be viewed.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.backoff.default",
        "Pixeldata",
        duration("ms"),
        "1000",
        "The waiting time that users are told where an image is too large to estimate it.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.backoff.maxpixels",
        "Pixeldata",
        whole(1, unit="pixels"),
        "1000000",
        "Beyond how many pixels the waiting time isn't estimated; omero.pixeldata.backoff.default is told instead.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.batch",
        "Pixeldata",
        whole(1, unit="images"),
        "50",
        "How many images are taken from the database at a time. OMERO's own server heeds it only with "
        "omero.pixeldata.event_log_loader=pixelDataPersistentEventLogLoader.",
        affects=_PIXELDATA,
    ),
    Setting(
        "omero.pixeldata.cron",
        "Pixeldata",
        optional(CRON),
        "*/4 * * * * ?",
        "How often the server looks for images that need a pyramid: a Quartz expression, whose first field are the "
        "seconds; every four seconds. Empty means never: large images then stay unviewable.",
        affects=_PIXELDATA,
    ),
    Setting(
        "omero.pixeldata.dispose",
        "Pixeldata",
        BOOL,
        "true",
        "Whether buffers of pixels are given back at once rather than when Java collects its garbage. Without it a "
        "busy server can run out of direct memory.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.event_log_loader",
        "Pixeldata",
        enum("pixelDataEventLogQueue", "pixelDataPersistentEventLogLoader"),
        "pixelDataEventLogQueue",
        "How the work is taken from the database: the queue works with omero.pixeldata.threads at once, the older "
        "loader in batches, one image after the other.",
        affects=_PIXELDATA,
    ),
    Setting(
        "omero.pixeldata.max_plane_float_override",
        "Pixeldata",
        BOOL,
        "true",
        "Whether images with floating-point pixels are shown without a pyramid, however large. Pyramids are never made "
        "for them, so with false such images can't be viewed at all beyond the maximal plane.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.max_plane_height",
        "Pixeldata",
        whole(1, unit="pixels"),
        "3192",
        "With omero.pixeldata.max_plane_width, the plane beyond which an image needs a pyramid: it is made after the "
        "import unless the file brings one. Larger values spare disk, but each view of such an image costs more memory.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.max_plane_width",
        "Pixeldata",
        whole(1, unit="pixels"),
        "3192",
        "With omero.pixeldata.max_plane_height, the plane beyond which an image needs a pyramid. The product of the "
        "two counts, not each by itself.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.max_projection_bytes",
        "Pixeldata",
        size(1),
        "268435456",
        "The most data that a projection (e.g. of all z-sections) may read while a user waits; 256 MiB. Larger ones "
        "are refused. Raise it only together with Blitz's heap.",
        affects=("Blitz",),
    ),
    Setting(
        "omero.pixeldata.memoizer.dir",
        "Pixeldata",
        PATH,
        "${omero.data.dir}/BioFormatsCache",
        "Where Bio-Formats keeps what it found out about each image file (.bfmemo), so that files open fast the next "
        "time. It needs no backup, but fast disk; after an upgrade of Bio-Formats it is filled anew and the first view "
        "of each image is slow.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.memoizer.dir.local",
        "Pixeldata",
        optional(PATH),
        "",
        "A writable directory for .bfmemo files on a server whose repository is read-only; it does nothing while the "
        "repository can be written. Without it a read-only server opens files slowly each time.",
        affects=_BOTH,
        example="/var/lib/omero/BioFormatsCache",
    ),
    Setting(
        "omero.pixeldata.memoizer_wait",
        "Pixeldata",
        duration("ms"),
        "0",
        "How long a file may take to open without a .bfmemo file being written for it; 0 writes one for every file. "
        "Raise it to spare space where most files open fast.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.repetitions",
        "Pixeldata",
        whole(1, unit="rounds"),
        "1",
        "How many batches are worked off in one go when much is left to do. It counts only with "
        "omero.pixeldata.event_log_loader=pixelDataPersistentEventLogLoader; for the queue set "
        "omero.pixeldata.threads.",
        affects=_PIXELDATA,
    ),
    Setting(
        "omero.pixeldata.threads",
        "Pixeldata",
        whole(1, unit="threads"),
        "2",
        "How many pyramids are made at once. Not more than the machine has cores; each also needs heap of PixelData.",
        affects=_PIXELDATA,
    ),
    Setting(
        "omero.pixeldata.tile_height",
        "Pixeldata",
        whole(16, unit="pixels"),
        "256",
        "The height of a pyramid's tiles, best a multiple of 16, as TIFF wants it. Pyramids that exist keep theirs.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.tile_sizes_bean",
        "Pixeldata",
        BEAN_NAME,
        "configuredTileSizes",
        "The Spring bean that knows the sizes of tiles; the default takes them from omero.pixeldata.tile_width and "
        "omero.pixeldata.tile_height. Change it only where you have added your own to the server.",
        affects=_BOTH,
    ),
    Setting(
        "omero.pixeldata.tile_width",
        "Pixeldata",
        whole(16, unit="pixels"),
        "256",
        "The width of a pyramid's tiles, best a multiple of 16, as TIFF wants it. Pyramids that exist keep theirs.",
        affects=_BOTH,
    ),
)
