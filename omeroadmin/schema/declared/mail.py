"""Properties of mail."""

from __future__ import annotations

from omeroadmin.schema.kinds import (
    BEAN_NAME,
    BOOL,
    CLASS_NAME,
    HOST,
    PORT,
    SECRET,
    TEXT,
    duration,
    enum,
    optional,
    text_like,
)
from omeroadmin.schema.setting import Setting

_BLITZ = ("Blitz",)
_MAIL_ADDRESS = text_like(r"[^@\s]+@[^@\s]+|[^<>]*<[^@\s<>]+@[^@\s<>]+>", "an e-mail address")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.mail.bean",
        "Mail",
        BEAN_NAME,
        "defaultMailSender",
        "The Spring bean that sends the server's mail. Change it only where you have added your own to the server.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.config",
        "Mail",
        BOOL,
        "false",
        "Whether the server sends mail, e.g. that of administrators to users and new passwords. Set omero.mail.host "
        "and omero.mail.from first. Mails are not queued: they stop in the middle when the sender's session ends.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.from",
        "Mail",
        _MAIL_ADDRESS,
        "omero@${omero.mail.host}",
        "The sender of the server's mail. With the default host it is omero@localhost, which most mail servers refuse.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.host",
        "Mail",
        HOST,
        "localhost",
        "The SMTP server that takes the server's mail.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.password",
        "Mail",
        optional(SECRET),
        "",
        "The password of omero.mail.username at the SMTP server. It is sent unencrypted unless "
        "omero.mail.smtp.starttls.enable or an SSL socket factory is set.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.port",
        "Mail",
        PORT,
        "25",
        "The port of the SMTP server: usually 25 for plain mail, 587 with STARTTLS, 465 for TLS from the first byte.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.auth",
        "Mail",
        BOOL,
        "false",
        "Whether to log in to the SMTP server with omero.mail.username and omero.mail.password.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.connectiontimeout",
        "Mail",
        duration("ms"),
        "60000",
        "How long to wait until the SMTP server accepts a connection before the mail is given up.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.debug",
        "Mail",
        BOOL,
        "false",
        "Whether the conversation with the SMTP server is logged. Switch it on only to find a fault: addresses and "
        "contents of mails end up in the log.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.socketFactory.class",
        "Mail",
        CLASS_NAME,
        "javax.net.SocketFactory",
        "The Java class that opens connections to the SMTP server. For a server that speaks TLS from the first byte "
        "(port 465), set javax.net.ssl.SSLSocketFactory.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.socketFactory.fallback",
        "Mail",
        BOOL,
        "false",
        "Whether an ordinary, unencrypted connection is tried where the socket factory can't open one. Leave it false, "
        "or a fault of TLS sends passwords in the clear.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.socketFactory.port",
        "Mail",
        PORT,
        "${omero.mail.port}",
        "The port that the socket factory connects to. It follows omero.mail.port; there is hardly ever a reason to "
        "set it.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.starttls.enable",
        "Mail",
        BOOL,
        "false",
        "Whether the connection turns to TLS after it is open (STARTTLS), as servers on port 587 want it. Where the "
        "server doesn't offer it, mail goes out unencrypted.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.smtp.timeout",
        "Mail",
        duration("ms"),
        "60000",
        "How long to wait for each answer of the SMTP server before the mail is given up.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.transport.protocol",
        "Mail",
        enum("smtp", "smtps"),
        "smtp",
        "The protocol spoken with the mail server. With smtps the settings of login, TLS and time limits don't count; for "
        "TLS rather stay with smtp and set omero.mail.smtp.starttls.enable or omero.mail.smtp.socketFactory.class.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.mail.username",
        "Mail",
        optional(TEXT),
        "",
        "The account at the SMTP server; it is used only while omero.mail.smtp.auth is true.",
        affects=_BLITZ,
        example="omero@example.org",
    ),
)
