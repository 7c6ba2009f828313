"""Imports run one way: import-linter's contracts in pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT

RUN = """
import sys
from importlinter.cli import lint_imports_command
sys.argv[0] = "lint-imports"
lint_imports_command()
"""


def test_contracts_are_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    package = tmp_path / "omeroadmin"
    for name, text in (("errors", "import omeroadmin.system\n"), ("system", "")):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text(text)
    (package / "__init__.py").write_text("")
    (tmp_path / "setup.cfg").write_text(
        "[importlinter]\nroot_package = omeroadmin\n"
        "[importlinter:contract:1]\nname = one way\ntype = layers\n"
        "containers = omeroadmin\nlayers =\n  system\n  errors\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache"],
        cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 broken" in done.stdout
