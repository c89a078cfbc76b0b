"""What a training job would do: which pairs, on which side, with which settings, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import JobEvent
from workbench.domain.split import CannotSplit, split
from workbench.domain.train import MIN_PAIRS, BaseModel, Recommendation, TrainingJob
from workbench.domain.wording import grouped
from workbench.errors import NotEligible, NotReady, ValidationError, did_you_mean
from workbench.services.training_place import Surroundings, surroundings
from workbench.trainers import base_of, named_trainer, offers, trainer_of, trainers
from workbench.trainers.protocol import Size, Trainer

if TYPE_CHECKING:
    from workbench.services.application import Application
    from workbench.store import Database

SHORT = 2
UC = ("register_to_uc", "uc_catalog", "uc_schema")
REQUEST = ("training_sheet_id", "model_name", "base_model", "trainer", "train_val_split", "training_config", *UC)
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
    given: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """Return what a job keeps of it."""
        return {"trainer": self.trainer.reference, "base_model": self.base_model.name, "training_config": self.config}


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

    def counts(self) -> dict[str, int]:
        """Return the figures a job keeps."""
        return {"total_pairs": self.total, "train_pairs": self.train_count, "val_pairs": self.total - self.train_count}

    def size(self) -> Size:
        """Return the figures an estimate is made from."""
        counts = self.table["response"].value_counts() if self.total else []
        largest = max((int(c["counts"].as_py()) for c in counts), default=0)
        read, written = (pc.sum(pc.utf8_length(self.table[name])).as_py() or 0 for name in ("prompt", "response"))
        return Size(self.total, read, classes=len(counts), largest_class=largest, response_characters=written)

    def sides(self) -> list[str]:
        """Return the side of each pair."""
        return ["train" if learned else "val" for learned in self.train]

    def prepared(self) -> pa.Table:
        """Return what the training gets: id, prompt, response, split."""
        return self.table.select(["id", "prompt", "response"]).append_column("split", pa.array(self.sides()))


@dataclass(frozen=True)
class Plan:
    """A request that was found good: its training sheet, its trainer, its divided pairs and the advice on them."""

    sheet: TrainingSheet
    choice: Choice
    pairs: Pairs
    advice: list[Recommendation]

    def warnings(self) -> list[JobEvent]:
        """Return the warnings as the first events of the job."""
        found = [r for r in self.advice if r.level == "warning"]
        return [JobEvent(type="log", message=f"{r.reason} {r.message}", data={"level": "warning"}) for r in found]


Further = Callable[[Trainer], list[dict[str, Any]]]


class Examined:
    """Find the faults of a request for a training of which some fields cannot be read."""

    app: Application

    def further(self, request: Mapping[str, Any]) -> Further | None:
        """Return what finds the faults of fields that only this kind of request has."""

    def faults_of(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return what is wrong with the fields that could be read."""
        if "base_model" not in given:
            return []
        request = {"model_name": "", **given}
        return examined(self.app, request, further=self.further(request))[1]


def planned(app: Application, request: Mapping[str, Any], *, further: Further | None = None) -> Plan:
    """Check everything before anything is stored: the training sheet, every field at once, then the pairs.

    `further` finds the faults of fields that only another kind of request has.
    """
    app.training_sheets.live(request["training_sheet_id"])
    choice = chosen(app, request, further=further)
    require_available(choice)
    sheet = app.training_sheets.ready(request["training_sheet_id"])
    pairs = eligible_pairs(app.db, sheet.id)
    advice = hindrances(choice, sheet, pairs)
    refuse(pairs, [r for r in advice if r.level == "blocking"])
    refuse(pairs, divided(pairs, request["train_val_split"]))
    return Plan(sheet, choice, pairs, advice)


def chosen(app: Application, request: Mapping[str, Any], *, further: Further | None = None) -> Choice:
    """Return the trainer, base model and settings of a request, or raise with every fault."""
    choice, faults = examined(app, request, further=further)
    require_valid(faults)
    assert choice is not None, "a request without faults has a trainer and a base model"
    return choice


def examined(
    app: Application, request: Mapping[str, Any], *, further: Further | None = None
) -> tuple[Choice | None, list[dict[str, Any]]]:
    """Return the choice that a request makes, and every fault of it."""
    around = surroundings(app)
    choice, faults = faults_of(request, around)
    if further is not None:
        worker = _chosen(request["base_model"], request["trainer"], around)[0]
        faults += further(worker) if worker is not None else []
    return choice, faults


