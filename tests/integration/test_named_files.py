"""A file that was named and can't be read ends any command with the status of a wrong configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.omero import Omero


@pytest.mark.parametrize("name", ["gone", "directory", "closed"])
@pytest.mark.parametrize(
    "command",
    [
        "config load {}", "config apply --format yaml {}", "config parse --file {}",
        "config set --file {} omero.web.index_template",
        "load {}", "login root@localhost --password-file {}", "hosts list --inventory {}",
        "hosts plan site.yml --local --vars {}", "hosts apply --yes --plan {}", "import -f --bulk {}",
        "backup create --target new --encrypt-to {}", "backup restore --from-dump {} --from-mirror . --into new",
    ],
)  # fmt: skip
def test_a_file_that_can_not_be_read(command: str, name: str, tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    (tmp_path / "directory").mkdir(mode=0o000)
    (tmp_path / "closed").write_text("hosts: {}")
    (tmp_path / "closed").chmod(0o000)
    done = omero.run(*command.format(name).split())
    (tmp_path / "directory").chmod(0o700)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert name in done.stderr.splitlines()[0]
