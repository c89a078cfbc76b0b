"""Personal data in texts: found by its form, confirmed by its check digits where it has any."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def luhn(digits: str) -> bool:
    """Return whether the last digit of a card number is right."""
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def mod97(text: str) -> bool:
    """Return whether the check digits of an IBAN are right."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def _only_digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _card(text: str) -> bool:
    digits = _only_digits(text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def _iban(text: str) -> bool:
    plain = re.sub(r"\s", "", text).upper()
    return 15 <= len(plain) <= 34 and mod97(plain)


def _phone(text: str) -> bool:
    digits = _only_digits(text)
    return 9 <= len(digits) <= 15 and len(set(digits)) > 2


def _ssn(text: str) -> bool:
    area, group, serial = text.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _dni(text: str) -> bool:
    number = text.upper().replace("-", "").replace(" ", "")
    digits = str("XYZ".find(number[0])) + number[1:-1] if number[0] in "XYZ" else number[:-1]
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def _nir(text: str) -> bool:
    plain = re.sub(r"\s", "", text).upper().replace("2A", "19").replace("2B", "18")
    return 97 - int(plain[:13]) % 97 == int(plain[13:])


def _fiscal(text: str) -> bool:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2,
               4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))  # fmt: skip
    plain = text.upper()
    even = [int(c) if c.isdigit() else ord(c) - 65 for c in plain[1:15:2]]
    return chr(65 + (sum(odd[c] for c in plain[0:15:2]) + sum(even)) % 26) == plain[15]


_PHONE_FORM = (
    r"(?:\+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){1,4}|\(\d{2,4}\)[ .-]?\d{3,4}[ .-]\d{3,4}"
    r"|\b\d{3}[.-]\d{3}[.-]\d{4}\b|\b(?:1[ .-])?[2-9]\d{2}[ .-][1-9]\d{2}[ .-]\d{4}\b"
    r"|\b0\d(?: \d{2}){4}\b|\b0\d{2} \d{3} \d{2} \d{2}\b|\b0\d{2,4}[ /-]\d{3,4}[ -]?\d{2,5}\b)"
)
# Each kind: its form for both engines (no look-around), and what confirms it. The first kind to take a place keeps it.
KINDS: dict[str, tuple[str, Callable[[str], bool] | None]] = {
    "email": (r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}", None),
    "iban": (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", _iban),
    "fr_nir": (r"\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", _nir),
    "card": (r"\b(?:\d[ -]?){12,18}\d\b", _card),
    "us_ssn": (r"\b\d{3}-\d{2}-\d{4}\b", _ssn),
    "uk_nino": (r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", None),
    "es_dni": (r"\b(?:\d{8}|[XYZ]-?\d{7})[- ]?[A-HJ-NP-TV-Z]\b", _dni),
    "it_cf": (r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", _fiscal),
    "phone": (_PHONE_FORM, _phone),
}
_COMPILED = {kind: re.compile(form) for kind, (form, _) in KINDS.items()}


def personal(texts: pa.Array) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return, per text, how many pieces of personal data it holds and of which kinds, separated by commas."""
    counts, kinds = np.zeros(len(texts), dtype=np.int64), [""] * len(texts)
    suspects = np.zeros(len(texts), dtype=bool)
    for form, _ in KINDS.values():
        # Sorted out column by column first: few texts hold anything of the sort.
        suspects |= np.asarray(pc.match_substring_regex(texts, form).to_numpy(zero_copy_only=False), dtype=bool)
    for row in np.flatnonzero(suspects):
        found = hits(texts[int(row)].as_py())
        counts[row], kinds[row] = len(found), ",".join(kind for kind in KINDS if kind in {k for k, _ in found})
    return counts, kinds


def hits(text: str) -> list[tuple[str, str]]:
    """Return what a text holds as (kind, piece)."""
    found = []
    for kind, (_, confirms) in KINDS.items():
        taken = []
        for match in _COMPILED[kind].finditer(text):
            piece = match.group().strip()
            if _stands_alone(text, match.start(), match.end()) and (confirms is None or confirms(piece)):
                found.append((kind, piece))
            elif kind != "iban":
                continue
            # What looks like an IBAN and is none is a number of some other sort, not a phone.
            taken.append(match.span())
        for start, end in taken:
            text = text[:start] + "\n" * (end - start) + text[end:]
    return found


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether neither side goes on as a number or a word would."""
    before, after = text[start - 1 : start], text[end : end + 1]
    joined = text[end + 1 : end + 2].isdigit() and after in ".-_"
    return not (before.isalnum() or before in ("_", ".", "-", "/") or after.isalnum() or after == "_" or joined)
