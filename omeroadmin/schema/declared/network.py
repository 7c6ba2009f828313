"""Properties of Glacier2, Ice and the ports."""

from __future__ import annotations

from omeroadmin.schema.declared.certificates import PROTOCOL, ROUTER
from omeroadmin.schema.kinds import PORT, TEXT, enum, list_of, optional, text_like
from omeroadmin.schema.setting import Setting

_ENTRANCE = (*ROUTER, "toolkit", "clients")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.glacier2.IceSSL",
        "Glacier2",
        optional(TEXT),
        "",
        "Only stands for the properties whose names begin with it: each omero.glacier2.IceSSL.NAME becomes IceSSL.NAME "
        "of OMERO.Glacier2.",
        affects=ROUTER,
        obsolete="does nothing by itself: set its members, such as omero.glacier2.IceSSL.Protocols",
        example="VALUE",
    ),
    Setting(
        "omero.glacier2.IceSSL.Ciphers",
        "Glacier2",
        text_like(r"\S+( \S+)*", "ciphers as OpenSSL writes them, such as HIGH:!DHE"),
        "ADH:!LOW:!MD5:!EXP:!3DES:@STRENGTH",
        "The ciphers that OMERO.Glacier2 offers, in OpenSSL's notation. The default needs no certificate and so "
        "doesn't protect from somebody in between: set HIGH:!DHE once there is a certificate, which omero "
        "certificates does. The reference server ignores a list with ADH and offers OpenSSL's usual ones.",
        affects=ROUTER,
    ),
    Setting(
        "omero.glacier2.IceSSL.ProtocolVersionMax",
        "Glacier2",
        PROTOCOL,
        "tls1_1",
        "The newest TLS that OMERO.Glacier2 speaks. The default is too old for today's systems, whose clients then "
        "can't connect: set TLS1_3, which omero certificates does. It must not be below "
        "omero.glacier2.IceSSL.Protocols.",
        affects=ROUTER,
    ),
    Setting(
        "omero.glacier2.IceSSL.Protocols",
        "Glacier2",
        list_of(PROTOCOL),
        "tls1",
        "The versions of TLS that OMERO.Glacier2 speaks. Set TLS1_2,TLS1_3, which omero certificates does; leave out "
        "TLS1_0 and TLS1_1, which are no longer safe and which the reference server never speaks.",
        affects=ROUTER,
    ),
    Setting(
        "omero.glacier2.IceSSL.VerifyPeer",
        "Glacier2",
        enum("0", "1", "2"),
        "0",
        "Whether clients must show a certificate: 0 asks for none, 1 checks one that is shown, 2 refuses clients "
        "without. OMERO's clients have none, so leave it at 0. It isn't about whether clients check the server's.",
        affects=ROUTER,
    ),
    Setting(
        "Ice.IPv6",
        "Ice",
        enum("0", "1"),
        "1",
        "Whether the servers listen on IPv6 as well. Set 0 where a start fails with Protocol family unavailable, "
        "because the system has IPv6 switched off.",
        affects=(*ROUTER, "Blitz", "Indexer", "PixelData", "Processor", "Tables", "DropBox"),
    ),
    Setting(
        "omero.ports.prefix",
        "Ports",
        optional(text_like(r"[1-9][0-9]{0,3}", "a digit or a few")),
        "",
        "Digits put before each of omero.ports.*: with 1, port 4064 becomes 14064. Set it to run several servers on "
        "one machine. It is put before them as text, so 1 to 5 suit the usual ports; 6 gives numbers above 65535 for "
        "some. Clients and omero.web.server_list must name the whole number.",
        affects=(*_ENTRANCE, "OMERO.web"),
        example="1",
    ),
    Setting(
        "omero.ports.registry",
        "Ports",
        PORT,
        "4061",
        "The port of the grid's registry, by which servers and omero admin find each other. It must not be reachable "
        "from outside the grid: whoever reaches it can stop servers.",
        affects=("OMERO.Glacier2", "Blitz", "Indexer", "PixelData", "Processor", "Tables", "DropBox", "toolkit"),
    ),
    Setting(
        "omero.ports.ssl",
        "Ports",
        PORT,
        "4064",
        "The port for encrypted connections, which all clients use to log in. Open it in the firewall, and name it in "
        "omero.web.server_list where OMERO.web shall use it.",
        affects=_ENTRANCE,
    ),
    Setting(
        "omero.ports.tcp",
        "Ports",
        PORT,
        "4063",
        "The port for unencrypted connections, which clients may change to after the login for speed; the session's "
        "key is readable on the way then. omero.client.icetransports decides whether it is opened.",
        affects=_ENTRANCE,
    ),
    Setting(
        "omero.ports.ws",
        "Ports",
        PORT,
        "4065",
        "The port for unencrypted websockets; opened only with ws in omero.client.icetransports. Put a proxy with TLS "
        "in front of it.",
        affects=_ENTRANCE,
    ),
    Setting(
        "omero.ports.wss",
        "Ports",
        PORT,
        "4066",
        "The port for encrypted websockets; opened only with wss in omero.client.icetransports. Web browsers and nginx "
        "need a certificate here, and ciphers that use it.",
        affects=_ENTRANCE,
    ),
)
