"""What is typed and not saved: each text on its own, and on which version of the pair it was typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.test_label import as_bob, made  # noqa: F401  fixture
from workbench.errors import ValidationError


def rewritten_by_bob(ws: Any, made: Any, **texts: str) -> Any:  # noqa: F811
    return as_bob(ws, "decide", training_sheet_id=made.id, row_index=1, **texts)


def test_what_was_not_typed_follows_the_pair(ws, made):  # noqa: F811
    ws.review.draft(made.id, 1, prompt="my prompt")
    rewritten_by_bob(ws, made, action="approve", response="theirs")

    for draft in (ws.review.card(made.id, 1).draft, ws.review.drafts(made.id).rows[0]):
        draft = draft if isinstance(draft, dict) else draft.values()
        assert ("my prompt", "theirs", ()) == (draft["prompt"], draft["response"], tuple(draft["diff"]))
    assert "theirs" == ws.review.draft(made.id, 1, prompt="my better prompt").response

    rewritten_by_bob(ws, made, prompt="their prompt")
    ws.review.draft(made.id, 1, response="mine", prompt="their prompt")
    rewritten_by_bob(ws, made, prompt="their last prompt")
    assert ("their last prompt", "mine") == (ws.review.card(made.id, 1).draft.prompt, ws.review.drafts(made.id)[0].response)


def test_a_draft_knows_the_version_it_was_typed_on(ws, made):  # noqa: F811
    first = ws.review.get(made.id, 1).version
    assert first == ws.review.draft(made.id, 1, response="mine").version
    now = rewritten_by_bob(ws, made, response="theirs").version

    assert now > first
    assert first == ws.review.card(made.id, 1).draft.version == ws.review.drafts(made.id)[0].version
    assert first == ws.review.draft(made.id, 1, response="mine, better").version
    assert now == ws.review.draft(made.id, 1, response="mine, better", version=now).version
    assert now == ws.review.card(made.id, 1).draft.version


def test_a_text_as_it_was_seen_was_not_typed(ws, made):  # noqa: F811
    pair = ws.review.get(made.id, 1)
    rewritten_by_bob(ws, made, response="theirs")

    draft = ws.review.draft(made.id, 1, response=pair.response, prompt="my prompt", version=pair.version)

    assert ("my prompt", "theirs", pair.version) == (draft.prompt, draft.response, draft.version)
    assert None is ws.review.draft(made.id, 1, prompt=pair.prompt, version=pair.version).saved_at
    with pytest.raises(ValidationError, match="no version 99"):
        ws.review.draft(made.id, 1, response="mine", version=99)


def test_a_draft_that_the_pair_says_by_now_is_none_and_the_next_one_begins_anew(ws, made):  # noqa: F811
    ws.review.draft(made.id, 1, response="the same")
    now = rewritten_by_bob(ws, made, response="the same").version

    assert None is ws.review.card(made.id, 1).draft
    assert now == ws.review.draft(made.id, 1, prompt="my prompt").version


def test_remarks_and_rights_leave_what_is_typed(ws, made):  # noqa: F811
    ws.review.draft(made.id, 1, response="mine")
    ws.review.decide(made.id, 1, notes="look twice", allowed_uses=["training"])

    assert "mine" == ws.review.card(made.id, 1).draft.response
    ws.review.decide(made.id, 1, action="flag")
    assert None is ws.review.card(made.id, 1).draft
