"""A few of the kills that the benchmark does by the hundred."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.kills import KINDS, kill_again_and_again


@pytest.mark.slow
def test_a_killed_owner_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    tally = kill_again_and_again(tmp_path, 4)
    assert [] == tally.faults
    assert all(tally.acknowledged[kind] for kind in KINDS), tally
