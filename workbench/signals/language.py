"""The language of a text, from its script and from the little words every sentence needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN = "unknown"
FEWEST_WORDS = 2
SHARE = 0.12
# The commonest function words of each language, as any grammar lists them.
WORDS = {
    "en": "the of and to in is that it for was on are with as his they be at this have from or had by but not what all were we "
          "when your can there use an each which she do how their if will about out many then them these so some her would has "
          "its who you my been than does why where into our",
    "de": "der die das und ist in den von zu mit sich des auf für nicht ein eine als auch es an werden aus er hat dass sie nach "
          "wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man wir ich "
          "kein wenn kann dem sein ihre doch",
    "fr": "le la les de des du et est en un une que qui dans pour pas sur au avec il elle ce se ne par plus ou son sont je vous "
          "nous mais comme cette ses aux leur être fait a été ont tout si même sans où lui deux très c d l qu n s",
    "es": "el la los las de del y que en un una es por con no para se su al lo como más pero sus le ya este sí porque esta entre "
          "cuando muy sin sobre también me hasta hay donde quien desde todo nos durante ella son fue está ser han tiene",
    "pt": "o a os as de do da dos das e que em um uma é por com não para se na no mais como mas foi ao ele tem à seu sua ou ser "
          "quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos são você",
    "it": "il lo la i gli le di del della e che in un una è per con non si da al dei delle come più ma anche sono nel alla se ha "
          "questo ci ed o suo sua essere nella io tra cui dal quando ho hanno stato era molto dove perché mi questa",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om hij ook als dan maar bij of uit nog naar heeft door over "
          "ze zich wordt worden tot hebben ik je kan deze die was werd geen wel meer hun moet veel wij",
    "sv": "och att det i en som är av för på med den till inte om ett han men var jag sig från vi så kan hon när har de nu efter "
          "under mot eller vad bara denna alla detta skulle blir också vid ut där mycket",
    "da": "og at det i en er af for på med den til ikke om et han men var jeg sig fra vi så kan hun når har de nu efter under mod "
          "eller hvad kun denne alle dette skulle bliver også ved ud hvor meget blev",
    "no": "og at det i en er av for på med den til ikke om et han men var jeg seg fra vi så kan hun når har de nå etter under mot "
          "eller hva bare denne alle dette skulle blir også ved ut hvor mye ble noe hvis",
    "fi": "ja on ei se että oli mutta hän kun niin joka myös ovat olla kuin tai jos nyt vain sen mitä ole minä tämä sitä kanssa "
          "vielä hänen voi jo ne ollut mukaan tämän sekä",
    "pl": "i w na z nie się do to jest że jak o po za od co tak ale czy dla jego przez tym jej być może przy który już tylko są "
          "był ma ich oraz lub tego ze było gdy tej bardzo",
    "cs": "a v na se je že to s z do i o k za po ale jak jsem by si pro tak od ve co však nebo jako jeho byl také jen už být při "
          "které který ze až jsou podle",
    "tr": "ve bir bu da de için ile çok daha olarak ne gibi ama kadar sonra var olan o en değil mi ben her ya ki şey diye olduğu "
          "göre ise hem nasıl",
    "ro": "și în de la a cu este pe nu că din se o un mai care pentru sunt ce au fost dar prin sau după când lui le fi am al ale "
          "această acest",
    "hu": "a az és hogy nem is egy van ez meg de csak már mint volt ki el ha még vagy azt mert lesz ezt minden sem majd így után "
          "nagyon pedig lehet",
    "id": "yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa ada mereka lebih kata "
          "tahun sudah atau saat oleh menjadi orang adalah dapat",
    "vi": "và của là có trong cho không được một với các này người những đã để khi đến về ra như từ tôi nhưng cũng sẽ vào đó",
}  # fmt: skip
# Where one script means one language, or a few that one letter tells apart.
SCRIPTS = (
    ("ja", r"[\x{3040}-\x{30ff}]"), ("ko", r"[\x{ac00}-\x{d7af}]"), ("zh", r"\p{Han}"), ("th", r"\p{Thai}"), ("el", r"\p{Greek}"),
    ("he", r"\p{Hebrew}"), ("hi", r"\p{Devanagari}"), ("ar", r"\p{Arabic}"), ("ru", r"\p{Cyrillic}"),
)  # fmt: skip
_BULGARIAN = r"\b(?:е|се|на|за|от|като|са|че)\b.*\b(?:на|за|от|се|са|че)\b"
NARROWER = (("fa", "ar", r"[پچژگ]"), ("uk", "ru", r"[іїєґІЇЄҐ]"), ("bg", "ru", _BULGARIAN))
_RUSSIAN = r"[ыэёЫЭЁ]"
_LONGEST = 1000


def languages(texts: pa.Array) -> np.ndarray[Any, Any]:
    """Return the two-letter code of each text's language, or `unknown` where too little tells."""
    found = np.full(len(texts), UNKNOWN, dtype=object)
    cut = pc.utf8_slice_codeunits(texts, 0, _LONGEST)
    best, sure = _by_words(cut)
    codes = np.array(list(WORDS), dtype=object)
    found[sure] = codes[best[sure]]
    letters = _count(cut, r"\pL")
    for code, form in reversed(SCRIPTS):
        held = _count(cut, form)
        # A line of Latin letters may quote a foreign word; Japanese is written mostly in Han.
        found[(held >= 2) & (held >= (0.15 if code == "ja" else 0.5) * letters)] = code
    for code, broader, form in NARROWER:
        there = (found == broader) & (_count(cut, form) > 0)
        found[there if code != "bg" else there & (_count(cut, _RUSSIAN) == 0)] = code
    return found


def _count(texts: pa.Array, form: str) -> np.ndarray[Any, Any]:
    return np.asarray(pc.count_substring_regex(texts, form).to_numpy(zero_copy_only=False), dtype=np.int64)


def _by_words(texts: pa.Array) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the language whose little words a text has most of, and whether they are enough."""
    plain = pc.replace_substring_regex(pc.utf8_lower(texts), r"[^\pL]+", " ")
    lists = pc.split_pattern(pc.utf8_trim_whitespace(plain), " ")
    rows = np.asarray(pc.list_parent_indices(lists))
    vocabulary, weights = _vocabulary()
    place = pc.index_in(pc.list_flatten(lists), value_set=vocabulary)
    known = np.asarray(place.is_valid())
    scores = np.zeros((len(texts), len(WORDS)))
    np.add.at(scores, rows[known], weights[np.asarray(place.drop_null())])
    hits = np.bincount(rows[known], minlength=len(texts))
    words = np.maximum(np.bincount(rows, minlength=len(texts)), 1)
    order = np.sort(scores, axis=1)
    clear = order[:, -1] > order[:, -2] * 1.05 if len(WORDS) > 1 else order[:, -1] > 0
    return scores.argmax(axis=1), (hits >= FEWEST_WORDS) & (order[:, -1] / words >= SHARE) & clear


def _vocabulary() -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Return all words, and how much each speaks for each language: less the more languages have it."""
    # Single letters are as often names of things as words.
    lists = {code: {word for word in words.split() if len(word) > 1} for code, words in WORDS.items()}
    known = sorted(set().union(*lists.values()))
    shared = np.array([[word in lists[code] for code in lists] for word in known], dtype=float)
    return pa.array(known), shared / np.sqrt(shared.sum(axis=1, keepdims=True))
