"""The owner of a file is killed again and again while people and jobs write; what it acknowledged is compared with what is stored."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import workbench as wb
from tests.e2e.processes import ROOT, environment
from workbench.store import Database
from workbench.store.doctor import doctor

PLANS = {
    side: {"prompt_template": f"{side}: {{{{q}}}}", "response_column": "a", "label_type": f"answer-{side}"}
    for side in ("left", "right")
}
PAIRS = 120
REVIEWERS = 3
PATIENCE_S = 60
KINDS = ("decided", "bulk", "anew", "job")
# Four training sheets of one sheet: one pair at a time, many at once, rendered anew, answered by a job.
SHEETS = ("single", "bulk", "anew", "job")

OWNER = """
import json, sys, threading, itertools
import workbench as wb
from tests.e2e.kills import PLANS, work
work(sys.argv[1], json.loads(sys.argv[2]))
"""


def made(path: Path) -> dict[str, str]:
    """Make the workspace and return the ids of its training sheets by what is done to them."""
    rows = [{"id": f"i{n}", "q": f"what {n}", "a": f"answer {n % 5}"} for n in range(PAIRS)]
    with wb.open(path, share=False) as ws:
        sheet = ws.sheets.create("rows", rows=rows, item_id_column="id")
        plans = dict.fromkeys(SHEETS, PLANS["left"]) | {
            "job": {"prompt_template": "{{q}}", "response_source_mode": "ai_generated"}
        }
        return {name: ws.training_sheets.assemble(sheet.id, name=name, template=plan).id for name, plan in plans.items()}


def work(path: str, ids: dict[str, str]) -> None:
    """Own the file and write until somebody kills this process; say what is done once it is."""
    ws, said = wb.open(path, share=False), threading.Lock()

    def acknowledge(**what: Any) -> None:
        with said:
            sys.stdout.write(json.dumps(what) + "\n")
            sys.stdout.flush()

    tasks = [lambda n=n: _decide(ws, ids["single"], n, acknowledge) for n in range(REVIEWERS)]
    tasks += [lambda: _bulk(ws, ids["bulk"], acknowledge), lambda: _anew(ws, ids["anew"], acknowledge)]
    tasks += [lambda: _answer(ws, ids["job"], acknowledge)]
    for task in tasks:
        threading.Thread(target=task, daemon=True).start()
    threading.Event().wait()


def _decide(ws: Any, sheet: str, reviewer: int, acknowledge: Any) -> None:
    for turn in range(1_000_000):
        row = reviewer + REVIEWERS * (turn % (PAIRS // REVIEWERS))
        action = ("approve", "reject", "flag", "reset")[(turn // 40 + row) % 4]
        pair = ws.review.decide(sheet, row, action=action, notes=f"turn {turn}")
        acknowledge(kind="decided", row=row, state=[pair.status, pair.notes, pair.version])


def _bulk(ws: Any, sheet: str, acknowledge: Any) -> None:
    """Go round: approve all, take back, make again, reset."""
    review = ws.review
    for turn in range(1_000_000):
        states = {pair.status for pair in review.rows(sheet, page_size=1000)}
        if states == {"unlabeled"}:
            found, status = review.bulk_approve(sheet, filter={}), "labeled"
        elif turn % 3 == 1:
            found, status = review.undo(sheet, scope="all"), None
        else:
            found, status = review.bulk_reset(sheet, filter={}), "unlabeled"
        acknowledge(kind="bulk", batch=found.batch_id, status=status)


def _anew(ws: Any, sheet: str, acknowledge: Any) -> None:
    """Render through one template, then the other, with approvals between."""
    for turn in range(1_000_000):
        side = ("left", "right")[turn % 2]
        found = ws.training_sheets.reassemble(sheet, template=PLANS[side])
        acknowledge(kind="anew", side=side, batch=found.batch_id)
        ws.review.bulk_approve(sheet, row_indices=[turn % PAIRS])


def _answer(ws: Any, sheet: str, acknowledge: Any) -> None:
    for _ in range(1_000_000):
        if not _unended(ws):
            job = ws.training_sheets.generate(sheet, "simulated", overwrite_existing=True, force=True)
            acknowledge(kind="job", id=job.id)
        time.sleep(0.05)


def _unended(ws: Any) -> int:
    return int(ws.sql("select count(*) as n from jobs where status not in ('succeeded', 'failed', 'cancelled')")["n"][0])


@dataclass
class Tally:
    """Count what was acknowledged over all kills, and keep what was found wrong."""

    kills: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    opened_ms: list[float] = field(default_factory=list)


def one_life(path: Path, ids: dict[str, str], seconds: float, tally: Tally, wanted: Collection[str] = ()) -> None:
    """Let an owner live for a while after its first word and until it said all that is wanted, kill it, examine the file."""
    command = [sys.executable, "-c", OWNER, str(path), json.dumps(ids)]
    with path.with_suffix(".log").open("ab") as log:
        owner = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment(), cwd=ROOT, text=True)
    assert owner.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(owner.stdout), daemon=True)
    reader.start()
    until = time.monotonic() + PATIENCE_S
    while not lines and owner.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(seconds)
    while not _said(lines).keys() >= set(wanted) and owner.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    if owner.poll() is not None:
        tally.faults.append(f"the owner ended by itself: {path.with_suffix('.log').read_text()[-2000:]}")
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    reader.join(30)
    said = [json.loads(line) for line in lines if line.endswith("\n")]
    tally.kills += 1
    tally.acknowledged += _said(lines)
    _examine(path, ids, said, tally)


def _said(lines: list[str]) -> Counter[str]:
    """Count what an owner acknowledged, by its kind."""
    return Counter(json.loads(line)["kind"] for line in [*lines] if line.endswith("\n"))


def _examine(path: Path, ids: dict[str, str], said: list[dict[str, Any]], tally: Tally) -> None:
    start = time.perf_counter()
    with Database.open(path) as db:
        tally.opened_ms.append((time.perf_counter() - start) * 1000)
        tally.faults += [f"doctor: {found.finding}" for found in doctor(db)]
        tally.faults += _single_faults(db, ids["single"], said)
        tally.faults += _batch_faults(db, ids, said)
        known = {row[0] for row in db.tuples("select id from jobs")}
        tally.faults += [f"job {one['id']} is lost" for one in said if one["kind"] == "job" and one["id"] not in known]


def _single_faults(db: Database, sheet: str, said: list[dict[str, Any]]) -> list[str]:
    """An acknowledged decision is stored, or the one after it that was cut off before its answer."""
    last = {one["row"]: one["state"] for one in said if one["kind"] == "decided"}
    stored = db.tuples("select row_index, status, notes, version from pair_rows where training_sheet_id = ?", [sheet])
    return [
        f"pair {row} is {state} after {last[row]} was acknowledged"
        for row, *state in stored
        if row in last and state != last[row] and state[2] != last[row][2] + 1
    ]


def _batch_faults(db: Database, ids: dict[str, str], said: list[dict[str, Any]]) -> list[str]:
    """A batch is stored whole or not at all, and every acknowledged one is there."""
    faults = []
    states = db.tuples("select distinct status from pair_rows where training_sheet_id = ?", [ids["bulk"]])
    if len(states) != 1:
        faults.append(f"half a bulk action: {states}")
    sides = db.tuples(
        "select distinct split_part(prompt, ':', 1), t.template ->> 'prompt_template' from pair_rows p join training_sheets t "
        "on t.id = p.training_sheet_id where t.id = ?",
        [ids["anew"]],
    )
    if len(sides) != 1 or not str(sides[0][1]).startswith(str(sides[0][0])):
        faults.append(f"half a re-assembly: {sides}")
    stored = dict(db.tuples("select id, number from batches"))
    faults += [f"batch {one['batch']} is lost" for one in said if one.get("batch") and one["batch"] not in stored]
    answers = db.tuples(
        "select b.id, b.row_count, count(p.row_index) from batches b join pair_rows p on p.last_batch = b.number "
        "where b.training_sheet_id = ? and b.undone_at is null group by all having count(p.row_index) <> b.row_count",
        [ids["job"]],
    )
    return faults + [f"half of the answers of batch {one}" for one in answers]


def kill_again_and_again(folder: Path, kills: int, *, seed: int = 7) -> Tally:
    """Kill the owner so many times and return what was seen; at the end every job comes to its end."""
    path, dice, tally = folder / "team.duckdb", random.Random(seed), Tally()
    ids = made(path)
    for left in reversed(range(kills)):
        # However slow the machine is, each kind of work was under way when the last owner was killed.
        one_life(path, ids, dice.uniform(0.05, 2.0), tally, wanted=() if left else KINDS)
    with wb.open(path, share=False) as ws:
        until = time.monotonic() + 60
        while (left := _unended(ws)) and time.monotonic() < until:
            time.sleep(0.1)
        if left:
            tally.faults.append(f"{left} jobs still pretend to run")
    # Nobody was told of an error either: what an owner could not do would be in its log.
    words = path.with_suffix(".log").read_text()
    if "Traceback" in words:
        tally.faults.append(words[-3000:])
    return tally
