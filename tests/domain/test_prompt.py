"""Prompts are filled once and never expanded again."""

from __future__ import annotations

from workbench.domain.prompt import filled, missing_columns, parse, placeholders, render


def test_blanks_inside_braces_do_not_count() -> None:
    assert placeholders("{{a}} {{ a }} {{  b }}") == ("a", "b")


def test_a_cell_with_braces_is_not_expanded() -> None:
    assert render("Q: {{q}} {{a}}", {"q": "{{a}}", "a": "yes"}) == "Q: {{a}} yes"


def test_nothing_stands_for_null() -> None:
    assert render("[{{x}}]", {"x": None}) == "[]"


def test_mapping_names_the_column() -> None:
    assert render("{{question}}", {"q": 1.5}, {"question": "q"}) == "1.5"
    assert missing_columns("{{question}} {{other}}", {"question": "q"}, ["q"]) == ("other",)


def test_pieces_join_to_the_text() -> None:
    template = "a {{b}} {c} }} {{ d }}e"

    assert "".join(piece.text for piece in parse(template)) == template


def test_filled_pieces_name_their_column() -> None:
    pieces = filled("x{{a}}", {"col": True}, {"a": "col"})

    assert [(p.text, p.placeholder) for p in pieces] == [("x", None), ("true", "col")]
