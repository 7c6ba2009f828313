"""Properties of the server's certificate: members of ``omero.glacier2.IceSSL`` and what `omero certificates` reads."""

from __future__ import annotations

from omeroadmin.schema.kinds import PATH, SECRET, enum, optional, text_like, whole
from omeroadmin.schema.setting import Setting

ROUTER = ("OMERO.Glacier2",)
PROTOCOL = text_like(r"[Ss][Ss][Ll][Vv]?3|[Tt][Ll][Ss][Vv]?1(_[0123])?", "a version of TLS, such as TLS1_3")

_SECTION = "Certificates"
_BOTH = (*ROUTER, "toolkit")
_TOOLKIT = ("toolkit",)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.glacier2.IceSSL.DefaultDir",
        _SECTION,
        optional(PATH),
        "",
        "The directory of the certificate's files. omero certificates sets it to certs in omero.data.dir. Backups "
        "include it.",
        affects=_BOTH,
        example="/OMERO/certs",
    ),
    Setting(
        "omero.glacier2.IceSSL.CertFile",
        _SECTION,
        optional(PATH),
        "",
        "The PKCS#12 file with the server's key and certificate, in omero.glacier2.IceSSL.DefaultDir unless it is a "
        "whole path. The server won't start without it. For a certificate of an institution's authority, convert it "
        "with openssl pkcs12 -export.",
        affects=_BOTH,
        example="server.p12",
    ),
    Setting(
        "omero.glacier2.IceSSL.CAs",
        _SECTION,
        optional(PATH),
        "",
        "The PEM file of the authorities that signed the certificate, or of the certificate itself where it is "
        "self-signed. The toolkit's own clients on this machine trust it.",
        affects=_BOTH,
        example="server.pem",
    ),
    Setting(
        "omero.glacier2.IceSSL.Password",
        _SECTION,
        optional(SECRET),
        "",
        "The password of the PKCS#12 file omero.glacier2.IceSSL.CertFile. omero certificates makes a random one. "
        "After a change the file must be made anew with it, else the server doesn't start.",
        affects=_BOTH,
    ),
    Setting(
        "omero.glacier2.IceSSL.ProtocolVersionMin",
        _SECTION,
        optional(PROTOCOL),
        "",
        "The oldest TLS that OMERO.Glacier2 speaks. Set it to TLS1_2 beside omero.glacier2.IceSSL.Protocols; the "
        "reference server never goes below that.",
        affects=ROUTER,
        example="TLS1_2",
    ),
    Setting(
        "omero.glacier2.IceSSL.VerifyDepthMax",
        _SECTION,
        optional(whole(0, unit="certificates")),
        "",
        "How long a chain of certificates may be that a client shows; 0 is no limit, empty is 3. It matters only with "
        "omero.glacier2.IceSSL.VerifyPeer above 0. The reference server ignores it.",
        affects=ROUTER,
        example="5",
    ),
    Setting(
        "omero.glacier2.IceSSL.TrustOnly",
        _SECTION,
        optional(text_like(r"\S.*", "names in certificates, with ; between them")),
        "",
        "Which clients' certificates are accepted, by their names, with semicolons between them. It matters only with "
        "omero.glacier2.IceSSL.VerifyPeer above 0. The reference server ignores it.",
        affects=ROUTER,
        example="CN=omero.example.org;CN=*.example.org",
    ),
    Setting(
        "omero.glacier2.IceSSL.UsePlatformCAs",
        _SECTION,
        optional(enum("0", "1")),
        "",
        "Whether the system's authorities count when clients show certificates; omero.glacier2.IceSSL.CAs wins over "
        "it. The reference server ignores it.",
        affects=ROUTER,
        example="1",
    ),
    Setting(
        "omero.glacier2.IceSSL.DH.2048",
        _SECTION,
        optional(PATH),
        "",
        "A file of Diffie-Hellman parameters of 2048 bits. Old versions of omero-certificates set it; it isn't needed "
        "with the ciphers HIGH:!DHE, nor with TLS 1.3. The reference server ignores it.",
        affects=ROUTER,
        example="ffdhe2048.pem",
    ),
    Setting(
        "omero.certificates.commonname",
        _SECTION,
        optional(text_like(r"(\*\.)?[A-Za-z0-9:][A-Za-z0-9._:-]{0,63}", "a host name or IP address")),
        "",
        "The host name in the certificate that omero certificates makes: the one by which clients reach the server, "
        "else they warn. Empty is set to localhost, which suits a trial only. After a change run omero certificates "
        "and restart.",
        affects=_TOOLKIT,
        example="omero.example.org",
    ),
    Setting(
        "omero.certificates.owner",
        _SECTION,
        optional(text_like(r"(/[A-Za-z]+=(\\.|[^/\\])+)+", "a subject such as /C=DE/L=Berlin/O=Institute")),
        "",
        "Who the certificate that omero certificates makes belongs to, as openssl writes subjects. Empty is set to "
        "/L=OMERO/O=OMERO.server.",
        affects=_TOOLKIT,
        example="/C=DE/L=Berlin/O=Institute",
    ),
    Setting(
        "omero.certificates.key",
        _SECTION,
        optional(PATH),
        "",
        "The file of the private key that omero certificates makes, or finds and keeps, in "
        "omero.glacier2.IceSSL.DefaultDir unless it is a whole path. Empty is set to server.key. Nobody but the "
        "server's user may read it.",
        affects=_TOOLKIT,
        example="server.key",
    ),
)
