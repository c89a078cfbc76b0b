"""Measurements take as long as they take: none is cut off like a test that hangs."""

from pathlib import Path

import pytest

LONGEST_S = 7200
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST_S))
