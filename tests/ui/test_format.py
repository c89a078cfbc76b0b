"""Values as text."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from markupsafe import Markup

from workbench.ui import format as fmt

THIN = "\u202f"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.84, "0.8 s"),
        (9.94, "9.9 s"),
        (42, "42 s"),
        (133, "2 m 13 s"),
        (3600, "1 h 0 m"),
        (13_800, "3 h 50 m"),
        (4 * 86400 + 7200, "4 d 2 h"),
        (59.7, "1 m 0 s"),
    ],
)
def test_durations(seconds, text):
    assert fmt.duration(seconds).replace(THIN, " ") == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (900, "900 B"), (1536, "1.5 KiB"), (1024**2, "1.0 MiB"), (5 * 1024**5, "5 120.0 TiB")]
)
def test_bytes(count, text):
    assert fmt.size(count).replace(THIN, " ") == text


@pytest.mark.parametrize(
    ("cost", "text"),
    [(0, "0 USD"), (0.0, "0 USD"), (0.00002, "<0.0001 USD"), (0.0023, "0.0023 USD"), (0.25, "0.25 USD"), (12.5, "12.50 USD")],
)
def test_costs(cost, text):
    assert fmt.usd(cost).unescape().replace(THIN, " ").replace("< ", "<") == text


def test_numbers():
    assert fmt.integer(12430).replace(THIN, " ") == "12 430"
    assert fmt.percent(0.7244).replace(THIN, " ") == "72.4 %"
    assert fmt.percentage(72.44).replace(THIN, " ") == "72.4 %"
    assert fmt.number(0.857) == "0.857"
    assert fmt.number(0.00001) == "1.00e-05"
    assert fmt.change(3) == "+3"
    assert fmt.change(-3) == "\u22123"
    assert fmt.plural(1, "job") == "1 job"
    assert fmt.plural(2, "job") == "2 jobs"


@pytest.mark.parametrize(
    "show", [fmt.integer, fmt.number, fmt.percent, fmt.duration, fmt.milliseconds, fmt.size, fmt.moment, fmt.short_id, fmt.text]
)
def test_unknown_is_a_dash_with_its_reason_and_never_zero(show):
    found = show(None, reason="Nobody <b>measured</b> it.")
    assert Markup(found).striptags() == "\u2013"
    assert 'title="Nobody &lt;b&gt;measured&lt;/b&gt; it."' in found


def test_not_a_number_is_unknown():
    assert Markup(fmt.number(float("nan"))).striptags() == "\u2013"


def test_times_carry_the_exact_moment():
    found = fmt.moment(dt.datetime(2026, 1, 1, 9, 0))
    assert 'at="2026-01-01T09:00:00Z"' in found
    assert 'title="2026-01-01 09:00:00 UTC"' in found
    assert fmt.moment("2026-01-01T09:00:00Z") == found


def test_ids_are_cut_for_the_eye_and_whole_for_the_clipboard():
    found = fmt.short_id("sheet_01k9x3v7tq8m2c5d")
    assert 'value="sheet_01k9x3v7tq8m2c5d"' in found
    assert Markup(found).striptags() == "tq8m2c5d"


@pytest.mark.parametrize("show", [fmt.text, fmt.value, fmt.chip, fmt.choice, fmt.short_id])
def test_markup_of_others_is_shown_and_not_obeyed(show):
    assert "<img" not in show("<img src=x onerror=alert(1)>")


def test_a_link_cannot_break_out_of_its_attribute():
    assert '"><script>' not in fmt.link("x", '"><script>')


def test_things_with_the_same_facts_become_a_table():
    found = fmt.value([{"name": "a", "passed_count": 3}, {"name": "<b>", "note": None}])
    assert re.findall("<th>(.*?)</th>", found) == ["Name", "Passed count", "Note"]
    assert re.findall("<td>(.*?)</td>", found)[:4] == ["a", "3", fmt.unknown(), "&lt;b&gt;"]


def test_nested_values_become_labeled_lines():
    found = fmt.value({"learning_rate": 0.5, "layers": [1, 2], "deep": {"on": True}})
    assert Markup(found).striptags() == "Learning rate 0.500 Layers 1, 2 Deep On yes".replace(" Layers", "Layers").replace(
        "rate 0", "rate0"
    ).replace("Layers 1", "Layers1").replace(" Deep On yes", "DeepOnyes")


def test_chips_are_color_icon_and_word():
    found = fmt.chip("in_progress")
    assert "tone-info" in found
    assert "<svg" in found
    assert Markup(found).striptags() == "in progress"


def test_pages():
    assert fmt.page_count(0, 50) == 1
    assert fmt.page_count(50, 50) == 1
    assert fmt.page_count(51, 50) == 2
    assert fmt.pager_value(7, 2) == 1
    assert fmt.page_of(0) == 1


def test_an_axis_of_one_value_is_as_wide_as_the_value():
    assert (fmt.span([0.5]), fmt.span([-1e-4]), fmt.span([0.0]), fmt.span([None, float("nan"), float("inf")])) == (
        0.5,
        1e-4,
        2.0,
        2.0,
    )


def test_measures_bear_one_name_everywhere():
    assert (fmt.words("val_accuracy"), fmt.words("char_ngrams"), fmt.words("val_f1")) == (
        "Held-out accuracy",
        "Character n-grams",
        "Val f1",
    )


def test_of_two_with_one_name_both_can_be_chosen():
    one, two, other = (
        SimpleNamespace(id=f"assembly_{tail}", name=name)
        for tail, name in (("aa11", "cases"), ("bb22", "cases"), ("cc33", "other"))
    )

    assert fmt.to_choose([one, two, other]) == {"cases · aa11": one.id, "cases · bb22": two.id, "other": other.id}


def test_names_are_chosen_by_words_and_told_apart():
    assert {"Training loss": "train_loss", "F1 a": "f1_a"} == fmt.names_to_choose(["train_loss", "f1_a"])
    assert {"a_b": "a_b", "a-b": "a-b"} == fmt.names_to_choose(["a_b", "a-b"])


def test_a_figure_that_is_a_time_is_a_duration():
    assert ("2\u202fm 13\u202fs", "0.1230") == (fmt.measured("training_duration_seconds", 133), fmt.measured("val_loss", 0.123))


TURNED = "safe\u202egpj.exe \u2066a\u2069"


@pytest.mark.parametrize(
    "show",
    [fmt.text, fmt.cell, fmt.value, lambda text: fmt.clipped(text, 100), fmt.marked],
    ids=("text", "cell", "value", "clipped", "marked"),
)
def test_what_turns_the_direction_of_letters_is_told_by_its_code(show):
    assert str(show(TURNED)) == "safe⟨U+202E⟩gpj.exe ⟨U+2066⟩a⟨U+2069⟩"


def test_marks_of_writing_and_markup_stay_as_they_are():
    assert str(fmt.text("שלום\u200f! مرحبا 👩\u200d🚀")) == "שלום\u200f! مرحبا 👩\u200d🚀"
    assert str(fmt.text(Markup("<b>\u202e</b>"))) == "<b>\u202e</b>"
    assert str(fmt.clipped(TURNED, 5)).startswith("safe⟨U+202E⟩<span")
    assert str(fmt.cell({"a": "\u202e<"})) == "{&#34;a&#34;: &#34;⟨U+202E⟩&lt;&#34;}"
