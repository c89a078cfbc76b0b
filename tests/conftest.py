"""Fixtures shared by all tests: one workspace on a frozen clock, over either transport."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from zlib import crc32

import httpx
import pytest
from hypothesis import HealthCheck, settings

from workbench.client.workspace import Workspace
from workbench.testing import TRANSPORTS, frozen

# How fast a machine makes examples says nothing about the code.
settings.register_profile("anywhere", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anywhere")
# Nor does how long a busy one takes to answer; a server that never does meets the time limit of its test.
httpx._config.DEFAULT_TIMEOUT_CONFIG.read = 90.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests, then many, so that no worker is left alone with one at the end."""
    slow, many = {item.path for item in items if item.get_closest_marker("slow")}, Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path not in slow, -many[item.path]))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-transport", action="store_true", help="run every test that uses `ws` over every transport")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what uses `ws` over the transports its module names in TRANSPORTS, or over one, which goes by the test's name.

    That both say the same is one law about every operation, tested in `tests/contract`.
    """
    if "transport_of_ws" in metafunc.fixturenames:
        one = TRANSPORTS[crc32(metafunc.definition.name.encode()) % len(TRANSPORTS)]
        named = TRANSPORTS if metafunc.config.getoption("--every-transport") else getattr(metafunc.module, "TRANSPORTS", [one])
        metafunc.parametrize("transport_of_ws", named)


@pytest.fixture
def ws(transport_of_ws: str) -> Iterator[Workspace]:
    """Open an empty workspace, embedded or over HTTP."""
    with frozen(transport=transport_of_ws) as workspace:
        yield workspace


@pytest.fixture
def local() -> Iterator[Workspace]:
    """Open an empty workspace embedded, for tests that need the application itself."""
    with frozen(transport="local") as workspace:
        yield workspace
