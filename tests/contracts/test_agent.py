"""The agent goes to hosts as source: standard library only, in the words of Python 3.9."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.provisioning.agent.operations import registry
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.packing import BOOT, parcel, sources
from tests.support.checkout import ROOT

AGENT = ROOT / "omeroadmin" / "provisioning" / "agent"
MODULES = sorted(AGENT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(AGENT)))
def test_module_is_of_python_3_9_and_its_library(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            ours = name.startswith("omeroadmin.provisioning.agent")
            assert ours or name.partition(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_every_operation_is_declared_and_there() -> None:
    there = {
        path.name.removesuffix("_operation.py").replace("_", "-") for path in AGENT.glob("operations/*_operation.py")
    }
    assert there == set(declarations())
    for kind, declaration in declarations().items():
        module = registry.operation(kind)
        assert callable(module.facts), kind
        assert callable(module.plan), kind
        assert callable(module.apply), kind
        assert hasattr(module, "undo") == declaration.undo, kind


def test_parcel_holds_every_module_and_loads_what_it_needs() -> None:
    assert {f"omeroadmin.provisioning.agent.{path.stem}" for path in AGENT.glob("*.py")} <= {
        *sources(),
        "omeroadmin.provisioning.agent.__init__",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BOOT], input=parcel() + b'{"do":"stop"}\n',
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b'{"hello":1,'), done.stdout
