"""Review: decisions, queues, bulk actions, undo, claims, figures."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.contract import Context
from workbench.contract.context import use
from workbench.errors import Conflict, InvalidTransition, NotFound, NotReady, ValidationError
from workbench.ui.format import THIN
from workbench.ui.label_progress import progress_markup

PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
ROWS = [{"id": f"i{n}", "q": f"what {n}", "a": None if n % 10 == 9 else f"answer {n % 4}", "n": n} for n in range(40)]


@pytest.fixture
def made(ws: Any) -> Any:
    sheet = ws.sheets.create("rows", rows=ROWS, item_id_column="id", sample=True)
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


@pytest.fixture
def mine(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    return local.training_sheets.assemble(sheet.id, template=PLAN)


def told(ws: Any) -> dict[str, Any]:
    """Return all that undo has to bring back."""
    pairs = ws.sql("select * from pairs order by training_sheet_id, row_index").drop(columns=["version", "updated_at"])
    labels = ws.sql("select id, label, labeled_by, item_ref, allowed_uses from canonical_labels order by id")
    return {"pairs": pairs.to_json(date_format="iso"), "labels": labels.to_json(date_format="iso")}


def test_a_pair_shows_its_row_and_actions(ws: Any, made: Any) -> None:
    pair = ws.review.get(made.id, 3)

    assert (pair.id, pair.prompt, pair.response, pair.response_source) == (f"{made.id}.3", "Q: what 3?", "answer 3", "imported")
    assert (pair.source_data, pair.item_ref, pair.sample) == (ROWS[3], "i3", True)
    assert {a.name for a in pair.actions if a.enabled} == {"approve", "reject", "flag", "edit", "rights"}
    assert (pair.review.wanted, pair.review.done, pair.review.state) == (1, 0, "open")
    blocked = next(a for a in ws.review.get(made.id, 9).actions if a.name == "approve")
    assert (blocked.enabled, blocked.reason) == (False, "The response is empty.")


@pytest.mark.parametrize("start", ["unlabeled", "labeled", "rejected", "flagged"])
@pytest.mark.parametrize(
    ("action", "end"), [("approve", "labeled"), ("reject", "rejected"), ("flag", "flagged"), ("reset", "unlabeled")]
)
def test_every_transition(local: Any, mine: Any, start: str, action: str, end: str) -> None:
    before = local.review.decide(mine.id, 0, status=start)
    after = local.review.decide(mine.id, 0, action=action)

    assert (before.status, after.status) == (start, end)
    assert after.version == before.version + (start != end)
    assert (after.labeled_by, after.labeled_at is not None) == (("local", True) if end == "labeled" else (None, False))


def test_an_empty_response_is_not_approved(ws: Any, made: Any) -> None:
    with pytest.raises(InvalidTransition) as caught:
        ws.review.decide(made.id, 9, action="approve")
    assert caught.value.context["current"] == "unlabeled"
    assert "approve" not in caught.value.context["allowed"]

    assert ws.review.decide(made.id, 9, action="approve", response="mine").response_source == "human_labeled"


def test_editing_keeps_the_first_text(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, response="second", notes="hm")
    pair = ws.review.decide(made.id, 0, response="third")

    assert (pair.status, pair.response, pair.original_response, pair.notes) == ("unlabeled", "third", "answer 0", "hm")
    assert pair.response_source == "human_labeled"


def test_editing_an_approved_pair_approves_the_new_text(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    pair = ws.review.decide(made.id, 0, response="better")

    assert (pair.status, pair.version) == ("labeled", 3)
    assert list(ws.sql("select label, version from canonical_labels").iloc[0]) == ["better", 2]


def test_who_changes_the_prompt_of_an_approved_pair_vouches_for_it(ws: Any, made: Any) -> None:
    bob = Workspace(LocalTransport(ws.app, user="bob"))
    was = ws.review.decide(made.id, 0, action="approve")
    pair = bob.review.decide(made.id, 0, prompt="Something else?")

    assert (was.labeled_by, pair.labeled_by, pair.status, pair.stale) == ("local", "bob", "labeled", False)
    assert pair.labeled_at >= was.labeled_at
    [edit, *_] = ws.review.history(made.id, row_index=0)
    assert (edit.action, edit.after["labeled_by"]) == ("edit", "bob")
    assert bob.review.undo(made.id).undone == 1
    assert ws.review.get(made.id, 0).labeled_by == "local"
    assert ws.review.decide(made.id, 1, prompt="Other?").status == "unlabeled"


@pytest.mark.parametrize("state", ["unlabeled", "labeled"])
def test_a_reason_needs_a_flag_or_a_rejection(ws: Any, made: Any, state: str) -> None:
    ws.review.decide(made.id, 0, status=state)
    with pytest.raises(ValidationError, match=f"this one is {state}.*flag or reject"):
        ws.review.decide(made.id, 0, flag_reason="why?")

    assert ws.review.get(made.id, 0).flag_reason is None
    assert ws.review.decide(made.id, 0, flag_reason=None).status == state
    ws.review.decide(made.id, 0, action="flag")
    assert ws.review.decide(made.id, 0, flag_reason="why?").flag_reason == "why?"


def test_status_and_action_must_agree(ws: Any, made: Any) -> None:
    with pytest.raises(ValidationError):
        ws.review.decide(made.id, 0, action="approve", status="rejected")


def test_reasons_stay_until_another_decision(ws: Any, made: Any) -> None:
    assert ws.review.decide(made.id, 0, action="flag", flag_reason="odd").flag_reason == "odd"
    assert ws.review.decide(made.id, 0, action="flag").version == 2
    assert ws.review.decide(made.id, 0, action="reject").flag_reason is None
    assert ws.review.decide(made.id, 0, action="reject", flag_reason="wrong").flag_reason == "wrong"
    assert ws.review.decide(made.id, 0, action="approve").flag_reason is None


def test_an_outdated_version_is_refused_with_both(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve", version=1)
    with pytest.raises(Conflict) as caught:
        ws.review.decide(made.id, 0, response="lost?", version=1)

    assert (caught.value.context["yours"], caught.value.context["current_version"]) == (1, 2)
    assert ws.review.get(made.id, 0).response == "answer 0"


def test_a_repeated_key_press_does_nothing(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="flag", n=1)
    again = ws.review.decide(made.id, 1, action="flag", n=1)
    assert again.status == "unlabeled"
    with pytest.raises(InvalidTransition):
        ws.review.decide(made.id, 9, action="approve", n=2)
    assert ws.review.decide(made.id, 1, action="flag", n=2).status == "flagged"


def test_unknown_places(ws: Any, made: Any) -> None:
    for call in (lambda: ws.review.get(made.id, 40), lambda: ws.review.get("assembly_none", 0), lambda: ws.review.queue("none")):
        with pytest.raises(NotFound):
            call()


def test_an_archived_review_is_read_but_not_changed(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    ws.training_sheets.archive(made.id)
    assert (ws.review.get(made.id, 0).status, ws.review.queue(made.id, status="all").total) == ("labeled", 40)
    assert (ws.review.progress(made.id).labeled, ws.review.eligibility(made.id).eligible) == (1, 1)
    assert (ws.review.history(made.id).total, ws.review.batches(made.id).total) == (1, 1)
    assert {(action.enabled, action.reason) for action in ws.review.get(made.id, 1).actions} == {
        (False, "The training sheet is archived. Restore it first.")
    }
    calls = (
        lambda: ws.review.decide(made.id, 1, action="approve"), lambda: ws.review.claim(made.id), lambda: ws.review.undo(made.id),
        lambda: ws.review.bulk_approve(made.id, filter={"status": "unlabeled"}), lambda: ws.review.draft(made.id, 1, response="x"),
        lambda: ws.review.bulk_approve(made.id, filter={"status": "unlabeled"}, preview=True),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(NotReady, match="archived"):
            call()
    ws.training_sheets.restore(made.id)
    assert ws.review.decide(made.id, 1, action="approve").status == "labeled"


@pytest.mark.parametrize("order", ["row_index", "confidence", "length", "updated", "random"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_cover_the_queue_once(local: Any, mine: Any, order: str, descending: bool) -> None:
    seen, cursor = [], None
    while True:
        page = local.review.queue(mine.id, order=order, descending=descending, limit=7, cursor=cursor)
        assert page.total == 40
        seen += [pair.row_index for pair in page]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert sorted(seen) == list(range(40))
    if order == "row_index":
        assert seen == sorted(seen, reverse=descending)


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({"search": "WHAT 1?"}, [1]),
        ({"regex": r"what \d\?$", "response_source": "imported"}, list(range(9))),
        ({"item_ref": "i7"}, [7]),
        ({"where": "n between 4 and 6 and response = 'answer 1'"}, [5]),
        ({"where": "row_index < 2"}, [0, 1]),
        ({"status": "labeled"}, []),
        ({"use": "training", "where": "n < 1"}, [0]),
    ],
)
def test_filters(ws: Any, made: Any, wanted: Any, rows: list[int]) -> None:
    page = ws.review.queue(made.id, **wanted)
    assert ([pair.row_index for pair in page], page.total) == (rows, len(rows))


@pytest.mark.parametrize("where", ["nosuch > 1", "1=1) or (1=1", "n in (select 1)", "q > 5 + 'x'"])
def test_conditions_are_checked(ws: Any, made: Any, where: str) -> None:
    for call in (lambda: ws.review.queue(made.id, where=where), lambda: ws.review.bulk_approve(made.id, filter={"where": where})):
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.context["fields"][0]["field"] == "where"


@pytest.mark.parametrize(
    ("field", "value"),
    [("search", "x" * 1001), ("regex", "x" * 1001), ("where", "n = " + "1" * 9_997), ("signals", ["words:1..2"] * 51)],
)
def test_a_condition_is_as_long_at_most_wherever_it_is_given(ws: Any, made: Any, field: str, value: Any) -> None:
    ways = [
        lambda: ws.review.queue(made.id, **{field: value}),
        lambda: ws.review.bulk_approve(made.id, filter={field: value}, preview=True),
        lambda: ws.review.claim(made.id, filter={field: value}),
    ]
    faults = []
    for way in ways:
        with pytest.raises(ValidationError) as caught:
            way()
        faults += [(fault["field"], fault["message"]) for fault in caught.value.context["fields"]]

    most = len(value) - 1
    assert [told for told, _ in faults] == [field] * 3
    assert all(f"should have at most {most} " in words for _, words in faults)


def test_a_bad_cursor_is_refused(ws: Any, made: Any) -> None:
    with pytest.raises(ValidationError):
        ws.review.queue(made.id, cursor="zzz")


def test_bulk_tells_what_it_left(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    found = ws.review.bulk_approve(made.id, row_indices=[0, 1, 1, 2, 9, 77])

    assert (found.matched, found.done) == (6, 2)
    assert found.skipped == {"already_so": 1, "no_response": 1, "unknown_index": 1, "duplicate_index": 1}
    assert [(one.row_index, one.reason) for one in found.results] == [
        (0, "already_so"),
        (9, "no_response"),
        (77, "unknown_index"),
    ]


def test_bulk_equals_single(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    one, many = (local.training_sheets.assemble(sheet.id, template=PLAN) for _ in range(2))
    for bulk, options in ((local.review.bulk_approve, {}), (local.review.bulk_flag, {"flag_reason": "r"}), (local.review.bulk_reject, {}),
                          (local.review.bulk_reset, {}), (local.review.bulk_rights, {"prohibited_uses": ["training"]})):  # fmt: skip
        action = bulk.operation.name.removeprefix("bulk_")
        bulk(many.id, row_indices=list(range(9)), **options)
        for row in range(9):
            local.review.decide(one.id, row, **options, **({} if action == "rights" else {"action": action}))
        left, right = (
            local.sql(
                "select * exclude (id, training_sheet_id) from pairs where training_sheet_id = ? order by row_index", [t.id]
            )
            for t in (one, many)
        )
        assert left.to_json(date_format="iso") == right.to_json(date_format="iso"), action


def test_commit_acts_on_the_frozen_set(ws: Any, made: Any) -> None:
    preview = ws.review.bulk_approve(made.id, filter={"status": "unlabeled"}, preview=True)
    assert (preview.matched, preview.done, preview.batch_id, len(preview.sample)) == (40, 36, None, 5)
    assert ws.review.progress(made.id).labeled == 0
    ws.review.decide(made.id, 0, action="flag", flag_reason="wait")

    with pytest.raises(ValidationError):
        ws.review.bulk_reject(made.id, preview_id=preview.preview_id)
    found = ws.review.bulk_approve(made.id, preview_id=preview.preview_id)

    assert (found.done, found.skipped) == (35, {"no_response": 4, "changed_since": 1})
    assert ws.review.get(made.id, 0).status == "flagged"
    ws.clock.advance(minutes=16)
    with pytest.raises(NotFound):
        ws.review.bulk_approve(made.id, preview_id=preview.preview_id)


def test_the_reason_may_come_with_the_commit(ws: Any, made: Any) -> None:
    before = ws.review.bulk_flag(made.id, row_indices=[0, 1], flag_reason="first thought", preview=True)
    ws.review.bulk_flag(made.id, preview_id=before.preview_id, flag_reason="second thought")
    plain = ws.review.bulk_flag(made.id, row_indices=[2], flag_reason="kept", preview=True)
    ws.review.bulk_flag(made.id, preview_id=plain.preview_id)

    assert ["second thought", "second thought", "kept"] == [ws.review.get(made.id, row).flag_reason for row in range(3)]


def test_what_changes_nothing_is_no_step(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=[0, 1])
    assert ws.review.bulk_approve(made.id, row_indices=[0, 1]).batch_id is None
    assert ws.review.undo(made.id).undone == 2
    assert ws.review.undo(made.id).undone == 0


@pytest.mark.parametrize("given", [{}, {"row_indices": []}, {"row_indices": [1], "filter": {}}, {"filter": {"nosuch": 1}}])
def test_bulk_needs_one_set(ws: Any, made: Any, given: Any) -> None:
    with pytest.raises(ValidationError):
        ws.review.bulk_approve(made.id, **given)


def test_undo_takes_a_label_back_unless_used(ws: Any, made: Any) -> None:
    batch = ws.review.bulk_approve(made.id, row_indices=[0, 1]).batch_id
    other = ws.training_sheets.assemble(made.sheet_id, template=PLAN, filter="n = 1")
    assert other.counts["response_source"]["canonical"] == 1
    assert other.counts["status"]["labeled"] == 1
    assert ws.sql("select sum(reuse_count) as n from canonical_labels")["n"][0] == 1

    found = ws.review.undo(made.id, batch_id=batch)

    assert (found.undone, found.batch_id) == (2, batch)
    assert list(ws.sql("select item_ref from canonical_labels")["item_ref"]) == ["i1"]
    with pytest.raises(InvalidTransition):
        ws.review.undo(made.id, batch_id=batch)


def test_undo_leaves_what_changed_since(ws: Any, made: Any) -> None:
    batch = ws.review.bulk_approve(made.id, row_indices=[0, 1, 2]).batch_id
    ws.review.decide(made.id, 1, action="reject")

    found = ws.review.undo(made.id, batch_id=batch)

    assert (found.undone, found.skipped, found.row_indices) == (2, {"changed_since": 1}, [0, 2])
    assert ws.review.get(made.id, 1).status == "rejected"


def test_undo_is_mine_or_everybodys(local: Any, mine: Any) -> None:
    app = local.transport.app
    review = app.review
    local.review.decide(mine.id, 0, action="approve")
    with use(Context(actor="ann")), app.db.write():
        review.decide(mine.id, 1, action="approve")

    assert local.review.undo(mine.id).row_indices == [0]
    assert local.review.undo(mine.id).undone == 0
    assert local.review.undo(mine.id, scope="all").row_indices == [1]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_undoing_everything_restores_the_start(local: Any, mine: Any, seed: int) -> None:
    start, dice = told(local), random.Random(seed)
    changed = sum(random_step(local.review, mine.id, dice, step) for step in range(60))
    end = told(local)

    undone = 0
    while local.review.undo(mine.id).undone:
        undone += 1
    assert undone == changed
    assert told(local) == start
    redone = 0
    while local.review.redo(mine.id).undone:
        redone += 1
    assert redone == changed
    assert told(local)["pairs"] == end["pairs"]


def random_step(review: Any, sheet: str, dice: random.Random, step: int) -> bool:
    """Do one random thing and return whether it changed anything."""
    rows = dice.sample(range(40), dice.randint(1, 12))
    kind = dice.choice(["approve", "reject", "flag", "reset", "edit", "rights", "one", "one", "prompt"])
    if kind in ("approve", "reject", "flag", "reset"):
        return getattr(review, f"bulk_{kind}")(sheet, row_indices=rows).batch_id is not None
    if kind == "rights":
        return (
            review.bulk_rights(sheet, row_indices=rows, prohibited_uses=dice.sample(["training", "testing"], 1)).batch_id
            is not None
        )
    before = review.get(sheet, rows[0])
    given = {"edit": {"response": f"text {step}"}, "prompt": {"prompt": f"P {step}", "notes": f"n{step}"}}.get(
        kind, {"action": "flag"}
    )
    if kind == "one" and before.response:
        given = {"action": dice.choice(["approve", "reject"]), "response": f"new {step}"}
    return review.decide(sheet, rows[0], **given).version > before.version


def test_the_log_says_who_did_what(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve", response="answer zero")
    ws.review.undo(made.id)
    log = ws.review.history(made.id, row_index=0)

    assert (log.total, [(one.label, one.actor, one.undone) for one in log]) == (
        2,
        [("took back", "local", False), ("edited and approved", "local", True)],
    )
    assert [(piece.op, piece.text) for piece in log[1].response_diff] == [
        ("same", "answer "),
        ("removed", "0"),
        ("added", "zero"),
    ]
    assert log[1].before["status"] == "unlabeled"
    assert log[1].after["status"] == "labeled"


def test_claims_never_double(local: Any, mine: Any) -> None:
    app, taken, lock = local.transport.app, [], threading.Lock()

    def reviewer(name: str) -> None:
        while True:
            with use(Context(actor=name, client=name)):
                with app.db.write():
                    claimed = app.review.claim(mine.id, 3)
                if not claimed.items:
                    return
                for pair in claimed.items:
                    with app.db.write():
                        app.review.decide(mine.id, pair.row_index, action="reject")
                    with lock:
                        taken.append(pair.row_index)

    threads = [threading.Thread(target=reviewer, args=(f"user{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == list(range(40))
    assert local.review.history(mine.id).total == 40


def test_a_lease_keeps_others_out_until_it_ends(local: Any, mine: Any) -> None:
    app = local.transport.app
    with use(Context(actor="ann", client="tab")), app.db.write():
        app.review.claim(mine.id, 2, lease_seconds=60)

    with pytest.raises(Conflict) as caught:
        local.review.decide(mine.id, 0, action="approve")
    assert caught.value.context["holder"] == "ann"
    assert local.review.bulk_approve(mine.id, row_indices=[0, 1, 2]).skipped == {"claimed": 2}
    assert [pair.row_index for pair in local.review.claim(mine.id, 2).items] == [1 + 2, 4]
    assert local.review.card(mine.id, 0).held_by == "ann"

    local.clock.advance(seconds=61)
    assert local.review.decide(mine.id, 0, action="approve").status == "labeled"
    assert local.review.release(mine.id).released == 2


def test_shares_of_the_progress_are_rounded_only_where_they_are_shown(local: Any) -> None:
    sheet = local.sheets.create("three", rows=ROWS[:3], item_id_column="id")
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.decide(made.id, 0, action="approve")
    local.review.decide(made.id, 1, action="reject")
    found = local.review.progress(made.id)

    assert (found.percent_complete, found.percent_reviewed) == (pytest.approx(100 / 3), pytest.approx(200 / 3))
    assert f"33.3{THIN}%" in progress_markup(found)


def test_progress_is_counted_from_the_pairs(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=list(range(9)))
    ws.review.decide(made.id, 10, action="reject")
    ws.review.decide(made.id, 11, action="flag")
    found = ws.review.progress(made.id)

    assert (found.total, found.labeled, found.rejected, found.flagged, found.unlabeled) == (40, 9, 1, 1, 29)
    assert (found.percent_complete, found.percent_reviewed) == (22.5, 25.0)
    assert [(one.reviewer, one.approved, one.decisions) for one in found.by_reviewer] == [("local", 9, 11)]
    assert [(one.day, one.decisions) for one in found.by_day] == [("2026-01-01", 11)]
    assert found.pace_per_hour == 120.0
    assert found.eta_seconds == 870
    assert ws.training_sheets.get(made.id).counts["status"] == {"unlabeled": 29, "labeled": 9, "rejected": 1, "flagged": 1}
    facets = {facet.name: {v.value: v.count for v in facet.values} for facet in ws.review.facets(made.id).facets}
    assert facets["status"] == {"to_review": 29, "unlabeled": 29, "labeled": 9, "rejected": 1, "flagged": 1}
    assert facets["reviewer"] == {"local": 11}


def test_what_is_done_beside_deciding_makes_nobody_faster(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, action="approve")
    for given in ({"notes": "hm"}, {"prohibited_uses": ["testing"]}, {"prompt": "Other?"}):
        ws.review.decide(made.id, 0, **given)
    ws.review.undo(made.id, row_index=0, version=2)

    assert ws.review.progress(made.id).pace_per_hour == 60.0


def test_eligibility_names_the_reasons(ws: Any, made: Any) -> None:
    ws.review.bulk_approve(made.id, row_indices=list(range(8)))
    ws.review.decide(made.id, 10, action="reject")
    ws.review.decide(made.id, 0, prohibited_uses=["training"], allowed_uses=["training"])
    ws.review.decide(made.id, 1, allowed_uses=["validation"])
    ws.review.decide(made.id, 2, prohibited_uses=["validation"])
    found = ws.review.eligibility(made.id)

    assert (found.total, found.labeled, found.eligible, found.percent_eligible) == (40, 8, 6, 15.0)
    assert found.excluded == {"unlabeled": 31, "rejected": 1, "flagged": 0, "stale": 0, "not_allowed": 1, "prohibited": 1, "blank": 0}
    assert [one.reason for one in found.reasons] == ["unlabeled", "rejected", "not_allowed", "prohibited"]


def test_the_tags_of_a_sheet_bar_its_pairs(local: Any) -> None:
    sheet = local.sheets.create("people", rows=ROWS, tags=["PII"])
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(made.id, row_indices=[0, 1])

    assert local.review.get(made.id, 0).prohibited_uses == ("training", "validation")
    assert local.review.eligibility(made.id).excluded["prohibited"] == 2


def test_a_late_tag_bars_the_pairs_made_before(local: Any) -> None:
    sheet = local.sheets.create("people", rows=ROWS)
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.review.bulk_approve(made.id, row_indices=[0, 1])
    local.review.bulk_rights(made.id, row_indices=[0], prohibited_uses=["few_shot", "training"])

    local.sheets.update(sheet.id, tags=["PII"])

    assert local.review.eligibility(made.id).excluded["prohibited"] == 2
    assert [local.review.get(made.id, row).prohibited_uses for row in (0, 1)] == [
        ("training", "validation", "few_shot"),
        ("training", "validation"),
    ]
    [barred, *_] = local.review.batches(made.id)
    assert (barred.action, barred.row_count) == ("rights", len(ROWS))

    local.review.undo(made.id, batch_id=barred.id)
    assert local.review.get(made.id, 1).prohibited_uses == ("training", "validation"), "the tag still stands"
    local.review.redo(made.id, batch_id=barred.id)
    local.sheets.update(sheet.id, tags=[])
    local.review.undo(made.id, batch_id=barred.id)
    assert local.review.get(made.id, 1).prohibited_uses == ()


def test_a_card_holds_the_screen(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 4, action="reject")
    ws.review.decide(made.id, 5, response="answer two")
    card = ws.review.card(made.id, 5, status="unlabeled")

    assert [(p.text, p.column) for p in card.prompt_pieces] == [("Q: ", None), ("what 5", "q"), ("?", None)]
    assert [(p.op, p.text) for p in card.response_diff] == [("same", "answer "), ("removed", "1"), ("added", "two")]
    assert [(v.column, v.value, v.used) for v in card.source_row][1] == ("q", "what 5", True)
    assert (card.previous_index, card.next_index, card.position, card.queue_total) == (3, 6, 5, 39)
    assert (card.history[0].label, card.progress.rejected) == ("edited", 1)
    assert ws.review.card(made.id, 4).position is None


def test_what_comes_back_waits_for_review(local: Any, mine: Any) -> None:
    review = local.transport.app.review
    pair = review.append_pair(
        mine.id, prompt="P", response="R", source_data={"q": "x"}, request_id="req_1", model_version_id="m1"
    )

    assert (pair.row_index, pair.status, pair.response_source, pair.item_ref) == (
        40,
        "unlabeled",
        "human_labeled",
        "request:req_1",
    )
    assert (pair.source_data, pair.request_id, pair.model_version_id) == ({"q": "x"}, "req_1", "m1")
    assert local.training_sheets.get(mine.id).total_rows == 41
    assert local.review.queue(mine.id).total == 41
    assert local.review.card(mine.id, 40).source_row[0].value == "x"
    assert local.review.decide(mine.id, 40, action="approve").status == "labeled"


def test_two_thousand_pairs(local: Any) -> None:
    sheet = local.sheets.create("many", rows=[{"q": f"q{n}", "a": f"a{n % 20}"} for n in range(2500)])
    made = local.training_sheets.assemble(sheet.id, template=PLAN, sample="random", sample_size=2000)
    found = local.review.bulk_approve(made.id, filter={"status": "unlabeled"})

    assert (made.total_rows, found.done) == (2000, 2000)
    assert local.review.eligibility(made.id).eligible == 2000
    assert len(local.sql("select id from pairs where status = 'labeled'")) == 2000
    assert local.review.undo(made.id).undone == 2000
    assert local.sql("select count(*) as n from canonical_labels")["n"][0] == 0


def test_a_pair_knows_its_operations(ws: Any, made: Any) -> None:
    pair = ws.review.get(made.id, 2)
    pair.decide(action="approve", version=pair.version)

    assert pair.refresh().status == "labeled"
    live = pair.live()
    try:
        assert (live.status, live.row_index) == ("labeled", 2)
    finally:
        live.close()


def test_a_draft_holds_prompt_and_response_each_with_what_differs(ws, made):
    pair = ws.review.get(made.id, 1)
    ws.review.draft(made.id, 1, response=pair.response + " more")
    draft = ws.review.draft(made.id, 1, prompt="Another " + pair.prompt)

    assert (pair.response + " more", "Another " + pair.prompt) == (draft.response, draft.prompt)
    assert ["added"] == [piece.op for piece in draft.prompt_diff if piece.op != "same"]
    assert ["added"] == [piece.op for piece in draft.diff if piece.op != "same"]
    kept = ws.review.card(made.id, 1).draft
    assert (draft.response, draft.prompt) == (kept.response, kept.prompt)
    dropped = ws.review.draft(made.id, 1, response=pair.response, prompt=pair.prompt)
    assert None is dropped.saved_at
    assert None is ws.review.card(made.id, 1).draft


def as_bob(ws, name, **given):
    review = ws.app.review
    return ws.app.call(review.operations[name], given, Context(actor="bob", client="tab", roles=frozenset({"reviewer"})))


def test_drafts_are_listed_for_their_author_the_newest_first(ws, made):
    assert 0 == ws.review.drafts(made.id).total
    for row in (4, 2, 7):
        ws.clock.advance(seconds=5)
        ws.review.draft(made.id, row, response=f"typed into {row}")
    ws.clock.advance(seconds=5)
    ws.review.draft(made.id, 4, prompt="another prompt")

    found = ws.review.drafts(made.id, page_size=2)
    assert (3, [4, 7]) == (found.total, [draft.row_index for draft in found])
    assert ("typed into 4", "another prompt") == (found[0].response, found[0].prompt)
    shown = ws.review.card(made.id, 4).draft
    assert [(piece.op, piece.text) for piece in shown.diff] == [(piece.op, piece.text) for piece in found[0].diff]
    assert [2] == [draft.row_index for draft in ws.review.drafts(made.id, page=2, page_size=2)]
    ws.review.decide(made.id, 4, action="approve")
    as_bob(ws, "decide", training_sheet_id=made.id, row_index=7, response="typed into 7")
    assert [2] == [draft.row_index for draft in ws.review.drafts(made.id)], "what is decided or stored is no draft"


def test_drafts_of_others_and_of_nothing(ws, made):
    as_bob(ws, "draft", training_sheet_id=made.id, row_index=1, response="theirs")

    assert 0 == ws.review.drafts(made.id).total
    with pytest.raises(NotFound):
        ws.review.drafts("assembly_nowhere")


@pytest.mark.parametrize("text", ["answer", ""])
def test_what_nobody_decided_on_has_nothing_to_reset(local: Any, text: str) -> None:
    sheet = local.sheets.create("rows", rows=[{"q": "why", "a": text}])
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    reset = next(action for action in local.review.get(made.id, 0).actions if action.name == "reset")

    assert (reset.enabled, reset.reason) == (False, "Nobody has decided on it yet.")
