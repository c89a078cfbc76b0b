"""The bundled data is what its README says, byte for byte."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.config import dataset_path

FOLDER = Path(__file__).parents[2] / "datasets"
MADE_HERE = (
    sys.implementation.name == "cpython"
    and sys.version_info[:3] == (3, 11, 7)
    and sys.platform == "linux"
    and importlib.util.find_spec("_tkinter") is not None
)


def checksums(folder: Path) -> dict[str, str]:
    """Return the recorded checksum of each file."""
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def wrong_files(folder: Path) -> list[str]:
    """Return the files that are missing, unlisted or differ from their recorded checksum."""
    recorded = checksums(folder)
    names = {path.name for path in folder.glob("*.csv")} | set(recorded)
    return sorted(name for name in names if digest_of(folder / name) != recorded.get(name))


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def rows_of(name: str) -> list[dict[str, str]]:
    with dataset_path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files_match_their_checksums():
    assert [] == wrong_files(FOLDER)
    assert 5 == len(checksums(FOLDER))


def test_a_changed_missing_or_unlisted_file_is_found(tmp_path):
    for path in FOLDER.glob("[!R]*"):
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "iris.csv").write_bytes((tmp_path / "iris.csv").read_bytes() + b"\n")
    (tmp_path / "wine.csv").unlink()
    (tmp_path / "other.csv").write_text("a\n1\n")

    assert ["iris.csv", "other.csv", "wine.csv"] == wrong_files(tmp_path)


@pytest.mark.skipif(not MADE_HERE, reason="the script gives these bytes on CPython 3.11.7 for Linux with tkinter")
def test_the_script_reproduces_every_file(tmp_path):
    subprocess.run([sys.executable, FOLDER / "make.py", tmp_path], check=True, timeout=120)

    assert checksums(FOLDER) == checksums(tmp_path)
    assert [] == wrong_files(tmp_path)


def test_functions_leave_enough_rows_out_of_two_thousand_pairs():
    rows = rows_of("stdlib_functions.csv")

    assert 2764 == len(rows)
    assert len(rows) == len({row["item_id"] for row in rows})
    assert len(rows) == len({(row["module"], row["summary"]) for row in rows})
    assert 24 == len({row["module"] for row in rows})


def test_no_text_names_its_own_module():
    for row in rows_of("stdlib_functions.csv"):
        shown = f"{row['summary']} {row['signature']}"

        assert not re.search(rf"\b{row['module']}\b", shown, re.IGNORECASE), row["item_id"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(FileNotFoundError, match=r"iris\.csv, stdlib_functions\.csv"):
        dataset_path("irises.csv")
