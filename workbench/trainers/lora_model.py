"""A language model with an adapter: read from files without executing any, and asked for answers."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import NotReady
from workbench.trainers.local_models import content_hash
from workbench.trainers.lora_examples import Wording

BASE = "base.json"
ADAPTER = "adapter_model.safetensors"
BATCH = 8


def libraries() -> tuple[Any, Any, Any]:
    """Return torch, transformers and peft; they are slow to import and not always there."""
    import peft
    import torch
    import transformers

    return torch, transformers, peft


def base_model(folder: Path) -> tuple[Any, Any]:
    """Return model and tokenizer of a folder: on a GPU if there is one, in 16 bits where that GPU can."""
    torch, transformers, _ = libraries()
    safe = {"local_files_only": True, "trust_remote_code": False}
    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu and torch.cuda.is_bf16_supported() else torch.float32
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **safe)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, **safe)
    return model.to("cuda" if gpu else "cpu"), tokenizer


def save_package(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Write adapter, tokenizer and what names the base model into a folder."""
    _, _, peft = libraries()
    from safetensors.torch import save_file

    tokenizer.save_pretrained(folder)
    config = model.peft_config["default"]
    config.base_model_name_or_path, config.inference_mode = facts["name"], True
    config.save_pretrained(folder)
    weights = {name: part.detach().cpu().contiguous() for name, part in peft.get_peft_model_state_dict(model).items()}
    save_file(weights, folder / ADAPTER, metadata={"format": "pt"})
    (folder / BASE).write_text(json.dumps(facts, indent=1, ensure_ascii=False), encoding="utf-8")


def packaged(folder: Path) -> LoraModel:
    """Return the model of a package, after the base model was found unchanged."""
    _, transformers, peft = libraries()
    facts = json.loads((folder / BASE).read_text(encoding="utf-8"))
    base = Path(facts["folder"])
    if not (base / "config.json").is_file():
        raise NotReady(f"The base model {facts['name']} is not in {base} any more. Put it back there.", status="unavailable")
    if _known_hash(base, _state(base)) != facts["content_hash"]:
        raise NotReady(
            f"The base model in {base} is not the one the adapter was trained with. Put that one back.", status="changed"
        )
    model, _ = base_model(base)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = peft.PeftModel.from_pretrained(model, folder, is_trainable=False, local_files_only=True)
    wording = Wording(tokenizer, system=facts["system"], max_length=facts["max_length"])
    return LoraModel(model.eval(), wording, facts["max_new_tokens"])


@dataclass
class LoraModel:
    """Write answers, always the most probable next token."""

    model: Any
    wording: Wording
    max_new_tokens: int

    def predict(self, texts: list[str], look: Callable[[], None] | None = None) -> list[dict[str, Any]]:
        """Return per text the answer and the probability that the model gave it; `look` may raise to break off."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(texts), BATCH):
            found += self._answered(texts[start : start + BATCH], look or (lambda: None))
        return found

    def _answered(self, texts: Sequence[str], look: Callable[[], None]) -> list[dict[str, Any]]:
        torch, transformers, _ = libraries()
        prompts = [self.wording.prompt(text)[-self._room :] for text in texts]
        width = max(len(ids) for ids in prompts)
        ids = torch.full((len(prompts), width), self.wording.pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, one in enumerate(prompts):
            ids[row, width - len(one) :] = torch.tensor(one, dtype=torch.long)
            mask[row, width - len(one) :] = 1
        tops = _Tops(look)
        greedy = transformers.GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
            pad_token_id=self.wording.pad,
            eos_token_id=self._ends,
        )
        with torch.inference_mode(), evaluating(self.model):
            whole = self.model.generate(
                input_ids=ids.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                generation_config=greedy,
                logits_processor=transformers.LogitsProcessorList([tops]),
            )
        return [self._told(row[width:].tolist(), tops.logs[i]) for i, row in enumerate(whole)]

    def _told(self, ids: list[int], logs: list[float]) -> dict[str, Any]:
        import math

        end = next((i for i, id in enumerate(ids) if id in self._ends), len(ids))
        text = self.wording.tokenizer.decode(ids[:end], skip_special_tokens=True).strip()
        return {
            "value": text,
            "confidence": min(1.0, math.exp(sum(logs[: end + 1]))),
            "tokens_out": end,
        }

    @property
    def _room(self) -> int:
        length = getattr(self.model.config, "max_position_embeddings", None) or self.wording.max_length + self.max_new_tokens
        return max(1, length - self.max_new_tokens)

    @property
    def _ends(self) -> list[int]:
        known = self.model.generation_config.eos_token_id
        others = known if isinstance(known, list) else [known]
        return sorted({self.wording.tokenizer.eos_token_id, *(id for id in others if id is not None)})


class _Tops:
    """Remember the log probability of the token that is taken at each step: the likeliest."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._steps: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self._look()
        self._steps.append(scores.float().log_softmax(-1).max(-1).values)
        return scores

    @property
    def logs(self) -> list[list[float]]:
        """Return the logs by text."""
        import torch

        return torch.stack(self._steps, dim=1).tolist() if self._steps else []


@contextlib.contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch off what is for learning only."""
    learning = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(learning)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    found = ((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file())
    return tuple(sorted(found))


@functools.lru_cache(maxsize=16)
def _known_hash(folder: Path, state: tuple[tuple[str, int, int], ...]) -> str:
    return content_hash(folder)
