"""The sample workspace: the whole loop once, on real data, through the public face alone.

Every record it makes is marked as sample.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.client.workspace import Workspace
from workbench.config import dataset_path
from workbench.domain.wording import grouped
from workbench.server import bootstrap

PAIRS = 2400
REQUESTS = 300
BATCH = 20
CORRECTIONS = 25
MODEL = "stdlib-module"
TEMPLATE = {
    "prompt_template": "Which module of Python's standard library offers this?\n{{kind}} {{signature}}\n{{summary}}",
    "system_instruction": "Answer with the name of the module alone.",
    "response_source_mode": "existing_column",
    "response_column": "module",
    "label_type": "module",
}
GUIDELINES = (
    "The answer is the **module** that offers what the text describes.\n\n"
    "- Reject a text that says too little to tell.\n"
    "- Flag a text that several modules share."
)
TOO_SHORT = "length(summary) < 18"
SHARED = "Another module describes something with the same words."
SHORT = "The text says too little to tell the module."


def build(path: Path, *, say: Callable[[str], None] = print) -> None:
    """Make the sample workspace at `path` unless it is there; an interrupted run leaves nothing."""
    bootstrap.refuse_memory(str(path))
    if path.exists():
        say(f"{path} is there already.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}.building-{os.getpid()}.duckdb")
    started = time.monotonic()
    try:
        with bootstrap.open(draft, share=False, user="demo") as ws:
            run(ws, say=say)
        _publish(draft, path)
    finally:
        _discard(draft)
    say(f"The sample workspace is ready in {time.monotonic() - started:.0f} s: {path}")


def run(ws: Workspace, *, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Run the loop on an open workspace and return what it made, by kind."""
    made: dict[str, Any] = {}
    steps: list[tuple[str, Callable[[Workspace, dict[str, Any]], str]]] = [
        ("Data", _import),
        ("Generate", _assemble),
        ("Label", _review),
        ("Train", _train),
        ("Test", _test),
        ("Deploy", _deploy),
        ("Requests", _ask),
        ("Monitor", _watch),
        ("Improve", _improve),
        ("Lineage", _trace),
    ]
    for name, step in steps:
        with _timed(name, say) as tell:
            tell(step(ws, made))
    return made


