"""An owner that keeps two jobs under way until somebody kills it: `python -m tests.engine.kill_owner DATABASE`."""

import sys
import time

from workbench.clock import Clock
from workbench.config import Settings
from workbench.engine import Engine
from workbench.store import Database

STEPS = 120


def opened(path):
    """Return an engine over the file that knows the two kinds, one of which saves checkpoints."""
    db = Database.open(path)
    settings = Settings(max_jobs=2, cancel_grace_s=0.3, cancel_term_s=0.2, retry_wait_s=0.1, min_free_mb=0)
    engine = Engine(db, clock=Clock(), settings=settings, artifacts=db.artifacts)
    for kind in ("count", "slowly"):
        engine.register(kind, entry=f"tests.engine.work:{kind}", prepare=lambda job, folder: job.spec)
    return engine


if __name__ == "__main__":
    engine = opened(sys.argv[1])
    engine.start()
    print("up", flush=True)
    while True:
        if engine.db.value("select count(*) from jobs where completed_at is null") < 2:
            kind = ("count", "slowly")[int(time.time() * 1000) % 2]
            engine.submit(kind, name=kind, spec={"steps": STEPS, "pause": 0.01})
        time.sleep(0.05)
