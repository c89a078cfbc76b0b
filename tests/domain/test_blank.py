import sys

import pyarrow as pa
import pytest

from workbench.domain.blank import WHITE, is_blank
from workbench.store import Database

ZERO_WIDTH = {"\u200b", "\u200c", "\u200d", "\ufeff"}


def test_blank_is_what_unicode_calls_white_space_and_what_takes_no_place() -> None:
    spaces = {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}

    assert set(WHITE) == spaces | ZERO_WIDTH


def test_the_database_has_the_same_rule_for_each_character() -> None:
    texts = [chr(code) for code in range(1, sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    with Database.open() as db, db.load() as tx:
        tx.execute("create temp table _texts (text varchar)")
        tx.insert_arrow("_texts", pa.table({"text": texts}))
        found = {row[0] for row in tx.execute("select text from _texts where is_blank(text)")}

    assert found == {text for text in texts if is_blank(text)}


@pytest.mark.parametrize(
    "text", [None, "", " \n\t", " \u00a0\u200b", "\u3000x", " a ", "\u200bé", "\x00"], ids=lambda text: ascii(text)
)
def test_the_database_has_the_same_rule_for_words(text: str | None) -> None:
    with Database.open() as db:
        assert db.value("select is_blank(?)", [text]) is is_blank(text)
