"""What a training job would do: which pairs, on which side, with which settings, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.domain.generate import TrainingSheet
from workbench.domain.split import CannotSplit, split
from workbench.domain.train import MIN_PAIRS, BaseModel, Recommendation, TrainingJob
from workbench.errors import NotEligible, NotReady, ValidationError, did_you_mean
from workbench.trainers import trainer_of, trainers
from workbench.trainers.protocol import Size, Trainer

if TYPE_CHECKING:
    from workbench.store import Database

SHORT = 2
_PAIRS = """
select id, row_index, prompt, response, version, barred_from_validation
from trainable_pairs where training_sheet_id = ? order by row_index
"""
_EXCLUDED = """
select excluded_by, count(*) from pair_eligibility
where training_sheet_id = ? and excluded_by is not null group by all order by 2 desc
"""


@dataclass(frozen=True)
class Choice:
    """A trainer with a base model and complete settings."""

    trainer: Trainer
    base_model: BaseModel
    config: dict[str, Any]


@dataclass
class Pairs:
    """The eligible pairs of a training sheet, and how many are left out by reason."""

    table: pa.Table
    excluded: dict[str, int]
    train: list[bool] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return the number of pairs."""
        return self.table.num_rows

    @property
    def train_count(self) -> int:
        """Return the pairs to learn from."""
        return sum(self.train)

    def size(self) -> Size:
        """Return the figures an estimate is made from."""
        counts = self.table["response"].value_counts() if self.total else []
        largest = max((int(c["counts"].as_py()) for c in counts), default=0)
        characters = pc.sum(pc.utf8_length(self.table["prompt"])).as_py() or 0
        return Size(pairs=self.total, characters=characters, classes=len(counts), largest_class=largest)

    def sides(self) -> list[str]:
        """Return the side of each pair."""
        return ["train" if learned else "val" for learned in self.train]

    def prepared(self) -> pa.Table:
        """Return what the training gets: id, prompt, response, split."""
        return self.table.select(["id", "prompt", "response"]).append_column("split", pa.array(self.sides()))


def faults_of(
    *, base_model: str, trainer: str | None, config: Mapping[str, Any], ratio: float, model_name: str, uc: Mapping[str, Any]
) -> tuple[Choice | None, list[dict[str, Any]]]:
    """Return the choice, and every fault of the request as {field, message, value}."""
    found = []
    if not model_name.strip():
        found.append(_fault("model_name", "is empty; name the model", model_name))
    if not 0 < ratio < 1:
        found.append(_fault("train_val_split", "must be between 0 and 1, both excluded", ratio))
    if uc["register_to_uc"]:
        found += [_fault(name, "is needed with register_to_uc", None) for name in ("uc_catalog", "uc_schema") if not uc[name]]
    worker, wrong = _trainer(base_model, trainer)
    found += wrong
    if worker is None:
        return None, found
    values, wrong = worker.Config.complete(config)
    model = next((m for m in worker.base_models() if m.name == base_model), None)
    return (None if model is None else Choice(worker, model, values)), found + wrong


def _trainer(base_model: str, wanted: str | None) -> tuple[Trainer | None, list[dict[str, Any]]]:
    known = trainers()
    found = trainer_of(base_model)
    faults = []
    if found is None:
        names = [model.name for one in known.values() for model in one.base_models()]
        words = f"unknown base model.{did_you_mean(base_model, names)} Known are {', '.join(names)}"
        faults.append(_fault("base_model", words, base_model))
    if wanted is not None and wanted not in known:
        words = f"unknown trainer.{did_you_mean(wanted, known)} Known are {', '.join(sorted(known))}"
        faults.append(_fault("trainer", words, wanted))
    elif wanted is not None and found is not None and found.name != wanted:
        faults.append(_fault("trainer", f"{base_model} belongs to {found.name}", wanted))
    return found or known.get(wanted or ""), faults


def require_available(choice: Choice) -> None:
    """Refuse a base model this installation cannot use now."""
    needs = choice.trainer.requirements()
    if not (needs.available and choice.base_model.available):
        why = choice.base_model.reason or needs.reason or ""
        raise NotReady(f"{choice.base_model.name} is not available here. {why}".strip(), status="unavailable")


