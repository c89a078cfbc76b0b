from __future__ import annotations

import datetime as dt

import pytest

from tests.files import empty
from workbench.clock import FrozenClock
from workbench.store import Database

START = dt.datetime(2026, 1, 1, 9, 0)


@pytest.fixture
def clock():
    return FrozenClock(START)


@pytest.fixture
def db(tmp_path, clock):
    with Database.open(empty(tmp_path / "db.duckdb"), clock=clock) as database:
        yield database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "team.duckdb"
