"""The tables and views that people may query by name, with a word on each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.domain.record import Record
from workbench.store.database import Database

SHEET_PREFIX = "sheet_"

PUBLISHED: dict[str, str] = {
    "sheets": "Imported tables: name, slug, size, status.",
    "templates": "How rows become prompts and answers.",
    "training_sheets": "Sets of pairs made from a sheet by a template.",
    "pairs": "Prompt, proposed answer, label and state of each training pair.",
    "pair_signals": "What the quality scan says of each pair, and its training loss.",
    "row_signals": "What the quality scan says of each row of a sheet.",
    "decisions": "The log of every decision on a pair.",
    "generated_answers": "What providers answered about each pair, with tokens, cost and faults.",
    "canonical_labels": "The agreed answers, reused wherever the same question comes up.",
    "jobs": "Everything that ran: kind, state, progress, outcome.",
    "job_events": "What happened to each job, in order.",
    "studies": "Searches for the best settings: what is searched, how far they are, the best trial.",
    "trials": "The trainings of studies: what each tried, its state and its figure.",
    "metrics": "Figures of a job by step and epoch.",
    "predictions": "What models answered to pairs in training and evaluation jobs, with confidence and loss.",
    "learned_from": "Which job and model learned from, or held out, which pair, made from which row of which sheet.",
    "models": "Model versions with their stage and figures.",
    "stage_history": "Every promotion, deployment, rollback and retirement.",
    "test_runs": "Test suites run against model versions.",
    "ab_tests": "Comparisons of two models on live traffic.",
    "endpoints": "Served models and their state.",
    "requests": "The log of answered requests.",
    "feedback": "What people said about answers, with corrections.",
    "gaps": "Topics the models answer badly.",
    "alerts": "Rules and what set them off.",
    "projects": "Projects.",
    "project_decisions": "What was decided in a project, and why.",
    "audit_programs": "Programs of repeated audits.",
    "audit_runs": "Runs of audits.",
    "questions": "Questions asked in audits.",
    "answers": "Answers collected in audits.",
    "mentions": "Names found in answers.",
    "reports": "Reports.",
    "insights": "What the reports found.",
    "personas": "Who a question is asked as.",
    "widgets": "Widgets on shared pages.",
    "providers": "Where answers are asked for; keys are not kept here.",
    "settings": "Settings of the workspace.",
    "outbox": "Every committed change: what changed, never what it is now.",
    "lineage": "What was made from what: from_kind, from_id, relation, to_kind, to_id.",
}


def relations(db: Database) -> tuple[dict[str, str], set[str]]:
    """Return the published names that exist, each with its words, and the names of everything else.

    The rows of a sheet are the view `sheet_<slug>`; only views may carry that prefix into the open, and a deleted sheet hides its own.
    """
    deleted = {f"{SHEET_PREFIX}{slug}" for (slug,) in db.tuples("select slug from sheets where deleted_at is not null")}
    found = db.tuples(
        "select table_name, false, internal from duckdb_tables() union all select view_name, true, internal from duckdb_views()"
    )
    shown: dict[str, str] = {}
    for name, is_view, internal in found:
        if name in PUBLISHED and not internal:
            shown[name] = PUBLISHED[name]
        elif is_view and not internal and name.startswith(SHEET_PREFIX) and name not in deleted:
            shown[name] = f"The rows of the sheet {name.removeprefix(SHEET_PREFIX)!r}."
    return shown, {name for name, _, _ in found} - set(shown)


def published(db: Database) -> list[dict[str, Any]]:
    """Return the published tables as `{name, doc, columns: [{name, type, doc}]}`, in the order of the list."""
    shown, _ = relations(db)
    order = {name: number for number, name in enumerate(PUBLISHED)}
    names = sorted(shown, key=lambda name: (order.get(name, len(order)), name))
    columns = _columns(db)
    return [{"name": name, "doc": shown[name], "columns": columns.get(name, [])} for name in names]


def _columns(db: Database) -> dict[str, list[dict[str, str]]]:
    docs = dict(_documented())
    listed: dict[str, list[dict[str, str]]] = {}
    query = "select table_name, column_name, data_type from duckdb_columns() where not internal order by table_name, column_index"
    for table, name, kind in db.tuples(query):
        listed.setdefault(table, []).append({"name": name, "type": kind, "doc": docs.get((table, name), "")})
    return listed


def _documented() -> Iterator[tuple[tuple[str, str], str]]:
    for record_class in record_classes():
        for name in record_class.stored_fields():
            yield (str(record_class.table), name), record_class.param[name].doc or ""


def record_classes() -> Iterator[type[Record]]:
    """Yield every record class of the package that has a table."""
    queue: list[type[Record]] = [Record]
    while queue:
        record_class = queue.pop()
        queue.extend(record_class.__subclasses__())
        if record_class.table and record_class.__module__.startswith("workbench."):
            yield record_class
