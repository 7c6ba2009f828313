"""Properties of the memory strategies."""

from __future__ import annotations

from omeroadmin.schema.kinds import Kind, ValueType, enum, optional, text_like, whole
from omeroadmin.schema.setting import Setting

_SERVICES = ("blitz", "indexer", "pixeldata", "repository")
_SERVERS = ("Blitz", "Indexer", "PixelData")
_HEAP_SIZE = ValueType(Kind.BYTES, minimum=1, unit="MB", suffixes="KMGT")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.jvmcfg.append",
        "JVM",
        optional(text_like(r"(?!\s*[^\s-]).*", "options that begin with a dash")),
        "",
        "Further options for the Java servers, with spaces between them as on a command line. Write -- before a value "
        "that begins with a dash: omero config set -- omero.jvmcfg.append -XX:+UseG1GC. An option that Java doesn't "
        "know keeps the server from starting; the reason is in var/log/master.err then.",
        affects=_SERVERS,
        services=_SERVICES,
        example="-XX:+UseG1GC",
    ),
    Setting(
        "omero.jvmcfg.heap_dump",
        "JVM",
        optional(enum("off", "on", "cwd", "tmp")),
        "",
        "Whether a server that runs out of memory leaves a file that shows what took it: on or cwd in the directory "
        "that it runs in, tmp in the temporary directory; empty is off. A Java server writes its whole heap, with "
        "passwords and users' data in it. The bundled servers write java_pid<pid>.heap.txt, which names kinds of "
        "objects and lines of code but no content; noting the lines makes them slower all the time.",
        affects=_SERVERS,
        services=_SERVICES,
        example="tmp",
    ),
    Setting(
        "omero.jvmcfg.heap_size",
        "JVM",
        optional(_HEAP_SIZE),
        "",
        "The heap of a server, whatever the strategy says: a number with m or g, megabytes without a letter. Give each "
        "service its own rather than one to all, and leave memory to PostgreSQL and the system's cache. omero admin "
        "jvmcfg shows what comes of it.",
        affects=_SERVERS,
        services=_SERVICES,
        example="2g",
    ),
    Setting(
        "omero.jvmcfg.max_system_memory",
        "JVM",
        whole(1, unit="MB"),
        "48000",
        "The most memory that the percentages are taken of, however much the machine has. On a machine with more than "
        "48 GB that OMERO has to itself, raise it; otherwise the rest stays unused by Java.",
        affects=_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.jvmcfg.min_system_memory",
        "JVM",
        whole(1, unit="MB"),
        "3414",
        "The least memory that the percentages are taken of, however little the machine has. On a machine or container "
        "with less, servers are killed for want of memory: lower it, or set omero.jvmcfg.heap_size.",
        affects=_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.jvmcfg.percent",
        "JVM",
        optional(whole(1, 100, "percent")),
        "",
        "How much of the memory a service gets. Empty is 15 for blitz and pixeldata, 10 for indexer and repository. "
        "Set it for one service, as omero.jvmcfg.percent.blitz: without the ending it counts for each of them, so 50 "
        "would promise more than there is. Only the strategy percent uses it.",
        affects=_SERVERS,
        services=_SERVICES,
        example="25",
    ),
    Setting(
        "omero.jvmcfg.perm_gen",
        "JVM",
        optional(ValueType(Kind.BYTES, minimum=1, unit="MB", suffixes="KMG")),
        "",
        "Was the size of the memory for Java's classes, which Java 8 and newer manage by themselves.",
        affects=_SERVERS,
        services=_SERVICES,
        obsolete="does nothing since Java 8, which has no permanent generation: remove it",
        example="128m",
    ),
    Setting(
        "omero.jvmcfg.strategy",
        "JVM",
        enum("percent", "manual"),
        "percent",
        "How heaps are sized: percent takes a share of the machine's memory, manual gives omero.jvmcfg.heap_size, or "
        "512 MB where that is empty. Take manual where OMERO shares a machine or lives in a container.",
        affects=_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.jvmcfg.system_memory",
        "JVM",
        optional(whole(1, unit="MB")),
        "",
        "How much memory OMERO shall think the machine has; empty asks the system. Set it in containers: OMERO's own "
        "tools see the host's memory there, not the container's limit.",
        affects=_SERVERS,
        services=_SERVICES,
        example="24000",
    ),
)
