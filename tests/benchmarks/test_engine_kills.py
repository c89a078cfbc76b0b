"""G6, R4: children, owners and both are killed at random; no event that reached the disk is lost, none is there twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.e2e.processes import ROOT, environment
from tests.engine.kill_owner import opened
from workbench.engine import journal
from workbench.engine.process import Identity, group_members

KILLS = int(os.environ.get("WORKBENCH_KILLS", "300"))
SEED = int(os.environ.get("WORKBENCH_SEED", "7"))


def owner_of(path: Path) -> tuple[subprocess.Popen[str], float]:
    """Start an owner and return it with the seconds until it was up."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.kill_owner", str(path)], stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "up"
    return process, time.perf_counter() - begun


def living(jobs: Path) -> list[int]:
    """Return the pids of the children that live."""
    found = []
    for told in jobs.glob("*/attempt-*/process.json"):
        identity = Identity.load(told.parent)
        if identity and identity.alive():
            found.append(identity.pid)
    return found


def murder(path: Path, kills: int) -> tuple[Counter[str], list[float]]:
    """Kill at random and return what was killed how often, and how long each new owner took to come up."""
    dice, killed, up = random.Random(SEED), Counter[str](), []
    owner, _ = owner_of(path)
    jobs = path.with_name(f"{path.name}.artifacts") / "jobs"
    while killed.total() < kills:
        time.sleep(dice.uniform(0.02, 0.7))
        what = dice.choice(("child", "owner", "both"))
        children = living(jobs)
        if what != "owner":
            if not children:
                continue
            os.kill(dice.choice(children), signal.SIGKILL)
        killed[what] += 1
        if what != "child":
            owner.send_signal(signal.SIGKILL)
            owner.wait()
            owner, seconds = owner_of(path)
            up.append(seconds)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    return killed, up


def examined(path: Path) -> tuple[Counter[str], list[str], float]:
    """Let a last owner bring everything to its end; return the states, what is wrong and the seconds it took."""
    engine, faults = opened(path), []
    begun = time.perf_counter()
    engine.start()
    deadline = time.monotonic() + 60
    while engine.db.value("select count(*) from jobs where completed_at is null") and time.monotonic() < deadline:
        time.sleep(0.02)
    seconds = time.perf_counter() - begun
    for job in engine.ledger.jobs.list():
        faults += [f"{job.id} is still {job.status}"] if job.completed_at is None else []
        faults += _faults(engine, job)
    faults += [f"process {pid} lives on" for pid in living(engine.artifacts / "jobs") if group_members(pid)]
    zombies = [p.pid for p in psutil.Process().children() if p.status() == psutil.STATUS_ZOMBIE]
    faults += [f"zombie {pid}" for pid in zombies]
    states = Counter(job.status for job in engine.ledger.jobs.list())
    engine.close()
    engine.db.close()
    return states, faults, seconds


def _faults(engine, job) -> list[str]:
    kept: Counter[int] = Counter()
    for number in range(1, job.attempt + 1):
        for record in journal.read(engine.folder(job.id, number), limit=1 << 30).records:
            if record["t"] == "anew":
                kept.clear()
            if record["t"] == "resumed":
                kept = Counter({step: n for step, n in kept.items() if step <= record["step"]})
            kept.update(row[1] for row in record.get("rows", ()))
    stored = Counter(dict(engine.db.tuples("select step, count(*) from metrics where job_id = ? group by all", [job.id])))
    faults = [f"{job.id}: {len(kept - stored)} points lost, {len(stored - kept)} made up"] if stored != kept else []
    faults += [f"{job.id}: step {step} is there {n} times" for step, n in stored.items() if n > 1][:3]
    seqs = [s for (s,) in engine.db.tuples("select seq from job_events where job_id = ? order by seq", [job.id])]
    faults += [f"{job.id}: events are numbered with gaps"] if seqs != list(range(1, len(seqs) + 1)) else []
    moves = engine.db.tuples("select new_status from job_events where job_id = ? and new_status is not null order by seq", [job.id])
    ends = [m for (m,) in moves if m in ("succeeded", "failed", "cancelled")]
    faults += [f"{job.id} ended {len(ends)} times: {ends}"] if len(ends) != 1 else []
    result = engine.folder(job.id, job.attempt) / "result.json"
    if job.status == "failed" and result.exists() and json.loads(result.read_text())["status"] == "succeeded":
        faults.append(f"{job.id} succeeded and is shown as failed")
    return faults


def test_random_kills(benchmark, tmp_path: Path) -> None:
    path = tmp_path / "killed.duckdb"
    killed, up = benchmark.pedantic(murder, args=(path, KILLS), rounds=1)
    states, faults, seconds = examined(path)
    worst = f"{sorted(up)[len(up) // 2]:.2f} s (median), {max(up):.2f} s (worst)" if up else "never"
    print(
        f"\n{killed.total()} kills {dict(killed)}: jobs {dict(states)}; a new owner was up after {worst}; "
        f"the last one had everything settled after {seconds:.2f} s; faults: {faults or 'none'}"
    )
    assert not faults
