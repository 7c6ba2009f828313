"""Properties of OMERO.web: what is handed on to Django as it stands."""

from __future__ import annotations

from omeroadmin.schema.declared.web_sessions import DOTTED
from omeroadmin.schema.forms import ANYTHING, EMPTY_OBJECT, array, either, record, row, table, text
from omeroadmin.schema.kinds import PATH, WEB_BOOL, json_of, optional, or_none, text_like
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
_MODULE = "[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*"
_CLASS = "[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+"
_APPS = json_of(array(text(_MODULE)), "JSON: a list of names of Python packages")
_CACHES = json_of(
    table(record({"BACKEND": text(_CLASS)}, others=True), needed=("default",)),
    'JSON: {"default": {"BACKEND": class, …}, …}, with further caches under names of your own',
)
_DATABASES = json_of(
    either(EMPTY_OBJECT, table(table(ANYTHING), needed=("default",))),
    'JSON: {} or {"default": {"ENGINE": module, "NAME": …, …}, …}',
)
_MORE_SETTINGS = json_of(
    array(row(text("[A-Z][A-Z0-9_]*"), ANYTHING)), "JSON: a list of [name, value], the names in capitals"
)
_MIDDLEWARE = json_of(
    array(record({"index": {"type": "number"}, "class": text(_CLASS)})),
    'JSON: a list of {"index": NUMBER, "class": class}',
)
_STATIC_DIRECTORIES = json_of(
    array(either(text(), row(text(r"([^/]|/+[^/])+"), text()))),
    "JSON: a list of directories, or of [prefix, directory]",
)
_DIRECTORIES = json_of(array(text()), "JSON: a list of directories")
_CHECKS = json_of(array(text()), "JSON: a list of numbers of Django's checks, e.g. 1_8.W001")
_ZONES_OF_REGIONS = (
    "(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US)"
    "/[A-Za-z0-9_+-]+(/[A-Za-z0-9_-]+)?"
)
_OTHER_ZONES = (
    r"[CEMW]ET|EST|MST|HST|(CST6C|EST5E|MST7M|PST8P)DT|GMT([+-]?0)?|UTC|UCT|Universal|Zulu|Greenwich|Cuba|Egypt|Eire"
    r"|GB|GB-Eire|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|NZ|NZ-CHAT|Navajo|PRC|Poland|Portugal"
    r"|ROC|ROK|Singapore|Turkey|W-SU"
)
_TIME_ZONE = text_like(f"{_ZONES_OF_REGIONS}|{_OTHER_ZONES}", "a time zone by its name, e.g. Europe/Berlin or UTC")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.apps",
        "Web",
        _APPS,
        "[]",
        "Apps beyond OMERO.web's own, by the names of their packages, which must be installed in OMERO.web's Python. "
        "One that can't be imported keeps OMERO.web from starting. omero config append adds one and keeps the others.",
        affects=_WEB,
        example='["omero_iviewer", "omero_figure"]',
    ),
    Setting(
        "omero.web.caches",
        "Web",
        _CACHES,
        '{"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}',
        "Django's caches. The default stores nothing: name a real one before sessions (omero.web.session_engine) or "
        "the public user (omero.web.public.cache.enabled) are to use it, or nobody stays logged in. Redis takes "
        "pip install django-redis.",
        affects=_WEB,
        example='{"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:6379/0"}}',
        holds_secrets=True,
    ),
    Setting(
        "omero.web.databases",
        "Web",
        _DATABASES,
        "{}",
        "Databases for Django itself: for apps that need one, or for sessions. Never name OMERO's own database here. "
        "Listings mask it, because there may be passwords inside.",
        affects=_WEB,
        example='{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/opt/omero/web/sessions.db"}}',
        holds_secrets=True,
    ),
    Setting(
        "omero.web.debug",
        "Web",
        WEB_BOOL,
        "false",
        "Whether errors show the code and its values in the browser, and the log has much more detail. For "
        "development alone: both contain names, keys and passwords.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.django_additional_settings",
        "Web",
        _MORE_SETTINGS,
        "[]",
        "Django's settings that no other property covers, each a list of name and value. They come last, so that they "
        "win over everything else, and nothing checks the values. A single pair needs two pairs of brackets.",
        affects=_WEB,
        example='[["FILE_UPLOAD_MAX_MEMORY_SIZE", 5242880]]',
    ),
    Setting(
        "omero.web.middleware",
        "Web",
        _MIDDLEWARE,
        '[{"index": 1, "class": "django.middleware.common.BrokenLinkEmailsMiddleware"},'
        '{"index": 2, "class": "django.middleware.common.CommonMiddleware"},'
        '{"index": 3, "class": "django.contrib.sessions.middleware.SessionMiddleware"},'
        '{"index": 4, "class": "django.middleware.csrf.CsrfViewMiddleware"},'
        '{"index": 5, "class": "django.contrib.messages.middleware.MessageMiddleware"},'
        '{"index": 6, "class": "django.middleware.clickjacking.XFrameOptionsMiddleware"}]',
        "What each request passes through, in the order of index, which may have a fraction or be below zero. Use "
        "omero config append to add one: without those of the default, logins and the protection of forms fail.",
        affects=_WEB,
        example='[{"index": 0, "class": "whitenoise.middleware.WhiteNoiseMiddleware"}]',
    ),
    Setting(
        "omero.web.pipeline_css_compressor",
        "Web",
        optional(or_none(DOTTED)),
        "None",
        "Which program was to make style sheets smaller.",
        affects=_WEB,
        obsolete="does nothing since OMERO.web 5.6: style sheets are never compressed",
        example="pipeline.compressors.yuglify.YuglifyCompressor",
    ),
    Setting(
        "omero.web.pipeline_js_compressor",
        "Web",
        optional(or_none(DOTTED)),
        "None",
        "Which program was to make scripts smaller.",
        affects=_WEB,
        obsolete="does nothing since OMERO.web 5.6: scripts are never compressed",
        example="pipeline.compressors.yuglify.YuglifyCompressor",
    ),
    Setting(
        "omero.web.pipeline_staticfile_storage",
        "Web",
        DOTTED,
        "pipeline.storage.PipelineStorage",
        "The class that puts static files in their place when OMERO.web starts.",
        affects=_WEB,
        obsolete="does nothing since OMERO.web 5.31: its Django 5.2 no longer has this setting",
    ),
    Setting(
        "omero.web.staticfile_dirs",
        "Web",
        _STATIC_DIRECTORIES,
        "[]",
        "More directories with static files, e.g. your logos, which are copied to omero.web.static_root at the start. "
        "With [prefix, directory] they are put below the prefix. Absolute paths, and not omero.web.static_root itself.",
        affects=_WEB,
        example='["/opt/omero/web/static"]',
    ),
    Setting(
        "omero.web.system_checks",
        "Web",
        _CHECKS,
        '["1_8.W001"]',
        "Django's checks whose warnings are not to be shown at the start, by their numbers. It hides them and mends "
        "nothing.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.template_dirs",
        "Web",
        _DIRECTORIES,
        "[]",
        "Directories with templates of your own, looked into before those of the apps; a template of the same name "
        "takes the place of OMERO.web's. Compare such copies after each upgrade. Absolute paths.",
        affects=_WEB,
        example='["/opt/omero/web/templates"]',
    ),
    Setting(
        "omero.web.time_zone",
        "Web",
        _TIME_ZONE,
        "Europe/London",
        "The time zone of the times in OMEROweb.log and of all that OMERO.web dates, by its name in the tz database. OMERO.web doesn't start with a "
        "name that isn't there; capitals count.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.webgateway_cache",
        "Web",
        or_none(PATH),
        "None",
        "A directory where rendered images were cached.",
        affects=_WEB,
        obsolete="does nothing since OMERO.web 5.26: the cache was removed",
        example="/var/cache/omero-web",
    ),
)
