"""What it costs to bring rows in, to make pairs of them and to take them out again, and how that grows.

Sizes come from WORKBENCH_BENCH_ROWS (10000,100000,1000000). Beside each figure stands what pandas, and
`datasets` where it can be imported, take for the same work in the same run.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

import workbench as wb

SIZES = [int(size) for size in os.environ.get("WORKBENCH_BENCH_ROWS", "10000,100000,1000000").split(",")]
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda"]
PLAN = {
    "prompt_template": "Q: {{question}}\nC: {{context}} ({{id}})",
    "response_column": "answer",
    "system_instruction": "Be brief.",
}
TAKEN: dict[str, dict[int, float]] = {}


@dataclass
class Measured:
    """Seconds of wall clock, and the largest memory of this process and of its children, in MB."""

    seconds: float = 0.0
    own: int = 0
    children: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look at the memory until told that it is over."""
        me = psutil.Process()
        while not self._over.wait(0.02):
            self.own = max(self.own, me.memory_info().rss >> 20)
            with contextlib.suppress(psutil.Error):
                self.children = max([self.children, *(one.memory_info().rss >> 20 for one in me.children())])


def measured(name: str, rows: int, work: Callable[[], Any]) -> Any:
    """Do the work, print what it took and how that grew from the size before, and return what it returned."""
    taken = Measured()
    watcher = threading.Thread(target=taken.watch, daemon=True)
    watcher.start()
    begun = time.perf_counter()
    result = work()
    taken.seconds = time.perf_counter() - begun
    taken._over.set()
    watcher.join()
    before = TAKEN.setdefault(name, {})
    grown = "".join(f", {taken.seconds / seconds:.1f} x the time of {size:,}" for size, seconds in list(before.items())[-1:])
    before[rows] = taken.seconds
    print(f"\n{name}, {rows:,} rows: {taken.seconds:.2f} s, peak {taken.own} MB here, {taken.children} MB in a child{grown}")
    return result


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size:,}")
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """Return the number of rows and a folder with them as rows.csv and rows.jsonl: four columns of text."""
    folder, r = tmp_path_factory.mktemp("rows"), random.Random(1)
    with (folder / "rows.csv").open("w") as table, (folder / "rows.jsonl").open("w") as lines:
        table.write("id,question,context,answer\n")
        for i in range(request.param):
            row = (f"i{i}", f"{' '.join(r.choices(WORDS, k=8))} {i}", " ".join(r.choices(WORDS, k=12)), r.choice(WORDS))
            table.write(",".join(row) + "\n")
            lines.write(json.dumps(dict(zip(("id", "question", "context", "answer"), row, strict=True))) + "\n")
    return request.param, folder


@pytest.fixture(scope="module")
def ws(files: tuple[int, Path]) -> Iterator[Any]:
    """Return a workspace over a file beside the rows."""
    with wb.open(files[1] / "w.duckdb", share=False) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def made(ws: Any, files: tuple[int, Path]) -> Any:
    """Return the training sheet of all rows, made once and measured."""
    rows, folder = files
    sheet = measured("P1 import CSV", rows, lambda: ws.sheets.create("csv", source=str(folder / "rows.csv"), item_id_column="id"))
    return measured("P2 assemble", rows, lambda: ws.training_sheets.assemble(sheet.id, template=PLAN))


def once(benchmark: Any, name: str, rows: int, work: Callable[[], Any]) -> Any:
    """Measure work that is done once: it takes long, and leaves something behind."""
    return benchmark.pedantic(lambda: measured(name, rows, work), rounds=1)


def test_import_of_json_lines(benchmark: Any, ws: Any, files: tuple[int, Path]) -> None:
    rows, folder = files
    sheet = once(benchmark, "P1 import JSONL", rows, lambda: ws.sheets.create("jsonl", source=str(folder / "rows.jsonl")))
    assert sheet.item_count == rows


def test_import_of_a_table_and_assembly(benchmark: Any, ws: Any, files: tuple[int, Path], made: Any) -> None:
    assert once(benchmark, "a preview of its pairs", files[0], lambda: ws.training_sheets.preview(made.id)).total == files[0]


