"""One fine-tuning at a provider, from pairs to package: upload, start, follow, evaluate; or stop, cancel, go on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import ProviderError, WorkbenchError
from workbench.providers import Access, Failure
from workbench.providers.chat_faults import scrubbed
from workbench.trainers.protocol import Inputs, Pair, Reporter
from workbench.trainers.remote_api import ENDED, RemoteApi
from workbench.trainers.remote_model import RemoteModel, Whereabouts

CHECKPOINT = "remote.json"
FIRST_POLL, SLOWEST_POLL, SLOWER = 0.2, 15.0, 1.3
# The engine gives ten seconds before it ends the process.
WITHDRAW_SECONDS = 8.0
OWN_RATE = 1e-4
# The names of a provider's figures, where ours differ.
CURVES = {
    "full_valid_loss": "val_loss",
    "valid_loss": "val_batch_loss",
    "train_mean_token_accuracy": "train_token_accuracy",
    "valid_mean_token_accuracy": "val_batch_token_accuracy",
    "full_valid_mean_token_accuracy": "val_token_accuracy",
}
NO_CURVES = frozenset({"step", "total_steps", "epoch", "current_step"})
WORDS = {"validating_files": "The provider checks the files", "queued": "Waiting at the provider", "running": "Training"}


@dataclass
class Known:
    """What is known of the work at the provider; it is kept as soon as it is known."""

    training_file: str | None = None
    validation_file: str | None = None
    job_id: str | None = None
    step: int = 0
    told: list[str] = field(default_factory=list)


class RemoteCourse:
    """Have a provider train on pairs."""

    def __init__(self, context: Reporter, inputs: Inputs) -> None:
        self.context = context
        self.inputs = inputs
        self.begun = time.monotonic()
        self.access = Access(**inputs.given["access"])
        self.api = RemoteApi(self.access, self._look)
        self.known = Known()
        self.cancelled = False
        self.seen: set[str] = set()
        self.latest: dict[str, float] = {}
        self.total: int | None = None
        self.drawn = -1
        self.stopped = self.resuming = False

    def run(self, trainer: str) -> dict[str, Any]:
        """Train, write the package and return the metrics."""
        try:
            self._take_up()
            self._start()
            job = self._follow()
            return self._finish(trainer, job)
        except Failure as trouble:
            raise self._error(trouble) from None
        except BaseException:
            if self.cancelled:
                self._withdraw()
            raise

    def _look(self) -> None:
        try:
            self.context.check()
        except BaseException:
            self.cancelled = True
            raise

    def _take_up(self) -> None:
        """Go on with the job that an earlier attempt started, if there is one."""
        path = self.context.resumed(CHECKPOINT)
        self.resuming = path is not None
        if path is not None:
            self.known = Known(**json.loads(path.read_text(encoding="utf-8")))
            self.drawn = self.known.step
            self._tell_id()

    def _start(self) -> None:
        self.context.progress(0, None, "Uploading the pairs", step="upload")
        if self.known.training_file is None:
            self.known.training_file = self._uploaded("train", self.inputs.train)
            self._keep()
        if self.known.job_id is None:
            self._create()

    def _create(self) -> None:
        known = self.known
        if known.validation_file is None and self.inputs.val:
            known.validation_file = self._uploaded("validation", self.inputs.val)
            self._keep()
        found = self.api.started(known.training_file or "") if self.resuming else None
        made = found or self.api.create(self._wanted())
        known.job_id = str(made["id"])
        self._keep()
        self._tell_id()
        self.context.log(f"{self.access.name} started the job {known.job_id}.", hyperparameters=self._hyperparameters())

    def _uploaded(self, side: str, pairs: Sequence[Pair]) -> str:
        """Upload one side of the split; its name holds the job's id, so that it can be found there."""
        job = str((self.inputs.facts.get("lineage") or {}).get("job_id") or "job")
        path = self.context.folder / f"{job}-{side}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"messages": self._messages(pair)}, ensure_ascii=False) + "\n" for pair in pairs)
        try:
            return self.api.upload(path)
        finally:
            path.unlink()

    def _messages(self, pair: Pair) -> list[dict[str, str]]:
        said = [("system", self._system)] if self._system else []
        said += [("user", pair.prompt), ("assistant", pair.response)]
        return [{"role": role, "content": text} for role, text in said]

    @property
    def _system(self) -> str | None:
        return (self.inputs.facts.get("template") or {}).get("system_instruction") or None

    def _wanted(self) -> dict[str, Any]:
        facts = self.inputs.facts
        name = re.sub(r"[^a-z0-9]+", "-", str(facts.get("model_name") or "").casefold()).strip("-")[:18]
        return {
            "model": self.inputs.base_model,
            "training_file": self.known.training_file,
            **({"validation_file": self.known.validation_file} if self.known.validation_file else {}),
            "hyperparameters": self._hyperparameters(),
            "seed": self.inputs.config["seed"] % 2**31,
            **({"suffix": name} if name else {}),
            "metadata": {"workbench_job": str((facts.get("lineage") or {}).get("job_id") or "")},
        }

    def _hyperparameters(self) -> dict[str, Any]:
        """Return the settings in the API's own terms: it takes a multiple of its rate, not a rate."""
        config = self.inputs.config
        return {
            "n_epochs": config["epochs"],
            "learning_rate_multiplier": round(config["learning_rate"] / OWN_RATE, 6),
            "batch_size": config["batch_size"] or "auto",
        }

    def _follow(self) -> dict[str, Any]:
        """Return the job once it has ended well, or a checkpoint of it once a stop was asked for."""
        pause = FIRST_POLL
        while True:
            job = self.api.job(self.known.job_id or "")
            self._hear(job)
            if job["status"] == "succeeded":
                return job
            if job["status"] in ENDED:
                raise ProviderError(self._why(job), fmapi_job_id=self.known.job_id, status=job["status"])
            if self.context.should_stop() and (kept := self._stop()):
                return {**job, **kept}
            self.api.rest(pause)
            pause = min(SLOWEST_POLL, pause * SLOWER)

    def _hear(self, job: dict[str, Any]) -> None:
        """Make the provider's events ours, its figures curves, and tell how far it is."""
        said = False
        for event in self.api.events(self.known.job_id or "", self.seen):
            self.seen.add(event["id"])
            data = event.get("data") if isinstance(event.get("data"), dict) else {}
            if data and "step" in data:
                self._draw(data)
            elif event["id"] not in self.known.told:
                self._say(event)
                said = True
        if said:
            self._keep()
        words = WORDS.get(job["status"], job["status"])
        self.context.progress(self.known.step, self.total, f"{words} at {self.access.name}", step="train")

    def _say(self, event: dict[str, Any]) -> None:
        level = {"warn": "warning", "error": "error"}.get(str(event.get("level")), "info")
        text = scrubbed(self.access, str(event.get("message") or ""))
        self.context.log(f"{self.access.name}: {text}", level=level, remote_event=event["id"])
        self.known.told.append(event["id"])

    def _draw(self, data: dict[str, Any]) -> None:
        step, total = _number(data["step"]), _number(data.get("total_steps"))
        if step is None:
            return
        self.total = int(total) if total else self.total
        self.known.step = max(self.known.step, int(step))
        epochs = self.inputs.config["epochs"]
        epoch = min(epochs, int((step - 1) * epochs // self.total) + 1) if self.total and step > 0 else None
        for name, value in data.items():
            figure = _number(value)
            if name not in NO_CURVES and figure is not None:
                self.latest[CURVES.get(name, name)] = figure
                if step > self.drawn:
                    self.context.metric(CURVES.get(name, name), figure, int(step), epoch)

    def _stop(self) -> dict[str, Any] | None:
        """Take the last checkpoint and end the job there; without one there is nothing to keep, and it goes on."""
        self._look()
        kept = self.api.checkpoint(self.known.job_id or "")
        if kept is None:
            if not self.stopped:
                words = f"{self.access.name} has no checkpoint yet: the job goes on until it has one. Cancel to discard the work."
                self.context.log(words, level="warning")
            self.stopped = True
            return None
        self.stopped = True
        self.api.cancel(self.known.job_id or "")
        name = kept["fine_tuned_model_checkpoint"]
        self.context.log(f"Stopped: the checkpoint {name} at step {kept.get('step_number')} is kept.")
        return {"fine_tuned_model": name}

    def _withdraw(self) -> None:
        """Cancel at the provider too, and make sure of it; the user asked, so nothing may break this off."""
        until = time.monotonic() + WITHDRAW_SECONDS
        under_way, self.api.look = self.api.under_way, lambda: _before(until)
        try:
            if self.known.job_id is None:
                # What was being started when the cancel came may have been started.
                if under_way is not None and self.known.training_file:
                    _awaited(under_way, until - WITHDRAW_SECONDS / 2)
                found = self.api.started(self.known.training_file) if self.known.training_file else None
                self.known.job_id = str(found["id"]) if found else None
            if self.known.job_id is not None:
                self._make_sure_of_the_end()
            self.api.forget(self.known.training_file, self.known.validation_file)
        except (Failure, TimeoutError) as trouble:
            words = (
                f"It could not be made sure that {self.access.name} ended the job {self.known.job_id}: {trouble} End it there."
            )
            self.context.log(words, level="error")

    def _make_sure_of_the_end(self) -> None:
        id = self.known.job_id or ""
        while True:
            self.api.cancel(id)
            if (status := self.api.job(id)["status"]) in ENDED:
                self.context.log(f"{self.access.name} says of the job {id}: {status}.")
                return
            self.api.rest(FIRST_POLL)

    def _finish(self, trainer: str, job: dict[str, Any]) -> dict[str, Any]:
        from workbench.trainers.package import manifest, seal

        model = job.get("fine_tuned_model")
        if not isinstance(model, str) or not model:
            raise ProviderError(f"{self.access.name} ended the job {self.known.job_id} without naming a model. Ask it why.")
        at = self._whereabouts(model)
        metrics = {**self._effort(job), **self._evaluated(RemoteModel(at))}
        part = self.context.folder / ".package"
        part.mkdir()
        at.save(part)
        told = manifest(trainer, self.inputs, metrics, framework="hosted")
        told["remote"] = {"provider": self.access.name, "model": model, "job_id": self.known.job_id}
        seal(part, self.context.folder / "package", told, libraries=("openai",))
        self.api.forget(self.known.training_file, self.known.validation_file)
        return metrics

    def _whereabouts(self, model: str) -> Whereabouts:
        longest = max(len(pair.response) for pair in self.inputs.train)
        return Whereabouts(
            access=dict(self.inputs.given["access"]),
            model=model,
            system=self._system,
            max_tokens=max(64, longest // 2 + 16),
            concurrency=self.inputs.given.get("concurrency") or 4,
            requests_per_minute=self.inputs.given.get("requests_per_minute"),
        )

    def _effort(self, job: dict[str, Any]) -> dict[str, Any]:
        tokens, price = _number(job.get("trained_tokens")), self.inputs.given.get("price")
        figures = {CURVES.get(name, name): value for name, value in self.latest.items()}
        return {
            **figures,
            "val_loss": figures.get("val_loss", figures.get("val_batch_loss")),
            "epochs_completed": None if self.stopped else self.inputs.config["epochs"],
            "steps": self.known.step,
            "tokens_processed": None if tokens is None else int(tokens),
            "cost_usd": None if tokens is None or price is None else round(tokens / 1000 * price, 6),
            "training_duration_seconds": round(time.monotonic() - self.begun, 3),
            "learning_rate": self.inputs.config["learning_rate"],
            "fmapi_job_id": self.known.job_id,
        }

    def _evaluated(self, model: RemoteModel) -> dict[str, Any]:
        """Ask the model about held-out pairs; a model that was paid for is kept also where that fails."""
        from workbench.trainers.held_out import evaluated, trivial_accuracy

        pairs = self.inputs.val[: self.inputs.config["evaluated_pairs"]]
        if not pairs:
            return {}
        majority, _ = trivial_accuracy(self.inputs.train, pairs)
        try:
            metrics, rows = evaluated(_Within(self), model, pairs, majority=majority, chunk=16)
        except WorkbenchError as error:
            words = f"The model is there, and could not be asked about held-out pairs: {error.message} Evaluate it later."
            self.context.log(words, level="warning")
            return {}
        path: Path = self.context.folder / "predictions.json"
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        self.context.metric("val_accuracy", metrics["accuracy"], max(1, self.known.step))
        return {**metrics, "val_accuracy": metrics["accuracy"], "majority_label": majority}

    def _why(self, job: dict[str, Any]) -> str:
        if job["status"] == "cancelled":
            return f"The job {self.known.job_id} was cancelled at {self.access.name}. Retry to start another one."
        error = job.get("error") if isinstance(job.get("error"), dict) else {}
        words = scrubbed(self.access, str((error or {}).get("message") or "it gives no reason")).rstrip(".")
        return f"{self.access.name} gave up the job {self.known.job_id}: {words}."

    def _error(self, trouble: Failure) -> ProviderError:
        found = ProviderError(str(trouble), fmapi_job_id=self.known.job_id)
        if self.known.job_id:
            found.details = f"The job {self.known.job_id} may go on there; a retry that resumes goes on with it."
        found.transient = trouble.passing  # type: ignore[attr-defined]
        return found

    def _keep(self) -> None:
        with self.context.checkpoint(CHECKPOINT) as part:
            part.write_text(json.dumps(self.known.__dict__), encoding="utf-8")

    def _tell_id(self) -> None:
        if self.known.job_id:
            self.context.fact("fmapi_job_id", self.known.job_id)


class _Within:
    """Report an evaluation inside a training: it may be cancelled, its progress is the training's last part."""

    def __init__(self, course: RemoteCourse) -> None:
        self.check = course._look
        self._course = course

    def progress(self, done: int, total: int | None = None, message: str = "", *, step: str = "") -> None:
        """Tell in words how many pairs were asked about."""
        known = self._course.known.step
        self._course.context.progress(known, self._course.total or known or None, f"{message}: {done} of {total}", step=step)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value else None


def _before(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError("it did not answer in time.")


def _awaited(future: Any, until: float) -> None:
    import concurrent.futures

    concurrent.futures.wait([future], max(0.0, until - time.monotonic()))
