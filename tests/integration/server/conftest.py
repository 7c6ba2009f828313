"""One server for all tests of this directory."""

from __future__ import annotations

from tests.support.liveserver import live_server
from tests.support.samples import sample_images

__all__ = ["live_server", "sample_images"]
