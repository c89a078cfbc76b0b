"""What the tags of a sheet prohibit, no decision on its pairs allows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.errors import InvalidTransition, ValidationError
from workbench.testing import frozen

ROWS = [{"id": f"k{n}", "q": f"what {n}", "a": f"answer {n}"} for n in range(8)]
PLAN = {"prompt_template": "{{q}}", "response_source_mode": "existing_column", "response_column": "a"}
BARRED = ("training", "validation")


@pytest.fixture
def people(ws: Any) -> Any:
    sheet = ws.sheets.create("people", rows=ROWS, item_id_column="id", tags=["PII"])
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


@pytest.mark.parametrize("wished", [None, [], ["testing"]])
def test_a_change_of_rights_leaves_what_the_tags_prohibit(ws: Any, people: Any, wished: Any) -> None:
    more = tuple(wished or ())
    ws.review.bulk_approve(people.id, filter={})

    one = ws.review.decide(people.id, 4, prohibited_uses=wished, allowed_uses=["training"])
    ws.review.bulk_rights(people.id, row_indices=[5], prohibited_uses=wished)

    assert one.prohibited_uses == (*BARRED, *more)
    assert ws.review.get(people.id, 5).prohibited_uses == (*BARRED, *more)
    found = ws.review.eligibility(people.id)
    assert found.eligible == 0 and "barred from training by the sheet's tag PII" in found.summary
    [rights] = [action for action in one.actions if action.name == "rights"]
    assert rights.enabled and "The tag PII of the sheet prohibits training and validation" in rights.reason


def test_nothing_is_done_where_only_the_tags_bar(ws: Any, people: Any) -> None:
    found = ws.review.bulk_rights(people.id, filter={}, prohibited_uses=[])

    assert (found.done, found.skipped, found.batch_id) == (0, {"already_so": 8}, None)


@pytest.mark.parametrize("bulk", [False, True])
def test_votes_leave_what_the_tags_prohibit(local: Any, bulk: bool) -> None:
    sheet = local.sheets.create("people", rows=ROWS, tags=["phi"])
    made = local.training_sheets.assemble(sheet.id, template=PLAN)
    local.training_sheets.update(made.id, overlap=2)
    ann, bob = (Workspace(LocalTransport(local.app, user=name)) for name in ("ann", "bob"))
    ann.review.decide(made.id, 0, action="approve", prohibited_uses=["testing"])
    if bulk:
        bob.review.bulk_approve(made.id, row_indices=[0])
    else:
        bob.review.decide(made.id, 0, action="approve", prohibited_uses=[])

    pair = local.review.get(made.id, 0)
    assert pair.status == "labeled" and set(BARRED) <= set(pair.prohibited_uses)


def test_undo_and_earlier_versions_lift_no_tag(ws: Any) -> None:
    sheet = ws.sheets.create("people", rows=ROWS)
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.decide(made.id, 0, notes="seen")
    ws.sheets.update(sheet.id, tags=["PII"])
    [barred, *_] = ws.review.batches(made.id)

    restored = ws.review.undo(made.id, row_index=0, version=1)
    undone = ws.review.undo(made.id, batch_id=barred.id)
    assert [ws.review.get(made.id, row).prohibited_uses for row in (0, 1)] == [BARRED, BARRED]
    by_tag = "barred from training and validation by the sheet's tag PII."
    assert restored.summary == f"Brought pair 0 back to version 1. It stays {by_tag}"
    assert undone.summary == f"Took back: rights of 7 pairs. They stay {by_tag} 1 changed since and stays as it is."

    ws.review.redo(made.id, batch_id=barred.id)
    ws.sheets.update(sheet.id, tags=[])
    assert ws.review.get(made.id, 1).prohibited_uses == BARRED
    assert ws.review.undo(made.id, batch_id=barred.id).summary.startswith("Took back: rights of 7 pairs. 1 changed since")
    assert ws.review.get(made.id, 1).prohibited_uses == ()


def test_undo_tells_of_the_bars_that_the_step_had_brought_alone(ws: Any) -> None:
    sheet = ws.sheets.create("people", rows=ROWS, tags=["mail"])
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.bulk_rights(made.id, row_indices=[0], prohibited_uses=["few_shot", "testing"])
    ws.review.bulk_rights(made.id, row_indices=[0, 1, 2], prohibited_uses=["few_shot", "testing"], allowed_uses=["testing"])
    ws.sheets.update(sheet.id, tags=["mail", "PHI", "confidential"])

    told = [ws.review.undo(made.id).summary for _ in range(3)]

    by_all = "barred from training, validation, evaluation and few-shot by the sheet's tags PHI, confidential."
    by_one = "barred from few-shot by the sheet's tag confidential."
    assert told[0] == f"Took back: rights of 8 pairs. They stay {by_all}"
    assert told[1] == f"Took back: rights of 3 pairs. 2 of them stay {by_one}"
    assert told[2] == f"Took back: rights of 1 pair. It stays {by_one}"
    assert ws.review.redo(made.id).summary == "Made again: rights of 1 pair."


def test_a_label_of_a_barred_sheet_is_barred(ws: Any) -> None:
    sheet = ws.sheets.create("people", rows=ROWS, item_id_column="id", tags=["PII"])

    label = ws.labels.create(sheet.id, "k1", "x", prohibited_uses=["testing"])
    assert label.prohibited_uses == (*BARRED, "testing")
    assert ws.labels.update(label.id, prohibited_uses=None).prohibited_uses == BARRED


@pytest.mark.parametrize("tag", ["PII", "PII ", " pii", "P I I", "Pii\t"])
def test_a_tag_means_the_same_however_it_is_spaced(ws: Any, tag: str) -> None:
    sheet = ws.sheets.create("people", rows=ROWS, tags=[tag])

    assert (sheet.usage_limits, sheet.data_classification) == (BARRED, "restricted")
    assert sheet.tags == (tag.strip(),)
    other = ws.sheets.create("others", rows=ROWS)
    assert ws.sheets.update(other.id, tags=[tag]).usage_limits == BARRED


def test_tags_are_words_each_once(ws: Any) -> None:
    assert ws.sheets.create("one", rows=ROWS, tags=["PII, customer", "pii", "b,"]).tags == ("PII", "customer", "b")
    for blank in ("", "  ", ","):
        with pytest.raises(ValidationError, match="tag"):
            ws.sheets.create("two", rows=ROWS, tags=["fine", blank])


def test_a_query_hands_on_the_tags_of_the_sheets_it_reads(ws: Any) -> None:
    ws.sheets.create("people", rows=ROWS, tags=["PII", "mail"])
    ws.sheets.create("plain", rows=ROWS, tags=["own"], data_classification="confidential")
    sql = "with p as (select * from SHEET_people) select p.q, o.a from p join sheet_plain o using (id)"

    made = ws.sheets.create("joined", source_type="sql", source=sql, tags=["new", "MAIL"], data_classification="public")
    assert set(made.tags) == {"new", "MAIL", "PII", "own"}
    assert (made.usage_limits, made.data_classification) == (BARRED, "restricted")
    plain = ws.sheets.create("again", source_type="sql", source="select q, a from sheet_plain", data_classification="public")
    assert (plain.tags, plain.usage_limits, plain.data_classification) == (("own",), (), "confidential")


@pytest.mark.parametrize(
    ("sql", "tags", "secrecy"),
    [
        ("select prompt, response from pairs where training_sheet_id = '{plain}' and status <> 'rejected'", {"own"}, "confidential"),
        ("select prompt from main.pairs p where p.training_sheet_id in ('{people}', '{plain}')", {"PII", "own"}, "restricted"),
        ("select prompt from pairs where '{people}' = training_sheet_id", {"PII"}, "restricted"),
        ("select prompt from pairs where prompt like 'what%'", {"PII", "own"}, "restricted"),
        ("select prompt from pairs where training_sheet_id = '{plain}' or true", {"PII", "own"}, "restricted"),
        ("select p.prompt from pairs p, (select id from pairs where training_sheet_id = '{plain}')", {"PII", "own"}, "restricted"),
        ("select prompt from pairs p(training_sheet_id) where training_sheet_id = '{plain}.0'", {"PII", "own"}, "restricted"),
        ("select a.prompt from pairs a, lateral (select 1 from pairs where a.training_sheet_id = '{plain}')", {"PII", "own"}, "restricted"),
        ("with p as (select * from pairs where training_sheet_id = '{plain}') select q from sheet_people", {"PII", "own"}, "restricted"),
        ("select texts_after.response from decisions where training_sheet_id = '{people}'", {"PII"}, "restricted"),
        ("select label from canonical_labels", {"PII", "own"}, "restricted"),
        ("select name from templates", set(), "public"),
    ],
)  # fmt: skip
def test_a_query_over_pairs_hands_on_the_tags_of_their_sheets(local: Any, sql: str, tags: set[str], secrecy: str) -> None:
    made = {}
    for name, facts in (("people", {"tags": ["PII"]}), ("plain", {"tags": ["own"], "data_classification": "confidential"})):
        sheet = local.sheets.create(name, rows=ROWS, item_id_column="id", **facts)
        made[name] = local.training_sheets.assemble(sheet.id, template=PLAN).id
        local.review.bulk_approve(made[name], filter={})
        local.review.decide(made[name], 0, response="another answer")
    local.templates.create("t", "{{q}}", response_source_mode="manual_labeling")

    found = local.sheets.create("read", source_type="sql", source=sql.format(**made), data_classification="public")

    assert (set(found.tags), found.data_classification) == (tags, secrecy)


def test_a_query_over_jobs_hands_on_the_tags_of_the_examples_that_they_show(local: Any) -> None:
    for name, facts, shots in (("people", {"tags": ["PII"]}, 1), ("plain", {"tags": ["own"]}, 0)):
        sheet = local.sheets.create(name, rows=ROWS, item_id_column="id", **facts)
        made = local.training_sheets.assemble(sheet.id, template=PLAN | {"response_source_mode": "ai_generated", "few_shot_count": shots})
        local.review.decide(made.id, 0, response="an answer", action="approve")
        local.training_sheets.generate(made.id, "simulated", row_indices=[1])

    found = local.sheets.create("read", source_type="sql", source="select cast(spec as varchar) as said from jobs where kind = 'generate'")

    assert local.sheets.rows(found.id)["said"].str.contains("an answer").sum() == 1
    assert (set(found.tags), found.data_classification) == ({"PII"}, "restricted")


def test_a_new_version_from_a_barred_sheet_bars_the_pairs(ws: Any) -> None:
    ws.sheets.create("people", rows=ROWS, tags=["PII"])
    sheet = ws.sheets.create("plain", rows=ROWS, item_id_column="id")
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)

    ws.sheets.replace(sheet.id, source_type="sql", source="select id, q, a from sheet_people")

    assert ws.sheets.get(sheet.id).usage_limits == BARRED
    assert ws.review.get(made.id, 0).prohibited_uses == BARRED


@pytest.mark.parametrize("final", ["publish", "archive"])
def test_bars_that_come_late_reach_a_sheet_that_is_final(ws: Any, final: str) -> None:
    sheet = ws.sheets.create("people", rows=ROWS, item_id_column="id", tags=["mail"])
    made = ws.training_sheets.assemble(sheet.id, template=PLAN)
    away = ws.training_sheets.assemble(sheet.id, template=PLAN)
    ws.review.bulk_approve(made.id, filter={})
    ws.training_sheets.delete(away.id)
    done = getattr(ws.sheets, final)(sheet.id)
    assert next(a for a in done.actions if a.name == "tighten").enabled

    changed = ws.sheets.update(sheet.id, tags=["Mail", "PII"], version=done.version)

    assert (changed.usage_limits, changed.data_classification, changed.status) == (BARRED, "restricted", done.status)
    assert ws.review.eligibility(made.id).eligible == 0
    assert ws.labels.lookup(sheet.id, "k0").prohibited_uses == BARRED
    [batch, *_] = ws.review.batches(made.id)
    assert (batch.action, batch.actor, batch.row_count) == ("rights", "local", 8)
    ws.training_sheets.restore(away.id)
    assert ws.review.get(away.id, 0).prohibited_uses == BARRED
    for loose in ({"tags": ["PII"]}, {"tags": []}, {"data_classification": "internal", "tags": ["mail", "x"]}):
        with pytest.raises(InvalidTransition):
            ws.sheets.update(sheet.id, **loose)
    for content in ({"name": "x"}, {"description": "x", "tags": ["PII", "mail", "more"]}, {"item_id_column": "q"}, {}):
        with pytest.raises(InvalidTransition):
            ws.sheets.update(sheet.id, **content)
    assert ws.sheets.get(sheet.id).version == changed.version


def test_a_final_sheet_may_only_be_called_more_secret(ws: Any) -> None:
    sheet = ws.sheets.create("plain", rows=ROWS, data_classification="confidential")
    ws.sheets.publish(sheet.id)

    with pytest.raises(InvalidTransition, match="Cannot call a sheet internal that is published and confidential"):
        ws.sheets.update(sheet.id, data_classification="internal")
    assert ws.sheets.update(sheet.id, data_classification="restricted").data_classification == "restricted"


def test_a_field_of_a_form_holds_several_tags() -> None:
    with frozen(transport="http") as ws:
        form = {"data": {"name": "sent", "tags": "PII,PHI"}, "files": {"file": ("a.csv", b"a\n1\n")}}
        sheet = httpx.post(f"{ws.transport.url}/api/v1/sheets", **form).json()
    assert (sheet["tags"], sheet["usage_limits"]) == (["PII", "PHI"], list(BARRED))