@contextmanager
def _timed(name: str, say: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    started = time.monotonic()
    words: list[str] = []
    yield words.append
    say(f"  {name:<9} {time.monotonic() - started:5.1f} s  {' '.join(words)}")


def _import(ws: Workspace, made: dict[str, Any]) -> str:
    sheet = ws.sheets.create(
        "Python standard library",
        source_type="file",
        source=str(dataset_path("stdlib_functions.csv")),
        item_id_column="item_id",
        description="What the modules of Python's standard library offer, from their docstrings.",
        tags=["sample", "text"],
        data_classification="public",
        sample=True,
    )
    made["sheet"] = sheet = sheet.publish()
    return f"{grouped(sheet.item_count)} rows imported from {Path(sheet.source).name}"


def _assemble(ws: Workspace, made: dict[str, Any]) -> str:
    template = ws.templates.create("Which module?", **TEMPLATE, sample=True)
    made["template"] = template.publish()
    ws.sheets.attach_template(made["sheet"].id, template.id)
    made["pairs"] = ws.training_sheets.assemble(made["sheet"].id, sample="random", sample_size=PAIRS, guidelines=GUIDELINES)
    return f"{grouped(made['pairs'].total_rows)} pairs, {grouped(made['sheet'].item_count - made['pairs'].total_rows)} rows left out"


def _review(ws: Workspace, made: dict[str, Any]) -> str:
    """Reject and flag by stated rules, decide a few by hand, approve the rest in bulk."""
    pairs = made["pairs"]
    ws.review.bulk_reject(pairs.id, filter={"where": TOO_SHORT}, flag_reason=SHORT)
    rows = f"sheet_{made['sheet'].slug}"
    shared = ws.sql(
        f"select p.row_index from pairs p join {rows} s on s.item_id = p.item_ref where p.training_sheet_id = ? "
        f"and p.status = 'unlabeled' and s.summary in (select summary from {rows} group by 1 having count(distinct module) > 1)",
        [pairs.id],
    )
    ws.review.bulk_flag(pairs.id, row_indices=[int(i) for i in shared["row_index"]], flag_reason=SHARED)
    for pair in list(ws.review.queue(pairs.id, status="unlabeled", limit=10)):
        ws.review.decide(pairs.id, pair.row_index, action="approve", version=pair.version)
    preview = ws.review.bulk_approve(pairs.id, filter={"status": "unlabeled"}, preview=True)
    ws.review.bulk_approve(pairs.id, preview_id=preview.preview_id)
    eligible = made["eligibility"] = ws.review.eligibility(pairs.id)
    reasons = ", ".join(f"{count} {reason}" for reason, count in eligible.excluded.items() if count)
    return f"{grouped(eligible.eligible)} of {grouped(eligible.total)} pairs may train ({reasons})"


def _train(ws: Workspace, made: dict[str, Any]) -> str:
    job = ws.training.create(
        training_sheet_id=made["pairs"].id, model_name=MODEL, base_model="ngrams-tfidf", training_config={"epochs": 10}
    )
    made["job"] = job = _finished(job.wait(progress=sys.stderr.isatty()))
    figures = ws.training.metrics(job.id)
    return f"{grouped(job.train_pairs)} pairs, held-out accuracy {figures.val_accuracy:.3f} on {grouped(job.val_pairs)}"


def _finished(job: Any) -> Any:
    if job.status != "succeeded":
        raise RuntimeError(f"The job {job.id} ended as {job.status}: {job.error_message}")
    return job


def _test(ws: Workspace, made: dict[str, Any]) -> str:
    run = made["test"] = ws.models.test(made["job"].model_version_id)
    return f"{run.passed}" + (f", failed: {', '.join(run.failed)}" if run.failed else "")


def _deploy(ws: Workspace, made: dict[str, Any]) -> str:
    version = made["job"].model_version_id
    ws.models.promote(version)
    ws.models.deploy(version)
    made["endpoint"] = endpoint = next(iter(ws.endpoints.list()))
    return f"{endpoint.model_name} {endpoint.model_version} serves at {endpoint.name}"


def _ask(ws: Workspace, made: dict[str, Any]) -> str:
    """Ask about rows that were never assembled."""
    rows = ws.sql(
        f"select s.* from sheet_{made['sheet'].slug} s anti join "
        "(select item_ref from pairs where training_sheet_id = ?) p on p.item_ref = s.item_id order by s.item_id",
        [made["pairs"].id],
    ).head(REQUESTS)
    answered = []
    for start in range(0, len(rows), BATCH):
        batch = rows.iloc[start : start + BATCH]
        inputs = batch[["kind", "signature", "summary"]].fillna("").to_dict("records")
        answer = ws.endpoints.invocations(made["endpoint"].name, inputs=inputs)
        answered += zip(answer.request_ids, answer.predictions, batch["module"], strict=True)
    made["answered"] = answered
    right = sum(prediction.value == truth for _, prediction, truth in answered)
    return f"{len(answered)} requests, {right / len(answered):.1%} answered rightly"


def _watch(ws: Workspace, made: dict[str, Any]) -> str:
    name = made["endpoint"].name
    figures, health = ws.monitoring.metrics(name), ws.monitoring.health(name)
    return f"p50 {figures.p50:.1f} ms, p95 {figures.p95:.1f} ms, error rate {figures.error_rate:.1%}, {health.label} ({health.score:.0f})"


def _improve(ws: Workspace, made: dict[str, Any]) -> str:
    """Praise right answers, correct wrong ones with the true label, send those back to the queue."""
    name, corrected = made["endpoint"].name, 0
    for request_id, prediction, truth in made["answered"]:
        if prediction.value == truth or corrected >= CORRECTIONS:
            continue
        given = ws.feedback.create(
            endpoint=name, request_id=request_id, rating="negative", corrected=truth, comment=f"Belongs to {truth}."
        )
        ws.feedback.to_pair(given.id, training_sheet_id=made["pairs"].id)
        corrected += 1
    for request_id, prediction, truth in made["answered"][:40]:
        if prediction.value == truth:
            ws.feedback.create(endpoint=name, request_id=request_id, rating="positive")
    return f"{corrected} corrected answers are back in the queue as unlabeled pairs"


def _trace(ws: Workspace, made: dict[str, Any]) -> str:
    graph = ws.lineage.get("request", made["answered"][0][0])
    made["lineage"] = graph
    origins = sorted((node for node in graph.nodes if node.depth <= 0), key=lambda node: -node.depth)
    return " <- ".join(dict.fromkeys(node.kind for node in origins))


def _publish(draft: Path, path: Path) -> None:
    """Give the finished workspace its name; its folder first, so that the file never lacks it."""
    os.replace(f"{draft}.artifacts", f"{path}.artifacts")
    os.replace(draft, path)


def _discard(draft: Path) -> None:
    import shutil

    for leftover in draft.parent.glob(f"{draft.name}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)
