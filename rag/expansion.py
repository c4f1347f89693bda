"""English query -> Chinese terms that its words may stand for, so that words can match across languages.

Two sources: a table of word translations (probabilistic structured queries, Darwish and Oard, SIGIR 2003), and
pinyin, which carries names that no table holds (Jinghai: 静海). Numbers and codes match as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from rag.lexicon import Lexicon, is_stopword, stem
from rag.pinyin import readings, syllables
from rag.tokens import is_chinese, tokenize

_TRANSLATIONS = 4
"""Most translations of one word: the table's tails are noise."""
_PINYIN_WEIGHT = 0.7
_MIN_NAME = 4
"""Shortest capitalised word read as pinyin."""
_WAYS = 3
"""Most ways to cut one word into syllables (xian: xian, xi-an)."""
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")


class QueryExpander:
    """Finds Chinese terms for the words of English queries."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def expand(self, query: str) -> dict[str, float]:
        """Chinese tokens with their weights in (0, 1]; most of them stand in no article. Empty for Chinese queries."""
        if is_chinese(query):
            return {}
        found: dict[str, float] = {}
        for match in _WORD.finditer(query):
            word = match.group()
            for options in (self.translations(word), spelled(word)):
                for token, weight in options.items():
                    found[token] = max(weight, found.get(token, 0.0))
        return found

    def translations(self, word: str) -> Mapping[str, float]:
        """Chinese tokens that an English word may stand for, with their weights in (0, 1]."""
        word = word.lower()
        if is_stopword(word):
            return {}
        found: dict[str, float] = {}
        for term, weight in list(self._lexicon.translations.get(stem(word), ()))[:_TRANSLATIONS]:
            tokens = tokenize(term)
            for token in tokens:
                found[token] = max(found.get(token, 0.0), weight / len(tokens))
        return found


@cache
def spelled(word: str) -> Mapping[str, float]:
    """Pairs of characters that a capitalised word may spell in pinyin, with their weights.

    `Wenlan` gives every pair of characters read wen and lan; few of them stand in any article.
    """
    letters = re.sub(r"[^a-z]", "", word.lower())
    if not word[0].isupper() or len(letters) < _MIN_NAME:
        return {}
    found: dict[str, float] = {}
    for way in syllables(letters)[:_WAYS]:
        for first, second in pairwise(way):
            weight = _PINYIN_WEIGHT / (len(way) - 1)
            found |= {a + b: weight for a in _characters().get(first, ()) for b in _characters().get(second, ())}
    return found


@cache
def _characters() -> Mapping[str, str]:
    """The 6,763 characters of GB 2312 (names hold hardly any other) by their readings without tone."""
    by_reading: dict[str, list[str]] = {}
    for row in range(0xB0, 0xF8):
        for cell in range(0xA1, 0xFF):
            character = bytes((row, cell)).decode("gb2312", "ignore")
            for reading in readings(character) if character else ():
                by_reading.setdefault(reading, []).append(character)
    return {reading: "".join(characters) for reading, characters in by_reading.items()}
