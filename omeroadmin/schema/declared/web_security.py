"""Properties of OMERO.web: which hosts, sites and proxies it trusts, its key, and whom it tells of errors."""

from __future__ import annotations

from omeroadmin.schema.declared.web_sessions import SAME_SITE
from omeroadmin.schema.forms import EMPTY_ARRAY, array, either, row, text
from omeroadmin.schema.kinds import SECRET, URL, WEB_BOOL, enum, json_of, optional, or_none, text_like
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
_LINE = text_like(r"[^\r\n]*", "a single line of text")
_PEOPLE = json_of(array(row(text(), text(r"[^@\s]+@[^@\s]+"))), "JSON: a list of [name, e-mail address]")
_SERVED_HOSTS = json_of(
    array(text(r"\*|\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]"), fewest=1),
    'JSON: a list of at least one host name, ".domain" with all below it, or "*", each without scheme and port',
)
_ORIGINS = json_of(
    array(text(r"null|file://|[a-z][a-z0-9+.-]*://[^/\s?#]+")),
    "JSON: a list of origins, each a scheme, a host and perhaps a port, without a slash at the end",
)
_TRUSTED_ORIGINS = json_of(
    array(text(r"https?://(\*\.)?[^/\s*?#]+")),
    'JSON: a list of origins such as "https://www.example.org" or "https://*.example.org"',
)
_PROXY_HEADER = json_of(
    either(EMPTY_ARRAY, row(text("HTTP_[A-Z0-9_]+"), text())),
    "JSON: [] or [header, value], where the header is in capitals, with _ for - and HTTP_ before it",
)
_REFERRER_POLICIES = enum(
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "origin-when-crossorigin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
    "never",
    "default",
    "always",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.admins",
        "Web",
        _PEOPLE,
        "[]",
        "Who gets an e-mail about each internal error and each broken link within the site. It takes omero.mail.host "
        "and omero.mail.from, and omero.web.debug must be off. One fault can send very many.",
        affects=_WEB,
        example='[["Jane Doe", "jane@example.org"]]',
    ),
    Setting(
        "omero.web.admins.email_subject_prefix",
        "Web",
        optional(_LINE),
        "[OMERO.web - admin notification]",
        "What the subjects of these e-mails begin with, for filters to sort by. No space is put behind it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.allowed_hosts",
        "Web",
        _SERVED_HOSTS,
        '["*"]',
        "Host names that the site may be asked for by; others get status 400. With the default of all names, forged "
        "Host headers get into links and redirections, so list the names of a public site, and those that monitoring "
        "uses.",
        affects=_WEB,
        example='["omero.example.org", "localhost"]',
    ),
    Setting(
        "omero.web.check_version",
        "Web",
        WEB_BOOL,
        "true",
        "Whether a login is refused when the server's version doesn't go with OMERO.web's. Switch it off only for a "
        "test: things break later and in odd ways then.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.cors_origin_allow_all",
        "Web",
        WEB_BOOL,
        "false",
        "Whether pages of any site may send requests to OMERO.web with the visitor's session. That gives every page a "
        "user looks at the user's rights: list the sites in omero.web.cors_origin_whitelist instead.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.cors_origin_whitelist",
        "Web",
        _ORIGINS,
        "[]",
        "Sites whose pages may send requests to OMERO.web with the visitor's session. It does nothing until the "
        "middleware of django-cors-headers (corsheaders.middleware.CorsMiddleware) is in omero.web.middleware. A bare "
        "host name never matches.",
        affects=_WEB,
        example='["https://viewer.example.org"]',
    ),
    Setting(
        "omero.web.csrf_cookie_httponly",
        "Web",
        WEB_BOOL,
        "false",
        "Whether scripts can't read the cookie that protects forms against forgery. OMERO.web's own pages read it: "
        "with true, saving fails with status 403.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.csrf_cookie_samesite",
        "Web",
        SAME_SITE,
        "Lax",
        "Whether browsers send the cookie that protects forms when another site leads to OMERO.web: Lax for links, "
        "Strict never, None also for pages that embed it. Here None is a value of its own, and browsers take it only "
        "together with omero.web.csrf_cookie_secure. OMERO.web before 5.21 doesn't know it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.csrf_cookie_secure",
        "Web",
        WEB_BOOL,
        "false",
        "Whether browsers send the cookie that protects forms over https:// alone. Set it to true as soon as the site "
        "has a certificate; while it is reached over http://, logging in fails with status 403.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.csrf_trusted_origins",
        "Web",
        _TRUSTED_ORIGINS,
        "[]",
        "Other sites whose forms may change data, and the site's own address where a proxy hides from OMERO.web that "
        "it is https:// (then logging in fails with status 403). The scheme is a must since OMERO.web 5.23; 5.22 took "
        "bare host names, and those before don't know it.",
        affects=_WEB,
        example='["https://omero.example.org"]',
    ),
    Setting(
        "omero.web.html_meta_referrer",
        "Web",
        _REFERRER_POLICIES,
        "origin-when-crossorigin",
        "How much of a page's address browsers tell the sites that it links to. The default, an old way to write "
        "origin-when-cross-origin, tells them the host alone. no-referrer hides it from OMERO.web as well, and then "
        "nobody can log in.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.secret_key",
        "Web",
        or_none(SECRET),
        "None",
        "The key that sessions and forms are signed with: 50 or more random characters. Without the property "
        "OMERO.web makes one in var/django_secret_key; set it only where several OMERO.webs share their sessions. "
        "Whoever knows it can forge logins, and the word None would be a key that everybody knows.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.secure",
        "Web",
        WEB_BOOL,
        "false",
        "Whether everything between OMERO.web and the OMERO server is encrypted, not only the login. Set it to true "
        "where the two are on different hosts; image data is a little slower then.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.secure_proxy_ssl_header",
        "Web",
        _PROXY_HEADER,
        "[]",
        "By which header the proxy in front tells that a request came over https://. Set it only if that proxy always "
        "sets or removes the header: otherwise anybody can send it.",
        affects=_WEB,
        example='["HTTP_X_FORWARDED_PROTO", "https"]',
    ),
    Setting(
        "omero.web.upgrades.url",
        "Web",
        or_none(URL),
        "None",
        "Where OMERO.web asks for a newer version at each login; without the property, where the server does "
        "(omero.upgrades.url). The word None would be asked as a URL, in vain.",
        affects=_WEB,
        example="https://upgrade.example.org",
    ),
    Setting(
        "omero.web.use_x_forwarded_host",
        "Web",
        WEB_BOOL,
        "false",
        "Whether the site's name is taken from the header X-Forwarded-Host instead of Host. Set it to true only "
        "behind a proxy that always sets that header: otherwise visitors choose the name that links are made with.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.x_frame_options",
        "Web",
        enum("SAMEORIGIN", "DENY", "ALLOWALL"),
        "SAMEORIGIN",
        "Whether other pages may show OMERO.web in a frame: those of the same site, none (DENY), or all (ALLOWALL, "
        "which browsers don't know and so ignore: hidden frames can then catch users' clicks). Browsers have given up "
        "ALLOW-FROM.",
        affects=_WEB,
    ),
)
