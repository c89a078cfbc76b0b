"""Scans of sheets and training sheets."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.services.approved import ended
from workbench.errors import InUse, NotReady, ValidationError

WORDS = (
    "river",
    "stone",
    "market",
    "window",
    "garden",
    "letter",
    "mountain",
    "bridge",
    "paper",
    "engine",
    "forest",
    "silver",
    "planet",
)
PLAN = {"prompt_template": "Please answer the question below. {{q}}", "response_column": "a"}
GERMAN = "Das ist das Haus, das wir in der Stadt gesehen haben, und es war nicht zu verkaufen"


def said(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words))


def rows(count: int = 200) -> list[dict[str, Any]]:
    """Return rows with one defect of each kind among the first."""
    rng = random.Random(1)
    found = [{"id": f"i{n}", "q": f"what is {said(rng, 14)}", "a": said(rng, 9)} for n in range(count)]
    found[5]["q"] += " write to ann.lee@example.com"
    found[6] |= {"q": found[20]["q"], "a": found[20]["a"]}
    found[7]["a"] = ""
    found[8]["a"] = "I'm sorry, but I can't help with that."
    found[9] |= {"q": found[21]["q"] + " extra", "a": found[21]["a"]}
    found[10]["a"] = " ".join(found[10]["q"].split()[3:12])
    found[11]["a"] = "la la la la " * 40
    found[12]["q"] = GERMAN
    return found


@pytest.fixture
def sheet(ws: Any) -> Any:
    return ws.sheets.create("rows", rows=rows(), item_id_column="id")


def scanned(ws: Any, sheet: Any, **given: Any) -> Any:
    job = ended(ws, ws.sheets.scan(sheet.id, **given))
    assert job.status == "succeeded", job.error_details
    return ws.sheets.quality(sheet.id)


def test_a_scan_finds_what_was_planted_and_suggests_the_tag(ws: Any, sheet: Any) -> None:
    assert (ws.sheets.quality(sheet.id).summary, ws.sheets.quality(sheet.id).scanned) == ("Not scanned yet.", 0)

    found = scanned(ws, sheet, response_column="a")

    rows_of = {one.name: {example.row_index for example in one.examples} for one in found.findings}
    assert rows_of["exact_duplicates"] == {6, 20}
    assert rows_of["near_duplicates"] >= {6, 9}
    assert (rows_of["empty"], rows_of["refusal"], rows_of["pii_email"]) == ({7}, {8}, {5})
    assert 10 in rows_of["leakage"]
    assert (found.scanned, found.outdated, found.suggested_tags) == (200, 0, ("PII",))
    assert ws.sheets.get(sheet.id).tags == ()
    assert {bar.label: bar.count for bar in next(p for p in found.plots if p.name == "language").bars}["de"] == 1
    for one in found.findings:
        assert ws.sheets.quality_rows(sheet.id, signals=list(one.signals)).total == one.count


def test_the_first_tenth_by_concern_holds_the_defects(ws: Any, sheet: Any) -> None:
    scanned(ws, sheet, response_column="a")

    worst = ws.sheets.quality_rows(sheet.id, order="concern", descending=True, limit=20)
    assert {5, 7, 8, 10, 11, 12, 20} <= {row["row_index"] for row in worst.rows}
    concerns = [row["signal_concern"] for row in worst.rows]
    assert concerns == sorted(concerns, reverse=True)


def test_pairs_carry_signals_until_they_change(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    assert ws.review.get(made.id, 6).quality is None

    job = ended(ws, ws.training_sheets.scan(made.id))
    assert job.status == "succeeded", job.error_details
    pair = ws.review.get(made.id, 6)

    assert (pair.quality["duplicates"], pair.quality["duplicate_group"], pair.quality["pii_kinds"]) == (1, 6, "")
    assert [p.row_index for p in ws.review.queue(made.id, signals=["pii_kinds:email"])] == [5]
    ws.review.decide(made.id, 6, response="something new")
    assert ws.review.get(made.id, 6).quality is None
    found = ws.training_sheets.quality(made.id)
    assert (found.scanned, found.outdated) == (199, 1)
    assert found.summary.startswith("199 of 200 pairs scanned: ")
    ended(ws, ws.training_sheets.scan(made.id))
    assert ws.review.get(made.id, 6).quality["duplicates"] == 0


def test_a_row_that_changed_has_no_signals(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=rows(), item_id_column="id")
    scanned(local, sheet)
    with local.app.db.write():
        local.app.db.execute(f"update \"rows_{sheet.id}\" set q = 'changed' where _row = 6")

    found = local.sheets.quality(sheet.id)
    assert (found.scanned, found.outdated) == (199, 1)
    assert local.sheets.quality_rows(sheet.id, signals=["duplicates:1.."]).total == 1


def test_a_second_scan_at_a_time_and_an_unknown_column_are_refused(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=rows(), item_id_column="id")
    with pytest.raises(ValidationError):
        local.sheets.scan(sheet.id, response_column="b")
    with pytest.raises(ValidationError):
        local.sheets.quality_rows(sheet.id, signals=["nosuch:1"])
    job = local.sheets.scan(sheet.id)
    with pytest.raises(InUse, match="is used by 1 job") as refused:
        local.sheets.delete(sheet.id)
    assert refused.value.context["used_by"] == [job.id]
    with pytest.raises(NotReady):
        local.sheets.scan(sheet.id)

    local.jobs.cancel(job.id)
    assert ended(local, job).status == "cancelled"
    assert local.sheets.quality(sheet.id).scanned == 0
    local.sheets.delete(sheet.id)


def test_a_template_that_is_gone_does_not_keep_a_sheet_from_a_scan(ws: Any, sheet: Any) -> None:
    template = ws.templates.create("ask", "{{q}}", response_column="a")
    ws.sheets.attach_template(sheet.id, template.id)
    ws.templates.delete(template.id)

    assert scanned(ws, sheet).extra["response_column"] is None


def test_what_is_being_scanned_is_not_deleted(ws: Any, sheet: Any) -> None:
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    job = ws.training_sheets.scan(made.id)

    for call in (lambda: ws.training_sheets.delete(made.id), lambda: ws.sheets.delete(sheet.id)):
        with pytest.raises(InUse) as caught:
            call()
        assert [job.id] == caught.value.context["used_by"]

    ended(ws, job)
    assert made.id == ws.training_sheets.delete(made.id).id


CLOSED = {
    "classes": {"label_classes": [{"name": "bug"}, {"name": "it's fine"}]},
    "options": {"response_schema": [{"name": "kind", "type": "string", "options": ["bug", "it's fine"]}]},
}


@pytest.mark.parametrize("closed", [*CLOSED, None])
def test_an_answer_that_was_asked_for_is_not_too_short(ws: Any, closed: str | None) -> None:
    answers = ["bug", "it's fine", "buggy", "bug", "a sentence that is long enough"]
    sheet = ws.sheets.create("kinds", rows=[{"q": f"question number {n}", "a": a} for n, a in enumerate(answers)])
    made = ws.training_sheets.assemble(sheet.id, template={**PLAN, **CLOSED.get(closed, {})})
    ended(ws, ws.training_sheets.scan(made.id))

    [short] = [one for one in ws.training_sheets.quality(made.id).findings if one.name == "short"]

    expected = [2] if closed else [0, 1, 2, 3]
    assert (len(expected), expected[:3]) == (short.count, [example.row_index for example in short.examples])
    queue = ws.review.queue(made.id, status="all", signals=list(short.signals), where=short.where)
    assert expected == [pair.row_index for pair in queue], "the queue behind a finding holds what it counts"
