"""Properties of OMERO.web: its login page, where logins lead, and the public user who needs none."""

from __future__ import annotations

from omeroadmin.schema.declared.web_pages import PICTURE
from omeroadmin.schema.declared.web_panels import ARGUMENTS, QUERY
from omeroadmin.schema.forms import EMPTY_OBJECT, array, either, record, text
from omeroadmin.schema.kinds import REGEX, SECRET, TEXT, WEB_BOOL, duration, json_of, or_none, text_like, whole
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
_REPOSITORY = text_like(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "a repository of GitHub as OWNER/NAME")
_VIEW_NAME = text_like(r"[A-Za-z_][\w:.-]*", "the name of a Django view's address")
_CACHE_KEY = text_like(r"\S{1,200}", "a text of up to 200 characters without white space")
_REDIRECTION = json_of(
    either(
        EMPTY_OBJECT,
        record({"viewname": text()}, {"redirect": array(text()), "args": ARGUMENTS, "query_string": QUERY}),
    ),
    'JSON: {} or {"redirect": [view, …], "viewname": view, "args": […], "query_string": {…}}, of which '
    "only viewname is a must",
)
_HOSTS = json_of(
    array(text(r"[^/\s@]+")),
    "JSON: a list of host names, without http:// and path but with the port where there is one",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.login.client_downloads_base",
        "Web",
        _REPOSITORY,
        "ome/omero-insight",
        "The repository on GitHub whose releases the login page links to for the desktop client.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.login.show_client_downloads",
        "Web",
        WEB_BOOL,
        "true",
        "Whether the login page links to downloads of the desktop client. The visitor's browser asks api.github.com "
        "for them; switch it off where that isn't wanted or GitHub can't be reached.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.login_logo",
        "Web",
        or_none(PICTURE),
        "None",
        "A picture above OMERO's own on the login page, up to 150 pixels high, by its URL. Remove the property to be "
        "rid of it: with the word None browsers look for a picture of that name.",
        affects=_WEB,
        example="https://www.example.org/logo.png",
    ),
    Setting(
        "omero.web.login_redirect",
        "Web",
        _REDIRECTION,
        "{}",
        "Where a login leads that had no other page to go on to. With redirect, that is also where those end who "
        "wanted one of the listed pages before they were logged in. If the view can't be found, they get to the data "
        "as usual and OMEROweb.log has the reason.",
        affects=_WEB,
        example='{"redirect": ["webindex"], "viewname": "load_template", "args": ["userdata"], '
        '"query_string": {"experimenter": -1}}',
    ),
    Setting(
        "omero.web.login_view",
        "Web",
        _VIEW_NAME,
        "weblogin",
        "The view that people are sent to for logging in, e.g. that of an app for single sign-on. With a name that "
        "no app has, every page that needs a login fails.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.cache.enabled",
        "Web",
        WEB_BOOL,
        "false",
        "Whether all visitors share one session of the public user instead of logging in once each, which takes much "
        "load off a busy public server. It works only with a real cache in omero.web.caches: the default one stores "
        "nothing.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.cache.key",
        "Web",
        _CACHE_KEY,
        "omero.web.public.cache.key",
        "Under what name the public user's session is in the cache. Several OMERO.webs that share a cache but not the "
        "OMERO server or public user need a name each.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.cache.timeout",
        "Web",
        duration("seconds", 1),
        "86400",
        "How long the public user's session is kept in the cache. A new one is made afterwards, or when the server "
        "has closed it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.enabled",
        "Web",
        WEB_BOOL,
        "false",
        "Whether visitors who aren't logged in see data as the user omero.web.public.user does. It also takes "
        "omero.web.public.password and omero.web.public.url_filter; without name and password OMERO.web switches it "
        "off again, and says so in OMEROweb.log.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.get_only",
        "Web",
        WEB_BOOL,
        "true",
        "Whether the public user can only read (GET). With false, everybody on the net can change what that user may "
        "change: make sure first that it is in read-only groups alone.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.password",
        "Web",
        or_none(SECRET),
        "None",
        "Password of the user in omero.web.public.user. Not having the property means that there is no public user; "
        "the word None would be tried as a password.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.server_id",
        "Web",
        whole(1),
        "1",
        "On which server of omero.web.server_list the public user is, counted from 1.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.public.url_filter",
        "Web",
        REGEX,
        "(?#This regular expression matches nothing)a^",
        "Which addresses the public user gets: a Python regular expression that is searched for in the path, prefix "
        "included, so begin it with ^. The default matches nothing. Leave out /webadmin and anything that changes "
        "data.",
        affects=_WEB,
        example="^/webgateway/(?!archived_files|download_as)",
    ),
    Setting(
        "omero.web.public.user",
        "Web",
        or_none(TEXT),
        "None",
        "Name of the OMERO user as whom visitors see data without logging in. Make one for this alone, a plain member "
        "of read-only groups: all that it may see is public. The word None would be taken for a name.",
        affects=_WEB,
        example="public-user",
    ),
    Setting(
        "omero.web.redirect_allowed_hosts",
        "Web",
        _HOSTS,
        "[]",
        "Other hosts that a login may lead on to. Only those of your own: a link to your login page can then send "
        "people there.",
        affects=_WEB,
        example='["portal.example.org"]',
    ),
    Setting(
        "omero.web.show_forgot_password",
        "Web",
        WEB_BOOL,
        "true",
        "Whether the login page offers to have a forgotten password replaced. Switch it off where passwords are in "
        "LDAP, because OMERO can't change those.",
        affects=_WEB,
    ),
)
