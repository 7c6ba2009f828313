"""Properties of the database."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, CLASS_NAME, HOST, PORT, SECRET, optional, text_like, whole
from omeroadmin.schema.setting import Setting

_JAVA_SERVERS = ("Blitz", "Indexer", "PixelData")
_CONNECTED = (*_JAVA_SERVERS, "OMERO.IceStorm", "toolkit")
_NAME = text_like(r"\S(.*\S)?", "a name in PostgreSQL")
_LEAVE = "Leave it unless OMERO's developers ask you to change it."

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.db.authority",
        "Database",
        text_like(r"\S+", "a name such as that of a host"),
        "export.openmicroscopy.org",
        "The first part of the identifiers (LSIDs) in exported OME-XML and OME-TIFF. The database's own UUID, which "
        "follows it, tells sites apart, so there is hardly ever a reason to change it.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.dialect",
        "Database",
        CLASS_NAME,
        "ome.util.PostgresqlDialect",
        f"The Java class that turns Hibernate's queries into PostgreSQL's SQL. {_LEAVE}",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.driver",
        "Database",
        CLASS_NAME,
        "org.postgresql.Driver",
        "The JDBC driver. Change it only for one that wraps PostgreSQL's, for example to log each statement, and whose "
        "jar lies in lib/server.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.host",
        "Database",
        HOST,
        "localhost",
        "The machine on which PostgreSQL listens, reached over TCP. PostgreSQL must accept connections from the server "
        "in its pg_hba.conf and listen_addresses. With omero.db.embedded it is 127.0.0.1.",
        affects=_CONNECTED,
    ),
    Setting(
        "omero.db.name",
        "Database",
        _NAME,
        "omero",
        "The name of the database in PostgreSQL. Never let two servers run on a database and its copy at the same "
        "time: both would have the same identity.",
        affects=_CONNECTED,
    ),
    Setting(
        "omero.db.pass",
        "Database",
        SECRET,
        "omero",
        "The password of omero.db.user. The default is known to everybody: set your own, here and in PostgreSQL. It is "
        "kept readable in config.xml, which therefore belongs to the server's user alone (mode 0600).",
        affects=_CONNECTED,
    ),
    Setting(
        "omero.db.patch",
        "Database",
        whole(0),
        "0",
        "The patch number of the schema that the server expects, after omero.db.version. The server won't start on "
        "another one: never change it to get around that, upgrade the database instead.",
        affects=(*_JAVA_SERVERS, "toolkit"),
    ),
    Setting(
        "omero.db.poolsize",
        "Database",
        whole(1, unit="connections"),
        "10",
        "How many connections to PostgreSQL each server may hold. The default is for a trial; 50 to 100 suits "
        "production. PostgreSQL's max_connections must be above the sum over all servers, else logins fail at busy "
        "times; omero.threads.min_threads should be below it.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.port",
        "Database",
        PORT,
        "5432",
        "The TCP port of PostgreSQL; UNIX sockets can't be used. omero.ports.prefix doesn't apply to it.",
        affects=_CONNECTED,
    ),
    Setting(
        "omero.db.prepared_statement_cache_size",
        "Database",
        whole(0, unit="statements"),
        "10",
        "How many prepared statements each connection keeps ready. Hardly ever worth a change.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.profile",
        "Database",
        text_like(r"[A-Za-z0-9._-]+", "the name of a file in etc/profiles"),
        "psql",
        "Which file of etc/profiles the defaults for the kind of database come from. OMERO comes with psql alone, "
        "which is PostgreSQL.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.properties",
        "Database",
        optional(text_like(r"[^\s=&]+=[^\s&]*(&[^\s=&]+=[^\s&]*)*", "parameters such as ssl=true&sslmode=require")),
        "",
        "Further parameters of the JDBC connection, with & between them; they end up at the end of omero.db.url. Set "
        "it, for example, to encrypt the way to PostgreSQL. The toolkit's own connections don't use it.",
        affects=_JAVA_SERVERS,
        example="ssl=true&sslmode=require",
    ),
    Setting(
        "omero.db.sql_action_class",
        "Database",
        CLASS_NAME,
        "ome.util.actions.PostgresSqlAction",
        f"The Java class with the SQL that doesn't go through Hibernate. {_LEAVE}",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.statistics",
        "Database",
        BOOL,
        "true",
        "Whether the Java servers count what Hibernate does and offer the figures over JMX. The cost is small.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.url",
        "Database",
        text_like(r"jdbc:\S+", "a JDBC URL, which begins with jdbc:"),
        "jdbc:postgresql://${omero.db.host}:${omero.db.port}/${omero.db.name}"
        "?ApplicationName=OMERO.${omero.name}&${omero.db.properties}",
        "How the Java servers reach the database; it is put together from omero.db.host and the others. Don't set it: "
        "the toolkit goes on using those, and backups would be of another database than the server's.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.db.user",
        "Database",
        _NAME,
        "omero",
        "The role in PostgreSQL that owns the database. It needs no rights beyond that.",
        affects=_CONNECTED,
    ),
    Setting(
        "omero.db.version",
        "Database",
        text_like(r"OMERO\d+\.\d+([A-Za-z0-9._-]*)", "a version of the schema such as OMERO5.4"),
        "OMERO5.4",
        "The version of the schema that the server expects: OMERO5.4 for all servers from 5.4 to 5.6. The server won't "
        "start on another one: never change it to get around that, upgrade the database instead.",
        affects=(*_JAVA_SERVERS, "toolkit"),
    ),
)
