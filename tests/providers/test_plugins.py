"""Providers that other packages bring."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from workbench import providers


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    found = [EntryPoint(name, "tests.providers.test_plugins:Other", providers.GROUP) for name in ("other", "openai")]
    monkeypatch.setattr(providers, "entry_points", lambda group: [one for one in found if one.group == group])
    providers._plugins.cache_clear()
    yield
    providers._plugins.cache_clear()


class Other:
    """Stand for a provider of another package."""

    needs = None


def test_a_plugin_is_found_and_takes_no_place_of_ours(installed: Any) -> None:
    assert providers.protocols()["other"] == "tests.providers.test_plugins:Other"
    assert providers.protocols()["openai"] == providers.BUILT_IN["openai"]
    assert (providers.protocol("other").__name__, providers.lacking("other")) == ("Other", None)
