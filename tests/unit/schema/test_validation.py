"""Values by their kind, and names that are slips."""

from __future__ import annotations

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.validation import check_name, check_value, unknown_name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("omero.db.embedded", "True"),
        ("omero.db.embedded", "no"),
        ("omero.db.poolsize", "10"),
        ("omero.ldap.connect_timeout", "-1"),
        ("omero.db.port", "65535"),
        ("omero.db.port", "${omero.other}"),
        ("omero.web.apps", '["a"]'),
        ("omero.web.root_application", ""),
        ("not.declared", "anything"),
    ],
)
def test_values_that_fit(name: str, value: str) -> None:
    check_value(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("omero.db.embedded", "perhaps"),
        ("omero.db.poolsize", "1.5"),
        ("omero.db.poolsize", "1_000"),
        ("omero.db.poolsize", ""),
        ("omero.db.port", "0"),
        ("omero.db.port", "65536"),
        ("omero.db.port", "٣"),
        ("omero.web.apps", "['a']"),
        ("omero.web.apps", "[" * 100_000),
    ],
)
def test_values_that_do_not(name: str, value: str) -> None:
    with pytest.raises(AdminError, match=name) as caught:
        check_value(name, value)
    assert caught.value.code == "value-invalid"


def test_a_name_with_an_equals_sign_gets_the_right_command() -> None:
    with pytest.raises(AdminError) as caught:
        check_name("omero.db.host=here")
    assert "omero config set omero.db.host here" in caught.value.hint
    with pytest.raises(AdminError) as caught:
        check_name("omero.db.pass=s3cret")
    assert "s3cret" not in caught.value.hint + caught.value.message


@pytest.mark.parametrize(
    "name",
    ["omero.db.host", "example", "omero.jvmcfg.percent.blitz", "omero.glacier2.IceSSL.DH.2048"],
)
def test_names_without_a_warning(name: str) -> None:
    assert unknown_name(name) is None


def test_a_slip_is_named_with_its_neighbours() -> None:
    warning = unknown_name("omero.db.hots")
    assert warning is not None
    assert "omero.db.host" in warning
    assert "did you mean" not in str(unknown_name("omero.nobody.knows.this.one"))
