"""Take a trained package into the artifact folder and describe it as a version."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.domain.models import ModelVersion, next_version
from workbench.domain.prompt import columns_used

MANIFEST = "manifest.json"
ACCURACY = ("accuracy", "val_accuracy", "test_accuracy")
CONFIDENCE = ("mean_confidence", "ai_confidence", "val_confidence")
CALIBRATION = ("calibration_error", "ece", "val_calibration_error")


def keep_package(package: Path, artifacts: Path) -> Path:
    """Copy a package to the folder named by its content and return it; a copy that is there stays."""
    target = artifacts / "models" / content_hash(package)[:32]
    if not (target / MANIFEST).exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(package, part)
        os.replace(part, target)
    return target


def content_hash(package: Path) -> str:
    """Return the SHA-256 of the manifest, which holds the hash of every file."""
    return hashlib.sha256((package / MANIFEST).read_bytes()).hexdigest()


def registered(package: Path, *, artifacts: Path, template: Any, taken: Sequence[str], facts: Mapping[str, Any]) -> ModelVersion:
    """Return the version a package becomes, in development."""
    manifest = json.loads((package / MANIFEST).read_text())
    metrics = facts["metrics"]
    frozen = json.loads(template) if isinstance(template, str) else template
    return ModelVersion(
        version=next_version(list(taken)),
        status="development",
        accuracy=_first(metrics, ACCURACY),
        ai_confidence=_first(metrics, CONFIDENCE),
        framework=str(manifest.get("framework") or ""),
        trainer=str(manifest.get("trainer") or ""),
        signature=_signature(manifest, frozen),
        baseline={"accuracy": _first(metrics, ACCURACY), "calibration_measured": _first(metrics, CALIBRATION)},
        input_example=_example(manifest.get("input_example")),
        environment=manifest.get("environment") or {},
        content_hash=content_hash(package),
        artifact_path=package.relative_to(artifacts).as_posix(),
        size_bytes=sum(f.stat().st_size for f in package.rglob("*") if f.is_file()),
        **facts,
    )


def _signature(manifest: Mapping[str, Any], template: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what goes in and comes out; with a template, a row of its columns may go in too."""
    found = dict(manifest.get("signature") or {})
    output = found.get("output")
    found["labels"] = output.get("labels") if isinstance(output, dict) else manifest.get("labels")
    found["template"] = template
    used = columns_used(template["prompt_template"], template.get("column_mapping")) if template else {}
    found["columns"] = list(dict.fromkeys(used.values()))
    return found


def _example(given: Any) -> Any:
    """Return an input an endpoint takes: a row of columns, or the finished prompt as text."""
    return given["prompt"] if isinstance(given, dict) and set(given) == {"prompt"} else given


def _first(metrics: Mapping[str, Any], names: Sequence[str]) -> float | None:
    return next((float(metrics[name]) for name in names if metrics.get(name) is not None), None)
