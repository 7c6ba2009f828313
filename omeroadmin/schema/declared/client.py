"""Properties that the server hands to its clients."""

from __future__ import annotations

from omeroadmin.schema.kinds import BOOL, PATH, list_from, list_of, optional, text_like, url_of, whole
from omeroadmin.schema.setting import Setting

_HANDED_OUT = ("Blitz", "clients")
_LABEL = text_like(r".*\S.*", "a few words")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.client.browser.thumb_default_size",
        "Client",
        whole(1, unit="pixels"),
        "96",
        "The longer side of thumbnails in lists and on screen. With another size, thumbnails are made anew as people "
        "browse, which costs time and disk.",
        affects=("Blitz", "PixelData", "clients"),
    ),
    Setting(
        "omero.client.download_as.max_size",
        "Client",
        whole(0, unit="pixels"),
        "144000000",
        "The largest image, width times height, that clients and scripts turn into JPEG, PNG or TIFF for download. "
        "Raise it with care: a larger image needs several bytes of memory per pixel in OMERO.web or in the script.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.icetransports",
        "Client",
        list_from("ssl", "tcp", "ws", "wss"),
        "ssl,tcp",
        "How clients may connect; a port is opened for each: omero.ports.ssl, .tcp, .ws and .wss. Set ssl alone to "
        "allow no unencrypted connection. The reference server speaks ssl and tcp, and says in its log that it leaves "
        "out the others.",
        affects=("OMERO.Glacier2", "toolkit", "clients"),
    ),
    Setting(
        "omero.client.scripts_to_ignore",
        "Client",
        optional(list_of(PATH)),
        "/omero/figure_scripts/Movie_Figure.py,/omero/figure_scripts/Split_View_Figure.py,"
        "/omero/figure_scripts/Thumbnail_Figure.py,/omero/figure_scripts/ROI_Split_Figure.py,"
        "/omero/export_scripts/Make_Movie.py,/omero/import_scripts/Populate_ROI.py",
        "Scripts of the server that menus leave out, by their paths below lib/scripts. They can still be run by name.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.colleagues.enabled",
        "Client",
        BOOL,
        "true",
        "Whether the menu of users lists the members of the current group.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.colleagues.label",
        "Client",
        _LABEL,
        "Members",
        "Heading above a group's members in the menu of users.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.everyone.enabled",
        "Client",
        BOOL,
        "true",
        "Whether the menu of users has an entry for the data of all members of the group at once. Switch it off where "
        "groups are so large that this view takes minutes.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.everyone.label",
        "Client",
        _LABEL,
        "All Members",
        "What the entry for everybody's data is called in the menu of users.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.leaders.enabled",
        "Client",
        BOOL,
        "true",
        "Whether the menu of users lists the owners of the current group.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.menu.dropdown.leaders.label",
        "Client",
        _LABEL,
        "Owners",
        "Heading above a group's owners in the menu of users.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.tree.orphans.description",
        "Client",
        _LABEL,
        "This is a virtual container with orphaned images. These images are not linked anywhere. "
        "Just drag them to the selected container.",
        "What users read about the folder of images that are in no dataset.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.tree.orphans.enabled",
        "Client",
        BOOL,
        "true",
        "Whether the tree shows a folder of images that are in no dataset. Without it, such images can be found only "
        "by search. Write true or false; clients know no other words.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.tree.orphans.name",
        "Client",
        _LABEL,
        "Orphaned Images",
        "Name of the folder of images that are in no dataset.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.ui.tree.type_order",
        "Client",
        list_from("tagset", "tag", "project", "dataset", "screen", "plate", "acquisition", "image", "false"),
        "tagset,tag,project,dataset,screen,plate,acquisition,image",
        "In which order the tree shows objects that lie side by side, the first on top. The single word false mixes "
        "them and leaves the order to the client.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.viewer.initial_zoom_level",
        "Client",
        whole(0),
        "0",
        "How far the viewer is zoomed in when it opens an image with a pyramid; 0 shows the whole image.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.viewer.interpolate_pixels",
        "Client",
        BOOL,
        "true",
        "Whether the viewer smooths between pixels when it enlarges. Switch it off where people must see the pixels "
        "as they were measured; each can choose otherwise in the viewer.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.viewer.roi_limit",
        "Client",
        whole(1, unit="regions"),
        "2000",
        "How many regions of interest the viewer loads at once; with more, it shows them in pages. Higher numbers make "
        "images with many regions slow to open.",
        affects=_HANDED_OUT,
    ),
    Setting(
        "omero.client.web.host",
        "Client",
        optional(url_of("http", "https")),
        "",
        "The public address of OMERO.web with its prefix and a slash at the end. Clients and scripts make links into "
        "OMERO.web with it; while it is empty, such links are missing or lack the host.",
        affects=_HANDED_OUT,
        example="https://omero.example.org/",
    ),
)
