"""A model package: a folder with a manifest that names and hashes every file of it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.trainers.protocol import Inputs

FORMAT_VERSION = 1
MANIFEST = "manifest.json"


def seal(part: Path, folder: Path, manifest: dict[str, Any], *, libraries: tuple[str, ...]) -> dict[str, Any]:
    """Hash the files in `part`, write the manifest beside them and rename the whole to `folder`."""
    files = {path.name: sha256(path) for path in sorted(part.iterdir())}
    sealed = {
        "format_version": FORMAT_VERSION,
        **manifest,
        "environment": environment(libraries),
        "files": files,
        "content_hash": content_hash(files),
    }
    (part / MANIFEST).write_text(json.dumps(sealed, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    part.rename(folder)
    return sealed


def manifest(
    trainer: str, inputs: Inputs, metrics: dict[str, Any], *, framework: str, labels: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return what a package tells of itself; with `labels` its answers are a closed set."""
    facts = inputs.facts
    example = inputs.val[0] if inputs.val else inputs.train[0]
    output: dict[str, Any] = {"name": "value", "type": "text" if labels is None else "category"}
    return {
        "trainer": trainer,
        "base_model": inputs.base_model,
        "framework": framework,
        "signature": {
            "inputs": facts.get("inputs") or [{"name": "prompt", "type": "text"}],
            "output": output if labels is None else {**output, "labels": list(labels)},
        },
        "template": facts.get("template"),
        "config": dict(inputs.config),
        "metrics": metrics,
        "input_example": facts.get("input_example") or {"prompt": example.prompt},
        "lineage": facts.get("lineage") or {},
    }


def opened(folder: Path, *, trainer: str) -> dict[str, Any]:
    """Return the manifest after every file was checked against its hash."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest.get("format_version") != FORMAT_VERSION or manifest.get("trainer") != trainer:
        raise WorkbenchError(f"{folder.name} is no package of {trainer} that this release can read.")
    for name, wanted in manifest["files"].items():
        if Path(name).name != name or not (folder / name).is_file() or sha256(folder / name) != wanted:
            raise WorkbenchError(
                f"The file {name!r} of the package {folder.name} is missing or was changed. Restore it or train again."
            )
    return manifest


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(files: dict[str, str]) -> str:
    """Return the SHA-256 over the names and hashes of all files."""
    return hashlib.sha256("".join(f"{name} {told}\n" for name, told in sorted(files.items())).encode()).hexdigest()


def environment(libraries: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of Python and of the libraries a model was trained with."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
