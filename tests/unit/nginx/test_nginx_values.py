"""What may get into an nginx configuration, and what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.nginx import values


@pytest.mark.parametrize("text", ["$hostname", "_", "omero.example.org", "*.example.org", ".example.org", "10.0.0.1"])
def test_names_stay_as_they_are(text: str) -> None:
    assert values.server_names(text) == text


def test_several_names_and_an_ipv6_address() -> None:
    assert values.server_names("a.example.org  ::1") == "a.example.org [::1]"


@pytest.mark.parametrize(
    "text",
    ["", " ", "a;", "a{", "a}", "$host", "$hostname;", "~^(.+)$", 'a"', "a\\", "a#", "-a", "a\n;b", "fe80::1%a;"],
)
def test_no_directive_comes_in_by_the_name(text: str) -> None:
    with pytest.raises(AdminError) as raised:
        values.server_names(text)
    assert raised.value.code == "nginx-value-invalid"
    assert raised.value.exit_status is ExitStatus.USAGE


@pytest.mark.parametrize("text", ["0", "512k", "20m", "1G"])
def test_sizes(text: str) -> None:
    assert values.body_size(text) == text


@pytest.mark.parametrize("text", ["", "1t", "-1", "1 m", "1m;", "٣", "1\n"])
def test_not_a_size(text: str) -> None:
    with pytest.raises(AdminError, match="not a size"):
        values.body_size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("None", ""), ("", ""), ("/", ""), ("/omero", "/omero"), ("omero/", "/omero"), ("/a/b_1.2~x/", "/a/b_1.2~x")],
)
def test_prefixes(text: str, expected: str) -> None:
    assert values.prefix(text) == expected


@pytest.mark.parametrize("text", ["/a b", "/a;", "/a{", "/a/../b", "/..", "//a", "/$a", "/a#", '/"', "/a\n}"])
def test_no_directive_comes_in_by_the_prefix(text: str) -> None:
    with pytest.raises(AdminError) as raised:
        values.prefix(text)
    assert raised.value.code == "nginx-value-invalid"
    assert "omero.web.prefix" in raised.value.message


@pytest.mark.parametrize("path", ["relative", '/a"b', "/a$b", "/a\\b", "/a\nb", "/a\x7f"])
def test_paths_that_quotes_do_not_hold(path: str) -> None:
    with pytest.raises(AdminError) as raised:
        values.quoted_path(Path(path), "OMERODIR")
    assert raised.value.code == "nginx-value-invalid"


def test_other_paths_are_quoted() -> None:
    assert values.quoted_path(Path("/opt/my omero;}/x'y"), "OMERODIR") == '"/opt/my omero;}/x\'y"'


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "127.0.0.1:4080"), ("web.local", "web.local:4080"), ("::1", "[::1]:4080"), ("[::1]", "[::1]:4080")],
)
def test_backends(host: str, expected: str) -> None:
    assert values.backend(host, 4080) == expected


@pytest.mark.parametrize("host", ["", "a b", "a;", "unix:/x", "a/b", "$x", "a:1"])
def test_no_directive_comes_in_by_the_backend(host: str) -> None:
    with pytest.raises(AdminError, match="not a host name"):
        values.backend(host, 4080)


@pytest.mark.parametrize("number", [0, -1, 65536])
def test_ports_out_of_range(number: int) -> None:
    with pytest.raises(AdminError, match="not a port number"):
        values.port(number, "--http")


def test_extra_lines_are_the_admins_own() -> None:
    assert values.extra_lines('["listen 443 ssl;", "location /x {", "return 204; }"]') == (
        "listen 443 ssl;",
        "location /x {",
        "return 204; }",
    )
    assert values.extra_lines("[]") == ()
    assert values.extra_lines("None") == ()


@pytest.mark.parametrize("text", ["{", '"x"', "[1]", '{"a": 1}', '["}", "server {"]', '["location /x {"]'])
def test_extra_lines_that_would_break_out(text: str) -> None:
    with pytest.raises(AdminError) as raised:
        values.extra_lines(text)
    assert raised.value.code == "nginx-extra-config-invalid"
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {} b {c {}}", True),
        ("return 200 '}';", True),
        ('return 200 "\\"}";', True),
        ("a; # }", True),
        ("a\\}", True),
        ("} {", False),
        ("a {", False),
        ("a#b }", False),
    ],
)
def test_only_real_braces_count(text: str, expected: bool) -> None:
    assert values.balanced(text) is expected
