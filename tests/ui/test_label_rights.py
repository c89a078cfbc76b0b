"""The form for usage rights: of one pair, and of many whose limits are set or lifted."""

from __future__ import annotations

from typing import Any

from tests.ui.rendered import shows
from tests.ui.test_label import made, view  # noqa: F401  fixtures
from workbench.ui.label_rights import RightsForm


def rights(local: Any, made: Any, row_index: int) -> tuple[Any, Any]:  # noqa: F811
    pair = local.review.get(made.id, row_index)
    return tuple(None if uses is None else list(uses) for uses in (pair.allowed_uses, pair.prohibited_uses))


def part(view: Any, name: str) -> Any:  # noqa: F811
    """Return the first part of the open dialog that is named so."""
    return view.grid._dialog.dialog.select(lambda part: name in (getattr(part, "css_classes", None) or ()))[0]


def test_limits_of_many_pairs_are_set_and_lifted(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    asked: list[dict[str, Any]] = []
    form = RightsForm(asked.append)
    form.button.clicks += 1
    form.choices["prohibited_uses"].value = ["training"]
    form.button.clicks += 1
    form.choices["prohibited_uses"].value = []
    form.lifts["prohibited_uses"].value = True
    form.button.clicks += 1
    form.lifts["allowed_uses"].value = True
    form.choices["prohibited_uses"].value = ["testing"]
    form.button.clicks += 1

    lifted = {"allowed_uses": None, "prohibited_uses": ["testing"]}
    assert [{}, {"prohibited_uses": ["training"]}, {"prohibited_uses": None}, lifted] == asked


def test_the_grid_lifts_what_was_limited(local: Any, made: Any, view: Any) -> None:  # noqa: F811
    local.review.bulk_rights(made.id, row_indices=[1, 2], allowed_uses=["testing"], prohibited_uses=["training"])
    view.mode = "grid"
    view.grid.grid.selected = ["1", "2"]
    view.grid._ask_rights()
    shows(view, "Lift what they are limited to: for all uses")
    part(view, "lift").value = True
    part(view, "submit").clicks += 1
    shows(view, "2 of 2 pairs would be given other rights.")
    part(view, "commit").clicks += 1

    assert [(None, ["training"])] * 2 == [rights(local, made, row) for row in (1, 2)]


def test_one_pair_is_shown_as_it_is_and_needs_no_lift() -> None:
    asked: list[dict[str, Any]] = []
    form = RightsForm(asked.append, {"allowed_uses": ("testing",), "prohibited_uses": ()})
    form.choices["allowed_uses"].value = []
    form.button.clicks += 1

    assert {} == form.lifts
    assert [{"allowed_uses": None}] == asked
