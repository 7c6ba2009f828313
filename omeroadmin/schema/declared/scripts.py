"""Properties of scripts and of Processor."""

from __future__ import annotations

from omeroadmin.schema.kinds import CRON, TEXT, whole
from omeroadmin.schema.setting import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.launcher.matlab",
        "Scripts",
        TEXT,
        "matlab",
        "",
    ),
    Setting(
        "omero.launcher.python",
        "Scripts",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.process.jython",
        "Scripts",
        TEXT,
        "omero.processor.ProcessI",
        "",
    ),
    Setting(
        "omero.process.matlab",
        "Scripts",
        TEXT,
        "omero.processor.MATLABProcessI",
        "",
    ),
    Setting(
        "omero.process.python",
        "Scripts",
        TEXT,
        "omero.processor.ProcessI",
        "",
    ),
    Setting(
        "omero.scripts.cache.cron",
        "Scripts",
        CRON,
        "0 0 0 * * ?",
        "",
    ),
    Setting(
        "omero.scripts.cache.spec",
        "Scripts",
        TEXT,
        "maximumSize=1000",
        "",
    ),
    Setting(
        "omero.scripts.timeout",
        "Scripts",
        whole(),
        "3600000",
        "",
    ),
)
