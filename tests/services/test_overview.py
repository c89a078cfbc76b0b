"""Home: every count is one of the rows, and the next action is the one that is due."""

from __future__ import annotations

from typing import Any

from tests.services import made


def steps(ws: Any) -> dict[str, Any]:
    return {step.name: step for step in ws.home.overview().steps}


def test_an_empty_workspace_says_what_to_do(ws: Any) -> None:
    seen = ws.home.overview()
    assert seen.empty and not seen.sample
    assert [s.count for s in seen.steps] == [0] * 9
    assert (seen.steps[0].next_action, seen.steps[0].next_page) == ("Import a table", "data")
    assert seen.sentence.startswith("Nothing here yet")


def test_the_funnel_counts_the_loop(local: Any) -> None:
    sheet = made.training_sheet(local)
    assert steps(local)["reviewed"].next_action == "300 pairs wait for review"
    first = made.version(local)
    local.clock.advance(days=2)
    made.deployed(local, made.version(local))
    ids = local.endpoints.invocations("topics", inputs=["a", "b"]).request_ids
    local.endpoints.flush() if hasattr(local.endpoints, "flush") else local.endpoints.logs("topics")
    local.feedback.create(endpoint="topics", request_id=ids[0], rating="negative", corrected="net")
    found = steps(local)
    counts = {name: (step.count, step.change) for name, step in found.items()}
    assert counts == {
        "rows": (300, 0),
        "pairs": (300, 0),
        "reviewed": (300, 0),
        "eligible": (300, 0),
        "jobs": (2, 1),
        "models": (2, 1),
        "endpoints": (1, 1),
        "requests": (2, 2),
        "feedback": (1, 1),
    }
    assert found["models"].next_action == "Test Topics 1.0.0" and found["models"].next_query == {"model": first.id}
    assert found["feedback"].next_action == "1 correction can go back to review"
    seen = local.home.overview()
    assert seen.sample and seen.sentence == "300 of 300 pairs may be trained on, 1 endpoint live."
    told = [a.text for a in seen.recent]
    assert "deployed Topics 1.1.0" in told and "imported Topics, 300 rows" in told and "judged 1 answer of topics" in told
    assert all(a.page for a in seen.recent)
    assert sheet.id in {a.query.get("sheet") for a in seen.recent}


def test_flagged_pairs_wait_for_you(local: Any) -> None:
    sheet = made.training_sheet(local)
    local.training_sheets.assemble(
        sheet.sheet_id, template={"prompt_template": "Nobody looked at this one", "response_source_mode": "manual_labeling"}
    )
    app = local.transport.app
    with app.db.write():
        app.db.execute("update pair_rows set status = 'flagged' where row_index < 38 and training_sheet_id = ?", [sheet.id])
    step = steps(local)["reviewed"]
    assert (step.next_action, step.next_query) == ("38 flagged pairs wait for you", {"sheet": sheet.id, "status": "flagged"})


def test_of_things_of_one_moment_the_later_comes_first(ws: Any) -> None:
    for name in ("first", "second", "third"):
        ws.sheets.create(name, rows=[{"q": "a"}])

    assert [one.text for one in ws.home.overview().recent] == ["imported third, 1 row", "imported second, 1 row", "imported first, 1 row"]
