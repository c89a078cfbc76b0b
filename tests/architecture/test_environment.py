"""pyproject.toml, environment.yml and requirements.lock tell one story, under permissive licenses."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.subjects import ROOT

# The name on conda-forge where it is another.
CONDA = {"duckdb": "python-duckdb"}
NOT_IN_CONDA = {"pip", "python"}
LOCKED_EXTRAS = ("notebook", "dask", "test", "dev")
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|GNU|SSPL|EUPL|CC-BY-(NC|SA|ND)|Proprietary|Commercial|Business Source)", re.IGNORECASE)
# File-level terms that bind only changes to the files themselves.
FILE_LEVEL = {"certifi", "tqdm", "fqdn", "hypothesis", "pathspec"}


def project_of(text: str) -> dict[str, Any]:
    return tomllib.loads(text)["project"]


def requirements(project: dict[str, Any], extras: tuple[str, ...] = LOCKED_EXTRAS) -> Iterator[Requirement]:
    """Yield what the core and some extras require, without the references of extras to each other."""
    for line in [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]:
        requirement = Requirement(line)
        if canonicalize_name(requirement.name) != project["name"]:
            yield requirement


def environment_faults(pyproject: str, environment: str) -> list[str]:
    """Return what environment.yml lacks, adds or bounds differently."""
    wanted = {CONDA.get(r.name, canonicalize_name(r.name)): str(r.specifier) for r in requirements(project_of(pyproject))}
    given = {}
    for line in environment_lines(yaml.safe_load(environment)["dependencies"]):
        name, _, bounds = line.partition(" ")
        given[name] = ",".join(sorted(bounds.split(","), reverse=True)) if bounds else ""
    faults = [f"{name} is missing" for name in sorted(wanted.keys() - given.keys())]
    faults += [f"{name} is in environment.yml alone" for name in sorted(given.keys() - wanted.keys() - NOT_IN_CONDA)]
    for name in sorted(wanted.keys() & given.keys()):
        if set(wanted[name].split(",")) != set(given[name].split(",")):
            faults.append(f"{name}: pyproject.toml says {wanted[name]}, environment.yml {given[name]}")
    if given.get("python") != project_of(pyproject)["requires-python"]:
        faults.append(f"python: environment.yml says {given.get('python')}")
    return faults


def environment_lines(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        if isinstance(entry, dict):
            yield from entry["pip"]
        else:
            yield entry


def lock_faults(pyproject: str, lock: str) -> list[str]:
    """Return lines that are no plain pin, and requirements that the pins do not meet."""
    lines = [line for line in lock.splitlines() if line and not line.startswith("#")]
    faults = [f"{line}: not a plain pin" for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!+-]+", line)]
    pins = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}
    faults += [f"{name} is locked; it belongs to an extra" for name in ("torch", "transformers") if name in pins]
    for requirement in requirements(project_of(pyproject)):
        pin = pins.get(canonicalize_name(requirement.name))
        if pin is None or pin not in requirement.specifier:
            faults.append(f"{requirement.name}{requirement.specifier} is locked at {pin}")
    return faults


def license_of(distribution: importlib.metadata.Distribution) -> str:
    """Return what a distribution says about its license, in short."""
    told = distribution.metadata
    classifiers = [line.split("::")[-1] for line in told.get_all("Classifier", []) if line.startswith("License")]
    return " ".join([told.get("License-Expression") or "", (told.get("License") or "").split("\n")[0][:80], *classifiers]).strip()


def license_faults(licenses: dict[str, str]) -> list[str]:
    """Return the distributions whose license is unknown or not permissive."""
    faults = [f"{name}: {text}" for name, text in licenses.items() if COPYLEFT.search(text)]
    faults += [f"{name}: {text}" for name, text in licenses.items() if re.search("MPL|Mozilla", text) and name not in FILE_LEVEL]
    return sorted(faults + [f"{name}: no license named" for name, text in licenses.items() if not text])


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_environment_and_pyproject_agree():
    assert [] == environment_faults(read("pyproject.toml"), read("environment.yml"))


def test_an_environment_that_disagrees_is_found():
    planted = read("environment.yml").replace("  - pandas >=3.0,<4\n", "").replace("panel >=1.9,<2", "panel >=1.4")
    planted = planted.replace("  - tqdm", "  - luigi >=3\n  - tqdm").replace("python >=3.11", "python >=3.9")

    assert ["pandas is missing", "luigi is in environment.yml alone", "panel", "python"] == [
        fault.split(":")[0] for fault in environment_faults(read("pyproject.toml"), planted)
    ]


def test_the_lock_meets_every_requirement():
    assert [] == lock_faults(read("pyproject.toml"), read("requirements.lock"))


def test_a_lock_with_faults_is_found():
    planted = re.sub(r"^duckdb==.*$", "duckdb==1.4.0", read("requirements.lock"), flags=re.MULTILINE)
    planted = re.sub(r"^tenacity==.*\n", "", planted, flags=re.MULTILINE) + "--index-url somewhere\ntorch==2.9.0\n"

    assert {
        "--index-url somewhere",
        "torch is locked; it belongs to an extra",
        "duckdb<3,>=2.0 is locked at 1.4.0",
        "tenacity>=9 is locked at None",
    } == {fault.split(": not")[0] for fault in lock_faults(read("pyproject.toml"), planted)}


def test_every_locked_distribution_is_permissive():
    names = [line.split("==")[0] for line in read("requirements.lock").splitlines() if "==" in line]

    assert [] == license_faults({canonicalize_name(name): license_of(importlib.metadata.distribution(name)) for name in names})


def test_a_license_that_binds_is_found():
    assert ["a: GPL-3.0-or-later", "b: no license named", "c: MPL-2.0"] == license_faults(
        {"a": "GPL-3.0-or-later", "b": "", "c": "MPL-2.0", "certifi": "MPL-2.0", "d": "BSD-3-Clause"}
    )


def unresolved(project: dict[str, Any]) -> list[str]:
    """Return the commands and plugins of pyproject.toml that point to nothing."""
    found = {**project.get("scripts", {})}
    for group in project.get("entry-points", {}).values():
        found.update(group)
    points = [importlib.metadata.EntryPoint(name, target, "checked") for name, target in found.items()]
    return [f"{point.name} = {point.value}" for point in points if not loads(point)]


def loads(point: importlib.metadata.EntryPoint) -> bool:
    try:
        point.load()
    except (ImportError, AttributeError):
        return False
    return True


def test_every_command_and_plugin_exists():
    assert [] == unresolved(project_of(read("pyproject.toml")))


def test_a_command_that_points_to_nothing_is_found():
    planted = {
        "scripts": {"a": "workbench.cli:main", "b": "workbench.cli:gone"},
        "entry-points": {"g": {"c": "workbench.gone:X"}},
    }

    assert ["b = workbench.cli:gone", "c = workbench.gone:X"] == unresolved(planted)
