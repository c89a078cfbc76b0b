"""Language models on this machine: in the folders named for them, in the cache of the hub, or at a path."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAUSAL = ("ForCausalLM", "LMHeadModel")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
LENGTHS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}


@dataclass(frozen=True)
class LocalModel:
    """A causal language model in a folder, and what keeps it from being trained, if anything."""

    name: str
    folder: Path
    label: str
    context_length: int | None
    parameters: int
    fault: str | None = None


def local_models(folders: Iterable[Path]) -> list[LocalModel]:
    """Return the models in the given folders and in the hub's cache, each name once."""
    found: dict[str, LocalModel] = {}
    for top in folders:
        for folder in _candidates(top):
            name = folder.name if folder == top else folder.relative_to(top).as_posix()
            if name not in found and (model := model_at(folder, name)):
                found[name] = model
    for name, folder in _cached():
        if name not in found and (model := model_at(folder, name)):
            found[name] = model
    return [found[name] for name in sorted(found)]


def model_at(folder: Path, name: str) -> LocalModel | None:
    """Return the model in a folder, or None where there is no causal language model."""
    config = _json(folder / "config.json")
    kinds = [str(kind) for kind in config.get("architectures") or () if str(kind).endswith(CAUSAL)]
    if not kinds:
        return None
    length = next((config[key] for key in LENGTHS if isinstance(config.get(key), int)), None)
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    width = BYTES.get(str(config.get("dtype") or config.get("torch_dtype")), 4)
    return LocalModel(name, folder, f"{name} ({kinds[0]})", length, weights // width, _fault(folder, config, weights))


def content_hash(folder: Path) -> str:
    """Return the SHA-256 over all that makes a model: its configuration, tokenizer and weights."""
    kept = [p for p in sorted(folder.iterdir()) if p.suffix == ".safetensors" or p.name == "config.json" or p.name in TOKENIZERS]
    digest = hashlib.sha256()
    for path in kept:
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _fault(folder: Path, config: dict[str, Any], weights: int) -> str | None:
    if not weights:
        return f"{folder} has no weights as .safetensors; those of other formats are executed when they are read. Convert it."
    if config.get("auto_map"):
        return f"{folder} brings code of its own, which is not executed. Take a model that transformers knows."
    if not any((folder / name).is_file() for name in TOKENIZERS):
        return f"{folder} has no tokenizer. Put its tokenizer.json there."
    return None


def _candidates(top: Path) -> Iterator[Path]:
    """Yield the folder itself and those up to two levels below it: models of an owner lie in a folder of theirs."""
    for pattern in ("config.json", "*/config.json", "*/*/config.json"):
        yield from (path.parent for path in sorted(top.glob(pattern)))


def _cached() -> Iterator[tuple[str, Path]]:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    for folder in sorted(cache.glob("models--*")):
        revision = folder / "refs" / "main"
        snapshot = folder / "snapshots" / (revision.read_text().strip() if revision.is_file() else "")
        if (snapshot / "config.json").is_file():
            yield folder.name.removeprefix("models--").replace("--", "/"), snapshot


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
