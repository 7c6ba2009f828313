"""The sample images that ``contrib/samples/make_samples.py`` makes, and broken files."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "contrib" / "samples" / "make_samples.py"


def load_maker() -> Callable[[Path], tuple[Path, ...]]:
    """The script's function, which makes all samples."""
    spec = importlib.util.spec_from_file_location("make_samples", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Callable[[Path], tuple[Path, ...]]", module.make_samples)


@pytest.fixture(scope="session")
def sample_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the samples."""
    directory = tmp_path_factory.mktemp("sample-images")
    load_maker()(directory)
    return directory
