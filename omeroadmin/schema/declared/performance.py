"""Properties of sessions, threads, throttling and queries."""

from __future__ import annotations

from omeroadmin.schema.kinds import duration, whole
from omeroadmin.schema.setting import Setting

_BLITZ = ("Blitz",)
_JAVA_SERVERS = ("Blitz", "Indexer", "PixelData")
_SERVICES = ("blitz", "indexer", "pixeldata", "repository")
_OBSOLETE = "does nothing: the server has one number of threads, omero.threads.min_threads"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.sessions.max_user_time_to_idle",
        "Performance",
        duration("ms"),
        "6000000",
        "The longest time of inactivity that a user may ask for when opening a session. Raise it if scripts that wait "
        "long between two requests lose their sessions although they asked for more.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.sessions.max_user_time_to_live",
        "Performance",
        duration("ms"),
        "0",
        "The longest life that a user may ask for when opening a session, however busy it is; 0 is no limit.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.sessions.maximum",
        "Performance",
        duration("ms"),
        "0",
        "How long a session lives at most, even while it is used; 0 is no limit. With a limit, long imports and "
        "scripts end in the middle when their session does.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.sessions.sync_force",
        "Performance",
        duration("ms", minimum=1),
        "1800000",
        "How often at the latest the sessions in memory are compared with the database, whether or not there was "
        "cause to. Hardly ever worth a change.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.sessions.sync_interval",
        "Performance",
        duration("ms", minimum=1),
        "120000",
        "The pause between two rounds in which sessions that are over are closed and removed. Hardly ever worth a "
        "change.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.sessions.timeout",
        "Performance",
        duration("ms"),
        "600000",
        "After which time without a request a session ends and its user must log in again; 0 is never. Raise it where "
        "users complain of lost logins; each open session costs memory. OMERO.web's logins end after "
        "omero.web.session_cookie_age as well.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.threads.background_threads",
        "Performance",
        whole(1, unit="threads"),
        "10",
        "How many of the omero.threads.min_threads may work on background tasks such as imports at once; more than "
        "there are threads has no effect. Keep it below omero.threads.min_threads, so that imports leave room for "
        "people, and that below omero.db.poolsize.",
        affects=_BLITZ,
        services=_SERVICES,
    ),
    Setting(
        "omero.threads.background_timeout",
        "Performance",
        duration("ms"),
        "3600000",
        "How long a background task such as an import waits for a free thread before it fails. Raise it where many "
        "imports at once end in rejections.",
        affects=_BLITZ,
        services=_SERVICES,
    ),
    Setting(
        "omero.threads.cancel_timeout",
        "Performance",
        duration("ms"),
        "5000",
        "How long a task that is cancelled gets to come to its end. Hardly ever worth a change.",
        affects=_BLITZ,
        services=_SERVICES,
    ),
    Setting(
        "omero.threads.idle_timeout",
        "Performance",
        duration("ms"),
        "5000",
        "Was meant to end threads that have nothing to do; threads are kept now, however idle they are.",
        affects=_JAVA_SERVERS,
        services=_SERVICES,
        obsolete="does nothing: the server's threads have no time limit",
    ),
    Setting(
        "omero.threads.max_threads",
        "Performance",
        whole(1, unit="threads"),
        "50",
        "Was meant to be the most threads that work for users at once. Set omero.threads.min_threads instead, which "
        "is the number in force.",
        affects=_JAVA_SERVERS,
        services=_SERVICES,
        obsolete=_OBSOLETE,
    ),
    Setting(
        "omero.threads.min_threads",
        "Performance",
        whole(1, unit="threads"),
        "5",
        "How many threads work for users and background tasks; despite its name it is the most as well. Five are few "
        "for a production server: raise it where requests queue, but keep it below omero.db.poolsize, since a thread "
        "without a connection to the database waits.",
        affects=_JAVA_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.throttling.method_time.error",
        "Performance",
        duration("ms", minimum=1),
        "20000",
        "After which time a single call is reported in the log as an ERROR; nothing is aborted. If such lines are "
        "frequent, look for a slow database or disk before you raise it, and stay below a minute.",
        affects=_JAVA_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.throttling.method_time.error.indexer",
        "Performance",
        duration("ms", minimum=1),
        "86400000",
        "The same limit for Indexer alone, whose calls may well take hours: a day.",
        affects=("Indexer",),
    ),
    Setting(
        "omero.throttling.method_time.warn",
        "Performance",
        duration("ms", minimum=1),
        "5000",
        "After which time a single call is reported in the log as a WARN; nothing is aborted. Keep it below "
        "omero.throttling.method_time.error.",
        affects=_JAVA_SERVERS,
        services=_SERVICES,
    ),
    Setting(
        "omero.throttling.method_time.warn.indexer",
        "Performance",
        duration("ms", minimum=1),
        "3600000",
        "The same limit for Indexer alone: an hour.",
        affects=("Indexer",),
    ),
    Setting(
        "omero.throttling.objects_read_interval",
        "Performance",
        whole(1, unit="objects"),
        "1000",
        "After how many objects read in one call the server checks whether the call takes too much. Leave it unless "
        "OMERO's developers ask you to change it.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.throttling.objects_written_interval",
        "Performance",
        whole(1, unit="objects"),
        "1000",
        "After how many objects written in one call the server checks whether the call takes too much. Leave it unless "
        "OMERO's developers ask you to change it.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.throttling.servants_per_session",
        "Performance",
        whole(1, unit="services"),
        "10000",
        "How many services a session may hold open at once. A client that reaches it doesn't close what it opens; "
        "mend the client rather than raise it.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.query.timeout",
        "Query",
        duration("seconds", minimum=1),
        "1000",
        "After how many seconds a query of a user is cancelled; seconds, not milliseconds as elsewhere. Lower it where "
        "careless queries load the database.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.query.timeout.admin",
        "Query",
        duration("seconds", minimum=1),
        "${omero.query.timeout}",
        "The same for administrators, whose reports over the whole database may need longer. Without a value it is "
        "omero.query.timeout.",
        affects=_BLITZ,
    ),
)
