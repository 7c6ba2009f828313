"""Properties that OMERO reads though the glossary of its manual leaves them out."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, HOST, PATH, TEXT, duration, enum, list_of, optional, size, text_like, whole
from omeroadmin.schema.setting import Setting

_SECTION = "Beyond the glossary"
_ROUTER = "OMERO.Glacier2"
_JAVA_SERVERS = ("Blitz", "Indexer", "PixelData")
_PYTHON_SERVERS = ("Processor", "Tables", "FileServer", "MonitorServer", "DropBox", "TestDropBox")
_ALL_SERVERS = (_ROUTER, "OMERO.IceStorm", *_JAVA_SERVERS, *_PYTHON_SERVERS)
_DROPBOX = ("DropBox",)
_IGNORED = "The reference server ignores it."

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "Ice.Default.Host",
        _SECTION,
        optional(HOST),
        "",
        "The address that servers listen on; empty is all interfaces. Set the machine's address where OMERO picks the "
        "wrong interface; 127.0.0.1 shuts out all other machines.",
        affects=(*_ALL_SERVERS, "toolkit"),
        example="127.0.0.1",
    ),
    Setting(
        "Ice.MessageSizeMax",
        _SECTION,
        whole(0, unit="KB"),
        "250000",
        "The largest message between clients and servers; 0 is no limit. Raise it where a log says "
        "MemoryLimitException; clients need the same value in their own ice.config. " + _IGNORED,
        affects=_ALL_SERVERS,
    ),
    Setting(
        "Ice.Override.ConnectTimeout",
        _SECTION,
        duration("ms", minimum=-1),
        "5000",
        "How long a server tries to connect to another one; -1 is without end. Raise it on a slow network where logs "
        "say ConnectTimeoutException. " + _IGNORED,
        affects=_ALL_SERVERS,
    ),
    Setting(
        "Ice.ThreadPool.Server.SizeMax",
        _SECTION,
        whole(1, unit="threads"),
        "100",
        "How many calls from others a server works on at once; further ones wait. In Blitz more than omero.db.poolsize "
        "hardly helps, because each needs a connection to the database. " + _IGNORED,
        affects=_ALL_SERVERS,
    ),
    Setting(
        "omero.fs.importArgs",
        _SECTION,
        optional(TEXT),
        "",
        "Further options of each import by DropBox, as omero import takes them, for example to choose a dataset by the "
        "file's path. " + _IGNORED,
        affects=_DROPBOX,
        example='-T "regex:^.*/(?<Container1>.*?)"',
    ),
    Setting(
        "omero.fs.importUsers",
        _SECTION,
        list_of(text_like(r"\S.*", "the name of a user"), ";"),
        "default",
        "For whom DropBox imports, with semicolons between users, each beside a directory of omero.fs.watchDir. The "
        "word default means each user, from the directory of that name. " + _IGNORED,
        affects=_DROPBOX,
    ),
    Setting(
        "omero.fs.maxRetries",
        _SECTION,
        whole(1, unit="tries"),
        "5",
        "How often DropBox tries to log in while the server starts. Raise it where var/log/DropBox.log says that it "
        "failed to get a session. The reference server's DropBox tries as long as it takes.",
        affects=_DROPBOX,
    ),
    Setting(
        "omero.fs.retryInterval",
        _SECTION,
        duration("seconds", minimum=1),
        "3",
        "How long DropBox waits between two of the tries that omero.fs.maxRetries allows.",
        affects=_DROPBOX,
    ),
    Setting(
        "omero.fs.watchDir",
        _SECTION,
        optional(list_of(PATH, ";")),
        "",
        "The directories that DropBox watches, with semicolons between them; empty is DropBox in omero.data.dir. "
        "Directories on a network file system tell of no changes and aren't watched reliably. " + _IGNORED,
        affects=_DROPBOX,
        example="/data/DropBox",
    ),
    Setting(
        "omero.fstest.srcFile",
        _SECTION,
        optional(list_of(PATH, ";")),
        "",
        "Files that TestDropBox imports as a trial, with semicolons between them. While it is empty, TestDropBox waits "
        "for files that you copy into the directory that its log names.",
        affects=("TestDropBox",),
        example="/data/trial.tif",
    ),
    Setting(
        "omero.fstest.user",
        _SECTION,
        optional(text_like(r"[^/\s]+", "the name of a user")),
        "",
        "As which user TestDropBox imports; empty is root.",
        affects=("TestDropBox",),
        example="root",
    ),
    Setting(
        "omero.logging.level",
        _SECTION,
        enum("10", "20", "30", "40", "50"),
        "20",
        "From which weight on servers log: 10 debug, 20 information, 30 warnings, 40 errors. It counts for the "
        "servers in Python; the Java servers of a distribution read etc/logback.xml. Level 10 fills disks: set it "
        "back afterwards.",
        affects=_PYTHON_SERVERS,
    ),
    Setting(
        "omero.logging.lognum",
        _SECTION,
        whole(0, unit="files"),
        "9",
        "How many old logs each server in Python keeps, named .1, .2 and so on, beside the one it writes.",
        affects=_PYTHON_SERVERS,
    ),
    Setting(
        "omero.logging.logsize",
        _SECTION,
        size(minimum=0),
        "5000000",
        "At which size a server in Python begins a new log; 0 lets it grow without end.",
        affects=_PYTHON_SERVERS,
    ),
    Setting(
        "omero.logging.timedlog",
        _SECTION,
        BOOL,
        "False",
        "Whether servers in Python begin a new log each midnight rather than at omero.logging.logsize. " + _IGNORED,
        affects=_PYTHON_SERVERS,
    ),
    Setting(
        "omero.master.host",
        _SECTION,
        optional(HOST),
        "",
        "The host of the grid's registry, for servers and for clients on this machine. Empty takes Ice.Default.Host, "
        "else this machine. Set it to an address that other machines reach only where servers run on several.",
        affects=(*_ALL_SERVERS, "toolkit"),
        example="omero.example.org",
    ),
    Setting(
        "omero.router.insecure",
        _SECTION,
        optional(text_like(r"\S+:(ssl|tcp|ws|wss)\s.+", "a proxy as Ice writes it")),
        "",
        "Where clients go that ask for an unencrypted connection; empty is omero.ports.tcp. Set it to the encrypted "
        "port, as in the example, to keep everything encrypted. Write @omero.host@ as it is: each client puts in the "
        "name by which it reached the server. " + _IGNORED,
        affects=("Blitz", "clients"),
        example="OMERO.Glacier2/router:ssl -p 4064 -h @omero.host@",
    ),
    Setting(
        "omero.server.servicemanager.checkenv",
        _SECTION,
        optional(text_like(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable")),
        "",
        "A variable that the environment must have for omero admin start. Set one that only the service manager's unit "
        "sets, so that nobody starts the server by hand behind its back.",
        affects=("toolkit",),
        example="OMERO_STARTED_BY_SYSTEMD",
    ),
    Setting(
        "omero.tables.module",
        _SECTION,
        text_like(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "the name of a Python module"),
        "runTables",
        "The Python module that Tables runs. Change it only where you have installed another one. " + _IGNORED,
        affects=("Tables",),
    ),
)