def faults_of(request: Mapping[str, Any], around: Surroundings) -> tuple[Choice | None, list[dict[str, Any]]]:
    """Return the choice, and every fault of the request as {field, message, value}."""
    found = []
    if not request["model_name"].strip():
        found.append(_fault("model_name", "is empty; name the model", request["model_name"]))
    if not 0 < request["train_val_split"] < 1:
        found.append(_fault("train_val_split", "must be between 0 and 1, both excluded", request["train_val_split"]))
    found += _catalog_faults(request)
    worker, model, wrong = _chosen(request["base_model"], request["trainer"], around)
    found += wrong
    if worker is None:
        return None, found
    values, wrong = worker.Config.complete(request["training_config"])
    found += wrong
    if model is None or found:
        return None, found
    if model.available:
        found += worker.faults(values, model.name, around.place)
    given = worker.given(values, model.name, around.place) if model.available and not found else {}
    return Choice(worker, model, values, given), found


def _catalog_faults(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Refuse half of what names a catalog: nothing of it would be kept."""
    given = {name: request.get(name) for name in ("uc_catalog", "uc_schema")}
    if request.get("register_to_uc"):
        return [_fault(name, "is needed with register_to_uc", None) for name, value in given.items() if not value]
    words = "is kept only with register_to_uc; set that to true as well, or leave this out"
    return [_fault(name, words, value) for name, value in given.items() if value]


def _chosen(
    base_model: str, wanted: str | None, around: Surroundings
) -> tuple[Trainer | None, BaseModel | None, list[dict[str, Any]]]:
    """Return the trainer and the base model asked for; a trainer that is named looks at its own base models only."""
    known = around.trainers()
    owner = trainer_of(base_model, around.place, around.named)
    if wanted is None:
        worker = owner
    elif wanted in known:
        worker = known[wanted]
    elif ":" in wanted and around.may_load:
        worker = named_trainer(wanted)
    else:
        hint = f" {around.refusal}" if ":" in wanted else did_you_mean(wanted, known)
        faults = [_fault("trainer", f"unknown trainer.{hint} Known are {', '.join(sorted(known))}", wanted)]
        return owner, None, faults + ([] if owner else [_unknown(base_model, known, around)])
    model = None if worker is None else base_of(worker, base_model, around.place)
    if model is not None:
        return worker, model, []
    if owner is not None:
        return worker, None, [_fault("trainer", f"{base_model} belongs to {owner.reference}", wanted)]
    return worker, None, [_unknown(base_model, known if worker is None else {worker.reference: worker}, around)]


def _unknown(base_model: str, known: Mapping[str, Trainer], around: Surroundings) -> dict[str, Any]:
    names = [model.name for worker in known.values() for model in offers(worker, around.place)]
    return _fault("base_model", f"unknown base model.{did_you_mean(base_model, names)} Known are {', '.join(names)}", base_model)


def require_available(choice: Choice) -> None:
    """Refuse a base model this installation cannot use now."""
    if not choice.base_model.available:
        words = f"{choice.base_model.name} is not available here. {choice.base_model.reason or ''}".strip()
        raise NotReady(words, status="unavailable", base_model=choice.base_model.name)


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
        words = f"{grouped(pairs.total)} of the pairs may be trained on, {MIN_PAIRS} are needed."
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


def repeated(job: TrainingJob, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a job with some settings changed; what it did not keep of a catalog is not asked for again."""
    request = {name: job.spec.get(name) for name in REQUEST}
    if not request["register_to_uc"]:
        request |= {"uc_catalog": None, "uc_schema": None}
    config = {**job.spec["training_config"], **changes}
    _refuse_same(job, config)
    return {**request, "training_config": config}


def _refuse_same(job: TrainingJob, config: Mapping[str, Any]) -> None:
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
    """Look at every response: long enough and, where a schema asks for it, JSON."""
    found = []
    short = _count(pc.less(pc.utf8_length(pc.utf8_trim_whitespace(pairs.table["response"])), SHORT))
    if short:
        found.append(_advice("warning", "Check the short responses.", f"{short} responses have fewer than {SHORT} characters."))
    if sheet.template is not None and sheet.template.response_schema:
        wrong = sum(not _is_json(text) for text in pairs.table["response"].to_pylist())
        if wrong:
            found.append(
                _advice("warning", "Check the responses.", f"{wrong} responses are no valid JSON, as the template asks for.")
            )
    return found


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
    counts = ", ".join(f"{grouped(count)} {reason.replace('_', ' ')}" for reason, count in pairs.excluded.items())
    return f" Left out: {counts}." if counts else ""


def _fault(name: str, message: str, value: Any) -> dict[str, Any]:
    return {"field": name, "message": message, "value": value}


def _advice(level: str, message: str, reason: str, *, field: str | None = None) -> Recommendation:
    return Recommendation(level=level, message=message, reason=reason, field=field)


def require_valid(faults: list[dict[str, Any]]) -> None:
    """Raise ValidationError with every fault at once."""
    if faults:
        raise ValidationError.of(faults)
