"""An engine over a fresh file, with real children and short waits."""

import pytest

from tests.files import empty
from workbench.clock import Clock
from workbench.config import Settings
from workbench.engine import Engine
from workbench.store import Database

WORK = "tests.engine.work"


@pytest.fixture
def made(tmp_path):
    """Make started engines with settings of the test's choice; what they run is killed afterwards."""
    engines = []

    def make(*kinds, executor=None, start=True, **settings):
        db = Database.open(empty(tmp_path / f"jobs-{len(engines)}.duckdb"))
        told = Settings(**{"max_jobs": 2, "cancel_grace_s": 0.3, "cancel_term_s": 0.2, "retry_wait_s": 0.05, **settings})
        engine = Engine(db, clock=Clock(), settings=told, artifacts=db.artifacts, executor=executor)
        for name in kinds:
            engine.register(name, entry=f"{WORK}:{name}", prepare=lambda job, folder: job.spec)
        engines.append(engine)
        if start:
            engine.start()
        return engine

    yield make
    for engine in engines:
        engine.close(detach=False)
        engine.db.close()
