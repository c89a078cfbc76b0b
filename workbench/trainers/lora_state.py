"""All that the next step depends on, in one file of tensors: adapter, optimizer, random numbers, counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

COUNTS = "counts"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclass
class Counts:
    """Where a training is."""

    basis: str = ""
    step: int = 0
    epoch: int = 0
    steps_in_epoch: int = 0
    tokens: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    figures: dict[str, float] = field(default_factory=dict)


def learned(model: Any) -> dict[str, Any]:
    """Return the parameters that learn, by name."""
    return {name: part for name, part in model.named_parameters() if part.requires_grad}


def copied(model: Any) -> dict[str, Any]:
    """Return a copy of the parameters that learn."""
    return {name: part.detach().cpu().clone() for name, part in learned(model).items()}


def put_back(model: Any, kept: Mapping[str, Any]) -> None:
    """Set the parameters that learn to a copy."""
    import torch

    with torch.no_grad():
        for name, part in learned(model).items():
            part.copy_(kept[name])


def save(path: Path, model: Any, optimizer: Any, best: Mapping[str, Any] | None, counts: Counts) -> None:
    """Write everything into one file."""
    import torch
    from safetensors.torch import save_file

    tensors = {f"model.{name}": part for name, part in copied(model).items()}
    tensors |= {f"best.{name}": part for name, part in (best or {}).items()}
    for name, part in learned(model).items():
        moments = optimizer.state.get(part, {})
        tensors |= {f"optimizer.{key}.{name}": moments[key].detach().cpu().contiguous() for key in MOMENTS if key in moments}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.gpu"] = torch.cuda.get_rng_state()
    save_file(tensors, path, metadata={COUNTS: json.dumps(asdict(counts))})


def read(path: Path, basis: str) -> tuple[Counts, dict[str, Any]] | None:
    """Return counts and tensors of a file, or None where it belongs to another training."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        counts = Counts(**json.loads(file.metadata()[COUNTS]))
        return (counts, {name: file.get_tensor(name) for name in file.keys()}) if counts.basis == basis else None  # noqa: SIM118


def restore(tensors: Mapping[str, Any], model: Any, optimizer: Any) -> dict[str, Any] | None:
    """Put everything back and return the best parameters so far, if there were any."""
    import torch

    put_back(model, _of(tensors, "model."))
    moments = {key: _of(tensors, f"optimizer.{key}.") for key in MOMENTS}
    for name, part in learned(model).items():
        if name in moments["exp_avg"]:
            where = {"step": "cpu"}
            optimizer.state[part] = {key: moments[key][name].to(where.get(key, part.device)) for key in MOMENTS}
    torch.set_rng_state(tensors["random.cpu"])
    if "random.gpu" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.gpu"])
    return _of(tensors, "best.") or None


def _of(tensors: Mapping[str, Any], start: str) -> dict[str, Any]:
    return {name.removeprefix(start): part for name, part in tensors.items() if name.startswith(start)}
