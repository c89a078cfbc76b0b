"""Training sheets with approved pairs, for the tests of jobs and training."""

import csv
import time
from pathlib import Path

DATA = Path(__file__).parents[2] / "datasets" / "stdlib_functions.csv"
ENDED = ("succeeded", "failed", "cancelled")


def words(count):
    """Return rows whose answer follows from a word of the question."""
    colors = {"red": "warm", "orange": "warm", "blue": "cold", "green": "cold", "gray": "neither"}
    names = list(colors)
    return [{"id": f"i{n}", "text": f"case {n} shows {names[n % 5]} paint", "label": colors[names[n % 5]]} for n in range(count)]


def sample(count):
    """Return real rows: what a function does, and the module that offers it."""
    with DATA.open(newline="", encoding="utf-8") as file:
        rows = [{"id": r["item_id"], "text": r["summary"], "label": r["module"]} for r in csv.DictReader(file)]
    return rows[:: max(1, len(rows) // count)][:count]


def sheet_of(ws, rows, *, approve=None, name="cases"):
    """Return a training sheet over rows; the first `approve` pairs (default all) are approved."""
    sheet = ws.sheets.create(name, rows=rows, item_id_column="id", sample=True)
    template = {"prompt_template": "{{text}}", "response_source_mode": "existing_column", "response_column": "label"}
    made = ws.training_sheets.assemble(sheet.id, template=template)
    change(ws, made.id, "status = 'labeled'", f"row_index < {len(rows) if approve is None else approve}")
    return made


def change(ws, training_sheet_id, setting, where="true"):
    """Change pairs directly."""
    with ws.app.db.write():
        ws.app.db.execute(
            f"update pair_rows set {setting}, version = version + 1 where training_sheet_id = ? and {where}", [training_sheet_id]
        )


def ended(ws, job, seconds=60):
    """Wait for the end of a job and return it."""
    deadline = time.monotonic() + seconds
    service = ws.training if hasattr(job, "base_model") else ws.jobs
    while (found := service.get(job.id)).status not in ENDED:
        assert time.monotonic() < deadline, f"{found.status} {found.message}"
        time.sleep(0.05)
    return found
