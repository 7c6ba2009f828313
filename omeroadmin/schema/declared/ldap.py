"""Properties of LDAP."""

from __future__ import annotations

from omeroadmin.schema.kinds import (
    BOOL,
    LDAP_FILTER,
    SECRET,
    TEXT,
    duration,
    enum,
    list_of,
    optional,
    text_like,
    url_of,
)
from omeroadmin.schema.setting import Setting

_BLITZ = ("Blitz",)
_RDN = r"\s*[A-Za-z0-9.-]+\s*=(\\.|[^,\\])+"
_DISTINGUISHED_NAME = text_like(rf"{_RDN}(,{_RDN})*", "a distinguished name")
_ATTRIBUTE = r"[A-Za-z][A-Za-z0-9;.-]*"
_USER_FIELDS = r"(omeName|firstName|middleName|lastName|email|institution)"
_GROUP_RULE = text_like(
    r"[^:].*|:ou:|:(filtered_)?(dn_)?attribute:\S+|:query:\s*\(.+\)|:bean:\S+",
    "the name of a group, or a rule such as :ou:, :attribute:NAME or :query:(FILTER)",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.ldap.base",
        "LDAP",
        optional(_DISTINGUISHED_NAME),
        "ou=example,o=com",
        "The entry of the directory below which users and groups are looked for. Empty searches the whole directory, "
        "so that everybody in it may log in.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.config",
        "LDAP",
        BOOL,
        "false",
        "Whether users of an LDAP directory may log in; their OMERO accounts are made at the first login. The directory "
        "is asked before OMERO's own passwords, so its outage slows every login down to the timeouts.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.connect_timeout",
        "LDAP",
        duration("ms", minimum=None),
        "5000",
        "How long a login waits until the directory accepts a connection. Zero or less waits for ever: one dead "
        "directory server then blocks all logins.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.group_filter",
        "LDAP",
        LDAP_FILTER,
        "(objectClass=groupOfNames)",
        "Which entries of the directory are groups. It is combined (AND) with the look-up of a name, so it must be a "
        "complete filter by itself. To keep users out of groups that it leaves out, omero.ldap.new_user_group must "
        "be one of the filtered rules.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.group_mapping",
        "LDAP",
        list_of(text_like(rf"(name|description)\s*=\s*{_ATTRIBUTE}", "name=ATTRIBUTE")),
        "name=cn",
        "From which attribute of a group's entry its name in OMERO comes. Rules that work on distinguished names find "
        "the attribute only if it is part of the name, as cn and ou are.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.new_user_group",
        "LDAP",
        _GROUP_RULE,
        "default",
        "Where users go at their first login: the name of one group, or a rule. :ou: takes the last organizational "
        "unit, :attribute:NAME the group names in an attribute, :dn_attribute:NAME the distinguished names in it, "
        ":filtered_… only those that omero.ldap.group_filter lets pass, :query:(member=@{dn}) searches for groups, "
        "and :bean:NAME asks a Spring bean.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.new_user_group_owner",
        "LDAP",
        optional(LDAP_FILTER),
        "",
        "A filter that tells which new users become owners of their group; @{dn} and other attributes of the user may "
        "stand in it. It does nothing while omero.ldap.new_user_group is the plain name of a group.",
        affects=_BLITZ,
        example="(owner=@{dn})",
    ),
    Setting(
        "omero.ldap.password",
        "LDAP",
        optional(SECRET),
        "",
        "The password with which the server binds to the directory as omero.ldap.username. Leave both empty where "
        "anybody may search the directory.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.read_timeout",
        "LDAP",
        duration("ms", minimum=None),
        "5000",
        "How long a login waits for each answer of the directory, TLS handshake included. Zero or less waits for ever, "
        "and a directory that hangs then blocks all logins.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.referral",
        "LDAP",
        enum("ignore", "follow", "throw"),
        "ignore",
        "What to do where the directory answers that another server knows more: ignore it, follow it there, or fail. "
        "Active Directory with several domains often needs follow, or better its global catalog on port 3268.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.sync_on_login",
        "LDAP",
        BOOL,
        "false",
        "Whether each login copies name, e-mail address and group membership from the directory again. While it is on, "
        "what administrators change in OMERO about users and groups of the directory is undone at the next login.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.urls",
        "LDAP",
        list_of(url_of("ldap", "ldaps"), separator=" "),
        "ldap://localhost:389",
        "Where the directory is: one URL, or several with spaces between them, which are tried in turn. ldap:// sends "
        "passwords unencrypted; ldaps:// (port 636) needs a certificate that Java trusts, see omero.security.trustStore.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.user_filter",
        "LDAP",
        LDAP_FILTER,
        "(objectClass=person)",
        "Which entries of the directory may log in. It is combined (AND) with the look-up of the user's name, so it "
        "must be a complete filter by itself. Whoever no longer matches is refused at the next login.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.user_mapping",
        "LDAP",
        list_of(text_like(rf"{_USER_FIELDS}\s*=\s*{_ATTRIBUTE}", "FIELD=ATTRIBUTE")),
        "omeName=cn,firstName=givenName,lastName=sn,email=mail,institution=department,middleName=middleName",
        "From which attributes of the directory a user's data in OMERO come: FIELD=ATTRIBUTE with commas between "
        "them. omeName is the login name, usually uid in OpenLDAP and sAMAccountName in Active Directory.",
        affects=_BLITZ,
    ),
    Setting(
        "omero.ldap.username",
        "LDAP",
        optional(TEXT),
        "",
        "As whom the server binds to the directory to look users up, usually a distinguished name. Empty binds "
        "anonymously, which many directories refuse or answer with nothing.",
        affects=_BLITZ,
        example="cn=omero,ou=services,dc=example,dc=org",
    ),
)
