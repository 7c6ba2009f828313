"""Properties of security and policy."""

from __future__ import annotations

from omeroadmin.schema.kinds import BEAN_NAME, BOOL, PATH, SECRET, TEXT, duration, list_from, optional, whole
from omeroadmin.schema.setting import Setting

_BLITZ = ("Blitz",)
_JAVA_SERVERS = ("Blitz", "Indexer", "PixelData")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.policy.bean",
        "Policy",
        BEAN_NAME,
        "defaultPolicyService",
        "The Spring bean that decides what users may do beyond ordinary permissions. Change it only where you have "
        "added your own to the server.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.policy.binary_access",
        "Policy",
        list_from("+read", "-read", "+write", "-write", "+image", "-image", "+plate", "-plate"),
        "+read,+write,+image",
        "Who may download original files. +read and +write allow it to those who may read or write an object, "
        "administrators being among the latter; +image and +plate allow it for images and plates; a minus forbids, and "
        "always wins. Groups can have the same property of their own, which can forbid more; "
        "-read,+write,+image,-plate leaves images to owners and administrators.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.chmod_strategy",
        "Security",
        BEAN_NAME,
        "groupChmodStrategy",
        "The Spring bean that changes the permissions of a group's data. Leave it unless OMERO's developers ask you to "
        "change it.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.filter.bitand",
        "Security",
        TEXT,
        "(int8and(permissions,%s) = %s)",
        "The SQL that tests bits of permissions, in the dialect of the database. A wrong value shows users what they "
        "may not see: never change it with PostgreSQL.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.security.keyStore",
        "Security",
        optional(PATH),
        "",
        "A Java key store with the server's own certificate and key, for an LDAP server that asks its clients for one. "
        "Empty where it doesn't. It has nothing to do with the certificate that OMERO's users see, which Glacier2 "
        "holds.",
        affects=_JAVA_SERVERS,
        example="/opt/omero/server/etc/keystore.jks",
    ),
    Setting(
        "omero.security.keyStorePassword",
        "Security",
        optional(SECRET),
        "",
        "The password of omero.security.keyStore.",
        affects=_JAVA_SERVERS,
    ),
    Setting(
        "omero.security.login_failure_throttle_count",
        "Security",
        whole(1, unit="failures"),
        "1",
        "After how many failed logins further ones are slowed down by omero.security.login_failure_throttle_time.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.login_failure_throttle_time",
        "Security",
        duration("ms"),
        "3000",
        "By how much a login is delayed after failed ones, which makes guessing passwords slow; 0 doesn't delay.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.password_provider",
        "Security",
        BEAN_NAME,
        "chainedPasswordProvider",
        "The Spring bean that checks passwords. The default asks LDAP where it is configured, then OMERO's own "
        "database; chainedPasswordProvider431 checks omero.ldap.user_filter at the first login only, and "
        "chainedPasswordProviderNoSalt knows passwords of OMERO 4.4. A misspelt name keeps Blitz from starting.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.password_required",
        "Security",
        BOOL,
        "true",
        "Whether users need a password. With false, an account whose password is empty lets anybody in with any "
        "password; administrators always need theirs, the guest never does.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.security.trustStore",
        "Security",
        optional(PATH),
        "",
        "A Java key store with the certificates that the server trusts when it connects to others, usually that of the "
        "authority behind an ldaps:// server. Empty trusts what Java trusts by itself.",
        affects=_JAVA_SERVERS,
        example="/opt/omero/server/etc/truststore.jks",
    ),
    Setting(
        "omero.security.trustStorePassword",
        "Security",
        optional(SECRET),
        "",
        "The password of omero.security.trustStore.",
        affects=_JAVA_SERVERS,
    ),
)
