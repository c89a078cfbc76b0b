"""States, rights and differences of pairs."""

from __future__ import annotations

import pytest

from workbench.domain.label import PAIR_LIFECYCLE, PAIR_STATUSES, USES, mask_of, may, source_after_edit, uses_of
from workbench.domain.wording import word_diff

TARGETS = {"approve": "labeled", "reject": "rejected", "flag": "flagged", "reset": "unlabeled"}


@pytest.mark.parametrize("status", PAIR_STATUSES)
@pytest.mark.parametrize("action", ["approve", "reject", "flag", "reset", "edit", "rights"])
def test_every_action_from_every_state(action: str, status: str) -> None:
    assert PAIR_LIFECYCLE.require(action, status) == TARGETS.get(action, status)


def test_bit_sets_come_back() -> None:
    for mask in range(1 << len(USES)):
        assert mask_of(uses_of(mask)) == mask
    assert uses_of(None) is None and mask_of(None) is None


def test_prohibition_wins() -> None:
    assert may("training", None, ())
    assert not may("training", ("validation",), ())
    assert not may("training", ("training",), ("training",))


@pytest.mark.parametrize(
    ("before", "after"), [("ai_generated", "human_verified"), ("imported", "human_labeled"), ("empty", "human_labeled")]
)
def test_an_edit_changes_the_source(before: str, after: str) -> None:
    assert source_after_edit(before) == after


def test_the_difference_holds_both_texts() -> None:
    before, after = "the cat sat on a mat.", "the dog sat, on the mat."
    pieces = word_diff(before, after)

    assert "".join(p.text for p in pieces if p.op != "added") == before
    assert "".join(p.text for p in pieces if p.op != "removed") == after
    assert [p.text for p in pieces if p.op == "added"] == ["dog", ",", "the"]
