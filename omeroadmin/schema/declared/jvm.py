"""Properties of the memory strategies."""

from __future__ import annotations

from omeroadmin.schema.kinds import TEXT, whole
from omeroadmin.schema.setting import Setting

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.jvmcfg.append",
        "JVM",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.jvmcfg.heap_dump",
        "JVM",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.jvmcfg.heap_size",
        "JVM",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.jvmcfg.max_system_memory",
        "JVM",
        whole(),
        "48000",
        "",
    ),
    Setting(
        "omero.jvmcfg.min_system_memory",
        "JVM",
        whole(),
        "3414",
        "",
    ),
    Setting(
        "omero.jvmcfg.percent",
        "JVM",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.jvmcfg.perm_gen",
        "JVM",
        TEXT,
        "",
        "",
    ),
    Setting(
        "omero.jvmcfg.strategy",
        "JVM",
        TEXT,
        "percent",
        "",
    ),
    Setting(
        "omero.jvmcfg.system_memory",
        "JVM",
        TEXT,
        "",
        "",
    ),
)
