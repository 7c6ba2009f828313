"""A dump in SQL is cleaned of what other roles can't load, and its data is left alone."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.database.plain_dump import PlainDump

OMERO = b"""--
-- PostgreSQL database dump
--
\\restrict abc
SET statement_timeout = 0;
CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $$
GRANT ALL ON TABLE public.image TO omero;
\\this is no command
$$;
ALTER FUNCTION public.f() OWNER TO omero;
CREATE FUNCTION public.one() RETURNS text LANGUAGE sql AS $_$SELECT '1'$_$;
ALTER TABLE public.image OWNER TO "somebody else";
COPY public.image (id, name) FROM stdin;
1\tGRANT ALL ON TABLE public.image TO omero;
2\t-- it's
3\t\\\\connect other
\\.
INSERT INTO public.note VALUES (1, 'first
GRANT it''s ours;
-- end');
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON TABLE public.image TO omero;
\\unrestrict abc
SELECT 1;
"""

CLEAN = b"""SET statement_timeout = 0;
CREATE FUNCTION public.f() RETURNS text
    LANGUAGE sql
    AS $$
GRANT ALL ON TABLE public.image TO omero;
\\this is no command
$$;
CREATE FUNCTION public.one() RETURNS text LANGUAGE sql AS $_$SELECT '1'$_$;
COPY public.image (id, name) FROM stdin;
1\tGRANT ALL ON TABLE public.image TO omero;
2\t-- it's
3\t\\\\connect other
\\.
INSERT INTO public.note VALUES (1, 'first
GRANT it''s ours;
-- end');
SELECT 1;
"""


def cleaned(content: bytes, dump: PlainDump | None = None) -> bytes:
    return b"".join((dump or PlainDump()).clean(content.splitlines(keepends=True)))  # type: ignore[arg-type]


def cluster(names: Iterable[str]) -> bytes:
    text = b"--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE omero;\nALTER ROLE omero WITH SUPERUSER;\n"
    for name in names:
        text += b'--\n-- Database "%s" dump\n--\n' % name.encode()
        text += b"CREATE DATABASE x;\n\\connect %s\n" % name.encode()
        text += b"SELECT '%s';\nCOPY t (a) FROM stdin;\n\\\\connect no\n\\.\n" % name.encode()
    return text + b"-- PostgreSQL database cluster dump complete\n"


def expected(name: str) -> bytes:
    return b"SELECT '%s';\nCOPY t (a) FROM stdin;\n\\\\connect no\n\\.\n" % name.encode()


def test_owners_privileges_and_commands_go_and_data_stays() -> None:
    assert cleaned(OMERO) == CLEAN


def test_of_a_cluster_one_database_is_taken() -> None:
    dump = cluster(["template1", "omero", "other", "postgres"])
    first = PlainDump()
    assert cleaned(dump, first) == expected("omero")
    assert first.found == "omero"
    assert cleaned(dump, PlainDump("other")) == expected("other")
    missing = PlainDump("gone")
    assert cleaned(dump, missing) == b""
    assert missing.found == ""
    quoted = dump.replace(b"\\connect omero", b"\\connect -reuse-previous=on \"dbname='omero'\"")
    assert cleaned(quoted) == expected("omero")


LINES = st.lists(st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")), max_size=20)


@given(LINES)
def test_data_of_copy_passes_whatever_it_is(lines: list[bytes]) -> None:
    data = b"".join(line + b"\n" for line in lines if line != b"\\.")
    block = b"COPY public.t (a) FROM stdin;\n" + data + b"\\.\n"
    assert cleaned(block + b"GRANT ALL ON t TO x;\nSELECT 1;\n") == block + b"SELECT 1;\n"


@given(st.lists(st.text(st.sampled_from("aG'R\n;\\-$"), max_size=30), max_size=6))
def test_strings_pass_whatever_they_are(texts: list[str]) -> None:
    inserts = b"".join(b"INSERT INTO t VALUES (1, '%s');\n" % text.replace("'", "''").encode() for text in texts)
    assert cleaned(inserts + b"GRANT ALL ON t TO x;\n") == inserts
