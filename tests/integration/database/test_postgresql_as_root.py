"""PostgreSQL is never run as root."""

from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.errors import AdminError, ExitStatus
from tests.support.database import make_instance


@pytest.mark.root
def test_root_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    with pytest.raises(AdminError) as caught:
        embedded.initialise(made.instance, made.settings)
    assert (caught.value.code, caught.value.exit_status) == ("database-as-root", ExitStatus.CONFIGURATION)
    assert not made.instance.embedded_database.exists()
