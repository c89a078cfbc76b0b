"""Fixtures shared by all tests: one workspace on a frozen clock, over both transports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from workbench.client.workspace import Workspace
from workbench.testing import TRANSPORTS, frozen


@pytest.fixture(params=TRANSPORTS)
def ws(request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """Open an empty workspace embedded and over HTTP: every test using it runs twice."""
    with frozen(transport=request.param) as workspace:
        yield workspace


@pytest.fixture
def local() -> Iterator[Workspace]:
    """Open an empty workspace embedded, for tests that need the application itself."""
    with frozen(transport="local") as workspace:
        yield workspace
