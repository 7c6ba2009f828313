"""Properties of OMERO.web: links, viewers and panels that sites add to its pages, all of them JSON."""

from __future__ import annotations

from omeroadmin.schema.forms import ANYTHING, array, either, record, row, table, text
from omeroadmin.schema.kinds import json_of
from omeroadmin.schema.setting import Setting

_WEB = ("OMERO.web",)
QUERY = either(table(ANYTHING), {"type": "string"})
ARGUMENTS = array(ANYTHING)
_LOOKED_UP = record(
    {"viewname": text()},
    {"args": ARGUMENTS, "kwargs": table(ANYTHING), "query_string": QUERY, "urlconf": text(), "current_app": text()},
)
_ATTRIBUTES = table({"type": ["string", "number", "boolean"]})
_TOP_LINKS = json_of(
    array(row(text(), either(text(), _LOOKED_UP), _ATTRIBUTES, fewest=2)),
    "JSON: a list of [label, link, attributes], where the link is the name of a view, a URL, "
    'or {"viewname": …, "args": […], "query_string": {…}}, and the attributes may be missing',
)
_VIEWER_OPTIONS = record(
    {}, {"supported_objects": array(text()), "script_url": text(), "target": text(), "label": text()}, others=True
)
_OPEN_WITH = json_of(
    array(row(text(), text(), _VIEWER_OPTIONS, fewest=2)),
    "JSON: a list of [name, view or URL, options], where the options may have "
    "supported_objects, script_url, target and label",
)
_PLUGINS = json_of(
    array(row(text(), text(), text("[A-Za-z][A-Za-z0-9_:.-]*"))), "JSON: a list of [label, template, id of its panel]"
)
_PANES = json_of(
    array(record({"name": text("[A-Za-z0-9_]+"), "label": text(), "index": {"type": "number"}}, others=True)),
    'JSON: a list of {"name": …, "label": …, "index": NUMBER}',
)
_SITES = json_of(table(text()), 'JSON: an object such as {"omero": "text"}, whose names are those of server_list')

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.web.open_with",
        "Web",
        _OPEN_WITH,
        '[["Image viewer", "webgateway", {"supported_objects": ["image"],'
        '"script_url": "webclient/javascript/ome.openwith_viewer.js"}]]',
        "The viewers of the menu Open with. An entry is shown for the kinds of objects in supported_objects (image: "
        "one, images: one or more), or as its script decides; with neither it never appears. Apps are added with "
        "omero config append, which keeps those that are there.",
        affects=_WEB,
        example='[["Figure", "new_figure", {"supported_objects": ["images"], "target": "_blank"}]]',
    ),
    Setting(
        "omero.web.sharing.opengraph",
        "Web",
        _SITES,
        "{}",
        "The site's name in previews of links to images (Open Graph), for each server by its name in "
        "omero.web.server_list. Previews are only there for images that the public user may see.",
        affects=_WEB,
        example='{"omero": "Images of the Example Institute"}',
    ),
    Setting(
        "omero.web.sharing.twitter",
        "Web",
        _SITES,
        "{}",
        "The site's account in previews of links to images on Twitter, with @, for each server by its name in "
        "omero.web.server_list.",
        affects=_WEB,
        example='{"omero": "@example"}',
    ),
    Setting(
        "omero.web.ui.center_plugins",
        "Web",
        _PLUGINS,
        "[]",
        "Panels that apps add in the middle of the page. The template is a script that fills the element with the "
        "given id; its app must be in omero.web.apps, or the page fails.",
        affects=_WEB,
        example='[["Split View", "webtest/webclient_plugins/center_plugin.splitview.js.html", "split_view_panel"]]',
    ),
    Setting(
        "omero.web.ui.metadata_panes",
        "Web",
        _PANES,
        '[{"name": "tag", "label": "Tags", "index": 1},{"name": "map", "label": "Key-Value Pairs", "index": 2},'
        '{"name": "table", "label": "Tables", "index": 3},{"name": "file", "label": "Attachments", "index": 4},'
        '{"name": "comment", "label": "Comments", "index": 5},{"name": "rating", "label": "Ratings", "index": 6},'
        '{"name": "other", "label": "Others", "index": 7}]',
        "Which sections with annotations the right-hand panel has, under which headings, sorted by index. OMERO.web "
        "has the names of the default and no more; with another, for which no app brings a template, the panel fails.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.ui.right_plugins",
        "Web",
        _PLUGINS,
        '[["Acquisition", "webclient/data/includes/right_plugin.acquisition.js.html", "metadata_tab"],'
        '["Preview", "webclient/data/includes/right_plugin.preview.js.html", "preview_tab"]]',
        "Tabs of the right-hand panel. The template is a script that fills the element with the given id. Setting it "
        "replaces the tabs of the default: name them again to keep them, or use omero config append.",
        affects=_WEB,
    ),
    Setting(
        "omero.web.ui.top_links",
        "Web",
        _TOP_LINKS,
        '[["Data", "webindex", {"title": "Browse Data via Projects, Tags etc"}],'
        '["History", "history", {"title": "History"}],'
        '["Help", "https://help.openmicroscopy.org/",'
        '{"title":"Open OMERO user guide in a new tab", "target":"new"}]]',
        "The links in the top bar. A link that is no known view is used as a URL as it stands, so a mistyped view "
        "shows only when somebody follows it. Setting it replaces the links of the default; omero config append adds "
        "to them.",
        affects=_WEB,
    ),
)
