"""Properties of OMERO.web: gunicorn, nginx, and where its files are."""

from __future__ import annotations

from omeroadmin.schema.forms import array, either, number, row, text
from omeroadmin.schema.kinds import PATH, PORT, TEXT, duration, enum, json_of, optional, or_none, text_like, whole
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
_WEB_AND_NGINX = ("OMERO.web", "nginx")
_LISTENING = text_like(
    r"\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?",
    "a host name, an IPv4 address, or an IPv6 address in brackets",
)
_PREFIX = text_like(r"(/[A-Za-z0-9._~-]+)+/?", "a path of URLs such as /omero")
_STATIC_URL = text_like(
    r"https?://[^/\s?#]+(/[^\s?#]*)?|/[^\s?#]*", "a path of URLs such as /static/, or a URL of http:// or https://"
)
_SERVERS = json_of(
    array(
        row(
            text(r"\S+"),
            either(number(1, 65535), text("[0-9]{1,5}")),
            either({"type": "string"}, {"type": "null"}),
            fewest=2,
        ),
        fewest=1,
    ),
    "JSON: a list of at least one [host, port, name], where the name may be missing",
)
_DIRECTIVES = json_of(array({"type": "string"}), "JSON: a list of texts, each a line of nginx's configuration")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.application_server",
        "Web",
        enum("wsgi-tcp", "wsgi", "development"),
        "wsgi-tcp",
        "How OMERO.web runs: wsgi-tcp starts gunicorn, which listens on a port; wsgi leaves the starting to another "
        "web server, so that omero web start refuses; development is Django's test server, for one user and no "
        "production.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.application_server.host",
        "Web",
        _LISTENING,
        "127.0.0.1",
        "The address that gunicorn listens on, and that nginx passes requests to. Change it only where nginx is on "
        "another host: then nobody else may reach that port, and nginx needs a copy of the static files.",
        affects=_WEB_AND_NGINX,
        example="10.0.0.5",
    ),
    Setting(
        "omero.web.application_server.max_requests",
        "Web",
        whole(0, unit="requests"),
        "0",
        "After how many requests a worker is replaced by a fresh one, which bounds leaks of memory; 0 is never. Leave "
        "it at 0 with workers of gevent, where the replacing cuts downloads off.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.application_server.port",
        "Web",
        PORT,
        "4080",
        "The port that gunicorn listens on, and that nginx passes requests to. Regenerate nginx's configuration after "
        "a change (omero web config); SELinux must allow the port as well.",
        affects=_WEB_AND_NGINX,
    ),
    Setting(
        "omero.web.logdir",
        "Web",
        PATH,
        "${OMERODIR}/var/log",
        "Where OMERO.web writes the reports of errors that it couldn't send. OMEROweb.log itself stays in var/log "
        "whatever this says.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.nginx_server_extra_config",
        "Web",
        _DIRECTIVES,
        "[]",
        "Lines for the server block of the configuration that omero web config writes, so that TLS and other "
        "additions survive its regeneration. Each directive ends in ; and each { needs its }.",
        affects=("nginx",),
        example='["listen 443 ssl;", "ssl_certificate /etc/ssl/omero.pem;", "ssl_certificate_key /etc/ssl/omero.key;"]',
    ),
    Setting(
        "omero.web.ping_interval",
        "Web",
        duration("ms"),
        "60000",
        "How often an open page tells the server that its session is still in use; 0 is never. In milliseconds, "
        "though the manual says seconds. Longer than omero.sessions.timeout, open pages lose their session.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.prefix",
        "Web",
        optional(or_none(_PREFIX)),
        "None",
        "The path that the site is below, e.g. /omero for https://example.org/omero/. Set omero.web.static_url to a "
        "path below it as well and regenerate nginx's configuration. Remove the property for a site at the root: "
        "OMERO.web would take / or the word None for the path.",
        affects=_WEB_AND_NGINX,
        example="/omero",
    ),
    Setting(
        "omero.web.server_list",
        "Web",
        _SERVERS,
        '[["localhost", 4064, "omero"]]',
        "The OMERO servers that the login page offers, each with the port that is omero.ports.ssl there. Without the "
        "property it is the host of omero.master.host or Ice.Default.Host, if one is set. Their order counts: links "
        "and omero.web.public.server_id name them by their place.",
        affects=_WEB,
        example='[["omero.example.org", 4064, "omero"]]',
    ),
    Setting(
        "omero.web.static_root",
        "Web",
        PATH,
        "${OMERODIR}/var/static",
        "Where omero web start copies the pictures, styles and scripts of all apps to, for nginx to serve. nginx's "
        "user must be able to read it, and all directories above it; an absolute path.",
        affects=_WEB_AND_NGINX,
    ),
    Setting(
        "omero.web.static_url",
        "Web",
        _STATIC_URL,
        "/static/",
        "The path at which nginx serves omero.web.static_root. With omero.web.prefix it must be below the prefix, or "
        "pages come without styles; regenerate nginx's configuration after a change. For files on another host it "
        "may be a URL, but then omero web config can't be used.",
        affects=_WEB_AND_NGINX,
        example="/omero/static/",
    ),
    Setting(
        "omero.web.wsgi_args",
        "Web",
        optional(or_none(TEXT)),
        "None",
        "More options for gunicorn, separated by spaces; quotes don't keep a space together. In "
        "omero config set, put -- before a value that begins with a dash. Remove the property to have none: gunicorn doesn't start with the word None.",
        affects=_WEB,
        example="--log-level=DEBUG --error-logfile=/var/log/omero/gunicorn.log",
    ),
    Setting(
        "omero.web.wsgi_threads",
        "Web",
        whole(1, unit="threads"),
        "1",
        "Threads of each sync worker. With 2 to 4 per core a slow request holds up fewer others; workers of gevent "
        "ignore it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.wsgi_timeout",
        "Web",
        duration("seconds"),
        "60",
        "After how long without a sign of life a worker is killed and replaced; 0 is never. Raise it if large exports "
        "or downloads break off and OMEROweb.log says nothing.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.wsgi_worker_class",
        "Web",
        enum("sync", "gevent"),
        "sync",
        "The kind of gunicorn's workers. gevent suits sites with many long downloads and must be installed first "
        "(pip install gevent); OMERO.web doesn't start with any other.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.wsgi_worker_connections",
        "Web",
        whole(1, unit="connections"),
        "1000",
        "How many clients each worker of gevent serves at the same time; sync workers ignore it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.wsgi_workers",
        "Web",
        whole(1, unit="workers"),
        "5",
        "How many processes answer requests; twice the number of cores and one more is a good start, and 4 to 12 do "
        "for most sites. Each takes a few hundred MB of memory, so more isn't better.",
        affects=_WEB,
    ),
)
