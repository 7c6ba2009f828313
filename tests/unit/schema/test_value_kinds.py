"""What each kind of value takes, and in which words it refuses the rest."""

from __future__ import annotations

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema import kinds
from omeroadmin.schema.kinds import Kind, ValueType
from omeroadmin.schema.validation import check_value
from omeroadmin.schema.values.check import problem_with, split_list
from omeroadmin.schema.values.words import generic_example, wording

SIZE = ValueType(Kind.BYTES, minimum=1, maximum=1 << 40, unit="bytes", suffixes="KMG")
TEMPLATE_PATH = ValueType(Kind.TEMPLATE_PATH)
HEAP = ValueType(Kind.BYTES, minimum=1, unit="MB", suffixes="KMG")
NUMBERS = kinds.json_of({"type": "array", "items": {"type": "integer"}})

FITS: list[tuple[ValueType, list[str]]] = [
    (kinds.TEXT, ["", "any thing", "\n"]),
    (kinds.SECRET, ["", "s3cret"]),
    (kinds.text_like("[a-z]+", "small letters"), ["abc"]),
    (kinds.BOOL, ["true", "False", "YES", "off", "1", " 0 "]),
    (kinds.WEB_BOOL, ["true", "T", "0", "off"]),
    (kinds.whole(), ["0", "-1", "+7", "007", " 12 ", "9" * 19, "0" * 5000]),
    (kinds.whole(1, 10), ["1", "10"]),
    (kinds.duration("ms"), ["0", "3600000"]),
    (SIZE, ["1", "4k", "1024M", "1024G"]),
    (HEAP, ["512", "2g", "1024k"]),
    (kinds.PORT, ["1", "65535"]),
    (kinds.PATH, ["/OMERO", "relative/dir", "/with space/é"]),
    (kinds.HOST, ["localhost", "omero.example.org.", "db_1", "10.0.0.1", "::1", "fe80::1%eth0", "3com.example"]),
    (kinds.URL, ["http://x", "https://user@x.org:8443/a?b=c#d", "http://[::1]:80/", "file:///tmp/x"]),
    (kinds.url_of("ldap", "ldaps"), ["ldap://localhost:389", "LDAPS://x/"]),
    (kinds.enum("percent", "manual"), ["percent"]),
    (kinds.list_of(kinds.PORT), ["1", "1, 2 ,3"]),
    (kinds.optional(kinds.list_of(kinds.PORT)), [""]),
    (kinds.list_of(kinds.url_of("ldap"), " "), ["ldap://a  ldap://b"]),
    (kinds.list_from("a", "b"), ["b,a", " a "]),
    (kinds.JSON, ["{}", "null", "1e9", '["é"]']),
    (NUMBERS, ["[]", "[1, 2]"]),
    (
        kinds.CRON,
        [
            "*/4 * * * * ?", "0 0 3 * * ?", "0 0 0 L * ?", "0 0 0 L-3 * ?", "0 0 0 15W * ?", "0 0 0 LW * ?",
            "0 0 12 ? jan-mar MON-FRI", "0 0 0 ? * 6#3 2030", "0 0 0 ? * 6L", "0 0 22-2 ? * SUN,TUE 2026-2030",
            "0 0/15 8,10-12 * * ?", "0 /5 * * * ?",
        ],
    ),
    (
        kinds.REGEX,
        [
            "^/webgateway/(?!archived)", "(?#nothing)a^", "a++b*+", r"(?<name>a)\k<name>", r"\p{Lu}+", "[a-z&&[^b]]",
            r"(?<=a+)b", r"\Qa(b\E", "(?i)a(?-i)b", "(?>a)", r"\x{41}\R", "",
        ],
    ),
    (
        kinds.LDAP_FILTER,
        [
            "(cn=a)", "(&(a=b)(!(c=d*)))", "(&)", "(cn=)", "(cn=*)", "(a;lang-de=b*c*)", "(1.2.3:dn:2.4:=x)",
            "(cn=@{dn})", r"(cn=\2a\28)", "( & (a>=1) (b<=2)\n(c~=d) )", "(o=Universität)", " (a=b) ",
        ],
    ),
    (TEMPLATE_PATH, ["%user%//%time%", "a/%year%//%hash:3,5%/%increment:3%", "%institution:x y%//%subdirs%"]),
]  # fmt: skip

