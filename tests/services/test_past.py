"""Looks back and single steps back: pairs as of a time, versions, batches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.services.test_reassembly import PLAN, ROWS, SHORT, change_row
from workbench.errors import Conflict, NotFound, ValidationError

# What tells of the present: what may be done now, and whether the row has changed since.
PRESENT = ("actions", "review", "source_changed")


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id")
    return ws.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 30")


@pytest.fixture
def made_locally(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    return local.training_sheets.assemble(sheet.id, template=PLAN, filter="n < 30")


def listed(ws: Any, made: Any, as_of: dt.datetime | None = None) -> list[dict[str, Any]]:
    """Return all pairs, page by page."""
    pages = [ws.review.rows(made.id, as_of=as_of, page=number, page_size=7) for number in range(1, 7)]
    shown = [pair.values() for page in pages for pair in page]
    assert {page.total for page in pages} == {len(shown)}
    return [{key: value for key, value in pair.items() if key not in PRESENT} for pair in shown]


def everything(ws: Any, made: Any) -> list[Any]:
    """Do one thing after the other, a minute apart; return the steps."""
    review = ws.review
    return [
        lambda: review.bulk_approve(made.id, row_indices=list(range(12))),
        lambda: review.decide(made.id, 3, response="by hand", notes="hm"),
        lambda: review.decide(made.id, 4, prompt="Another?"),
        lambda: review.bulk_rights(made.id, row_indices=[1, 2], prohibited_uses=["training"]),
        lambda: review.undo(made.id),
        lambda: review.redo(made.id),
        lambda: (change_row(ws, made.sheet_id, 2, q="two"), change_row(ws, made.sheet_id, 35, n=3)),
        lambda: ws.training_sheets.reassemble(made.id),
        lambda: ws.training_sheets.reassemble(made.id, template=SHORT),
        lambda: review.undo(made.id),
        lambda: review.undo(made.id),
        lambda: review.undo(made.id, row_index=3, version=1),
        lambda: ws.app.review.append_pair(made.id, prompt="P", response="R", source_data={"q": "x"}),
        lambda: review.bulk_reset(made.id, filter={"status": "labeled"}),
    ]


@pytest.mark.slow
def test_every_moment_can_be_seen_again(ws: Any, made: Any) -> None:
    moments = [(ws.clock.now(), listed(ws, made))]
    for step in everything(ws, made):
        ws.clock.advance(minutes=1)
        step()
        moments.append((ws.clock.now(), listed(ws, made)))

    for time, shown in moments:
        assert listed(ws, made, time + dt.timedelta(seconds=30)) == shown
        table = ws.review.table(made.id, as_of=time)
        assert list(table["prompt"]) == [pair["prompt"] for pair in shown]
        assert list(table["version"]) == [pair["version"] for pair in shown]
    assert len({str(shown) for _, shown in moments}) == len(moments) - 1  # a change of the sheet alone leaves pairs alone
    assert len(ws.review.table(made.id)) == 31


def test_before_its_time_there_was_nothing(ws: Any, made: Any) -> None:
    early = ws.clock.now() - dt.timedelta(seconds=1)
    for call in (ws.review.rows, ws.review.table):
        with pytest.raises(ValidationError) as caught:
            call(made.id, as_of=early)
        assert "was made at 2026-01-01 09:00:00" in str(caught.value)


def test_one_pair_goes_back_to_any_version(ws: Any, made: Any) -> None:
    steps = [{"action": "approve"}, {"response": "second"}, {"action": "flag", "flag_reason": "odd"}, {"prompt": "Other?"}]
    seen = [ws.review.get(made.id, 0), *[ws.review.decide(made.id, 0, **step) for step in steps]]
    for version in (2, 1, 4, 3, 5):
        before = ws.review.get(made.id, 0)
        found = ws.review.undo(made.id, row_index=0, version=version)
        pair = ws.review.get(made.id, 0)

        assert (found.undone, found.action, pair.version) == (1, "restore", before.version + 1)
        old = seen[version - 1]
        for name in ("status", "response", "prompt", "flag_reason", "notes", "labeled_by", "labeled_at", "original_response"):
            assert getattr(pair, name) == getattr(old, name), name
        assert ws.review.get(made.id, 0, version=version).prompt == old.prompt
        labels = [label.label for label in ws.labels.list()]
        assert labels == ([old.response] if old.status == "labeled" else labels)
        assert ws.review.undo(made.id, batch_id=found.batch_id).undone == 1
        assert ws.review.get(made.id, 0).prompt == before.prompt
        assert ws.review.redo(made.id, batch_id=found.batch_id).undone == 1


def test_going_back_retracts_what_came_later(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    ws.review.decide(made.id, 0, response="second")
    ws.review.undo(made.id, row_index=0, version=2)
    assert [label.label for label in ws.labels.list()] == ["answer 0"]
    back = ws.review.undo(made.id, row_index=0, version=1)
    assert ws.labels.list().total == 0
    ws.review.undo(made.id, batch_id=back.batch_id)
    assert [label.label for label in ws.labels.list()] == ["answer 0"]


def offered(ws: Any, made: Any, row_index: int = 0) -> list[int]:
    """Return the versions that the history of a pair offers to bring back, the newest first."""
    log = ws.review.history(made.id, row_index=row_index)
    return [entry.version for entry in log for action in entry.actions if action.name == "restore" and action.enabled]


def test_the_history_of_a_pair_offers_what_it_was_before(ws: Any, made: Any) -> None:
    assert ws.review.card(made.id, 0).first_version is None
    for step in ({"action": "approve"}, {"response": "second"}, {"action": "flag"}):
        ws.review.decide(made.id, 0, **step)

    card = ws.review.card(made.id, 0)
    assert [entry.version for entry in card.history] == [4, 3, 2] and card.history_earlier == 0
    assert offered(ws, made) == [3, 2], "it is at the newest one already"
    assert card.first_version == 1, "no decision made the pair what it was at first"
    for version in (*offered(ws, made), card.first_version):
        assert ws.review.undo(made.id, row_index=0, version=version).undone == 1
    assert offered(ws, made) == [6, 5, 4, 3, 2]
    assert not any(entry.actions for entry in ws.review.history(made.id)), "the log of many pairs is of many presents"


def test_a_history_longer_than_the_card_still_leads_to_the_start(ws: Any, made: Any) -> None:
    for number in range(103):
        ws.review.decide(made.id, 0, notes=f"note {number}")

    card = ws.review.card(made.id, 0)
    assert (len(card.history), card.history_earlier, card.first_version) == (100, 3, 1)


def test_only_the_life_of_the_pair_itself_is_offered(ws: Any, made: Any) -> None:
    change_row(ws, made.sheet_id, 35, n=3)
    ws.training_sheets.reassemble(made.id)  # row 30 is new
    ws.review.decide(made.id, 30, action="approve")
    ws.review.decide(made.id, 30, action="flag")

    assert ws.review.card(made.id, 30).first_version is None, "an entry of the log says that it was added"
    assert offered(ws, made, 30) == [2, 1]
    assert list(ws.review.history(made.id, row_index=30))[-1].label == "added the pair"


def test_who_may_not_review_is_offered_nothing(local: Any) -> None:
    from workbench.contract import Context
    from workbench.contract.context import use

    sheet = local.sheets.create("rows", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.decide(made.id, 0, action="flag")
    local.review.decide(made.id, 0, action="approve")
    assert offered(local, made) == [2]
    with use(Context(actor="eve", roles=frozenset({"viewer"}))):
        assert not any(entry["actions"] for entry in local.transport.app.review.history(made.id, row_index=0).rows)


def test_going_back_to_where_it_is_makes_no_step(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="flag")
    found = ws.review.undo(made.id, row_index=0, version=2)
    assert (found.undone, found.batch_id) == (0, None)
    assert ws.review.batches(made.id).total == 1


def test_what_somebody_changed_meanwhile_is_not_brought_back(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    ws.review.decide(made.id, 0, action="flag")
    with pytest.raises(Conflict, match="you have version 2, it is at 3"):
        ws.review.undo(made.id, row_index=0, version=1, seen_version=2)
    assert ws.review.get(made.id, 0).status == "flagged"
    assert ws.review.undo(made.id, row_index=0, version=1, seen_version=3).undone == 1
    for given in ({"seen_version": 4}, {"seen_version": 0, "row_index": 0, "version": 1}):
        with pytest.raises(ValidationError, match="seen_version"):
            ws.review.undo(made.id, **given)


def test_in_an_archived_training_sheet_nothing_is_brought_back(ws: Any, made: Any) -> None:
    for action in ("approve", "flag"):
        ws.review.decide(made.id, 0, action=action)
    assert offered(ws, made) == [2]
    ws.training_sheets.archive(made.id)
    assert (offered(ws, made), ws.review.card(made.id, 0).first_version) == ([], None)
    reasons = {action.reason for entry in ws.review.history(made.id, row_index=0) for action in entry.actions}
    assert reasons == {"The training sheet is archived. Restore it first."}


def test_a_pair_at_the_place_of_a_removed_one_has_a_life_of_its_own(local: Any, made_locally: Any) -> None:
    review, made = local.review, made_locally
    change_row(local, made.sheet_id, 35, n=3)
    batch = local.training_sheets.reassemble(made.id).batch_id
    review.decide(made.id, 30, response="of the first")
    review.undo(made.id)
    assert review.undo(made.id, batch_id=batch).undone == 1
    gone = review.history(made.id, row_index=30)[0].version
    assert gone > 1 and offered(local, made, 30) == []

    with local.transport.app.db.write():
        local.transport.app.review.append_pair(made.id, prompt="P", response="R")
    assert review.get(made.id, 30).version == gone + 1
    assert (offered(local, made, 30), review.card(made.id, 30).first_version) == ([], None)
    review.decide(made.id, 30, action="approve")
    review.decide(made.id, 30, response="S")

    assert (offered(local, made, 30), review.card(made.id, 30).first_version) == ([gone + 2], gone + 1)
    with pytest.raises(ValidationError, match=f"no version {gone} of this pair; it has {gone + 1} to {gone + 3}"):
        review.undo(made.id, row_index=30, version=gone)
    assert review.undo(made.id, row_index=30, version=gone + 1).undone == 1
    assert (review.get(made.id, 30).response, review.get(made.id, 30).status) == ("R", "unlabeled")


@pytest.mark.parametrize(
    "given", [{"row_index": 0}, {"version": 1}, {"row_index": 0, "version": 9}, {"row_index": 0, "version": 1, "batch_id": "b"}]
)
def test_a_version_has_to_exist(ws: Any, made: Any, given: Any) -> None:
    with pytest.raises(ValidationError):
        ws.review.undo(made.id, **given)
    with pytest.raises(NotFound):
        ws.review.undo(made.id, row_index=77, version=1)


def test_somebody_elses_lease_holds(local: Any) -> None:
    from workbench.contract import Context
    from workbench.contract.context import use

    sheet = local.sheets.create("rows", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.decide(made.id, 0, action="flag")
    app = local.transport.app
    with use(Context(actor="ann", client="tab")), app.db.write():
        app.review.claim(made.id, 1, filter=None, lease_seconds=60)
        app.db.execute("update claims set row_index = 0")
    with pytest.raises(Conflict):
        local.review.undo(made.id, row_index=0, version=1)


def test_batches_say_what_undo_would_do(ws: Any, made: Any) -> None:
    first = ws.review.bulk_approve(made.id, row_indices=[0, 1, 2]).batch_id
    ws.clock.advance(minutes=1)
    ws.review.decide(made.id, 1, action="reject")
    ws.clock.advance(minutes=1)
    ws.review.undo(made.id, batch_id=first)
    ws.training_sheets.reassemble(made.id, template={**PLAN, "system_instruction": "Be brief."})

    page = ws.review.batches(made.id)
    assert page.total == 4
    rows = [(one.action, one.row_count, one.standing, one.changed_since, one.undone) for one in page]
    assert rows == [
        ("reassemble", 0, 0, 0, False),
        ("undo", 2, 0, 0, False),
        ("reject", 1, 1, 0, False),
        ("approve", 3, 2, 1, True),
    ]
    actions = [[(action.name, action.enabled) for action in one.actions] for one in page]
    assert actions == [[("undo", True)], [], [("undo", True)], [("redo", True)]]
    assert (page[1].of_batch_id, page[3].undone_by) == (first, "local")

    ws.review.decide(made.id, 1, action="approve")
    after = ws.review.batches(made.id, action="reject")[0]
    assert [(action.enabled, action.reason) for action in after.actions] == [(False, "Every pair of it has changed since.")]


def test_the_log_is_filtered_and_counted(ws: Any, made: Any) -> None:
    start = ws.clock.now()
    ws.review.bulk_approve(made.id, row_indices=list(range(9)))
    ws.clock.advance(minutes=5)
    ws.review.decide(made.id, 3, action="flag")
    middle = start + dt.timedelta(minutes=1)

    assert (ws.review.history(made.id, page_size=4).total, len(ws.review.history(made.id, page_size=4))) == (10, 4)
    assert len(ws.review.history(made.id, page_size=4, page=3)) == 2
    for wanted, total, steps in (
        ({"action": "flag"}, 1, 1),
        ({"since": middle}, 1, 1),
        ({"until": middle}, 9, 1),
        ({"row_index": 3}, 2, 2),
        ({"reviewer": "nobody"}, 0, 0),
        ({"reviewer": "local", "row_index": 4, "action": "approve"}, 1, 1),
    ):
        assert ws.review.history(made.id, **wanted).total == total, wanted
        assert ws.review.batches(made.id, **wanted).total == steps, wanted
