"""Names that OMERO, Ice or apps of OMERO.web know though the catalog doesn't declare each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Family:
    """Names of one kind.

    :param pattern: regular expression of the whole name
    :param description: whose they are
    """

    pattern: str
    description: str


FAMILIES: tuple[Family, ...] = (
    Family(r"omero\.glacier2\.IceSSL\..+", "Any property of IceSSL, for OMERO.Glacier2 alone."),
    Family(
        r"Ice\.(ACM|Admin|Compression|Default|Override|Package|Plugin|TCP|ThreadPool|Trace|UDP|Warn)\..+",
        "Properties of Ice, for every server.",
    ),
    Family(
        r"Ice\.(BackgroundLocatorCacheUpdates|BatchAutoFlush(Size)?|CacheMessageBuffers|ChangeUser|ClassGraphDepthMax"
        r"|CollectObjects|HTTPProxy(Host|Port)|IPv4|ImplicitContext|InitPlugins|LogFile|LogStdErr\.Convert"
        r"|MessageSizeMax|Nohup|NullHandleAbort|PluginLoadOrder|PreferIPv6Address|Print(AdapterReady|ProcessId"
        r"|StackTraces)|ProgramName|RetryIntervals|SOCKSProxy(Host|Port)|ServerIdleTime|StdErr|StdOut"
        r"|Syslog(Facility|Port)|ThreadInterruptSafe|ThreadPriority|UseSyslog)",
        "Properties of Ice, for every server.",
    ),
    Family(
        r"omero\.fs\.(blacklist|blockSize|dirImportWait|eventTypes|ignoreDirEvents|ignoreSysFiles|importArgs"
        r"|importUsers|maxRetries|pathMode|readers|retryInterval|throttleImport|timeouts?|watchDir|whitelist)",
        "Properties of DropBox.",
    ),
    Family(r"omero\.fstest\..+", "Properties of TestDropBox."),
    Family(r"omero\.logging\.(directory|level|lognum|logsize|timedlog)", "How the servers in Python log."),
    Family(r"omero\.repo\.(dir|wait)", "Properties of the servers of a repository."),
    Family(r"omero\.tables\..+", "Properties of Tables."),
    Family(r"omero\.(pass|port|host|user|group|router|dump|prefix\.[a-z]+)", "Properties of clients."),
    Family(r"omero\.(dollar|db\.uuid|config\.(profile|version))", "What OMERO keeps for itself."),
    Family(r"omero\.server\.servicemanager\.checkenv", "A variable that `omero admin` must find set."),
    Family(
        r"omero\.web\.(autotag|figure|fpbioimage|gallery|iviewer|mapr|oauth|parade|signup|tagsearch|webtagging|zarr"
        r"|omero_[a-z_]+|[a-z]+_(app|plugin))\..+",
        "Properties of apps of OMERO.web.",
    ),
)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{family.pattern})" for family in FAMILIES))


def is_of_a_family(name: str) -> bool:
    """Whether a name is known without a declaration of its own."""
    return _pattern().fullmatch(name) is not None