REFUSED: list[tuple[ValueType, str, str]] = [
    (kinds.text_like("[a-z]+", "small letters"), "A", "small letters"),
    (kinds.text_like("[a-z]+", "small letters"), "a\n", "small letters"),
    (kinds.BOOL, "perhaps", "true or false"),
    (kinds.BOOL, "", "true or false"),
    (kinds.WEB_BOOL, "yes", "true or false"),
    (kinds.whole(), "1.5", "a whole number"),
    (kinds.whole(), "", "a whole number"),
    (kinds.whole(), "1_000", "a whole number"),
    (kinds.whole(), "٣", "a whole number"),
    (kinds.whole(), "9" * 20, "a whole number"),
    (kinds.whole(), "9" * 100_000, "a whole number"),
    (kinds.whole(1, 10), "11", "a whole number from 1 to 10"),
    (kinds.whole(maximum=3), "4", "a whole number, 3 or less"),
    (kinds.duration("seconds", 1), "0", "a whole number of seconds, 1 or more"),
    (kinds.PORT, "0", "a port number from 1 to 65535"),
    (kinds.PORT, "65536", "a port number from 1 to 65535"),
    (kinds.PATH, " ", "a path"),
    (kinds.PATH, "/a\nb", r"has '\n' in it"),
    (kinds.PATH, "~/OMERO", "write the directory out"),
    (kinds.HOST, "", "a host name or IP address"),
    (kinds.HOST, "256.1.1.1", "a host name or IP address"),
    (kinds.HOST, "1.2.3", "a host name or IP address"),
    (kinds.HOST, "-a", "a host name"),
    (kinds.HOST, "a..b", "a host name"),
    (kinds.HOST, "x:4064", "a host name"),
    (kinds.HOST, ".".join(["a" * 60] * 5), "a host name"),
    (kinds.URL, "localhost", "a URL"),
    (kinds.URL, "http://", "names no host"),
    (kinds.URL, "http://a b/", "' ' in it"),
    (kinds.URL, "http://x:0/", "port"),
    (kinds.URL, "http://x:99999/", "port"),
    (kinds.URL, "http://[::1/", "host"),
    (kinds.URL, "http://-x/", "its host is none"),
    (kinds.url_of("ldap", "ldaps"), "http://x", "begins with ldap:// or ldaps://; this begins with http://"),
    (kinds.enum("percent", "manual"), "Percent", "percent or manual; write percent"),
    (kinds.enum("percent", "manual"), "half", "percent or manual"),
    (kinds.list_of(kinds.PORT), "", "a list separated by commas"),
    (kinds.list_of(kinds.PORT), "1,,2", "item 2 is empty"),
    (kinds.list_of(kinds.PORT), "1,0", "item 2, '0', is none"),
    (kinds.list_from("a", "b"), "a,c", "some of a and b, separated by commas; 'c' is none of them"),
    (kinds.JSON, "{", "JSON"),
    (kinds.JSON, "['a']", "at character 2"),
    (kinds.JSON, "NaN", "NaN"),
    (kinds.JSON, "[" * 100_000, "too large"),
    (kinds.JSON, "9" * 10_000, "too large"),
    (NUMBERS, '[1, "a"]', "[1] must be integer"),
    (NUMBERS, "{}", "the whole must be array"),
    (kinds.CRON, "0 3 * * *", "crontab does: put 0 in front"),
    (kinds.CRON, "0 0 3 * * *", "only one, is a ?"),
    (kinds.CRON, "0 0 3 ? * ?", "only one, is a ?"),
    (kinds.CRON, "60 0 3 * * ?", "60 is no seconds"),
    (kinds.CRON, "0 0 24 * * ?", "24 is no hours"),
    (kinds.CRON, "0 0 0 32 * ?", "day of the month"),
    (kinds.CRON, "0 0 0 ? * 6#6", "day of the week"),
    (kinds.CRON, "0 0 0 ? FOO 1", "month"),
    (kinds.CRON, "0 0/0 0 ? * 1", "minutes"),
    (kinds.CRON, "0 0 0 ?,1 * 1", "day of the month"),
    (kinds.CRON, "0 0 0 ? * 1 1492", "year"),
    (kinds.CRON, "", "this has none"),
    (kinds.CRON, "1 2 3 4 5 6 7 8", "this has 8"),
    (kinds.REGEX, "(", "at character 1"),
    (kinds.REGEX, "a**", "multiple repeat"),
    (kinds.REGEX, "[z-a]", "range"),
    (kinds.REGEX, "a\\", "end of pattern"),
    (kinds.REGEX, "a{99999999999}", "too large"),
    (kinds.LDAP_FILTER, "a=b", "parentheses"),
    (kinds.LDAP_FILTER, "(a=b", "not closed"),
    (kinds.LDAP_FILTER, "(&(a=b)", "not closed"),
    (kinds.LDAP_FILTER, "(a=b))", "after its end"),
    (kinds.LDAP_FILTER, "((a=b))", "no filter such as"),
    (kinds.LDAP_FILTER, "(a=(b))", "no filter such as"),
    (kinds.LDAP_FILTER, r"(a=\zz)", "no filter such as"),
    (kinds.LDAP_FILTER, "(!(a=b)(c=d))", "a ! takes one filter, not 2"),
    (kinds.LDAP_FILTER, "(!)", "not 0"),
    (TEMPLATE_PATH, "", "leaves no directory to the user"),
    (TEMPLATE_PATH, "%user%//", "leaves no directory to the user"),
    (TEMPLATE_PATH, "%time%//%user%", "before //"),
    (TEMPLATE_PATH, "%nonsense%", "unknown term nonsense"),
    (TEMPLATE_PATH, "%time%%increment%", "more than one of"),
    (TEMPLATE_PATH, "%year:4%", "parameter"),
    (TEMPLATE_PATH, "%hash:9%", "parameter"),
    (TEMPLATE_PATH, "a/../b", "no directory name"),
]


