"""One fine-tuning of a language model, from pairs to package."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.domain.wording import grouped
from workbench.errors import ValidationError
from workbench.trainers import lora_state as state
from workbench.trainers.local_models import content_hash
from workbench.trainers.lora_examples import Example, Wording, batches, losses
from workbench.trainers.lora_model import LoraModel, base_model, evaluating, libraries, save_package
from workbench.trainers.protocol import Inputs, Pair, Reporter

CHECKPOINT = "lora.safetensors"
CHECKPOINT_SECONDS = 120.0
LARGEST_STEP = 1.0
LONGEST_ANSWER = 512
# The process of a job is our own: nothing it imports may ask the network.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
LIBRARIES = ("torch", "transformers", "peft", "safetensors")


class LoraCourse:
    """Learn an adapter for a local language model."""

    def __init__(self, context: Reporter, inputs: Inputs) -> None:
        self.context = context
        self.inputs = inputs
        self.config = inputs.config
        self.folder = Path(inputs.given["folder"])
        self.counts = state.Counts()
        self.best: dict[str, Any] | None = None
        self.begun = time.monotonic()
        self.saved_at = time.monotonic()

    def run(self, trainer: str) -> dict[str, Any]:
        """Train, write the package and return the metrics; too little memory is said in the settings' own terms."""
        os.environ.update(OFFLINE)
        torch, _, _ = libraries()
        torch.set_num_threads(self.context.threads)
        try:
            self._prepare()
            self._go_on()
            self._learn()
            return self._finish(trainer)
        except torch.OutOfMemoryError as error:
            raise MemoryError(f"The memory of the GPU does not suffice. Lower batch_size or max_length. {error}") from None

    def _prepare(self) -> None:
        self.context.progress(0, None, "Reading the model", step="prepare")
        self.hash = content_hash(self.folder)
        self.context.check()
        model, tokenizer = base_model(self.folder)
        system = (self.inputs.facts.get("template") or {}).get("system_instruction") or None
        length = min(
            self.config["max_length"], getattr(model.config, "max_position_embeddings", None) or self.config["max_length"]
        )
        self.wording = Wording(tokenizer, system=system, max_length=length)
        self.train = [self.wording.example(pair) for pair in self.inputs.train]
        self.val = [self.wording.example(pair) for pair in self.inputs.val]
        self.model = self._adapted(model)
        window = self.config["batch_size"] * self.config["gradient_accumulation"]
        self.steps_per_epoch = -(-len(self.train) // window)
        self.steps = self.steps_per_epoch * self.config["epochs"]
        self._tell()

    def _adapted(self, model: Any) -> Any:
        torch, _, peft = libraries()
        torch.manual_seed(self.config["seed"])
        named = [name.strip() for name in self.config["target_modules"].split(",") if name.strip()]
        lora = peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=self.config["lora_r"],
            lora_alpha=self.config["lora_alpha"],
            lora_dropout=self.config["lora_dropout"],
            target_modules=named or "all-linear",
        )
        try:
            adapted = peft.get_peft_model(model, lora)
        except ValueError as error:
            layers = sorted({name.rsplit(".", 1)[-1] for name, part in model.named_modules() if hasattr(part, "weight")})
            words = f"names no layers of this model; it has {', '.join(layers)}"
            raise ValidationError.field("training_config.target_modules", words, self.config["target_modules"]) from error
        self.optimizer = torch.optim.AdamW(state.learned(adapted).values(), lr=self.config["learning_rate"], weight_decay=0.0)
        return adapted.train()

    def _tell(self) -> None:
        learning = sum(part.numel() for part in state.learned(self.model).values())
        cut = sum(one.truncated for one in (*self.train, *self.val))
        form = "its chat template" if self.wording.tokenizer.chat_template else "the plain form of question and answer"
        self.context.log(
            f"{grouped(learning)} weights learn on {self.model.device.type} in {str(self.model.dtype).removeprefix('torch.')}, with {form}."
        )
        if cut:
            words = (
                f"{cut} of {len(self.train) + len(self.val)} pairs are longer than {self.wording.max_length} tokens and were cut."
            )
            self.context.log(f"{words} Raise max_length to keep them whole.", level="warning")

    def _go_on(self) -> None:
        """Take up the state that an earlier attempt left, if it belongs to this very training."""
        texts = ([pair.prompt, pair.response] for side in (self.inputs.train, self.inputs.val) for pair in side)
        facts = [self.hash, dict(self.config), self.wording.system, list(texts)]
        self.counts.basis = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        path = self.context.resumed(CHECKPOINT)
        found = None if path is None else state.read(path, self.counts.basis)
        if found is not None:
            self.counts, tensors = found
            self.best = state.restore(tensors, self.model, self.optimizer)
            self.begun -= self.counts.seconds
            self.context.log(f"Going on at step {self.counts.step} of {self.steps}.")

    def _learn(self) -> None:
        for epoch in range(self.counts.epoch + 1, self.config["epochs"] + 1):
            if not self._epoch(epoch):
                self._look(epoch)
                self.context.log(f"Stopped in epoch {epoch}; the best so far is kept.")
                return
            self.counts.epoch, self.counts.steps_in_epoch = epoch, 0
            self._look(epoch)
            self._save()
            patience = self.config["patience"]
            if patience and epoch - self.counts.best_epoch >= patience and epoch < self.config["epochs"]:
                self.context.log(f"Ended after epoch {epoch}: the held-out loss did not fall for {patience} epochs.")
                return

    def _epoch(self, epoch: int) -> bool:
        """Pass over the pairs from where the epoch is; return False when asked to stop."""
        import torch

        shuffled = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(self.config["seed"] + epoch)).tolist()
        window = self.config["batch_size"] * self.config["gradient_accumulation"]
        for start in range(self.counts.steps_in_epoch * window, len(shuffled), window):
            self._step(shuffled[start : start + window], epoch)
            self.counts.steps_in_epoch += 1
            self.context.check()
            if self.context.should_stop():
                return False
            if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
                self._save()
        return True

    def _step(self, chosen: list[int], epoch: int) -> None:
        """Take one step over some pairs, every token of their responses weighing the same."""
        import torch

        rate = self._rate(self.counts.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        wanted = sum(len(self.train[i].ids) - self.train[i].prompt for i in chosen)
        lost = 0.0
        for batch in batches(self.train, chosen, self.config["batch_size"]):
            each, *_ = losses(self.model, batch, self.wording.pad)
            loss = each.sum() / max(1, wanted)
            loss.backward()
            lost += float(loss.detach())
            self.counts.tokens += sum(len(one.ids) for one in batch)
        torch.nn.utils.clip_grad_norm_(state.learned(self.model).values(), LARGEST_STEP)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.counts.step += 1
        self.context.metric("train_loss", lost, self.counts.step, epoch)
        self.context.metric("learning_rate", rate, self.counts.step, epoch)
        self.counts.figures["train_loss"] = lost
        self.context.progress(self.counts.step, self.steps, f"Epoch {epoch} of {self.config['epochs']}", step="train")

    def _rate(self, step: int) -> float:
        """Return the learning rate of a step: up in the warm-up, then down in a straight line."""
        warm = math.ceil(self.config["warmup"] * self.steps)
        share = (step + 1) / warm if step < warm else (self.steps - step) / max(1, self.steps - warm)
        return self.config["learning_rate"] * share

    def _look(self, epoch: int) -> None:
        """Measure on the held-out pairs, keep the adapter when it is the best so far."""
        self.context.progress(self.counts.step, self.steps, "Measuring on the held-out pairs", step="evaluate")
        loss = self._held_out_loss(self._lost(self.val))
        figures = {"val_loss": loss, "perplexity": math.exp(min(loss, 700.0))}
        if asked := self.inputs.val[: self.config["answered_pairs"]]:
            answers = self._answers(asked)
            figures["val_accuracy"] = sum(a["value"] == p.response.strip() for a, p in zip(answers, asked, strict=True)) / len(
                asked
            )
        for name, value in figures.items():
            self.context.metric(name, value, max(1, self.counts.step), epoch)
        if self.best is None or loss < self.counts.best_loss:
            self.counts.best_loss, self.counts.best_epoch = loss, epoch
            self.best = state.copied(self.model)

    def _lost(self, examples: Sequence[Example]) -> list[tuple[float, int, bool]]:
        """Return of each response the loss, the length, and whether it would have been written."""
        import torch

        found: list[tuple[float, int, bool]] = []
        with torch.inference_mode(), evaluating(self.model):
            for batch in batches(examples, range(len(examples)), self.config["batch_size"]):
                self.context.check()
                found += zip(*(part.tolist() for part in losses(self.model, batch, self.wording.pad)), strict=True)
        return found

    def _held_out_loss(self, lost: list[tuple[float, int, bool]]) -> float:
        return sum(loss for loss, *_ in lost) / max(1, sum(count for _, count, _ in lost))

    def _answers(self, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
        longest = max(len(one.ids) - one.prompt for one in (*self.train, *self.val))
        self.longest = min(LONGEST_ANSWER, longest + 8)
        return LoraModel(self.model, self.wording, self.longest).predict([p.prompt for p in pairs], self.context.check)

    def _save(self) -> None:
        self.counts.seconds = time.monotonic() - self.begun
        with self.context.checkpoint(CHECKPOINT) as part:
            state.save(part, self.model, self.optimizer, self.best, self.counts)
        self.saved_at = time.monotonic()

    def _finish(self, trainer: str) -> dict[str, Any]:
        """Take the best adapter, answer the held-out pairs as it will be served, write the package."""
        from workbench.trainers.package import manifest, seal

        self.context.progress(self.counts.step, self.steps, "Evaluating on the held-out pairs", step="evaluate")
        state.put_back(self.model, self.best or {})
        metrics = {**self._evaluated(), **self._effort()}
        part = self.context.folder / ".package"
        part.mkdir()
        facts = {"name": self.inputs.base_model, "folder": str(self.folder), "content_hash": self.hash}
        facts |= {"system": self.wording.system, "max_length": self.wording.max_length, "max_new_tokens": self.longest}
        save_package(self.model, self.wording.tokenizer, part, facts)
        told = manifest(trainer, self.inputs, metrics, framework="transformers") | {"base": facts}
        seal(part, self.context.folder / "package", told, libraries=LIBRARIES)
        return metrics

    def _evaluated(self) -> dict[str, Any]:
        """Return the figures of the kept adapter, and leave a row for each held-out pair: the loss is that of a token.

        A pair beyond those that were answered counts as right when it would have been written.
        """
        from workbench.trainers.held_out import trivial_accuracy

        lost = self._lost(self.val)
        asked = self.inputs.val[: max(1, self.config["answered_pairs"])]
        answers = self._answers(asked)
        rows = []
        for i, (pair, (loss, count, likeliest)) in enumerate(zip(self.inputs.val, lost, strict=True)):
            value = answers[i]["value"] if i < len(answers) else pair.response.strip() if likeliest else ""
            confidence = answers[i]["confidence"] if i < len(answers) else math.exp(-loss) if likeliest else None
            told = {"pair_id": pair.id, "prediction": value, "confidence": confidence, "loss": loss / max(1, count)}
            rows.append({**told, "correct": value == pair.response.strip()})
        (self.context.folder / "predictions.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        right = sum(row["correct"] for row in rows[: len(answers)]) / len(answers)
        common, trivial = trivial_accuracy(self.inputs.train, asked)
        loss = self._held_out_loss(lost)
        return {
            "accuracy": right,
            "val_accuracy": right,
            "val_loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),
            "answered_pairs": len(answers),
            "mean_confidence": sum(a["confidence"] for a in answers) / len(answers),
            "trivial_accuracy": trivial,
            "majority_label": common,
        }

    def _effort(self) -> dict[str, Any]:
        return {
            **self.counts.figures,
            "epochs_completed": self.counts.epoch,
            "best_epoch": self.counts.best_epoch,
            "steps": self.counts.step,
            "tokens_processed": self.counts.tokens,
            "truncated_pairs": sum(one.truncated for one in (*self.train, *self.val)),
            "training_duration_seconds": round(time.monotonic() - self.begun, 3),
            "learning_rate": self.config["learning_rate"],
            "device": self.model.device.type,
        }
