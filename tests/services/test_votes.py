"""Several reviewers of one pair: votes, claims for them, adjudication, and what a change of the setting does."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from workbench.contract import Context
from workbench.errors import Conflict, Forbidden, InvalidTransition, ValidationError
from workbench.store.doctor import doctor

PLAN = {"prompt_template": "Q: {{q}}?", "response_column": "a", "label_type": "answer"}
ROWS = [{"id": f"i{n}", "q": f"what {n}", "a": None if n % 10 == 9 else f"answer {n % 4}"} for n in range(30)]


class Person:
    """Somebody who calls the review operations of a training sheet."""

    def __init__(self, ws: Any, sheet: str, name: str, *roles: str, tab: str = "1") -> None:
        self.app, self.sheet = ws.transport.app, sheet
        self.context = Context(actor=name, client=f"{name}-{tab}", roles=frozenset(roles or ("reviewer",)))

    def __getattr__(self, name: str) -> Any:
        operation = self.app.review.operations[name]

        def call(*args: Any, **given: Any) -> Any:
            names = [argument.name for argument in operation.arguments[1:]]
            given = {"training_sheet_id": self.sheet} | dict(zip(names, args, strict=False)) | given
            return self.app.call(operation, given, self.context)

        return call

    def vote(self, row: int, action: str = "approve", **given: Any) -> Any:
        return self.decide(row, action=action, **given)


@pytest.fixture
def made(local: Any) -> Any:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    return local.training_sheets.assemble(sheet.id, template=PLAN, overlap=2)


@pytest.fixture
def people(local: Any, made: Any) -> list[Person]:
    return [Person(local, made.id, name) for name in ("ann", "bob", "cy")]


@pytest.fixture
def steward(local: Any, made: Any) -> Person:
    return Person(local, made.id, "dot", "data_steward")


def told(ws: Any) -> dict[str, Any]:
    """Return all that undo has to bring back."""
    db = ws.transport.app.db
    pairs = ws.sql("select * from pairs order by training_sheet_id, row_index").drop(columns=["version", "updated_at"])
    labels = ws.sql("select id, label, labeled_by, item_ref, allowed_uses from canonical_labels order by id")
    votes = "row_index, voter, action, response, prompt, flag_reason, notes, allowed_mask, prohibited_mask"
    return {
        "pairs": pairs.to_json(date_format="iso"),
        "labels": labels.to_json(date_format="iso"),
        "votes": db.tuples(f"select {votes} from votes where ended_by is null order by all"),
        "tally": db.tuples("select row_index, votes, dissent, disputed, decided_batch from pair_rows order by all"),
    }


def test_two_equal_votes_settle_a_pair(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    first = ann.vote(0, response="better", notes="hm", version=1)

    assert (first.status, first.response, first.version) == ("unlabeled", "answer 0", 1)
    assert (first.review.wanted, first.review.done, first.review.state, first.review.mine) == (2, 1, "open", "approve")
    assert local.review.progress(made.id).labeled == 0
    assert local.sql("select count(*) as n from canonical_labels").n[0] == 0

    second = bob.vote(0, response="better", allowed_uses=["training"], version=1)
    assert (second.status, second.response, second.original_response, second.notes) == ("labeled", "better", "answer 0", "hm")
    assert (second.labeled_by, second.allowed_uses, second.response_source) == ("bob", ("training",), "human_labeled")
    assert (second.review.done, second.review.state, second.version) == (2, "agreed", 2)
    assert list(local.sql("select label from canonical_labels").label) == ["better"]
    assert local.review.eligibility(made.id).eligible == 1


@pytest.mark.parametrize("other", [{"action": "reject"}, {"action": "flag"}, {"response": "other"}, {"prompt": "Other?"}])
def test_votes_that_differ_are_disputed(local: Any, made: Any, people: Any, other: Any) -> None:
    ann, bob, cy = people
    ann.vote(0)
    pair = bob.vote(0, **other)

    assert (pair.status, pair.review.state, pair.review.done) == ("unlabeled", "disputed", 2)
    assert [one.row_index for one in local.review.queue(made.id, status="disputed")] == [0]
    assert local.review.progress(made.id).disputed == 1
    assert local.review.queue(made.id).total == 29
    with pytest.raises(InvalidTransition) as caught:
        cy.vote(0)
    assert caught.value.context["current"] == "disputed"
    assert cy.bulk_approve(row_indices=[0, 1]).skipped == {"disputed": 1}


def test_a_dispute_over_the_prompt_is_seen_and_settled(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, _ = people
    was = local.review.get(made.id, 0).prompt
    ann.vote(0)
    bob.vote(0, prompt=f"{was} Today?")

    (dispute,) = steward.disputes()
    assert [vote.prompt for vote in dispute.votes] == [None, f"{was} Today?"]
    assert [[piece.text for piece in vote.prompt_diff if piece.op == "added"] for vote in dispute.votes] == [[], [" Today?"]]

    pair = steward.adjudicate(0, "approve", prompt=f"{was} Today?")
    assert (pair.status, pair.prompt, pair.review.state) == ("labeled", f"{was} Today?", "agreed")
    assert steward.undo().undone == 1
    assert local.review.get(made.id, 0).prompt == was


def test_the_card_of_a_disputed_pair_names_the_way_to_its_adjudication(made: Any, people: Any, steward: Person) -> None:
    def way(person: Person, row: int) -> list[tuple[bool, str]]:
        return [(one.enabled, one.reason) for one in person.card(row).pair.actions if one.name == "adjudicate"]

    ann, bob, cy = people
    for row in (0, 3):
        ann.vote(row)
        assert way(steward, row) == []
        bob.vote(row, "reject")

    assert way(steward, 3) == [(True, "Its reviewers disagree. It waits for adjudication.")]
    assert way(cy, 3) == [(False, "Its reviewers disagree. Adjudicating needs the role admin or data_steward.")]
    assert [[one.row_index for one in steward.disputes(first=row)] for row in (None, 0, 3, 7)] == [[0, 3], [0, 3], [3, 0], [0, 3]]
    steward.adjudicate(3, "approve")
    assert way(steward, 3) == []


def test_only_a_steward_has_the_last_word(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, _ = people
    with pytest.raises(InvalidTransition):
        steward.adjudicate(0, "approve")
    ann.vote(0)
    with pytest.raises(InvalidTransition):
        steward.adjudicate(0, "approve")
    bob.vote(0, "reject")
    with pytest.raises(Forbidden):
        bob.adjudicate(0, "reject")

    pair = steward.adjudicate(0, "approve", response="final")
    assert (pair.status, pair.response, pair.labeled_by, pair.review.state) == ("labeled", "final", "dot", "agreed")
    assert local.review.queue(made.id, status="disputed").total == 0
    assert steward.undo().undone == 1
    assert local.review.get(made.id, 0).review.state == "disputed"
    assert local.sql("select count(*) as n from canonical_labels").n[0] == 0


def test_one_person_votes_once(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    ann.vote(0)
    ann.vote(0)
    changed = ann.vote(0, "reject", flag_reason="wrong")

    assert (changed.review.done, changed.review.mine) == (1, "reject")
    assert ann.history(row_index=0).total == 2
    settled = bob.vote(0, "reject")
    assert (settled.status, settled.flag_reason) == ("rejected", "wrong")
    with pytest.raises(InvalidTransition):
        ann.vote(0)
    assert ann.vote(0, "reject").version == settled.version


@pytest.mark.parametrize("text", [{"response": "mine"}, {"prompt": "mine?"}])
def test_nobody_changes_under_the_hands_of_others_what_is_voted_on(local: Any, made: Any, people: Any, text: Any) -> None:
    ann, bob, _ = people
    bob.vote(0)
    for row in (0, 1):
        before = local.review.get(made.id, row)
        with pytest.raises(ValidationError, match="several people review this pair.*Send approve, reject or flag"):
            local.review.decide(made.id, row, **text)
        assert (local.review.get(made.id, row).prompt, local.review.get(made.id, row).response) == (before.prompt, before.response)

    ann.vote(0)
    for row in (0, 2):
        local.review.decide(made.id, row, notes="seen")
    with pytest.raises(InvalidTransition):
        local.review.decide(made.id, 0, **text)
    assert local.review.get(made.id, 0).labeled_by == "ann"


def test_an_empty_response_gets_no_vote_to_approve(made: Any, people: Any) -> None:
    with pytest.raises(InvalidTransition):
        people[0].vote(9)
    assert people[0].vote(9, response="mine").review.done == 1


def test_votes_are_blind(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    ann.vote(0, "reject", flag_reason="secret reason", notes="secret note", response="secret text")

    for person in (bob, cy):
        seen = [person.get(0), person.card(0), person.queue(), person.history(), person.progress()]
        assert "secret" not in repr([one.values() if hasattr(one, "values") else one.rows for one in seen])
        assert person.history().total == 0
        assert person.get(0).review.mine is None
    assert "secret" not in local.sql("select * from decisions").to_csv()
    assert "secret" not in local.sql("select * from pairs").to_csv()
    assert [one.label for one in ann.history(row_index=0)] == ["voted to reject"]

    bob.vote(0, "reject", response="secret text")
    assert {(one.actor, one.label) for one in cy.history(row_index=0)} == {("ann", "voted to reject"), ("bob", "voted to reject")}

    stale(local, made, people, [1])
    ann.vote(1, "reject", flag_reason="secret reason")
    assert local.review.get(made.id, 1).stale
    assert "voted to reject" in [one.label for one in ann.history(row_index=1)]
    assert "voted to reject" not in [one.label for one in cy.history(row_index=1)], "a stale pair is voted on anew"
    bob.vote(1, "reject", flag_reason="secret reason")
    assert [one.actor for one in cy.history(row_index=1) if one.label == "voted to reject"] == ["bob", "ann"]


def test_a_queue_shows_what_waits_for_the_reader(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    ann.vote(0)
    ann.vote(1, "reject")
    bob.vote(1)

    assert [ann.queue(limit=2).rows[n]["row_index"] for n in range(2)] == [2, 3]
    assert [bob.queue(limit=2).rows[n]["row_index"] for n in range(2)] == [0, 2]
    assert [one["row_index"] for one in bob.queue(status="all", order="disagreement", limit=2).rows] == [1, 0]


def test_taking_a_vote_back(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    start = told(local)
    ann.vote(0)
    bob.vote(0, "reject")
    assert ann.undo().row_indices == [0]
    assert (local.review.get(made.id, 0).review.done, local.review.get(made.id, 0).review.state) == (1, "open")
    assert ann.redo().undone == 1
    assert local.review.get(made.id, 0).review.state == "disputed"
    assert [person.undo().undone for person in (ann, bob, ann)] == [1, 1, 0]
    assert told(local) == start

    ann.vote(1)
    bob.vote(1)
    assert ann.undo().undone == 0
    assert bob.undo().undone == 1
    assert (local.review.get(made.id, 1).status, local.review.get(made.id, 1).review.done) == ("unlabeled", 1)
    assert local.sql("select count(*) as n from canonical_labels").n[0] == 0
    assert bob.redo().undone == 1
    assert local.review.get(made.id, 1).status == "labeled"


def test_a_reset_takes_back_ones_own_vote_or_begins_anew(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, cy = people
    ann.vote(0)
    assert bob.decide(0, action="reset").review.done == 1
    assert ann.decide(0, action="reset").review.done == 0
    assert ann.undo().undone == 1
    bob.vote(0)
    with pytest.raises(Forbidden):
        cy.decide(0, action="reset")
    anew = steward.decide(0, action="reset")
    assert (anew.status, anew.review.done, anew.review.state) == ("unlabeled", 0, "open")
    cy.vote(0, "reject")
    assert steward.undo().undone == 0
    assert cy.undo().undone == 1
    assert steward.undo().undone == 1
    again = local.review.get(made.id, 0)
    assert (again.status, again.review.done) == ("labeled", 2)


def test_bulk_votes_tell_how_the_pairs_stand(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    first = ann.bulk_approve(row_indices=[*range(12), 99])
    assert (first.matched, first.done, first.skipped) == (13, 11, {"no_response": 1, "unknown_index": 1})
    assert first.outcomes == {"settled": 0, "disputed": 0, "open": 11}

    bob.vote(3, "reject")
    second = bob.bulk_approve(filter={"status": "unlabeled", "where": "row_index < 8"})
    assert (second.done, second.outcomes) == (7, {"settled": 7, "disputed": 0, "open": 0})
    assert local.sql("select count(*) as n from canonical_labels").n[0] == 7
    assert ann.bulk_reject(row_indices=[0, 3, 8]).skipped == {"settled": 1, "disputed": 1}
    assert cy.bulk_approve(row_indices=[0]).skipped == {"already_so": 1}
    preview = cy.bulk_approve(row_indices=[10, 11, 9], preview=True)
    assert cy.bulk_approve(preview_id=preview.preview_id).outcomes["settled"] == 2
    assert bob.undo().undone == 7
    assert local.review.progress(made.id).labeled == 2
    assert bob.redo().undone == 7
    assert local.review.progress(made.id).labeled == 9


def test_bulk_equals_single(local: Any) -> None:
    sheet = local.sheets.create("rows", rows=ROWS, item_id_column="id")
    one, many = (local.training_sheets.assemble(sheet.id, template=PLAN, overlap=2) for _ in range(2))
    rows = [0, 1, 2, 3]
    for number, action in enumerate(["approve", "reject", "flag"]):
        for made in (one, many):
            Person(local, made.id, "ann").vote(number, action, notes="n", prohibited_uses=["testing"])
            Person(local, made.id, "ann").vote(3, action, response="x")
        bob = Person(local, many.id, "bob")
        getattr(bob, f"bulk_{action}")(row_indices=[number])
        Person(local, one.id, "bob").vote(number, action)
    columns = "row_index, status, flag_reason, notes, labeled_by, prohibited_uses, response, response_source, canonical_label_id"
    states = [
        local.sql(f"select {columns} from pairs where training_sheet_id = ? and row_index in {tuple(rows)} order by 1", [m.id])
        for m in (one, many)
    ]
    assert states[0].to_json() == states[1].to_json()
    tallies = [
        local.transport.app.db.tuples(
            "select votes, dissent, disputed from pair_rows where training_sheet_id = ? order by row_index", [m.id]
        )
        for m in (one, many)
    ]
    assert tallies[0] == tallies[1]


def test_fewer_reviewers_settle_what_has_enough_votes(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    local.training_sheets.update(made.id, overlap=3)
    ann.vote(0, response="new")
    bob.vote(0, response="new")
    ann.vote(1, "flag", flag_reason="odd")
    ann.vote(2)
    bob.vote(2, "reject")
    local.training_sheets.update(made.id, overlap=2)

    pairs = [local.review.get(made.id, row) for row in range(3)]
    assert [pair.status for pair in pairs] == ["labeled", "unlabeled", "unlabeled"]
    assert (pairs[0].response, pairs[0].labeled_by, pairs[0].review.state) == ("new", "bob", "agreed")
    assert [pair.review.state for pair in pairs[1:]] == ["open", "disputed"]
    assert list(local.sql("select label from canonical_labels").label) == ["new"]

    local.training_sheets.update(made.id, overlap=3)
    assert [local.review.get(made.id, row).review.state for row in range(3)] == ["agreed", "open", "open"]
    assert cy.vote(2).review.state == "disputed"
    local.training_sheets.update(made.id, overlap=1)
    pairs = [local.review.get(made.id, row) for row in range(3)]
    assert [(pair.status, pair.flag_reason) for pair in pairs] == [("labeled", None), ("flagged", "odd"), ("unlabeled", None)]
    assert local.review.queue(made.id, status="disputed").total == 1
    with pytest.raises(InvalidTransition):
        bob.vote(2)
    assert cy.vote(5).status == "labeled"
    assert ann.bulk_approve(row_indices=[2, 6]).skipped == {"disputed": 1}
    assert ann.decide(0, action="reject").status == "rejected"


def test_a_lease_for_each_missing_vote(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people

    assert [len(person.claim(3).items) for person in (ann, bob)] == [3, 3]
    assert [pair.row_index for pair in cy.claim(3).items] == [3, 4, 5]
    assert [pair.row_index for pair in ann.claim(3).items] == [0, 1, 2]
    other_tab = Person(local, made.id, "ann", tab="2")
    assert [pair.row_index for pair in other_tab.claim(2).items] == [3, 4]
    with pytest.raises(Conflict) as caught:
        cy.vote(0)
    assert caught.value.context["holder"] in ("ann", "bob")
    assert caught.value.context["expires_at"]
    assert cy.bulk_approve(row_indices=[0, 3]).skipped == {"claimed": 1}

    ann.vote(0)
    assert [pair.row_index for pair in ann.claim(3).items] == [1, 2, 5]
    with pytest.raises(Conflict):
        cy.vote(0)
    assert bob.vote(0).status == "labeled"
    local.clock.advance(seconds=301)
    assert cy.vote(1).review.done == 1
    assert [pair.row_index for pair in cy.claim(2).items] == [2, 4]


def test_a_pair_is_in_nobodys_way_while_it_wants_another_vote(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    row = ann.claim(1).items[0].row_index
    assert bob.card(row).held_by is None, "two are to review it, and one does"
    assert row == bob.claim(1).items[0].row_index
    assert (ann.card(row).held_by, bob.card(row).held_by) == (None, None)

    assert cy.card(row).held_by == "ann", "no further vote is needed"
    with pytest.raises(Conflict):
        cy.vote(row)
    assert bob.vote(row).review.done == 1


def test_claims_are_exact(local: Any, made: Any) -> None:
    local.training_sheets.update(made.id, overlap=3)
    handed: list[tuple[int, str]] = []
    lock = threading.Lock()

    def reviewer(name: str) -> None:
        person = Person(local, made.id, name)
        while items := person.claim(2).items:
            with lock:
                handed.extend((pair.row_index, name) for pair in items)
            for pair in items:
                person.vote(pair.row_index, "reject")

    threads = [threading.Thread(target=reviewer, args=(f"user{n}",)) for n in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(handed)) == len(handed) == 3 * len(ROWS)
    assert local.review.progress(made.id).rejected == len(ROWS)
    assert local.review.history(made.id).total == 3 * len(ROWS)


def test_figures_of_a_shared_review(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    ann.bulk_approve(row_indices=[0, 1, 2, 3])
    bob.vote(0)
    bob.vote(1, "reject")
    progress = local.review.progress(made.id)

    assert (progress.total, progress.unlabeled, progress.labeled, progress.disputed, progress.votes) == (30, 29, 1, 1, 6)
    assert progress.summary == "29 unlabeled (1 disputed) · 1 labeled of 30."
    assert [(one.reviewer, one.approved, one.rejected, one.decisions) for one in progress.by_reviewer] == [
        ("ann", 2, 0, 4),
        ("bob", 1, 1, 2),
    ]
    assert sum(day.decisions for day in progress.by_day) == 6
    assert {value.value: value.count for value in local.review.facets(made.id).facets[0].values} == {
        "to_review": 28,
        "unlabeled": 28,
        "labeled": 1,
        "disputed": 1,
    }


def test_facets_count_what_waits_for_whoever_asks(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    ann.bulk_approve(row_indices=[0, 1, 2, 3])
    bob.vote(0, "reject")

    for one, waiting in ((ann, 26), (bob, 29), (cy, 29)):
        counts = {value.value: value.count for value in one.facets().facets[0].values}
        totals = {status: one.queue(status=status).total for status in ("to_review", "unlabeled", "disputed")}
        assert counts == totals == {"to_review": waiting, "unlabeled": waiting, "disputed": 1}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_undoing_everything_restores_the_start(local: Any, made: Any, seed: int) -> None:
    dice, start = random.Random(seed), told(local)
    people = [Person(local, made.id, name, "admin") for name in ("ann", "bob", "cy", "dot")]
    changed = sum(_random_step(local, made.id, dice.choice(people), dice, step) for step in range(80))

    undone = 0
    while undone <= changed and local.review.undo(made.id, scope="all").undone:
        undone += 1
    assert undone == changed
    assert told(local) == start


def _random_step(ws: Any, sheet: str, person: Person, dice: random.Random, step: int) -> bool:
    """Do one random thing and return whether it made a batch."""
    before = ws.sql("select max(batch) as b from decisions").b[0]
    kind = dice.choice(["vote"] * 4 + ["bulk", "bulk", "reset", "bulk_reset", "adjudicate", "rights"])
    row = dice.randrange(8)
    try:
        if kind == "vote":
            given = {"response": f"text {step % 2}"} if dice.random() < 0.5 else {}
            person.vote(row, dice.choice(["approve", "reject", "flag"]), **given)
        elif kind == "bulk":
            getattr(person, f"bulk_{dice.choice(['approve', 'reject'])}")(row_indices=dice.sample(range(10), 5))
        elif kind == "bulk_reset":
            person.bulk_reset(row_indices=dice.sample(range(10), 3))
        elif kind == "rights":
            person.bulk_rights(row_indices=[row], prohibited_uses=dice.sample(["training", "testing"], 1))
        elif kind == "reset":
            person.decide(row, action="reset")
        else:
            person.adjudicate(row, dice.choice(["approve", "reject"]))
    except InvalidTransition:
        pass
    after = ws.sql("select max(batch) as b from decisions").b[0]
    return bool(after == after and after != before)


def stale(local: Any, made: Any, people: list[Person], rows: list[int]) -> Person:
    """Let two people approve some pairs, and their prompts change; return who changed them."""
    for person in people[:2]:
        person.bulk_approve(row_indices=rows)
    for row in rows:
        local.sheets.update_row(made.sheet_id, row, values={"q": f"something else {row}"})
    local.training_sheets.reassemble(made.id)
    return Person(local, made.id, "local", "admin")


def test_an_approval_that_went_stale_is_voted_on_anew(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, cy = people
    local_ = stale(local, made, people, [0, 1, 2])
    assert ann.get(0).review.values() == {"wanted": 2, "done": 0, "state": "open", "mine": None}
    assert [pair.row_index for pair in ann.queue(limit=3)] == [pair.row_index for pair in ann.claim(3).items] == [0, 1, 2]
    assert ann.progress().to_review == 30
    ann.release()

    voted = ann.vote(0)
    assert (voted.status, voted.stale, voted.review.done) == ("labeled", True, 1)
    assert [pair.row_index for pair in ann.queue(limit=1)] == [1]
    before = told(local)
    settled = bob.vote(0)
    assert (settled.status, settled.stale, settled.review.state) == ("labeled", False, "agreed")
    assert bob.undo().undone == 1
    assert told(local) == before
    assert bob.bulk_approve(row_indices=[0]).outcomes == {"settled": 1, "disputed": 0, "open": 0}

    ann.bulk_reject(row_indices=[1])
    assert bob.vote(1).review.state == "disputed"
    assert steward.adjudicate(1, "reject").status == "rejected"
    ann.vote(2)
    assert ann.vote(2, "reset").review.done == 0
    with pytest.raises(Forbidden):
        cy.vote(2, "reset")
    assert steward.vote(2, "reset").status == "unlabeled"
    assert local_.get(2).stale is False


def test_redo_of_a_change_of_texts_ends_the_votes_again(local: Any, made: Any, people: Any) -> None:
    ann, *_ = people
    ann.vote(3)
    owner = stale(local, made, people, [0, 3])
    after = told(local)
    assert ann.get(3).review.done == ann.get(0).review.done == 0
    owner.undo()
    assert ann.get(0).review.values() == {"wanted": 2, "done": 2, "state": "agreed", "mine": "approve"}
    owner.redo()
    assert told(local) == after


def test_another_answer_ends_the_votes_on_the_one_before(local: Any, made: Any, people: Any) -> None:
    ann, bob, _ = people
    owner = Person(local, made.id, "local", "admin")
    ann.vote(0)
    owner.bulk_approve(row_indices=[1])
    local.training_sheets.generate(made.id, "simulated", row_indices=[0, 1], overwrite_existing=True).wait(progress=False)
    assert [ann.get(row).review.done for row in (0, 1)] == [0, 0]
    assert bob.vote(0).review.state == "open"
    assert ann.vote(0).review.state == "agreed"


def test_what_was_voted_on_since_is_not_taken_back_from_under_the_voters(local: Any, made: Any, people: Any) -> None:
    ann, *_ = people
    owner = Person(local, made.id, "local", "admin")
    for row in (0, 1):
        local.sheets.update_row(made.sheet_id, row, values={"q": f"something else {row}"})
    batch = local.training_sheets.reassemble(made.id).batch_id
    ann.vote(0)

    [shown] = [one for one in owner.batches() if one.id == batch]
    taken = owner.undo(batch_id=batch)

    assert (shown.standing, taken.undone, taken.row_indices) == (1, 1, [1])
    assert (ann.get(0).prompt, ann.get(0).review.done) == ("Q: something else 0?", 1)
    assert ann.get(1).prompt == "Q: what 1?"
    assert owner.undo().batch_id is None


def test_redo_casts_the_votes_that_undo_took_and_no_others(local: Any, made: Any, people: Any) -> None:
    ann, *_ = people
    ann.vote(0, "reject")
    batch = ann.bulk_approve(row_indices=[0, 1, 2]).batch_id
    ann.vote(1, "reset")
    before = told(local)
    assert ann.undo(batch_id=batch).row_indices == [0, 2]
    assert [ann.get(row).review.mine for row in (0, 1, 2)] == ["reject", None, None]

    assert ann.redo().undone == 2
    assert told(local) == before


def test_only_a_steward_brings_back_what_several_people_review(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, cy = people
    steward.bulk_rights(row_indices=[0, 1, 2], prohibited_uses=["testing"])
    ann.vote(1)
    for person in (ann, bob):
        person.vote(2)
    for row in (0, 1, 2):
        before = told(local)
        with pytest.raises(Forbidden, match="Several people review this pair.*needs the role admin or data_steward") as caught:
            cy.undo(row_index=row, version=1)
        assert caught.value.context["needed"] == ["admin", "data_steward"]
        assert told(local) == before
        reason = "Several people review this pair; bringing it back needs the role admin or data_steward."
        versions = [3, 2] if row == 2 else [2]
        offers = [[(one.enabled, one.reason) for one in entry.actions] for entry in ann.history(row_index=row)]
        assert [offer for offer in offers if offer] == [[(False, reason)]] * (len(versions) - 1)
        assert (cy.card(row).first_version, steward.card(row).first_version) == (None, 1)
        assert steward.undo(row_index=row, version=1).undone == 1

    for person in (ann, bob):
        person.vote(3)
    with pytest.raises(Forbidden, match="Several people review this pair; beginning anew"):
        cy.decide(3, action="reset")


def test_votes_that_stand_keep_a_pair_from_being_brought_back_by_one(local: Any, made: Any, people: Any) -> None:
    ann, bob, cy = people
    for person in (ann, bob):
        person.vote(0)
    local.training_sheets.update(made.id, overlap=1)
    with pytest.raises(Forbidden):
        cy.undo(row_index=0, version=1)
    cy.vote(1)
    assert cy.undo(row_index=1, version=1).undone == 1


def test_a_pair_brought_back_to_a_settled_version_is_disputed_no_more(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, _ = people
    for person in (ann, bob):
        person.vote(0)
    steward.decide(0, action="reset")
    ann.vote(0)
    bob.vote(0, "reject")
    before = told(local)
    back = steward.undo(row_index=0, version=2)

    pair = local.review.get(made.id, 0)
    assert (pair.status, pair.review.state, pair.review.done) == ("labeled", "agreed", 1)
    assert (local.review.queue(made.id, status="disputed").total, doctor(local.transport.app.db)) == (0, [])
    after = told(local)
    steward.undo(batch_id=back.batch_id)
    assert told(local) == before
    steward.redo(batch_id=back.batch_id)
    assert told(local) == after


def test_a_vote_made_no_version_to_bring_back(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, _ = people
    ann.vote(0)
    ann.vote(0, "flag")
    assert not any(entry.actions for entry in ann.history(row_index=0))
    steward.bulk_rights(row_indices=[0], prohibited_uses=["testing"])
    bob.vote(0)
    log = steward.history(row_index=0)
    assert not any(entry.actions for entry in log), "the only version before is the one it was made with"
    assert steward.card(0).first_version == 1

    steward.adjudicate(0, "approve")
    offers = [(entry.action, [one.name for one in entry.actions]) for entry in steward.history(row_index=0)]
    assert [action for action, names in offers if names] == ["rights"]


def test_ones_own_lease_lets_notes_rights_and_an_earlier_version_through(local: Any, made: Any, people: Any, steward: Person) -> None:
    ann, bob, cy = people
    for person in (ann, bob):
        person.claim(1)
    with pytest.raises(Conflict, match="ann is working on this pair"):
        cy.decide(0, notes="theirs")
    assert bob.decide(0, notes="hm").notes == "hm"
    assert local.transport.app.db.tuples("select holder from claims") == [("ann",)], "only the own lease is spent"

    bob.claim(1)
    assert bob.decide(0, prohibited_uses=["training"]).prohibited_uses == ("training",)
    bob.claim(1)
    with pytest.raises(Conflict, match="ann is working on this pair"):
        steward.undo(row_index=0, version=1)
    assert Person(local, made.id, "bob", "data_steward").undo(row_index=0, version=1).undone == 1
