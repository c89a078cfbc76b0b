"""What happens around the process of a training or evaluation job: its inputs before, its result after."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.domain.jobs import Job
from workbench.domain.prompt import columns_used
from workbench.domain.train import SUMMARY_METRICS, TrainingJob
from workbench.domain.wording import grouped
from workbench.errors import NotEligible
from workbench.services import curves
from workbench.services.study_lead import TRIAL
from workbench.services.training_place import needs, surroundings
from workbench.services.training_plan import Pairs
from workbench.trainers import trainer
from workbench.trainers.run import PAIRS

if TYPE_CHECKING:
    from workbench.services.application import Application

_APPROVED = """
select id, prompt, response, 'val' as split from pairs
where training_sheet_id = ? and status = 'labeled' and not stale
    and not list_contains(prohibited_uses, 'evaluation') and (allowed_uses is null or list_contains(allowed_uses, 'evaluation'))
order by row_index
"""
_UNASKED = """
select case when status <> 'labeled' then status when stale then 'stale'
    when list_contains(prohibited_uses, 'evaluation') then 'prohibited' else 'not_allowed' end, count(*)
from pairs where training_sheet_id = ? group by 1 order by 2 desc, 1
"""
PREDICTIONS = "predictions.json"
# Named, since a column without any value has no type: a hosted model tells no confidence, and no loss.
_PREDICTED = pa.schema(
    {
        "job_id": pa.string(),
        "pair_id": pa.string(),
        "prediction": pa.string(),
        "confidence": pa.float64(),
        "loss": pa.float64(),
        "correct": pa.bool_(),
    }
)
KEPT_FACTS = frozenset({"fmapi_job_id", "mlflow_run_id"})
FROZEN_SIDES = {"held_out": "val", "train": "train"}


class TrainingWork:
    """Write the inputs of training and evaluation jobs and take over what they made."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        train, test = "workbench.trainers.run:train", "workbench.trainers.run:evaluate"
        told = {"prepare": self.prepare, "finish": self.finish, "ended": self.ended}
        told |= {"facts": self.keep_facts, "resources": self.resources, "hear": self.app.studies.lead.hear}
        self.app.engine.register("train", entry=train, **told)
        told = {"prepare": self.prepare_evaluation, "finish": self.finish_evaluation, "resources": self.evaluation_resources}
        self.app.engine.register("evaluate", entry=test, **told)

    def freeze(self, job_id: str, table: pa.Table) -> None:
        """Write the pairs as they are now; the job reads this file and nothing newer."""
        folder = self._frozen(job_id).parent
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, self._frozen(job_id))

    def share(self, study_id: str, trial_id: str) -> None:
        """Give a trial the pairs its study froze; it is one file for all of them."""
        target = self._frozen(trial_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.hardlink_to(self._frozen(study_id))

    def slim(self, job: Job) -> None:
        """Remove the model a trial made, and what it would have resumed from: only its figures are wanted."""
        for attempt in self._frozen(job.id).parent.glob("attempt-*"):
            for made in (*attempt.glob("*package"), *attempt.glob("*checkpoint*")):
                shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)

    def evaluation_pairs(self, job: TrainingJob, training_sheet_id: str | None, side: str = "held_out") -> pa.Table:
        """Return the pairs of one side, or of both, as the job froze them, or the approved ones of a training sheet."""
        if training_sheet_id is None:
            frozen = pq.read_table(self._frozen(job.id))
            return frozen if side == "all" else frozen.filter(pc.equal(frozen["split"], FROZEN_SIDES[side]))
        return self.db.arrow(_APPROVED, [training_sheet_id])

    def nothing_to_ask(self, training_sheet_id: str | None) -> NotEligible:
        """Return the error that says why no pair may be asked about."""
        if training_sheet_id is None:
            return NotEligible("The job has no pairs on this side. Choose the other one.", excluded={})
        excluded = dict(self.db.tuples(_UNASKED, [training_sheet_id]))
        counts = ", ".join(f"{grouped(count)} {reason.replace('_', ' ')}" for reason, count in excluded.items())
        return NotEligible(f"No pair may be asked about: {counts or 'there is none'}.", excluded=excluded)

    def keep_pairs(self, job_id: str, pairs: Pairs) -> None:
        """Keep which pairs a job uses, at which version, on which side."""
        count = pairs.total
        columns = {
            "job_id": pa.array([job_id] * count, pa.string()),
            "pair_id": pairs.table["id"],
            "pair_version": pairs.table["version"],
            "split": pa.array(pairs.sides(), pa.string()),
        }
        self.db.insert_arrow("job_pairs", pa.table(columns))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Hand the frozen pairs and the settings to the training."""
        self._hand_over(job.id, folder)
        details = self.app.training.details.get(job.id)
        place = surroundings(self.app).place
        return {
            "trainer": details.trainer,
            "base_model": details.base_model,
            "training_config": details.training_config,
            "registers": TRIAL not in job.spec,
            "given": trainer(details.trainer).given(details.training_config, details.base_model, place),
            "facts": self._facts(job.id, details.training_sheet_id, details.model_name),
        }

    def keep_facts(self, job: Job, facts: Mapping[str, str]) -> None:
        """Keep the ids a job has elsewhere as soon as they are known."""
        for name in KEPT_FACTS & facts.keys():
            self.db.execute(f"update training_details set {name} = ? where id = ?", [facts[name], job.id])

    def resources(self, job: Job) -> dict[str, float]:
        """Return what the trainer asks of a worker."""
        return needs(self.app, job.spec["trainer"], job.spec["training_config"])

    def evaluation_resources(self, job: Job) -> dict[str, float]:
        """Return what the model asks of a worker."""
        return needs(self.app, self.app.models.versions.get(job.spec["model_version_id"]).trainer)

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Keep the predictions and register the model version, in the transaction that sets succeeded.

        A trial registers none: the best settings of a study are trained again.
        """
        if self.ended(job):
            return {"metrics": result["metrics"]}
        details = self.app.training.records.get(job.id)
        self._keep_predictions(job.id, folder)
        metrics = result["metrics"]
        version = self._registered(details, folder / result["package"], metrics)
        self.db.execute("update training_details set model_version_id = ? where id = ?", [version, job.id])
        return {"model_version_id": version, "metrics": metrics}

    def ended(self, job: Job) -> bool:
        """Keep the latest figures, and have the job copied to where people also look; returns whether it is a trial."""
        latest = curves.latest(self.db, [job.id], SUMMARY_METRICS)[job.id]
        self.db.execute("update training_details set metrics = ? where id = ?", [json.dumps(latest), job.id])
        self.db.on_commit(lambda: self.app.mlflow.ended(job.id))
        return self.app.studies.lead.ended(job)

    def prepare_evaluation(self, job: Job, folder: Path) -> dict[str, Any]:
        """Hand the frozen pairs and the package to the evaluation."""
        self._hand_over(job.id, folder)
        models = self.app.models
        version = models.versions.get(job.spec["model_version_id"])
        return {"package": str(models.package(version).resolve()), "majority": job.spec.get("majority")}

    def finish_evaluation(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Keep the predictions of an evaluation."""
        self._keep_predictions(job.id, folder)
        wanted = ("training_job_id", "model_version_id", "training_sheet_id", "side")
        return {"metrics": result["metrics"], **{name: job.spec.get(name) for name in wanted}}

    def _registered(self, job: TrainingJob, package: Path, metrics: dict[str, Any]) -> str:
        catalog = {"uc_catalog": job.uc_catalog, "uc_schema": job.uc_schema} if job.register_to_uc else {}
        return self.app.models.register_trained(
            name=job.model_name,
            job_id=job.id,
            training_sheet_id=job.training_sheet_id,
            package=package,
            metrics=metrics,
            base_model=job.base_model,
            sample=job.sample,
            **catalog,
        ).id

    def _keep_predictions(self, job_id: str, folder: Path) -> None:
        path = folder / PREDICTIONS
        rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        if rows:
            told = pa.Table.from_pylist([{"job_id": job_id, **row} for row in rows], schema=_PREDICTED)
            frozen = pq.read_table(self._frozen(job_id), columns=["id", "response", "split"])
            seen = frozen.rename_columns(["pair_id", "truth", "split"])
            self.db.insert_arrow("job_predictions", told.join(seen, "pair_id"))
            self._mark_losses(job_id)

    def _mark_losses(self, job_id: str) -> None:
        """Put the loss beside each pair whose texts are still those the job saw, so that a queue can sort by it."""
        self.db.execute("create or replace temp table _seen (id varchar, prompt varchar, response varchar)")
        self.db.insert_arrow("_seen", pq.read_table(self._frozen(job_id), columns=["id", "prompt", "response"]))
        marked = self.db.execute(
            "update pair_rows set training_loss = l.loss from (select split_part(s.id, '.', 1) as sheet, "
            "split_part(s.id, '.', 2)::bigint as place, s.prompt, s.response, p.loss from _seen s "
            "join job_predictions p on p.job_id = ? and p.pair_id = s.id where p.loss is not null) l "
            "where training_sheet_id = l.sheet and row_index = l.place and pair_rows.prompt = l.prompt "
            "and pair_rows.response = l.response returning training_sheet_id",
            [job_id],
        )
        for sheet in {row[0] for row in marked}:
            self.db.emit("pairs", sheet, None, "scanned")

    def _facts(self, job_id: str, training_sheet_id: str, model_name: str) -> dict[str, Any]:
        sheet = self.app.training_sheets.records.get(training_sheet_id)
        lineage = {"job_id": job_id, "training_sheet_id": sheet.id, "sheet_id": sheet.sheet_id}
        shared = {"lineage": lineage, "model_name": model_name}
        if sheet.template is None:
            return shared
        used = columns_used(sheet.template.prompt_template, sheet.template.column_mapping or {})
        inputs = [{"name": name, "type": "text"} for name in dict.fromkeys(used.values())]
        return {**shared, "template": sheet.template.values(), "inputs": inputs or None}

    def _frozen(self, job_id: str) -> Path:
        return self.app.engine.artifacts / "jobs" / job_id / PAIRS

    def _hand_over(self, job_id: str, folder: Path) -> None:
        target = folder / PAIRS
        target.unlink(missing_ok=True)
        target.hardlink_to(self._frozen(job_id))
