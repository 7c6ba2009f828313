"""Properties of OMERO.web: sessions and their cookies."""

from __future__ import annotations

from omeroadmin.schema.kinds import WEB_BOOL, duration, enum, or_none, text_like
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
DOTTED = text_like(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", "the dotted name of a Python class")
SAME_SITE = enum("Lax", "Strict", "None")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = text_like(rf"\.?{_LABEL}(\.{_LABEL})*", "the name of a domain")
_COOKIE_NAME = text_like(r"[A-Za-z0-9!#$%&'*+.^_`|~:-]+", "the name of a cookie, without spaces")
_COOKIE_PATH = text_like(r"/[^\s;]*", "a path of URLs that begins with /")
_ENGINES = enum(
    "django.contrib.sessions.backends.file",
    "django.contrib.sessions.backends.cache",
    "django.contrib.sessions.backends.cached_db",
    "django.contrib.sessions.backends.db",
    "omeroweb.filesessionstore",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.session_cookie_age",
        "Web",
        duration("seconds", 1),
        "86400",
        "How long a login in the browser lasts, unless the browser is closed first (see "
        "omero.web.session_expire_at_browser_close). The session on the server may end before that: "
        "omero.sessions.timeout.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.session_cookie_domain",
        "Web",
        or_none(_DOMAIN),
        "None",
        "The domain that the session cookie is for; without the property, only the host that set it. A domain that "
        "the site isn't in, and so also the word None, makes browsers drop the cookie: nobody can log in.",
        affects=_WEB,
        example="omero.example.org",
    ),
    Setting(
        "omero.web.session_cookie_name",
        "Web",
        or_none(_COOKIE_NAME),
        "None",
        "Name of the session cookie; sessionid without the property. Give each of several OMERO.webs on one host name "
        "a name of its own, or a login at one logs out of the other.",
        affects=_WEB,
        example="omeroweb_sessionid",
    ),
    Setting(
        "omero.web.session_cookie_path",
        "Web",
        or_none(_COOKIE_PATH),
        "None",
        "The path below which browsers send the session cookie; / without the property. With omero.web.prefix it may "
        "be the same path. If the site isn't below it, nobody can log in.",
        affects=_WEB,
        example="/omero",
    ),
    Setting(
        "omero.web.session_cookie_samesite",
        "Web",
        SAME_SITE,
        "Lax",
        "Whether browsers send the session cookie when another site leads to OMERO.web: Lax for links, Strict never, "
        "None also for pages that embed it. Here None is a value of its own, and browsers take it only together with "
        "omero.web.session_cookie_secure. OMERO.web before 5.21 doesn't know it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.session_cookie_secure",
        "Web",
        WEB_BOOL,
        "false",
        "Whether browsers send the session cookie over https:// alone. Set it to true as soon as the site has a "
        "certificate; while it is reached over http://, nobody can log in with it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.session_engine",
        "Web",
        _ENGINES,
        "omeroweb.filesessionstore",
        "Where sessions are kept: files in the temporary directory (file, and the older omeroweb.filesessionstore "
        "that OMERO.web 5.22 replaced by it), a cache, or a database. Files pile up until omero web clearsessions; a "
        "cache needs omero.web.caches, the others omero.web.databases. Anything else keeps OMERO.web from starting; "
        "changing it logs everybody out.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.session_expire_at_browser_close",
        "Web",
        WEB_BOOL,
        "true",
        "Whether closing the browser logs out. With false a login lasts for omero.web.session_cookie_age, on shared "
        "computers too.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.session_serializer",
        "Web",
        DOTTED,
        "django.contrib.sessions.serializers.JSONSerializer",
        "How sessions are written into their store. Django's PickleSerializer is gone since OMERO.web 5.31, which "
        "doesn't work with it, and lets anybody who can write to the store run code. Clear the sessions when you "
        "change it.",
        affects=_WEB,
    ),
)
