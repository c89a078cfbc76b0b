"""An owner process for the restart tests, killed by them: `python -m tests.engine.owner DATABASE STEPS [KIND]`."""

import sys
import time

from workbench.clock import Clock
from workbench.config import Settings
from workbench.engine import Engine
from workbench.store import Database


def opened(path):
    """Return an engine over the file, with the kinds of the tests."""
    db = Database.open(path)
    engine = Engine(
        db, clock=Clock(), settings=Settings(max_jobs=2, cancel_grace_s=0.3, cancel_term_s=0.2), artifacts=db.artifacts
    )
    for name in ("count", "computes", "hangs", "escapes"):
        engine.register(name, entry=f"tests.engine.work:{name}", prepare=lambda job, folder: job.spec)
    return engine


if __name__ == "__main__":
    engine = opened(sys.argv[1])
    engine.start()
    kind = sys.argv[3] if len(sys.argv) > 3 else "count"
    job = engine.submit(kind, name="orphan", spec={"steps": int(sys.argv[2]), "pause": 0.01})
    print(job.id, flush=True)
    time.sleep(600)
