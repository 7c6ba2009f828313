"""PostgreSQL is never run as root."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.errors import AdminError, ExitStatus
from tests.support.checkout import ROOT
from tests.support.database import make_instance


@pytest.mark.root
def test_root_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    with pytest.raises(AdminError) as caught:
        embedded.initialise(made.instance, made.settings)
    assert (caught.value.code, caught.value.exit_status) == ("database-as-root", ExitStatus.CONFIGURATION)
    assert not made.instance.embedded_database.exists()


@pytest.mark.root
def test_a_postgresql_of_another_user_is_not_ours(tmp_path: Path) -> None:
    """The system's own PostgreSQL must not keep an instance's from starting after a crash."""
    program = tmp_path / "postgres"
    shutil.copy("/bin/sleep", program)
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    for path in (*tmp_path.parents, tmp_path):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
    nobody, other = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    code = "import sys; from pathlib import Path; from omeroadmin.database import cluster as c; "
    code += "print(c._works_in(int(sys.argv[1]), Path(sys.argv[2])))"
    answers = {}
    for owner in (nobody, other):
        with subprocess.Popen([str(program), "60"], user=owner.pw_uid, group=owner.pw_gid, cwd="/") as stranger:
            done = subprocess.run(
                [sys.executable, "-c", code, str(stranger.pid), str(data)],
                user=nobody.pw_uid if owner is other else other.pw_uid,
                capture_output=True,
                text=True,
                cwd=ROOT,
                check=False,
                timeout=30,
            )
            answers[owner.pw_name] = done.stdout.strip() or done.stderr
            stranger.kill()
    assert answers == {"nobody": "True", "daemon": "False"}
