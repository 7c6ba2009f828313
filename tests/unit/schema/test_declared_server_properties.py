"""Values that properties of LDAP, mail, performance, PixelData, scripts, search and security take, and don't."""

from __future__ import annotations

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.catalog import find_setting, is_secret
from omeroadmin.schema.declared import ldap, mail, performance, pixeldata, scripts, search, security
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.validation import check_value
from omeroadmin.schema.values.check import problem_with

MODULES = (ldap, mail, performance, pixeldata, scripts, search, security)
SETTINGS = [setting for module in MODULES for setting in module.SETTINGS]
SERVERS = {"Blitz", "Indexer", "PixelData", "Processor"}
"""Who reads these properties."""

GOOD = {
    "omero.ldap.base": ["", "dc=example,dc=org", "ou=Labs\\, Europe, o=Example", "O=x"],
    "omero.ldap.connect_timeout": ["0", "-1", "250"],
    "omero.ldap.group_filter": ["(&(objectClass=groupOfNames)(mail=omero.flag))", "(cn=*)"],
    "omero.ldap.group_mapping": ["name=cn", "name = ou"],
    "omero.ldap.new_user_group": [
        "My Lab",
        ":ou:",
        ":attribute:memberOf",
        ":filtered_attribute:memberOf",
        ":dn_attribute:memberOf",
        ":filtered_dn_attribute:memberOf",
        ":query:(member=@{dn})",
        ":bean:labMapper",
    ],
    "omero.ldap.new_user_group_owner": ["", "(owner=@{dn})"],
    "omero.ldap.referral": ["ignore", "follow", "throw"],
    "omero.ldap.urls": [
        "ldaps://ldap.example.com:636",
        "ldap://one.example.com ldap://two.example.com:3268",
        "ldap://[2001:db8::1]:389",
    ],
    "omero.ldap.user_filter": ["(|(ou=Institute of Brains)(ou=Dementia Research))", "(memberOf=cn=lab,ou=x,o=y)"],
    "omero.ldap.user_mapping": ["omeName=uid,firstName=givenName,lastName=sn", "omeName=sAMAccountName, email=mail"],
    "omero.ldap.username": ["", "cn=reader,o=example", "EXAMPLE\\reader", "reader@example.org"],
    "omero.mail.from": ["omero@example.org", "OMERO <omero@example.org>", "omero@${omero.mail.host}"],
    "omero.mail.port": ["587", "465"],
    "omero.mail.smtp.socketFactory.class": ["javax.net.ssl.SSLSocketFactory"],
    "omero.mail.smtp.starttls.enable": ["true", "false"],
    "omero.mail.transport.protocol": ["smtp", "smtps"],
    "omero.sessions.maximum": ["0", "86400000"],
    "omero.threads.min_threads": ["1", "25"],
    "omero.throttling.method_time.warn.indexer": ["7200000"],
    "omero.query.timeout.admin": ["3600", "${omero.query.timeout}"],
    "omero.pixeldata.cron": ["", "*/4 * * * * ?", "0 0/5 22-23 * * ?", "0 0 3 ? * MON-FRI 2030"],
    "omero.pixeldata.event_log_loader": ["pixelDataEventLogQueue", "pixelDataPersistentEventLogLoader"],
    "omero.pixeldata.max_projection_bytes": ["536870912"],
    "omero.pixeldata.memoizer.dir": ["/fast/cache", "${omero.data.dir}/BioFormatsCache"],
    "omero.pixeldata.tile_width": ["16", "512"],
    "omero.launcher.python": ["", "python3", "/opt/omero/server/venv3/bin/python"],
    "omero.scripts.cache.spec": ["maximumSize=1000,expireAfterWrite=1d", "weakKeys"],
    "omero.search.bridges": ["", "org.example.One,org.example.Two$Inner"],
    "omero.search.include_actions": ["INSERT,UPDATE", "INSERT, DELETE"],
    "omero.search.locking_strategy": ["native", "none"],
    "omero.search.max_file_size": ["0", "262144000"],
    "omero.search.ram_buffer_size": ["1", "2047"],
    "omero.policy.binary_access": ["-read,+write,+image,-plate", "+read"],
    "omero.security.keyStore": ["", "/opt/keystore.jks"],
    "omero.security.keyStorePassword": ["", "any thing at all: ${or nothing}"],
    "omero.security.password_required": ["true", "false"],
}
BAD = {
    "omero.ldap.base": ["example.org", "ou=x,,o=y", "=x"],
    "omero.ldap.connect_timeout": ["soon", "5s", "1.5"],
    "omero.ldap.group_filter": ["objectClass=groupOfNames", "(objectClass=groupOfNames)(mail=omero.flag)", "(a=b", ""],
    "omero.ldap.group_mapping": ["cn", "omeName=cn"],
    "omero.ldap.new_user_group": ["", ":group:x", ":attribute:", ":query:member", ":ou:x"],
    "omero.ldap.new_user_group_owner": ["owner"],
    "omero.ldap.referral": ["Follow", "yes", ""],
    "omero.ldap.urls": [
        "",
        "ldap.example.com",
        "https://ldap.example.com",
        "ldap://",
        "ldap://a.example,ldap://b.example",
    ],
    "omero.ldap.user_filter": ["(&(a=b)", "(|(ou=x)(ou=y)))"],
    "omero.ldap.user_mapping": ["uid=omeName", "omeName", "omeName=uid,,email=mail"],
    "omero.mail.from": ["omero", "", "omero@"],
    "omero.mail.port": ["0", "65536", "smtp"],
    "omero.mail.smtp.socketFactory.class": ["javax.net.ssl SSLSocketFactory", "javax..Factory", ""],
    "omero.mail.smtp.starttls.enable": ["enabled", ""],
    "omero.mail.transport.protocol": ["SMTP", "imap"],
    "omero.sessions.maximum": ["-1", "1d", "ten"],
    "omero.threads.min_threads": ["0", "-5", "many"],
    "omero.throttling.method_time.warn.indexer": ["1h", "0"],
    "omero.query.timeout.admin": ["0", "1000s"],
    "omero.pixeldata.cron": ["* * * * *", "*/4 * * * * *", "61 * * * * ?", "never"],
    "omero.pixeldata.event_log_loader": ["pixelDataEventLogqueue"],
    "omero.pixeldata.max_projection_bytes": ["256MB", "-1"],
    "omero.pixeldata.memoizer.dir": ["", "~/cache"],
    "omero.pixeldata.tile_width": ["15", "256x256"],
    "omero.scripts.cache.spec": ["1000", "maximumSize=", "size=10"],
    "omero.search.bridges": ["org.example.One;org.example.Two", "org.example.One,"],
    "omero.search.include_actions": ["insert"],
    "omero.search.locking_strategy": ["Native"],
    "omero.search.max_file_size": ["125M", "-1"],
    "omero.search.ram_buffer_size": ["0", "2048"],
    "omero.policy.binary_access": ["", "read", "+read +write", "+download"],
    "omero.security.keyStore": ["~/keystore"],
    "omero.security.password_required": ["maybe"],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Each name with each of its values."""
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), pairs(GOOD))
def test_taken(name: str, value: str) -> None:
    check_value(name, value)


@pytest.mark.parametrize(("name", "value"), pairs(BAD))
def test_refused(name: str, value: str) -> None:
    with pytest.raises(AdminError) as caught:
        check_value(name, value)
    assert caught.value.code == "value-invalid"
    assert caught.value.exit_status is ExitStatus.USAGE
    assert name in caught.value.message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_default_and_example_fit_their_own_type(setting: Setting) -> None:
    if setting.default:
        assert problem_with(setting.type, setting.default) is None
    else:
        assert setting.type.optional, "an empty default must be a value"
    if setting.example:
        assert problem_with(setting.type, setting.example) is None
    assert setting.default or setting.example or setting.is_secret


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_each_is_described(setting: Setting) -> None:
    assert setting.description.endswith(".")
    assert set(setting.affects) <= SERVERS
    assert setting.affects
    mentioned = {
        word.strip(".,;:()'") for word in setting.description.split() if word.startswith(("omero.", "(omero."))
    }
    unknown = {word for word in mentioned if find_setting(word.split("=")[0]) is None}
    assert not unknown, "a description names a property that doesn't exist"


def test_passwords_are_secret() -> None:
    secret = {setting.name for setting in SETTINGS if setting.is_secret}
    assert secret == {
        "omero.ldap.password",
        "omero.mail.password",
        "omero.security.keyStorePassword",
        "omero.security.trustStorePassword",
    }
    assert all(is_secret(name) for name in secret)


def test_a_service_may_have_a_value_of_its_own() -> None:
    assert find_setting("omero.threads.min_threads.pixeldata") is find_setting("omero.threads.min_threads")
    check_value("omero.throttling.method_time.warn.blitz", "60000")
    with pytest.raises(AdminError, match="takes"):
        check_value("omero.throttling.method_time.warn.blitz", "a minute")


def test_threads_that_do_nothing_say_so() -> None:
    obsolete = {setting.name: setting.obsolete for setting in SETTINGS if setting.obsolete}
    assert set(obsolete) == {"omero.threads.max_threads", "omero.threads.idle_timeout"}
    assert all(reason.startswith("does nothing") for reason in obsolete.values())
