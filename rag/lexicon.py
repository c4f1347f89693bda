"""What retrieval and the reader know about words: how telling each is, and how English words read in Chinese.

Term weights are inverse document frequencies counted over news sentences. Translations come from IBM model 1
(Brown et al., Computational Linguistics 1993) over parallel sentences. Both ship as plain arrays in one
safetensors file; see the model card for their origin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.config import MODELS_DIR
from rag.errors import ModelError

LEXICON_FILE = MODELS_DIR / "jinwen-words" / "lexicon.safetensors"
"""The one that ships."""

_UNKNOWN_HAN = 9.0
_UNKNOWN_WORD = 8.0

Translation = tuple[str, float]
"""A Chinese term and how well it stands for the English word, in (0, 1]."""


@dataclass(frozen=True)
class Lexicon:
    """Term weights and an English-Chinese word table."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Inverse document frequency of Chinese characters, character bigrams and stemmed words."""
    translations: Mapping[str, Sequence[Translation]] = field(default_factory=dict)
    """Stemmed English word -> Chinese terms, best first."""

    def weight(self, term: str) -> float:
        """How telling a term is, at least 0; numbers and unknown words count as rare."""
        found = self.weights.get(term)
        if found is not None:
            return found
        return _UNKNOWN_HAN if "㐀" <= term[0] <= "鿿" else _UNKNOWN_WORD


def save_lexicon(lexicon: Lexicon, file: Path) -> None:
    """Write `lexicon` as one safetensors file (UTF-8 word lists and arrays, no pickle)."""
    from safetensors.numpy import save_file

    terms = sorted(lexicon.weights)
    words = sorted(lexicon.translations)
    targets = sorted({term for pairs in lexicon.translations.values() for term, _ in pairs})
    position = {term: i for i, term in enumerate(targets)}
    pairs = [pair for word in words for pair in lexicon.translations[word]]
    save_file(
        {
            "terms": _to_bytes(terms),
            "weights": np.array([lexicon.weights[term] for term in terms], dtype=np.float16),
            "words": _to_bytes(words),
            "targets": _to_bytes(targets),
            "lengths": np.array([len(lexicon.translations[word]) for word in words], dtype=np.uint8),
            "target_ids": np.array([position[term] for term, _ in pairs], dtype=np.int32),
            "target_weights": np.array([weight for _, weight in pairs], dtype=np.float16),
        },
        file,
    )


def load_lexicon(file: Path) -> Lexicon:
    """Read what `save_lexicon` wrote.

    :raises ModelError: the file is missing or is not a lexicon.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return _from_arrays(load_file(file))
    except (OSError, SafetensorError, KeyError, ValueError, IndexError) as error:
        raise ModelError(
            f"word table {file} cannot be read: {error}; restore models/jinwen-reader or retrain it"
        ) from error


def _from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> Lexicon:
    terms, words, targets = (bytes(arrays[name]).decode().split("\n") for name in ("terms", "words", "targets"))
    weights = dict(zip(terms, arrays["weights"].astype(float).tolist(), strict=True))
    ids, values = arrays["target_ids"].tolist(), arrays["target_weights"].astype(float).tolist()
    translations: dict[str, Sequence[Translation]] = {}
    begin = 0
    for word, length in zip(words, arrays["lengths"].tolist(), strict=True):
        translations[word] = [(targets[ids[i]], values[i]) for i in range(begin, begin + length)]
        begin += length
    return Lexicon(weights, translations)


def local_weights(texts: Sequence[Sequence[str]]) -> dict[str, float]:
    """Inverse document frequencies counted over the sentences at hand, for use without a shipped lexicon."""
    counts: dict[str, int] = {}
    for terms in texts:
        for term in set(terms):
            counts[term] = counts.get(term, 0) + 1
    return {term: math.log(1 + len(texts) / n) for term, n in counts.items()}


def _to_bytes(words: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


_STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for from by with and or as is are was were be been being has have had do does did "
        "will would can could may might shall should must it its this that these those there their they them he "
        "she his her him we our us you your i my me who whom whose which what when where why how many much more "
        "most than then so such not no nor but if into over under out up down about between among during after "
        "before since until while also each every any some all both other another same own only just very too per "
        "via s t",
    )
)


@cache
def stem(word: str) -> str:
    """A lower-case English word without its common endings; British spellings become American ones.

    >>> stem("labelling"), stem("organised"), stem("companies")
    ('label', 'organiz', 'company')
    """
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 4 and re.search(r"(?:ch|sh|x|ss)es$", word):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and word[-2] not in "sui":
        word = word[:-1]
    for suffix in ("ing", "ed"):
        root = word.removesuffix(suffix)
        if root != word and len(root) >= 3 and re.search("[aeiouy]", root):
            doubled = len(root) > 3 and root[-1] == root[-2] and root[-1] not in "aeious"
            word = root[:-1] if doubled else root
            break
    if len(word) > 4 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 4 and word.endswith("is") and not word.endswith("sis"):
        word = word[:-1] + "z"
    if len(word) > 5 and word.endswith("isation"):
        word = word[:-7] + "ization"
    if len(word) > 4 and word.endswith("our"):
        word = word[:-3] + "or"
    if len(word) > 3 and word.endswith("tr"):
        word = word[:-2] + "ter"
    return word


def is_stopword(word: str) -> bool:
    """Whether a lower-case English word only holds a sentence together."""
    return word in _STOPWORDS
