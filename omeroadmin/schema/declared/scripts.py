"""Properties of scripts and of Processor."""

from __future__ import annotations

from omeroadmin.schema.kinds import CLASS_NAME, CRON, TEXT, duration, optional, text_like
from omeroadmin.schema.setting import Setting

_BOTH = ("Blitz", "Processor")
_BLITZ = ("Blitz",)
_CACHE_RULES = (
    "initialCapacity|maximumSize|maximumWeight|concurrencyLevel|expireAfterAccess|expireAfterWrite|refreshAfterWrite"
)
_CACHE_PART = rf"\s*((({_CACHE_RULES})\s*=\s*\d+[dhms]?)|weakKeys|weakValues|softValues|recordStats)\s*"
_CACHE_SPECIFICATION = text_like(rf"{_CACHE_PART}(,{_CACHE_PART})*", "a specification of a cache, as Guava reads it")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.launcher.matlab",
        "Scripts",
        TEXT,
        "matlab",
        "The program that runs MATLAB scripts (*.m): a path, or a name that is found on the PATH of Processor.",
        affects=_BOTH,
    ),
    Setting(
        "omero.launcher.python",
        "Scripts",
        optional(TEXT),
        "",
        "The program that runs Python scripts: a path, or a name that is found on the PATH of Processor. Empty uses "
        "the Python that Processor itself runs with. Set it where scripts need packages of another environment, which "
        "must hold omero-py too.",
        affects=_BOTH,
        example="/opt/omero/server/venv3/bin/python",
    ),
    Setting(
        "omero.process.jython",
        "Scripts",
        CLASS_NAME,
        "omero.processor.ProcessI",
        "The class of Processor that watches over a running Jython script. Change it only where you have installed "
        "another one.",
        affects=_BOTH,
    ),
    Setting(
        "omero.process.matlab",
        "Scripts",
        CLASS_NAME,
        "omero.processor.MATLABProcessI",
        "The class of Processor that watches over a running MATLAB script. Change it only where you have installed "
        "another one.",
        affects=_BOTH,
    ),
    Setting(
        "omero.process.python",
        "Scripts",
        CLASS_NAME,
        "omero.processor.ProcessI",
        "The class of Processor that watches over a running Python script. Change it only where you have installed "
        "another one.",
        affects=_BOTH,
    ),
    Setting(
        "omero.scripts.cache.cron",
        "Scripts",
        CRON,
        "0 0 0 * * ?",
        "When the parameters of all scripts are read anew: a Quartz expression, whose first field are the seconds; at "
        "midnight. A script that is changed is read anew anyhow.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.scripts.cache.spec",
        "Scripts",
        _CACHE_SPECIFICATION,
        "maximumSize=1000",
        "How many scripts' parameters are kept in memory and for how long, in the words of Guava's caches, e.g. "
        "maximumSize=1000,expireAfterWrite=1d.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.scripts.timeout",
        "Scripts",
        duration("ms", minimum=1),
        "3600000",
        "How long a script may run before it is ended; an hour. Raise it for long analyses rather than let them be cut "
        "off in the middle.",
        affects=_BOTH,
    ),
)
