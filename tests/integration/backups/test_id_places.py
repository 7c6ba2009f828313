"""Where files of ids are, as SQL and as a function: the same."""

from __future__ import annotations

from omeroadmin.backups.rows import _ID_PLACE
from omeroadmin.database.connection import connect
from omeroadmin.repository.layout import id_path
from tests.support.database import DatabaseUnderTest

IDS = sorted(
    {0, 2**63 - 1}
    | {10**level + more for level in range(19) for more in (-1, 0, 1)}
    | {999 * 10**level for level in range(16)}
)


def test_sql_and_function_agree(shared_instance: DatabaseUnderTest) -> None:
    query = f"SELECT id, {_ID_PLACE.format(id='id')} FROM unnest(%(ids)s::bigint[]) AS given (id)"
    with connect(shared_instance.address) as connection:
        found = dict(connection.execute(query.encode(), {"ids": IDS}).fetchall())
    assert found == {number: str(id_path(number)) for number in IDS}
