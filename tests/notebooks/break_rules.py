"""Break one rule in a copy of the package, so that a notebook has something to find.

python -m tests.notebooks.break_rules            # every rule, one after the other
python -m tests.notebooks.break_rules 02_data    # one notebook
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Break:
    """One line of a rule and what stands in its place."""

    notebook: str
    file: str
    rule: str
    broken: str


BREAKS = (
    # What was rejected is counted among what may be trained on.
    Break("01_quickstart", "services/figures.py", "found.pop(None, 0)", 'found.pop(None, 0) + found.get("rejected", 0)'),
    # A published sheet may be changed.
    Break("02_data", "services/data.py", 'SHEET_LIFECYCLE.require("update", sheet.status)', "pass"),
    # What a scan said of a row is still shown when the row has changed.
    Break("02_data", "services/quality.py", " and r.print = s.fingerprint where", " where"),
    # What people decided on is overwritten.
    Break("03_generate", "services/generation_plan.py", "parts.append(UNTOUCHED)", "pass"),
    # A decision on an outdated version overwrites.
    Break("04_review", "services/label.py", 'if version is not None and version != row["version"]:', "if False:"),
    # The split is computed in binary fractions: 90 x 0.7 is 62.
    Break("05_train", "domain/split.py", "Decimal(total) * Decimal(str(ratio))", "Decimal(total * float(ratio))"),
    # A trial registers a model version: whoever looks for the best finds a heap.
    Break(
        "06_tune",
        "services/training_work.py",
        "if self.ended(job):",
        "if self.ended(job) and False:",
    ),
    # The line back is followed forward.
    Break("07_lineage", "services/lineage.py", 'far="to") if way < 0 else', 'far="to") if way > 0 else'),
    # A job whose worker died is given up.
    Break(
        "08_cluster",
        "engine/ending.py",
        'that ran the job is gone.", transient=True',
        'that ran the job is gone.", transient=False',
    ),
    # A version that was never tested may go to production.
    Break("09_serve", "services/model_tests.py", "return Gate(open=False, label=", "return Gate(open=True, label="),
)


@dataclass(frozen=True)
class Report:
    """How a notebook ended: cells that passed and cells that did not."""

    passed: int
    failed: int
    text: str


def copied(target: Path, change: Break | None = None) -> Path:
    """Copy the package to a folder, with one rule broken where asked for, and return the folder."""
    shutil.copytree(ROOT / "workbench", target / "workbench")  # with its bytecode: many processes import it
    (target / "datasets").symlink_to(ROOT / "datasets")
    if change is not None:
        path = target / "workbench" / change.file
        text = path.read_text()
        if text.count(change.rule) != 1:
            raise LookupError(f"{change.file} has {text.count(change.rule)} times: {change.rule}")
        path.write_text(text.replace(change.rule, change.broken))
    return target


def check(notebook: str, package: Path) -> Report:
    """Run one notebook against the package in a folder, up to the first cell that is red."""
    source = ROOT / "notebooks" / f"{notebook}.ipynb"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "nbval.plugin", "-p", "no:cacheprovider", "-c", os.devnull]
    command += ["--rootdir", str(source.parent), "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120", "-x", str(source)]
    # The other plugins, none of which has a part in it, take a second to load.
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, check=False)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    return Report(counts.get("passed", 0), counts.get("failed", 0) + counts.get("error", 0), done.stdout + done.stderr)


def main(wanted: list[str]) -> int:
    """Break every rule in turn and say what the notebooks found."""
    missed = 0
    for change in BREAKS:
        if wanted and change.notebook not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            report = check(change.notebook, copied(Path(folder), change))
        missed += not report.failed
        print(f"{change.notebook:<14} {report.failed} cells red  {change.file}: {change.rule}")
    return missed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
