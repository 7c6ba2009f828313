"""Names that go into a certificate."""

from __future__ import annotations

import pytest

from omeroadmin.certificates import names
from omeroadmin.errors import AdminError


@pytest.mark.parametrize("text", ["localhost", "omero.example.org", "*.example.org", "10.1.2.3", "::1", "my_host"])
def test_common_names(text: str) -> None:
    assert names.common_name(f" {text} ") == text


@pytest.mark.parametrize("text", ["", "a b", "a/b", "ö.example.org", "a" * 65, "https://a", "-a", "fe80::1%eth0"])
def test_no_common_name(text: str) -> None:
    with pytest.raises(AdminError) as raised:
        names.common_name(text)
    assert raised.value.code == "certificate-name-invalid"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("/L=OMERO/O=OMERO.server", (("L", "OMERO"), ("O", "OMERO.server"))),
        (r"/C=DE/O=A\/B \\ C/OU=Ümläut", (("C", "DE"), ("O", r"A/B \ C"), ("OU", "Ümläut"))),
    ],
)
def test_owners(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert names.owner_parts(text) == expected


@pytest.mark.parametrize("text", ["OMERO", "/L", "/L=", "/CN=a", "/X=a", "/C=DEU", "/L=a/", "x/L=a", "/O=" + "a" * 129])
def test_no_owner(text: str) -> None:
    with pytest.raises(AdminError) as raised:
        names.owner_parts(text)
    assert raised.value.code == "certificate-owner-invalid"


def test_unique_keeps_the_first_of_names_that_differ_in_case() -> None:
    assert names.unique(["Host", "localhost", "HOST", "::1", "localhost"]) == ("Host", "localhost", "::1")


def test_local_names_need_no_name_server() -> None:
    assert names.local_names()[:3] == ("localhost", "127.0.0.1", "::1")
