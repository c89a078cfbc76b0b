"""What the signals find in texts where it is known what there is to find."""

from __future__ import annotations

import csv
import random
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.services.approved import DATA
from workbench.signals.duplicates import exact, near
from workbench.signals.language import languages
from workbench.signals.measures import leakage, outliers, refusals
from workbench.signals.pii import hits, personal

ROWS = 10_000
COPIES = 500


def docs() -> list[str]:
    with DATA.open(newline="", encoding="utf-8") as file:
        return [row["doc"] for row in csv.DictReader(file)]


def planted() -> tuple[list[str], set[tuple[int, int]]]:
    """Return 10,000 texts of real words, 500 of them copies of others with some words changed, and the pairs that belong together."""
    rng = random.Random(3)
    known = docs()
    words = sorted({word for text in known for word in text.split()})
    texts = [" ".join(rng.choice(words) for _ in range(rng.randint(10, 45))) for _ in range(ROWS)]
    families: dict[int, set[int]] = {}
    for copy in range(ROWS - COPIES, ROWS):
        source = rng.randrange(ROWS // 2)
        texts[copy] = edited(texts[source], words, rng)
        families.setdefault(source, {source}).add(copy)
    return texts, {pair for family in families.values() for pair in combinations(sorted(family), 2)}


def edited(text: str, words: list[str], rng: random.Random) -> str:
    """Change about one word in twelve: another one, one more, one less, or the same in capitals with a comma."""
    found = text.split()
    for _ in range(max(1, len(found) // 12)):
        place, way = rng.randrange(len(found)), rng.randrange(4)
        if way == 0:
            found[place] = rng.choice(words)
        elif way == 1:
            found.insert(place, rng.choice(words))
        elif way == 2:
            del found[place]
        else:
            found[place] = found[place].upper() + ","
    return " ".join(found)


def members(groups: np.ndarray[Any, Any]) -> set[tuple[int, int]]:
    found: dict[int, list[int]] = {}
    for row, first in enumerate(groups.tolist()):
        if first >= 0:
            found.setdefault(first, []).append(row)
    return {pair for rows in found.values() for pair in combinations(rows, 2)}


def test_near_duplicates_are_found_and_others_are_not() -> None:
    texts, wanted = planted()

    counts, groups = near(pa.chunked_array([texts]), lambda done, whole: None)

    found = members(groups)
    recall, precision = len(found & wanted) / len(wanted), len(found & wanted) / len(found)
    assert recall >= 0.95, recall
    assert precision >= 0.9, precision
    assert (counts > 0).sum() == (groups >= 0).sum()


def test_boilerplate_does_not_make_texts_alike() -> None:
    rng = random.Random(1)
    form = "Please read the following customer message with care and say in one word what it is about. Message: "
    words = sorted({word for text in docs() for word in text.split()})
    texts = [form + " ".join(rng.choice(words) for _ in range(12)) for _ in range(1200)]
    texts[700] = texts[3] + " indeed"

    _, groups = near(pa.chunked_array([texts]), lambda done, whole: None)

    assert members(groups) == {(3, 700)}


def test_exact_duplicates_are_groups_and_blank_texts_are_none() -> None:
    counts, groups = exact(pa.chunked_array([["a", "b"], ["a", "", "", "a", "c"]]))

    assert counts.tolist() == [2, 0, 2, 0, 0, 2, 0]
    assert groups.tolist() == [0, -1, 0, -1, -1, 0, -1]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail me at ann.lee+x@mail.example.co.uk, thanks", "email"),
        ("call +44 20 7946 0958 today", "phone"),
        ("(212) 555-0147", "phone"),
        ("dial 212-555-0147", "phone"),
        ("555 123 4567 after six", "phone"),
        ("toll-free 1-800-555-0199", "phone"),
        ("au 06 12 34 56 78", "phone"),
        ("Büro 044 668 18 00", "phone"),
        ("paid with 4111 1111 1111 1111.", "card"),
        ("amex 378282246310005", "card"),
        ("to DE89 3704 0044 0532 0130 00", "iban"),
        ("GB82WEST12345698765432", "iban"),
        ("ssn 123-45-6789", "us_ssn"),
        ("NI number AB 12 34 56 C", "uk_nino"),
        ("dni 12345678Z", "es_dni"),
        ("nie X1234567L", "es_dni"),
        ("nir 1 85 05 78 006 084 91", "fr_nir"),
        ("cf RSSMRA85T10A562S", "it_cf"),
    ],
)
def test_personal_data_of_every_kind(text: str, kind: str) -> None:
    assert [found for found, _ in hits(text)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112", "DE89 3704 0044 0532 0130 01", "000-45-6789", "12345678A", "RSSMRA85T10A562X",
        "version 3.11.4 of 2024-05-01 12:30:45", "f(x) = 1234567890123456", "see 192.168.100.200:8080", "@decorator and user@host",
        "0.1234567890123", "1 85 05 78 006 084 92", "on 01.02.2026 at 12.30.45", "rows 100 200 3000", "07 08 09", "2026 11 23 03 28 11",
    ],
)  # fmt: skip
def test_what_only_looks_like_personal_data(text: str) -> None:
    assert hits(text) == []


