"""Texts as sparse vectors of word and character n-grams, kept as JSON and plain arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

VOCABULARY = "features.json"
WEIGHTS = "idf.npz"


class Ngrams:
    """Turn texts into rows of unit length: half the weight for words, half for characters.

    `hashed` needs no vocabulary; otherwise the n-grams seen in training are kept.
    """

    def __init__(self, *, word: int = 2, char: int = 5, hashed: bool = False) -> None:
        self.word = word
        self.char = char
        self.hashed = hashed
        self._parts = [self._part(spec) for spec in self._specs()]

    def fit(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Learn vocabulary and inverse document frequencies and return the rows of the texts."""
        return self._joined([_fitted(part, texts) for part in self._parts])

    def rows(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return the rows of texts."""
        return self._joined([_transformed(part, texts) for part in self._parts])

    def save(self, folder: Path) -> None:
        """Write the learned state into a folder."""
        told: dict[str, Any] = {"word": self.word, "char": self.char, "hashed": self.hashed}
        if not self.hashed:
            told["vocabularies"] = [_names(counter) for counter, _ in self._parts]
        (folder / VOCABULARY).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        with (folder / WEIGHTS).open("wb") as file:
            np.savez_compressed(file, **{f"idf_{i}": tfidf.idf_ for i, (_, tfidf) in enumerate(self._parts)})

    @classmethod
    def load(cls, folder: Path) -> Ngrams:
        """Read the learned state of a folder."""
        told = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
        made = cls(word=told["word"], char=told["char"], hashed=told["hashed"])
        with np.load(folder / WEIGHTS, allow_pickle=False) as arrays:
            for i, (counter, tfidf) in enumerate(made._parts):
                if not made.hashed:
                    counter.vocabulary = {name: column for column, name in enumerate(told["vocabularies"][i])}
                tfidf.idf_ = arrays[f"idf_{i}"]
        return made

    def _specs(self) -> list[dict[str, Any]]:
        specs: list[dict[str, Any]] = [{"analyzer": "word", "ngram_range": (1, self.word), "size": 2**14}]
        if self.char:
            specs.append({"analyzer": "char_wb", "ngram_range": (min(2, self.char), self.char), "size": 2**15})
        return specs

    def _part(self, spec: dict[str, Any]) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer

        how: dict[str, Any] = {"analyzer": spec["analyzer"], "ngram_range": spec["ngram_range"]}
        if spec["analyzer"] == "word":
            how |= {"token_pattern": r"(?u)\b\w+\b"}
        if self.hashed:
            counter: Any = HashingVectorizer(**how, n_features=spec["size"], alternate_sign=False, norm=None)
        else:
            counter = CountVectorizer(**how, min_df=2 if spec["analyzer"] == "char_wb" else 1, dtype=np.float64)
        return counter, TfidfTransformer(sublinear_tf=True)

    def _joined(self, parts: list[sp.csr_matrix]) -> sp.csr_matrix:
        return sp.csr_matrix(sp.hstack(parts) * np.sqrt(1 / len(parts)))


def _fitted(part: tuple[Any, Any], texts: Sequence[str]) -> sp.csr_matrix:
    counter, tfidf = part
    try:
        counts = counter.fit_transform(texts)
    except ValueError:
        # A handful of texts shares no n-gram often enough: then every one counts.
        counter.set_params(min_df=1)
        counts = counter.fit_transform(texts)
    return tfidf.fit_transform(counts)


def _transformed(part: tuple[Any, Any], texts: Sequence[str]) -> sp.csr_matrix:
    counter, tfidf = part
    return tfidf.transform(counter.transform(texts))


def _names(counter: Any) -> list[str]:
    return sorted(counter.vocabulary_, key=counter.vocabulary_.__getitem__)
