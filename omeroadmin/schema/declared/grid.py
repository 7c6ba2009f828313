"""Properties of the grid, of metrics and of the server as a whole."""

from __future__ import annotations

from omeroadmin.schema.kinds import BEAN_NAME, BOOL, TEXT, URL, duration, enum, optional, text_like, whole
from omeroadmin.schema.setting import Setting

_JAVA_SERVERS = ("Blitz", "Indexer", "PixelData")
_SERVER = r"[A-Za-z][A-Za-z0-9]*(-\d+)?"
_NODE = rf"[A-Za-z0-9._-]+:{_SERVER}(,{_SERVER})*"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.cluster.read_only",
        "Grid",
        BOOL,
        "false",
        "Makes both the database and the repository read-only, whatever the other two properties say. It is the old "
        "way: set omero.cluster.read_only.db and omero.cluster.read_only.repo instead.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.cluster.read_only.db",
        "Grid",
        BOOL,
        "false",
        "Whether the server never writes to the database, for example to show a copy to the public. The copy must "
        "have run with the same version of the server before. The server switches to read-only by itself where it "
        "finds that it can't write. Sessions are kept in memory then and end with their Blitz.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.cluster.read_only.repo",
        "Grid",
        BOOL,
        "false",
        "Whether the server never writes to the binary repository, for example on a read-only mount; nobody can import "
        "then. Set omero.pixeldata.memoizer.dir.local with it, so that memo files have a place. The server switches to "
        "read-only by itself where it finds that it can't write; diagnostics don't complain of it.",
        affects=(*_JAVA_SERVERS, "toolkit"),
    ),
    Setting(
        "omero.cluster.redirector",
        "Grid",
        BEAN_NAME,
        "nullRedirector",
        "The Spring bean that chooses the Blitz of a new session: nullRedirector stays with the one asked, "
        "configRedirector sends sessions to the one named in the database. Needed only with several Blitz servers.",
        affects=("Blitz",),
    ),
    Setting(
        "omero.grid.registry_timeout",
        "Grid",
        duration("ms", minimum=1),
        "5000",
        "How long servers wait for an answer of others in the grid, such as Processor or Tables. Raise it where a busy "
        "machine makes scripts or tables fail with timeouts.",
        affects=("Blitz", "Processor", "Tables"),
    ),
    Setting(
        "omero.metrics.bean",
        "Metrics",
        enum("defaultMetrics", "nullMetrics"),
        "defaultMetrics",
        "Whether the Java servers measure themselves: defaultMetrics does, nullMetrics doesn't. The cost is small, "
        "and the figures help when something is slow.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.metrics.graphite",
        "Metrics",
        optional(text_like(r"[A-Za-z0-9._-]+(:\d{1,5})?", "a host, with or without a port")),
        "",
        "The Graphite server that the Java servers send their measurements to; empty sends none. For Prometheus use "
        "omero metrics instead.",
        affects=_JAVA_SERVERS,
        example="graphite.example.org:2003",
    ),
    Setting(
        "omero.metrics.slf4j_minutes",
        "Metrics",
        duration("minutes", minimum=None),
        "60",
        "How often the Java servers write their measurements to their logs; 0 or less is never. Lower it for a while "
        "to follow a problem.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.name",
        "Name",
        text_like(r"\S+", "a name without spaces"),
        "Server",
        "The name of a server in its log and in its connections to the database, where it helps to see whose they are. "
        "The descriptor gives each server its own, such as Blitz-0: don't set it.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.qa.feedback",
        "Qa",
        URL,
        "http://qa.openmicroscopy.org.uk",
        "Where clients and OMERO.web send error reports and comments of users. Reports can hold names of users and "
        "files: set an address of your own where that mustn't leave the house.",
        affects=("Blitz", "OMERO.web", "clients"),
    ),
    Setting(
        "omero.server.nodedescriptors",
        "Server",
        optional(text_like(rf"\s*{_NODE}(\s+{_NODE})*\s*", "servers by node, such as master:Blitz-0,Tables-0")),
        "",
        "Which servers run on which machine: nodes with spaces between them, the servers of each with commas. Empty "
        "runs one of each on master. What isn't named doesn't run: without Indexer-0 there is no search, without "
        "PixelData-0 no pyramids. OMERO.Glacier2 always runs on master. omero admin deploy starts and stops those that "
        "come and go.",
        affects=("toolkit",),
        example="master:Blitz-0,Indexer-0,PixelData-0,Tables-0 worker1:Processor-0",
    ),
    Setting(
        "omero.launcher.jython",
        "Server",
        TEXT,
        "jython",
        "The program that runs Jython scripts (*.jy): a path, or a name that is found on the PATH of Processor.",
        affects=("Blitz", "Processor"),
    ),
    Setting(
        "omero.version",
        "Server",
        optional(text_like(r"\d+\.\d+\S*", "a version such as 5.6.7")),
        "",
        "The version that the server reports to clients, which may refuse one that isn't theirs. OMERO's build writes "
        "it: don't set it. Empty is the toolkit's own version.",
        affects=("Blitz",),
        example="5.6.7",
    ),
    Setting(
        "omero.security.ignore_case",
        "Server",
        BOOL,
        "false",
        "Whether user names are the same in upper and lower case at login. OMERO puts all names in the database into "
        "lower case at its next start with true, and won't start where two become one; setting false again doesn't "
        "bring the old spelling back.",
        affects=("Blitz",),
    ),
    Setting(
        "omero.upgrades.url",
        "Server",
        optional(URL),
        "http://upgrade.openmicroscopy.org.uk",
        "Where the server and clients ask whether there is a newer version of OMERO; the question names version and "
        "system. Empty asks nobody, but OMERO's own omero admin checkupgrade still asks the default address.",
        affects=("Blitz", "clients"),
    ),
    Setting(
        "omero.pixeldata.max_tile_length",
        "Server",
        whole(1, unit="pixels"),
        "1024",
        "The longest side of a tile that viewers in OMERO.web may ask for; longer wishes are cut to the usual tile. "
        "Raise it together with the size of tiles in your files.",
        affects=("Blitz", "OMERO.web"),
    ),
)
