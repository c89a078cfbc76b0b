"""Colors can be read in light and dark, and every state word of the records has a tone."""

from __future__ import annotations

import pytest

from tests.architecture.test_ui_purity import state_words
from workbench.ui import theme
from workbench.ui.theme import DARK, LIGHT, NEUTRAL, PRIMARY, PRIMARY_ON_DARK, TONE_OF_STATE, TONES, theme_config, tone_of

AA = 4.5


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_right():
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert contrast("#777777", "#ffffff") < AA < contrast("#767676", "#ffffff")


@pytest.mark.parametrize("tone", TONES.values(), ids=TONES)
def test_states_can_be_read(tone):
    assert contrast(tone.ink, tone.ground) >= AA
    assert contrast(tone.dark_ink, tone.dark_ground) >= AA
    assert contrast(tone.ink, LIGHT["paper"]) >= AA
    assert contrast(tone.dark_ink, DARK["paper"]) >= AA


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(colors):
    for ground in (colors["ground"], colors["paper"]):
        assert contrast(colors["ink"], ground) >= AA
        assert contrast(colors["faint"], ground) >= AA


def test_the_primary_color_can_be_read_as_link_and_as_button():
    assert contrast(PRIMARY, LIGHT["paper"]) >= AA
    assert contrast(PRIMARY_ON_DARK, DARK["paper"]) >= AA
    for name in ("light", "dark"):
        primary = theme_config()[name]["palette"]["primary"]
        assert contrast(primary["main"], primary["contrastText"]) >= AA


def test_every_state_word_of_the_records_has_a_tone_of_its_own_choice():
    assert sorted(word for word in state_words() if word not in TONE_OF_STATE) == []


def test_words_nobody_declared_are_neutral():
    assert tone_of("something new") is NEUTRAL
    assert tone_of(None) is NEUTRAL


def test_five_tones_and_no_word_in_two_of_them():
    assert len(TONES) == 5
    words = [word for words in theme._STATES.values() for word in words.split()]
    assert sorted(words) == sorted(set(words))
