"""Fixtures that tests of all kinds take by name."""

from tests.support.database import embedded_instance, shared_instance

__all__ = ["embedded_instance", "shared_instance"]
