"""Properties of OMERO.web: how its pages look, and how much they show or send at once."""

from __future__ import annotations

from omeroadmin.schema.kinds import TEXT, WEB_BOOL, enum, optional, or_none, size, text_like, whole
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
TEMPLATE = text_like(r"[^/\s]([^\n]*\S)?", "the name of a Django template, without a slash at its beginning")
PICTURE = text_like(r"(https?://[^/\s]|/|data:image/)\S*", "a URL of a picture that begins with http://, https:// or /")
_LINK = text_like(r"(https?://[^/\s]|/|#|mailto:)\S*", "a URL that begins with http://, https:// or /")
_VIEW = text_like(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", "the dotted name of a Django view")
_STATIC_FILE = text_like(r"(?!https?:)[^/\s]\S*", "a path below the static files, without a slash at its beginning")
_LABEL = text_like(r"[A-Za-z_]\w*", "the label of a Django app")
_MOST_IN_ONE_READ = 2**31 - 1

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.base_include_template",
        "Web",
        or_none(TEMPLATE),
        "None",
        "A template whose output goes into every page just before its end, e.g. for a banner or for counting visits. "
        "If OMERO.web doesn't find it in its apps or in omero.web.template_dirs, every page fails. Remove the "
        "property to be rid of it: the word None would be taken for a name.",
        affects=_WEB,
        example="banner/include.html",
    ),
    Setting(
        "omero.web.chunk_size",
        "Web",
        size(1, _MOST_IN_ONE_READ),
        "1048576",
        "How many bytes of a file OMERO.web fetches from the server at a time while somebody downloads it. Larger is "
        "faster over a slow line, but each download under way holds as much in memory, and it must stay below "
        "Ice.MessageSizeMax.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.favicon_url",
        "Web",
        _STATIC_FILE,
        "webgateway/img/ome.ico",
        "The icon that browsers show beside the page's title, as a path below omero.web.static_url. Put your own into "
        "a directory of omero.web.staticfile_dirs; a URL of another server doesn't work.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.feedback.comment.enabled",
        "Web",
        WEB_BOOL,
        "true",
        "Whether users get the form that sends a comment to the address in omero.qa.feedback, which is the OMERO "
        "developers' unless you change it. Switch it off where nothing may leave the site.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.feedback.error.enabled",
        "Web",
        WEB_BOOL,
        "true",
        "Whether the page of an internal error offers to send the error, with what the user was doing, to the address "
        "in omero.qa.feedback. Switch it off where names of data are confidential.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.index_template",
        "Web",
        or_none(TEMPLATE),
        "None",
        "A template that visitors see at the site's root instead of being sent on to the data or the login. Remove "
        "the property to send them on again: the word None would be looked for as a template. Browsers remember the "
        "redirection for long, so test in a private window.",
        affects=_WEB,
        example="webclient/index.html",
    ),
    Setting(
        "omero.web.max_table_download_rows",
        "Web",
        whole(1, unit="rows"),
        "10000",
        "How many rows of an OMERO table may be fetched with one request. Raising it costs memory of an OMERO.web "
        "worker and of the Tables server for each such request.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.max_table_slice_size",
        "Web",
        whole(1, unit="cells"),
        "1000000",
        "How many cells (rows times columns) of an OMERO table one call may fetch by position. Programs ask for "
        "more in several calls. OMERO.web before 5.27 doesn't know it.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.maximum_multifile_download_size",
        "Web",
        size(0),
        "1073741824",
        "How many bytes the files of one download as a zip archive may have together; beyond that users are told to "
        "download fewer. The archive is written to the temporary directory of OMERO.web first, which must have the "
        "room for as many as download at once.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.page_size",
        "Web",
        whole(1, unit="objects"),
        "200",
        "How many images of a dataset, or other children of a node, are on one page of the tree. Several hundred more "
        "make browsing slow for everybody.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.plate_layout",
        "Web",
        enum("expand", "trim", "shrink"),
        "expand",
        "How the grid of a plate is drawn: expand fills it up to multiples of 12 columns and 8 rows, trim ends after "
        "the last well, shrink also leaves out the empty rows and columns before the first one.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.root_application",
        "Web",
        optional(_LABEL),
        "",
        "Label of an app of omero.web.apps that serves the site's root itself, instead of being below its own name. "
        "Its addresses then come before OMERO.web's own and hide those that are the same.",
        affects=_WEB,
        example="gallery",
    ),
    Setting(
        "omero.web.search.default_group",
        "Web",
        whole(-1),
        "0",
        "Number of the group that the search form has chosen at first; 0 or -1 stands for all groups.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.search.default_user",
        "Web",
        whole(-1),
        "0",
        "Number of the user whose data the search form has chosen at first; 0 stands for whoever is logged in, -1 for "
        "everybody. Searching everybody's data by default is slower on a large server.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.thumbnails_batch",
        "Web",
        whole(1, unit="thumbnails"),
        "50",
        "How many thumbnails a page asks for with one request; more are refused. All their numbers are in the URL, "
        "so beyond a few hundred gunicorn or nginx refuses the request as too long.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.top_logo",
        "Web",
        optional(PICTURE),
        "",
        "A picture at the left of the top bar, about 23 pixels high, by its URL. A path beginning with / is looked up "
        "on the same host, e.g. below omero.web.static_url. Browsers may refuse an http:// picture on an https:// page.",
        affects=_WEB,
        example="https://www.example.org/logo.png",
    ),
    Setting(
        "omero.web.top_logo_link",
        "Web",
        optional(_LINK),
        "",
        "Where a click on the picture of omero.web.top_logo leads; nowhere if it is empty.",
        affects=_WEB,
        example="https://www.example.org/",
    ),
    Setting(
        "omero.web.user_dropdown",
        "Web",
        WEB_BOOL,
        "true",
        "Whether the top bar has the menu with the user's name, settings and logout. Without it there is no link to "
        "log in either: for sites that only show public data.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.viewer.view",
        "Web",
        _VIEW,
        "omeroweb.webclient.views.image_viewer",
        "The Django view that opens an image in full size, e.g. that of OMERO.iviewer. The app that it is in must be "
        "installed and in omero.web.apps; if it can't be imported, every page fails.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.login_incorrect_credentials_text",
        "Web",
        TEXT,
        "Connection not available, please check your user name and password.",
        "What the login page says after a wrong name or password. Good for a hint whom to ask; don't let it tell which "
        "of the two was wrong.",
        affects=_WEB,
    ),
)