def test_few_false_hits_on_real_texts() -> None:
    counts, kinds = personal(pa.array(docs()))

    # One message id of an e-mail is written like an address; nothing else of 2,764 texts is taken for personal data.
    assert (int(counts.sum()), {kind for kind in kinds if kind}) == (1, {"email"})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "This is the house that we have seen in the city, and it was not for sale."),
        ("de", "Das ist das Haus, das wir in der Stadt gesehen haben, und es war nicht zu verkaufen."),
        ("fr", "C'est la maison que nous avons vue dans la ville, et elle n'était pas à vendre."),
        ("es", "Esta es la casa que vimos en la ciudad y no estaba en venta para todos."),
        ("pt", "Esta é a casa que vimos na cidade e não estava à venda para todos nós."),
        ("it", "Questa è la casa che abbiamo visto nella città e non era in vendita per tutti."),
        ("nl", "Dit is het huis dat wij in de stad hebben gezien en het was niet te koop."),
        ("sv", "Det är huset som vi såg i staden och det var inte till salu för alla."),
        ("da", "Det er huset, som vi så i byen, og det var ikke til salg for alle; hun blev der."),
        ("fi", "Tämä on talo, jonka me näimme kaupungissa, mutta se ei ollut myytävänä."),
        ("pl", "To jest dom, który widzieliśmy w mieście, ale nie był on na sprzedaż."),
        ("tr", "Bu şehirde gördüğümüz ev ve satılık değil, ama çok güzel bir ev."),
        ("hu", "Ez az a ház, amit a városban láttunk, és nem volt eladó."),
        ("ru", "Это дом, который мы видели в городе, и он не продавался."),
        ("uk", "Це будинок, який ми бачили в місті, і він не продавався."),
        ("zh", "这是我们在城市里看到的房子，它不出售。"),
        ("ja", "これは私たちが町で見た家で、売り物ではありませんでした。"),
        ("ko", "이것은 우리가 도시에서 본 집이며 판매용이 아니었습니다."),
        ("ar", "هذا هو المنزل الذي رأيناه في المدينة ولم يكن للبيع."),
        ("unknown", "ok 42"),
        ("unknown", ""),
    ],
)
def test_languages(code: str, text: str) -> None:
    assert languages(pa.array([text])).tolist() == [code]


def test_an_answer_in_the_prompt_is_found() -> None:
    prompts = pa.array(
        ["is it warm or cold outside", "is it warmer", "the long answer stands here word for word", "nothing of it"]
    )
    responses = pa.array(["Warm!", "warm", "The long answer stands here", "all of that was never said"])

    assert [round(float(x), 1) for x in leakage(prompts, responses)] == [1.0, 0.0, 1.0, 0.0]


def test_refusals() -> None:
    texts = [
        "I'm sorry, but I can't help with that.",
        "As an AI language model, I have no view.",
        "Sorry for the delay, here it is.",
    ]
    assert refusals(pa.array(texts)).tolist() == [True, True, False]


def test_the_farthest_row_is_the_outlier() -> None:
    lengths = np.array([10.0, 11, 9, 10, 12, 11, 10, 9, 11, 10, 60])
    flat = np.zeros(11)

    scores, reasons = outliers([lengths, flat, flat])

    assert int(scores.argmax()) == 10
    assert (reasons[10], reasons[0]) == ("length", None)