def eligible_pairs(db: Database, training_sheet_id: str) -> Pairs:
    """Read the pairs that may be trained on, and count the others by reason."""
    with db.read():
        return Pairs(db.arrow(_PAIRS, [training_sheet_id]), dict(db.tuples(_EXCLUDED, [training_sheet_id])))


def divide(pairs: Pairs, ratio: float) -> None:
    """Put each pair on its side; pairs barred from validation are learned from."""
    pairs.train = split(pairs.table["prompt"].to_pylist(), pairs.table["barred_from_validation"].to_pylist(), ratio)


def hindrances(choice: Choice, sheet: TrainingSheet, pairs: Pairs) -> list[Recommendation]:
    """Return what to consider; the blocking ones prevent a job."""
    found = []
    if pairs.total < MIN_PAIRS:
        words = f"{pairs.total} of the pairs may be trained on, {MIN_PAIRS} are needed."
        found.append(_advice("blocking", "Approve more pairs, or clear what excludes them.", words + _left_out(pairs)))
        return found
    found += _gates(sheet, pairs)
    found += choice.trainer.advise(choice.config, pairs.size())
    return found


def refuse(pairs: Pairs, blocking: list[Recommendation]) -> None:
    """Raise NotEligible when something prevents the job, with the pairs left out by reason."""
    if blocking:
        words = " ".join(f"{r.reason} {r.message}".strip() for r in blocking)
        raise NotEligible(words, excluded=pairs.excluded, eligible=pairs.total, needed=MIN_PAIRS)


def refuse_same(job: TrainingJob, config: Mapping[str, Any]) -> None:
    """Raise ValidationError when a job that ran out of memory is to run with the same settings again."""
    if job.error_code != "OUT_OF_MEMORY" or dict(config) != job.training_config:
        return
    known = trainers().get(job.trainer)
    lower = ", ".join(known.lowers_memory) if known and known.lowers_memory else "the settings"
    words = f"The job ran out of memory and would again. Lower {lower}, or train on fewer pairs"
    raise ValidationError.field("training_config", words, dict(config))


def divided(pairs: Pairs, ratio: float) -> list[Recommendation]:
    """Divide the pairs, or say in a blocking recommendation why that cannot be."""
    try:
        divide(pairs, ratio)
    except CannotSplit as why:
        words = f"The pairs cannot be divided: {why}."
        return [
            _advice("blocking", "Add pairs with other prompts, or allow validation for some.", words, field="train_val_split")
        ]
    return []


def _gates(sheet: TrainingSheet, pairs: Pairs) -> list[Recommendation]:
    """Look at every message: complete (blocking), long enough and, where a schema asks for it, JSON."""
    found = []
    empty = _count(pc.or_(_blank(pairs.table["prompt"]), _blank(pairs.table["response"])))
    if empty:
        found.append(_advice("blocking", "Complete them or reject them.", f"{empty} pairs have an empty prompt or response."))
    short = _count(pc.less(pc.utf8_length(pc.utf8_trim_whitespace(pairs.table["response"])), SHORT)) - empty
    if short > 0:
        found.append(_advice("warning", "Check the short responses.", f"{short} responses have fewer than {SHORT} characters."))
    if sheet.template is not None and sheet.template.response_schema:
        wrong = sum(not _is_json(text) for text in pairs.table["response"].to_pylist())
        if wrong:
            found.append(
                _advice("warning", "Check the responses.", f"{wrong} responses are no valid JSON, as the template asks for.")
            )
    return found


def _blank(column: Any) -> Any:
    return pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0)


def _count(mask: Any) -> int:
    return pc.sum(mask).as_py() or 0


def _is_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _left_out(pairs: Pairs) -> str:
    counts = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in pairs.excluded.items())
    return f" Left out: {counts}." if counts else ""


def _fault(name: str, message: str, value: Any) -> dict[str, Any]:
    return {"field": name, "message": message, "value": value}


def _advice(level: str, message: str, reason: str, *, field: str | None = None) -> Recommendation:
    return Recommendation(level=level, message=message, reason=reason, field=field)


def require_valid(faults: list[dict[str, Any]]) -> None:
    """Raise ValidationError with every fault at once."""
    if faults:
        raise ValidationError.of(faults)
