"""A notebook goes red when a rule it explains is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebooks.break_rules import BREAKS, Break, check, copied
from tests.notebooks.test_outputs import NOTEBOOKS


def test_every_notebook_has_a_rule_to_break() -> None:
    assert {path.stem for path in NOTEBOOKS} == {change.notebook for change in BREAKS}


@pytest.mark.slow
@pytest.mark.notebook
@pytest.mark.parametrize("change", BREAKS, ids=lambda change: f"{change.notebook}-{Path(change.file).stem}")
def test_a_broken_rule_is_found(change: Break, tmp_path: Path) -> None:
    report = check(change.notebook, copied(tmp_path, change))

    assert report.passed, report.text  # the package still works up to there
    assert report.failed, report.text


@pytest.mark.notebook
def test_an_unchanged_copy_passes(tmp_path: Path) -> None:
    report = check("02_data", copied(tmp_path))

    assert (report.passed > 5, report.failed) == (True, 0), report.text