@pytest.mark.parametrize("format", ["openai_chat", "parquet", "csv", "huggingface"])
def test_export(benchmark: Any, ws: Any, files: tuple[int, Path], made: Any, format: str) -> None:
    work = lambda: ws.training_sheets.export(made.id, format=format, include_unreviewed=True)  # noqa: E731
    assert once(benchmark, f"P7 export {format}", files[0], work).manifest["rows"] == files[0]


PANDAS = """
import sys, time, resource, json
import pandas as pd
folder, begun = sys.argv[1], time.perf_counter()
table = pd.read_csv(f"{folder}/rows.csv", dtype=str, keep_default_na=False)
assert table["id"].is_unique
prompt = "Q: " + table["question"] + "\\nC: " + table["context"] + " (" + table["id"] + ")"
told = {"role": "system", "content": "Be brief."}
with open(f"{folder}/pandas.jsonl", "w") as out:
    for p, a in zip(prompt, table["answer"]):
        turns = [told, {"role": "user", "content": p}, {"role": "assistant", "content": a}]
        out.write(json.dumps({"messages": turns}, ensure_ascii=False) + "\\n")
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""
DATASETS = """
import sys, time, resource, os
os.environ["HF_HOME"] = sys.argv[1] + "/hf"
import datasets
datasets.disable_progress_bars()
folder, begun = sys.argv[1], time.perf_counter()
rows = datasets.load_dataset("csv", data_files=f"{folder}/rows.csv", split="train", keep_default_na=False)
def pair(row):
    prompt = f"Q: {row['question']}\\nC: {row['context']} ({row['id']})"
    turns = [("system", "Be brief."), ("user", prompt), ("assistant", row["answer"])]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}
rows.map(pair, remove_columns=rows.column_names).to_json(f"{folder}/datasets.jsonl", force_ascii=False)
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


# Without the present folder on the path: this project has one that is called `datasets`.
PEER = (os.environ.get("WORKBENCH_PEER_PYTHON", sys.executable), "-P")


@pytest.mark.parametrize(("peer", "code"), [("pandas", PANDAS), ("datasets", DATASETS)])
def test_the_whole_way_beside_a_peer(benchmark: Any, files: tuple[int, Path], made: Any, peer: str, code: str) -> None:
    rows, folder = files
    if subprocess.run([*PEER, "-c", f"import {peer}"], capture_output=True, check=False).returncode:
        print(f"\n{peer} cannot be imported here: no comparison. WORKBENCH_PEER_PYTHON names an interpreter that has it.")
    else:
        done = subprocess.run([*PEER, "-c", code, str(folder)], capture_output=True, text=True, check=True)
        seconds, peak = done.stdout.split()
        ours = sum(TAKEN[name][rows] for name in ("P1 import CSV", "P2 assemble", "P7 export openai_chat"))
        print(
            f"\nread, render, write as chat lines, {rows:,} rows: {peer} {float(seconds):.2f} s, peak {peak} MB; ours {ours:.2f} s"
        )
    benchmark.pedantic(lambda: None, rounds=1)


def test_decisions_go_on_meanwhile(benchmark: Any, ws: Any, files: tuple[int, Path], made: Any) -> None:
    """Decide all the while an import runs, and print how long a decision took."""
    job = ws.sheets.create("meanwhile", source=str(files[1] / "rows.csv"), item_id_column="id", wait=False)
    taken: list[float] = []
    while ws.jobs.get(job.id).status in ("queued", "running"):
        begun = time.perf_counter()
        ws.review.decide(made.id, len(taken), action="approve")
        taken.append(1000 * (time.perf_counter() - begun))
    taken.sort()
    p50, p95 = taken[len(taken) // 2], taken[int(0.95 * len(taken))]
    print(
        f"\n{len(taken)} decisions during an import of {files[0]:,} rows: p50 {p50:.1f} ms, p95 {p95:.1f}, longest {taken[-1]:.0f}"
    )
    assert ws.jobs.get(job.id).status == "succeeded"
    benchmark.pedantic(lambda: None, rounds=1)
