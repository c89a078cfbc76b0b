"""Feedback: once per id, counted, sent back to review, and traced."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services import made
from workbench.errors import Conflict, NotFound, ValidationError


@pytest.fixture
def asked(local: Any) -> tuple[Any, list[str]]:
    """A workspace whose model answered four requests."""
    made.deployed(local, made.version(local))
    inputs = [{"text": "matrix vector"}, {"text": "socket"}, "write to ann@example.org", {"text": "pixel"}]
    return local, list(local.endpoints.invocations("topics", inputs=inputs).request_ids)


def test_judgments_are_kept_with_their_request(asked: Any) -> None:
    ws, ids = asked
    given = ws.feedback.create(endpoint="topics", request_id=ids[0], rating="negative", corrected="net", comment="no")
    assert (given.sentiment, given.rating, given.corrected, given.prompt, given.prediction) == (
        "negative", "negative", "net", "Topic of matrix vector?", "math",
    )  # fmt: skip
    assert given.sample and given.author == "local" and given.model_version_id == ws.models.list()[0].id
    stars = [ws.feedback.create(endpoint="topics", request_id=ids[1], rating=n) for n in (1, 3, 5)]
    assert [(f.sentiment, f.rating, f.score) for f in stars] == [("negative", 1, 1), ("neutral", 3, 3), ("positive", 5, 5)]
    assert ws.feedback.list().total == 4
    assert ws.feedback.list(sentiment="negative").total == 2
    assert ws.feedback.list(request_id=ids[0])[0].id == given.id


def test_the_same_id_twice_is_one_judgment(asked: Any) -> None:
    ws, ids = asked
    for _ in range(2):
        for index in range(20):
            ws.feedback.create(id=f"e-{index}", endpoint="topics", request_id=ids[0], rating="negative", corrected="net")
    assert ws.feedback.list().total == 20
    with pytest.raises(Conflict):
        ws.feedback.create(id="e-1", endpoint="topics", request_id=ids[1], rating="positive")


def test_bad_feedback_is_refused(asked: Any) -> None:
    ws, ids = asked
    with pytest.raises(NotFound):
        ws.feedback.create(endpoint="topics", request_id="request_none", rating="positive")
    with pytest.raises(ValidationError, match="was answered by 'topics'"):
        ws.feedback.create(endpoint="other", request_id=ids[0], rating="positive")
    for rating in (0, 6, "good", True, None):
        with pytest.raises(ValidationError):
            ws.feedback.create(endpoint="topics", request_id=ids[0], rating=rating)


def test_stats_and_flags(asked: Any) -> None:
    ws, ids = asked
    assert (ws.feedback.stats().total, ws.feedback.stats().positive_rate) == (0, None)
    for rating in ("positive", "negative", 4, 2):
        ws.feedback.create(endpoint="topics", request_id=ids[0], rating=rating)
    ws.clock.advance(days=40)
    last = ws.feedback.create(endpoint="topics", request_id=ids[0], rating="positive", corrected="math")
    recent, long = ws.feedback.stats(), ws.feedback.stats(days=60, endpoint="topics")
    assert (recent.total, recent.positive_rate, recent.average_score) == (1, 1.0, None)
    assert (long.total, long.positive, long.negative, long.positive_rate, long.average_score) == (5, 3, 2, 0.6, 3.0)
    assert [d["positive"] for d in long.by_day] == [2, 1]
    assert long.corrected == 1 and ws.feedback.stats(endpoint="other").total == 0
    assert ws.feedback.flag(last.id).flagged and ws.feedback.list(flagged=True).total == 1
    assert not ws.feedback.unflag(last.id).flagged


def test_corrections_come_back_as_unlabeled_pairs(asked: Any) -> None:
    ws, ids = asked
    sheet = made.training_sheet(ws)
    before = ws.sql("select count(*) as n from pairs")["n"][0]
    given = ws.feedback.create(endpoint="topics", request_id=ids[0], rating="negative", corrected="net")
    made_pair = ws.feedback.to_pair(given.id, training_sheet_id=sheet.id)
    again = ws.feedback.to_pair(given.id, training_sheet_id=sheet.id)
    assert again.pair_id == made_pair.pair_id
    rows = ws.sql("select * from pairs where id = ?", [made_pair.pair_id])
    row = rows.to_dict("records")[0]
    assert (row["prompt"], row["response"], row["status"], row["response_source"]) == (
        "Topic of matrix vector?", "net", "unlabeled", "human_labeled",
    )  # fmt: skip
    assert (row["request_id"], row["model_version_id"]) == (ids[0], given.model_version_id)
    said = f"served request {ids[0].removeprefix('request_')}"
    assert ws.review.get(sheet.id, row["row_index"]).about == said, "its raw name is for programs"
    assert ws.system.search(q=made_pair.pair_id)[0].name == f"{said} of {sheet.name}"
    assert ws.sql("select count(*) as n from pairs")["n"][0] == before + 1
    assert ws.feedback.list(converted=True).total == 1 and ws.feedback.stats().converted == 1
    with pytest.raises(Conflict):
        ws.feedback.to_pair(given.id, training_sheet_id="assembly_other")


def test_to_pair_needs_the_answer_and_the_whole_prompt(asked: Any) -> None:
    ws, ids = asked
    sheet = made.training_sheet(ws)
    bare = ws.feedback.create(endpoint="topics", request_id=ids[0], rating="negative")
    assert not {a.name: a for a in bare.actions}["to_pair"].enabled
    with pytest.raises(ValidationError, match="corrected"):
        ws.feedback.to_pair(bare.id, training_sheet_id=sheet.id)
    redacted = ws.feedback.create(endpoint="topics", request_id=ids[2], rating="negative", corrected="net")
    with pytest.raises(ValidationError, match="prompt"):
        ws.feedback.to_pair(redacted.id, training_sheet_id=sheet.id)
    assert ws.feedback.to_pair(redacted.id, training_sheet_id=sheet.id, prompt="write to somebody").pair_id
    good = ws.feedback.create(endpoint="topics", request_id=ids[3], rating="positive")
    pair = ws.feedback.to_pair(good.id, training_sheet_id=sheet.id)
    assert ws.sql("select response from pairs where id = ?", [pair.pair_id])["response"][0] == "draw"


def test_lineage_leads_from_a_request_to_its_rows_and_back(asked: Any) -> None:
    ws, ids = asked
    given = ws.feedback.create(endpoint="topics", request_id=ids[0], rating="negative", corrected="net")
    graph = ws.lineage.get("request", ids[0])
    kinds = {node.kind: node for node in graph.nodes}
    assert {"request", "model", "job", "pair", "training_sheet", "sheet", "endpoint", "feedback"} <= set(kinds)
    assert graph.pairs["train"] == 200 and graph.pairs["val"] == 100
    assert kinds["model"].depth == -1 and kinds["job"].depth == -2 and kinds["feedback"].depth == 1
    assert kinds["model"].label == "Topics 1.0.0"
    edges = {(e.from_id, e.relation, e.to_id) for e in graph.edges}
    model = ws.models.list()[0]
    assert (ids[0], "answered_by", model.id) in edges
    assert (model.id, "made_by", model.job_id) in edges
    assert (model.job_id, "trained_on", model.training_sheet_id) in edges
    assert (given.id, "about", ids[0]) in edges
    ends = {id for f, _, t in edges for id in (f, t)}
    assert ends <= {node.id for node in graph.nodes}
    folded = {(f["relation"], f["total"]) for f in graph.folded}
    assert ("trained_on", 200) in folded


def test_lineage_of_a_model_reaches_its_feedback(asked: Any) -> None:
    ws, ids = asked
    model = ws.models.list()[0]
    ws.feedback.create(endpoint="topics", request_id=ids[0], rating="positive")
    app = ws.transport.app
    graph = app.lineage.get("model", model.id)
    assert {"feedback", "request", "endpoint", "sheet"} <= {n.kind for n in graph.nodes}
    sheet = ws.sheets.list()[0]
    assert "feedback" in {n.kind for n in ws.lineage.get("sheet", sheet.id).nodes}
    found = ws.sql("select count(*) as n from lineage where from_kind = 'job' and relation = 'trained_on' and to_kind = 'pair'")
    assert found["n"][0] == 200


def test_unknown_lineage(local: Any) -> None:
    with pytest.raises(NotFound):
        local.lineage.get("model", "model_none")
    with pytest.raises(ValidationError):
        local.lineage.get("thing", "x")
