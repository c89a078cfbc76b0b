"""Answers written by a provider: asked for in a job, taken over as one step that can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import Job
from workbench.errors import NotEligible, ValidationError, did_you_mean
from workbench.providers import BUILT_IN
from workbench.providers.run import ANSWERS, PROMPTS
from workbench.services import decisions
from workbench.store import Database

if TYPE_CHECKING:
    from workbench.services.application import Application

ENTRY = "workbench.providers.run:generate"
UNTOUCHED = "response_source not in ('human_labeled', 'human_verified', 'canonical') and status not in ('labeled', 'rejected')"
ANSWER = "(select a.response from _answers a where a.row_index = pair_rows.row_index)"
TARGET = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _answers)"


def refuse_unknown(provider: str) -> None:
    """Raise ValidationError unless the provider exists."""
    if provider not in BUILT_IN:
        known = ", ".join(sorted(BUILT_IN))
        raise ValidationError.field("provider", f"is unknown.{did_you_mean(provider, BUILT_IN)} Available: {known}", provider)


def wanted_rows(db: Database, made: TrainingSheet, row_indices: list[int] | None, *, overwrite: bool, force: bool) -> list[int]:
    """Return the pairs to answer; approved ones and those that people wrote only when forced."""
    parts, params = ["training_sheet_id = ?"], [made.id]
    if row_indices is not None:
        parts.append("list_contains(?::bigint[], row_index)")
        params.append(row_indices)
    if not overwrite:
        parts.append("trim(response) = ''")
    if not force:
        parts.append(UNTOUCHED)
    found = [
        row[0] for row in db.tuples(f"select row_index from pair_rows where {' and '.join(parts)} order by row_index", params)
    ]
    if not found:
        raise NotEligible(
            "There is no pair to answer. Answered ones need overwrite_existing.", excluded={"answered": made.total_rows}
        )
    return found


class GenerationWork:
    """Hand prompts to a generation job and take over its answers."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        self.app.engine.register("generate", entry=ENTRY, prepare=self.prepare, finish=self.finish)

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Write the prompts as they are now, with the versions of their pairs."""
        made = self.app.training_sheets.ready(job.spec["training_sheet_id"])
        plan = made.template
        assert plan is not None
        table = self.db.arrow(
            "select row_index, version, prompt from pair_rows where training_sheet_id = ? "
            "and list_contains(?::bigint[], row_index) order by row_index",
            [made.id, job.spec["row_indices"]],
        )
        pq.write_table(table, folder / PROMPTS)
        return {
            "provider": job.spec["provider"],
            "model": job.spec["model"],
            "system": plan.system_instruction,
            "temperature": plan.temperature,
            "max_tokens": plan.max_tokens,
            "choices": [one.name for one in plan.label_classes],
            "examples": self._examples(made),
        }

    def _examples(self, made: TrainingSheet) -> list[dict[str, Any]]:
        """Return the newest approved pairs of the same sheet that may serve as examples."""
        count = made.template.few_shot_count if made.template else 0
        return self.db.rows(
            "select prompt, response from pair_rows where training_sheet_id in (select id from training_sheets where sheet_id = ?) "
            "and status = 'labeled' and not stale and prohibited_mask & 8 = 0 and (allowed_mask is null or allowed_mask & 8 = 8) "
            f"order by labeled_at desc, row_index limit {count}",
            [made.sheet_id],
        )

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Take the answers over where the pair is still as it was asked about."""
        made = self.app.training_sheets.live(job.spec["training_sheet_id"])
        answers = pq.read_table(folder / ANSWERS)
        db = self.db
        db.execute(
            "create or replace temp table _found (row_index bigint, version bigint, response varchar, confidence double, error varchar)"
        )
        db.insert_arrow("_found", answers)
        db.execute(
            "create or replace temp table _answers as select f.* from _found f join pair_rows p on p.training_sheet_id = ? "
            "and p.row_index = f.row_index and p.version = f.version where f.error is null",
            [made.id],
        )
        taken = db.value("select count(*) from _answers")
        changed = result["generated_count"] - taken
        if not taken:
            return {**result, "training_sheet_id": made.id, "taken_over": 0, "changed_since": changed, "batch_id": None}
        batch_id = self.app.clock.new_id("batch")
        label_type = made.template.label_type if made.template else "response"
        scope = decisions.Scope(made.id, made.sheet_id, label_type, job.created_by, self.app.clock.now())
        decisions.apply(db, scope, _change(simulated=bool(result["simulated"])), TARGET, {}, batch_id=batch_id, rows=taken)
        db.emit("pairs", made.id, None, "bulk")
        return {**result, "training_sheet_id": made.id, "taken_over": taken, "changed_since": changed, "batch_id": batch_id}


def _change(*, simulated: bool) -> decisions.Change:
    columns = {
        "response": ANSWER,
        "original_response": "null",
        "response_source": "'ai_generated'",
        "confidence": "(select a.confidence from _answers a where a.row_index = pair_rows.row_index)",
        "simulated": str(simulated).lower(),
        "status": "'unlabeled'",
        "flag_reason": "null",
        "stale": "false",
        "labeled_by": "null",
        "labeled_at": "null",
        "verified_by": "null",
        "verified_at": "null",
    }
    return decisions.Change("generate", columns)