def test_every_kind_is_tried_both_ways() -> None:
    assert {value_type.kind for value_type, _ in FITS} == set(Kind)
    assert {value_type.kind for value_type, _, _ in REFUSED} >= set(Kind) - {Kind.SECRET, Kind.BYTES, Kind.TEXT}


@pytest.mark.parametrize(
    ("value_type", "text"),
    [
        pytest.param(value_type, text, id=f"{value_type.kind.name}-{text[:30]}")
        for value_type, all_ in FITS
        for text in all_
    ],
)
def test_fits(value_type: ValueType, text: str) -> None:
    assert problem_with(value_type, text) is None


@pytest.mark.parametrize(("value_type", "text", "words"), REFUSED, ids=lambda value: str(value)[:20])
def test_refused_with_words(value_type: ValueType, text: str, words: str) -> None:
    problem = problem_with(value_type, text)
    assert problem is not None
    assert words in problem
    assert problem.startswith(wording(value_type))
    assert "\n" not in problem
    assert len(problem) < 300


@pytest.mark.parametrize("text", ["0", "2T", "K", "-1K", "1.5G", "1KB", "", "1025G"])
def test_sizes_with_letters_are_within_their_limits(text: str) -> None:
    assert problem_with(SIZE, text) is not None


def test_a_size_in_another_unit_is_compared_in_that() -> None:
    assert problem_with(HEAP, "1k") is not None
    assert problem_with(HEAP, "1m") is None


def test_no_value_is_a_value_where_it_may_be() -> None:
    assert problem_with(kinds.PORT, "") is not None
    assert problem_with(kinds.optional(kinds.PORT), " ") is None
    assert wording(ValueType(Kind.HOST, optional=True)).endswith(", or nothing")


def test_none_is_no_value_that_can_be_set() -> None:
    with pytest.raises(AdminError, match="the text 'None'") as caught:
        check_value("omero.web.prefix", "None")
    assert "omero config set omero.web.prefix" in caught.value.hint
    check_value("omero.web.csrf_cookie_samesite", "None")


def test_a_reference_stands_for_any_value() -> None:
    assert problem_with(kinds.PORT, "${omero.db.port}") is None
    assert problem_with(kinds.PATH, "~${x}") is None
    assert problem_with(kinds.PORT, "${") is not None
    assert problem_with(kinds.PORT, "@{omero.db.port}") is not None


def test_lists_lose_the_space_around_items() -> None:
    assert split_list(kinds.list_from("a", "b"), " a ,b ") == ["a", "b"]
    assert split_list(kinds.list_of(kinds.TEXT, " "), "a  b") == ["a", "b"]
    assert split_list(kinds.list_of(kinds.TEXT), " ") == []


@pytest.mark.parametrize("value_type", [value_type for value_type, _ in FITS], ids=lambda one: one.kind.name)
def test_each_type_has_words_and_an_example(value_type: ValueType) -> None:
    assert wording(value_type)
    if not value_type.pattern:
        assert problem_with(value_type, generic_example(value_type)) is None


def test_long_enumerations_are_cut() -> None:
    text = wording(kinds.enum(*(f"word{number}" for number in range(30))))
    assert text.endswith("word11 or one of 18 others")
