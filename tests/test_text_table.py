"""Tables of plain text line up, whatever stands in their cells."""

from __future__ import annotations

import datetime as dt

from workbench.cli import shown_columns
from workbench.contract.page import Page
from workbench.domain.generate import TemplateSnapshot, TrainingSheet
from workbench.text_table import LONGEST, text_table


def test_text_stands_left_numbers_right_and_nothing_is_blank() -> None:
    rows = [
        {"name": "pears", "count": 12, "share": 0.5, "sample": True, "made_at": dt.datetime(2026, 1, 2, 3, 4, 5, 678)},
        {"name": "figs", "count": None, "share": 12.25, "sample": False, "made_at": None},
    ]

    assert text_table(rows, ["name", "count", "share", "sample", "made_at"]).split("\n") == [
        "name   count  share  sample  made_at",
        "pears     12    0.5  yes     2026-01-02 03:04:05",
        "figs          12.25  no",
    ]


def test_a_cell_is_one_line_and_not_too_long() -> None:
    told = text_table([{"text": "a\nb\tc"}, {"text": "x" * 100}], ["text"]).split("\n")

    assert told[1:] == ["a b c", "x" * (LONGEST - 1) + "…"]


def test_broad_letters_and_marks_keep_the_columns_in_line() -> None:
    told = text_table([{"text": "東京", "n": 1}, {"text": "u\u0308ber", "n": 20}], ["text", "n"]).split("\n")

    assert told == ["text   n", "東京   1", "u\u0308ber  20"]


def test_the_header_stands_alone_without_rows() -> None:
    assert text_table([], ["name", "count"]) == "name  count"


def test_what_does_not_fit_in_a_line_is_no_column() -> None:
    """Over HTTP a part of a record is a record, embedded it is a dict."""
    plan = {"prompt_template": "{{q}}"}
    rows = [{"id": "a", "name": "x", "template": part} for part in (TemplateSnapshot(**plan), plan)]

    assert all("template" not in shown_columns(Page(TrainingSheet, [row], total=1)) for row in rows)
