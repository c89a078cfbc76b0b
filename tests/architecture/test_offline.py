"""Nothing names a place to fetch from, nor the machine it was written on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.subjects import ROOT

TEXT = {".py", ".pyi", ".js", ".css", ".html", ".md", ".toml", ".yml", ".cfg", ".lock", ".sql", ".ipynb", ".svg", ""}
LEFT_OUT = {
    ".git",
    ".hypothesis",
    ".run",
    ".benchmarks",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    ".venv-llm",
    "build",
    "dist",
    "sample",
    "node_modules",
    "__pycache__",
    "test-results",
}

# Written in pieces, so that this file does not name them.
INDEX = re.compile(
    "|".join(("py" + "pi\\.org", "pythonho" + "sted", "registry\\.np" + "mjs", "deb" + "ian\\.org", "conda\\.ana" + "conda"))
)
CDN = re.compile(
    "|".join(("https?://[\\w.-]*cd" + "n\\.", "unp" + "kg\\.com", "jsde" + "livr", "fonts\\.google" + "apis", "cdn" + "js"))
)
MACHINE = re.compile(
    "(?<![\\w.])/(?:" + "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm", "ho" + "me/\\w+", "tmp/" + "bash_jobs")) + ")/"
)


def files(root: Path) -> Iterator[Path]:
    """Yield the text files of a tree, without what is built or installed there."""
    for path in sorted(root.iterdir()):
        if path.name in LEFT_OUT or path.name.endswith((".egg-info", "_cache")):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.is_file() and path.suffix in TEXT and not path.is_symlink():
            yield path


def named_places(root: Path) -> list[str]:
    """Return every line that names a package index, a content delivery network or a path of one machine."""
    found = []
    for path in files(root):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            for what, pattern in (("a package index", INDEX), ("a CDN", CDN), ("a path of this machine", MACHINE)):
                if match := pattern.search(line):
                    found.append(f"{path.relative_to(root)}:{number} names {what}: {match[0]}")
    return found


def test_no_place_to_fetch_from_is_named():
    assert [] == named_places(ROOT)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("--index-url https://py" + "pi.org/simple", "a package index"),
        ("src='https://cd" + "n.example.com/x.js'", "a CDN"),
        ("import 'https://unp" + "kg.com/react'", "a CDN"),
        ("path = '/wo" + "rk/main'", "a path of this machine"),
    ],
)
def test_a_named_place_is_found(tmp_path, text, what):
    (tmp_path / "planted.md").write_text(f"fine\n{text}\n")

    found = named_places(tmp_path)

    assert 1 == len(found)
    assert found[0].startswith(f"planted.md:2 names {what}: ")
