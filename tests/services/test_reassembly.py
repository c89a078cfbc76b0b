"""Re-assembly: what a changed row or template does to reviewed pairs, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import Conflict, NotFound, ValidationError

PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
SHORT = {**PLAN, "prompt_template": "{{q}}"}
ROWS = [{"id": f"i{n}", "q": f"what {n}", "a": None if n % 10 == 9 else f"answer {n % 4}", "n": n} for n in range(40)]


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 30")


def told(ws: Any) -> dict[str, str]:
    """Return all that undo has to bring back."""
    tables = {
        "pairs": "select * exclude (version, updated_at) from pairs order by training_sheet_id, row_index",
        "labels": "select id, label, confidence, labeled_by, labeled_at, item_ref, allowed_uses, reuse_count "
        "from canonical_labels order by id",
        "sheets": "select id, template_id, template, total_rows from training_sheets order by id",
    }
    return {name: ws.sql(sql).to_json(date_format="iso") for name, sql in tables.items()}


def change_row(ws: Any, sheet_id: str, row: int, **cells: Any) -> None:
    """Change cells the way an edit of the sheet does: pairs keep a copy of the row as it was."""
    db = ws.app.db
    with db.write():
        db.execute(
            "update pair_rows set source_snapshot = (select to_json(s) from (select * exclude (_row) from "
            f'"rows_{sheet_id}" where _row = {row}) s) where source_index = {row} and source_snapshot is null'
        )
        names = ", ".join(f"{name} = ?" for name in cells)
        db.execute(f'update "rows_{sheet_id}" set {names} where _row = {row}', list(cells.values()))
        db.execute("update sheets set version = version + 1 where id = ?", [sheet_id])


def drop_row(ws: Any, sheet_id: str, row: int) -> None:
    """Take a row out of a sheet; pairs keep a copy of it."""
    change_row(ws, sheet_id, row, n=0)
    with ws.app.db.write():
        ws.app.db.execute(f'delete from "rows_{sheet_id}" where _row = {row}')


def test_another_template_makes_approvals_stale(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=[0, 1, 2])
    ws.review.decide(made.id, 3, action="reject", flag_reason="wrong")
    ws.review.decide(made.id, 4, prompt="my own words")
    start = told(ws)

    seen = ws.training_sheets.reassemble(made.id, template=SHORT, preview=True)
    assert (seen.matched, seen.changed, seen.unchanged, seen.stale, seen.rerendered, seen.kept_edited) == (30, 29, 1, 3, 26, 1)
    assert (seen.batch_id, seen.template_changes, len(seen.sample)) == (None, ("prompt_template",), 6)
    first = seen.sample[0]
    assert (first.label, first.status) == ("approval goes stale", "labeled")
    assert (first.prompt_diff[0].op, first.prompt_diff[0].text) == ("removed", "Q: ")
    assert told(ws) == start

    done = ws.training_sheets.reassemble(made.id, preview_id=seen.preview_id)
    assert (done.changed, done.stale, done.rerendered, done.skipped) == (29, 3, 26, {})
    pairs = [ws.review.get(made.id, row) for row in range(6)]
    assert [pair.prompt for pair in pairs] == ["what 0", "what 1", "what 2", "what 3", "my own words", "what 5"]
    assert [(pair.status, pair.stale) for pair in pairs] == [
        *[("labeled", True)] * 3,
        ("rejected", False),
        *[("unlabeled", False)] * 2,
    ]
    assert ws.training_sheets.get(made.id).template.prompt_template == "{{q}}"
    assert ws.review.queue(made.id, status="stale").total == 3
    assert ws.review.eligibility(made.id).excluded["stale"] == 3
    assert ws.training_sheets.reassemble(made.id, template=SHORT).batch_id is None

    assert ws.review.undo(made.id, batch_id=done.batch_id).undone == 29
    assert told(ws) == start
    assert ws.review.redo(made.id).undone == 29
    assert ws.review.get(made.id, 0).prompt == "what 0"
    assert ws.training_sheets.get(made.id).template.prompt_template == "{{q}}"


def test_the_card_of_a_stale_pair_shows_what_was_approved(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    assert ws.review.card(made.id, 0).stale_change is None
    ws.training_sheets.reassemble(made.id, template=SHORT)

    change = ws.review.card(made.id, 0, status="stale").stale_change
    assert (change.approved_prompt, change.approved_response, change.changed_by) == ("Q: what 0?", "answer 0", "local")
    assert [(piece.op, piece.text) for piece in change.prompt_diff] == [("removed", "Q: "), ("same", "what 0"), ("removed", "?")]

    approved = ws.review.decide(made.id, 0, action="approve")
    assert (approved.status, approved.stale) == ("labeled", False)
    assert ws.review.card(made.id, 0).stale_change is None
    assert ws.review.queue(made.id, status="stale").total == 0


def test_stale_pairs_are_reviewed_again_in_the_order_of_rows(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=[1, 3, 4])
    ws.review.bulk_reject(made.id, filter={"where": "row_index > 5"})
    change_row(ws, made.sheet_id, 3, q="another")
    ws.training_sheets.reassemble(made.id)

    def waiting(**more: Any) -> list[int]:
        return [pair.row_index for pair in ws.review.queue(made.id, **more)]

    assert waiting() == waiting(status="to_review") == [0, 2, 3, 5]
    assert waiting(status="unlabeled") == [0, 2, 5]
    assert [pair.row_index for pair in ws.review.claim(made.id, 3).items] == [0, 2, 3]
    card = ws.review.card(made.id, 3)
    assert (card.position, card.previous_index, card.next_index, card.queue_total) == (3, 2, 5, 4)
    counts = {value.value: value.count for facet in ws.review.facets(made.id).facets if facet.name == "status" for value in facet.values}
    assert (counts["to_review"], counts["stale"], counts["unlabeled"], counts["labeled"]) == (4, 1, 3, 3)

    ws.review.decide(made.id, 0, action="approve")
    progress = ws.review.progress(made.id)
    assert (progress.to_review, progress.unlabeled, progress.stale) == (3, 2, 1)
    assert progress.summary == "2 unlabeled · 4 labeled (1 stale) · 24 rejected of 30."
    assert round(progress.eta_seconds / 3600 * progress.pace_per_hour) == 3
    [step] = [step for step in ws.home.overview().steps if step.name == "reviewed"]
    assert (step.next_action, step.next_query) == ("3 pairs wait for review", {"sheet": made.id, "status": "to_review"})

    # Several people settle a stale pair as they do any other.
    ws.training_sheets.update(made.id, overlap=2)
    assert (waiting(), ws.review.progress(made.id).to_review) == ([2, 3, 5], 3)
    assert [pair.row_index for pair in ws.review.claim(made.id, 9).items] == [2, 3, 5]


def test_rows_that_change_come_and_go(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
    ws.review.decide(made.id, 5, response="written by hand")
    start = told(ws)
    sheet = made.sheet_id
    change_row(ws, sheet, 1, q="which one")  # the prompt shows it
    change_row(ws, sheet, 2, a="another answer")  # the response follows it
    change_row(ws, sheet, 3, n=-3)  # neither shows it
    change_row(ws, sheet, 4, n=99)  # the filter leaves it out now
    change_row(ws, sheet, 5, a="not taken")  # a person wrote another response
    change_row(ws, sheet, 6, a=None)  # an approved pair keeps its response
    drop_row(ws, sheet, 7)
    change_row(ws, sheet, 35, n=7)  # the filter chooses it now
    before = told(ws)

    seen = ws.training_sheets.reassemble(made.id, preview=True)
    counts = (seen.prompt_changed, seen.response_changed, seen.source_changed, seen.stale, seen.removed, seen.added)
    assert counts == (1, 1, 3, 2, 2, 1)
    done = ws.training_sheets.reassemble(made.id, preview_id=seen.preview_id)
    assert (done.changed, done.added, done.unchanged) == (7, 1, 23)

    get = lambda row: ws.review.get(made.id, row)  # noqa: E731
    assert (get(1).prompt, get(1).stale, get(1).source_data["q"]) == ("Q: which one?", True, "which one")
    assert (get(2).response, get(2).stale, get(2).response_source) == ("another answer", True, "imported")
    assert (get(3).stale, get(3).source_data["n"], get(3).status) == (False, -3, "labeled")
    assert (get(4).status, get(4).flag_reason) == ("flagged", "Its row no longer matches the filter.")
    assert (get(5).response, get(5).stale) == ("written by hand", False)
    assert (get(6).response, get(6).stale) == ("answer 2", False)
    assert (get(7).status, get(7).flag_reason, get(7).source_data["q"]) == (
        "flagged",
        "Its row is no longer in the sheet.",
        "what 7",
    )
    assert (get(30).item_ref, get(30).prompt, get(30).status) == ("i35", "Q: what 35?", "unlabeled")
    assert ws.training_sheets.get(made.id).total_rows == 31
    assert ws.review.batches(made.id)[0].row_count == 8

    assert ws.review.undo(made.id).undone == 8
    assert told(ws) == before
    assert ws.review.rows(made.id, page_size=50).total == 30
    assert ws.review.redo(made.id).undone == 8
    assert get(30).item_ref == "i35"
    assert ws.review.undo(made.id).undone == 8
    assert told(ws)["labels"] == start["labels"]


def test_pairs_keep_their_place_when_rows_move(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 2, action="approve")
    db = ws.app.db
    with db.write():
        db.execute(f'update "rows_{made.sheet_id}" set _row = 39 - _row')

    done = ws.training_sheets.reassemble(made.id)
    assert (done.changed, done.source_changed, done.stale) == (30, 30, 0)
    assert (ws.review.get(made.id, 2).item_ref, ws.review.get(made.id, 2).source_data["id"]) == ("i2", "i2")


def test_a_commit_acts_on_what_the_preview_froze(ws: Any, made: Any) -> None:
    seen = ws.training_sheets.reassemble(made.id, template=SHORT, preview=True)
    ws.review.decide(made.id, 0, action="approve")
    done = ws.training_sheets.reassemble(made.id, preview_id=seen.preview_id)

    assert (done.changed, done.stale, done.skipped) == (29, 0, {"changed_since": 1})
    assert (ws.review.get(made.id, 0).prompt, ws.review.get(made.id, 0).stale) == ("Q: what 0?", False)
    again = ws.training_sheets.reassemble(made.id)
    assert (again.changed, again.stale) == (1, 1)


def test_an_outdated_preview_is_refused(ws: Any, made: Any) -> None:
    seen = ws.training_sheets.reassemble(made.id, template=SHORT, preview=True)
    change_row(ws, made.sheet_id, 0, q="new")
    with pytest.raises(Conflict):
        ws.training_sheets.reassemble(made.id, preview_id=seen.preview_id)
    ws.clock.advance(minutes=16)
    with pytest.raises(NotFound):
        ws.training_sheets.reassemble(made.id, preview_id=seen.preview_id)


@pytest.mark.parametrize(
    "given",
    [
        {"template": {"prompt_template": "{{nosuch}}"}},
        {"template": SHORT, "template_id": "x"},
        {"preview_id": "p", "preview": True},
        {"template": {"prompt_template": " "}},
    ],
)
def test_bad_templates_are_refused(ws: Any, made: Any, given: Any) -> None:
    with pytest.raises(ValidationError):
        ws.training_sheets.reassemble(made.id, **given)


def test_only_the_template_changes(ws: Any, made: Any) -> None:
    done = ws.training_sheets.reassemble(made.id, template={**PLAN, "system_instruction": "Be brief."})
    assert (done.changed, done.template_changes, done.batch_id is None) == (0, ("system_instruction",), False)
    found = ws.review.undo(made.id)
    assert (found.undone, found.batch_id) == (0, done.batch_id)
    assert ws.training_sheets.get(made.id).template.system_instruction is None
    assert ws.review.redo(made.id).batch_id == done.batch_id
    assert ws.training_sheets.get(made.id).template.system_instruction == "Be brief."


def test_a_template_put_back_by_hand_is_not_taken_for_one_put_back_by_undo(ws: Any, made: Any) -> None:
    change_row(ws, made.sheet_id, 3, n=99)
    longer = ws.training_sheets.reassemble(made.id, template={**PLAN, "system_instruction": "Be brief."}).batch_id
    back = ws.training_sheets.reassemble(made.id, template=PLAN).batch_id

    def instruction() -> str | None:
        return ws.training_sheets.get(made.id).template.system_instruction

    assert (ws.review.undo(made.id, batch_id=longer).undone, instruction()) == (1, None)
    assert (ws.review.redo(made.id, batch_id=longer).undone, instruction()) == (1, None)
    ws.review.undo(made.id, batch_id=back)
    assert instruction() == "Be brief."
    ws.review.undo(made.id, batch_id=longer)
    assert instruction() is None
    ws.review.redo(made.id, batch_id=longer)
    assert instruction() == "Be brief."


def test_a_sample_gets_no_new_rows(ws: Any, made: Any) -> None:
    drawn = ws.training_sheets.assemble(made.sheet_id, template=PLAN, sample="random", sample_size=10)
    assert ws.training_sheets.reassemble(drawn.id, preview=True).added == 0


def test_what_was_added_leaves_from_the_end_only(ws: Any, made: Any) -> None:
    change_row(ws, made.sheet_id, 35, n=7)
    done = ws.training_sheets.reassemble(made.id)
    ws.app.review.append_pair(made.id, prompt="P", response="R", source_data=None, request_id="r1")

    found = ws.review.undo(made.id, batch_id=done.batch_id)
    assert (found.undone, found.skipped) == (0, {"changed_since": 1})
    assert [pair.item_ref for pair in ws.review.rows(made.id, page_size=50)][-2:] == ["i35", "request:r1"]


def test_known_labels_are_taken_over_by_new_pairs(ws: Any, made: Any) -> None:
    ws.labels.create(made.sheet_id, "i35", "known", label_type="answer", confidence="medium")
    change_row(ws, made.sheet_id, 35, n=7)
    before = told(ws)
    ws.training_sheets.reassemble(made.id)

    pair = ws.review.get(made.id, 30)
    assert (pair.response, pair.response_source, pair.status, pair.confidence) == ("known", "canonical", "labeled", 0.6)
    assert ws.labels.lookup(made.sheet_id, "i35", label_type="answer").reuse_count == 1
    ws.review.undo(made.id)
    assert told(ws) == before


def test_jobs_do_not_stand_in_the_way(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
    job = ws.training.create(made.id, "which", "ngrams-tfidf", training_config={"epochs": 1})
    frozen = ws.app.db.row("select pair_id, pair_version from job_pairs where job_id = ? order by 1 limit 1", [job.id])
    ws.training_sheets.reassemble(made.id, template=SHORT)

    row = int(frozen["pair_id"].rsplit(".", 1)[1])
    assert ws.review.get(made.id, row).prompt == f"what {row}"
    assert ws.review.get(made.id, row, version=frozen["pair_version"]).prompt == f"Q: what {row}?"
