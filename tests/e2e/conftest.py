"""Fixtures of the tests from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.client.workspace import Workspace
from workbench.testing import frozen


@pytest.fixture
def http() -> Iterator[Workspace]:
    """Open an empty workspace that is served, for tests of the wire itself."""
    with frozen(transport="http") as workspace:
        yield workspace
