"""Chinese names in Latin letters: how a spelling such as `jianning` is cut, and which characters it reads aloud.

All readings of a character count (曾: zeng and ceng), tones do not; ü is written u.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache


def spelled_in_pinyin(spelling: str, text: str) -> bool:
    """Whether consecutive characters of `text` read as `spelling` (lower-case letters only)."""
    letters = _plain(spelling)
    if not letters:
        return False
    options_of = [readings(character) for character in text]
    for start in range(len(text)):
        reached = {0}
        for options in options_of[start:]:
            reached = {at + len(r) for at in reached for r in options if letters.startswith(r, at)}
            if len(letters) in reached:
                return True
            if not reached:
                break
    return False


def is_pinyin(word: str) -> bool:
    """Whether `word` (lower-case letters only) can be cut into Mandarin syllables."""
    word = _plain(word)
    reached = {0}
    for end in range(1, len(word) + 1):
        if any(start in reached and word[start:end] in _syllables() for start in range(max(0, end - 6), end)):
            reached.add(end)
    return len(word) in reached and len(word) > 1


def _plain(spelling: str) -> str:
    return spelling.replace("lyu", "lu").replace("lv", "lu").replace("nyu", "nu").replace("nv", "nu")


@cache
def readings(character: str) -> frozenset[str]:
    """Readings of a Chinese character without tones; empty for anything else."""
    if character < "㐀":
        return frozenset()
    from pypinyin.constants import PINYIN_DICT

    options = PINYIN_DICT.get(ord(character), "").split(",")
    return frozenset(letters for option in options if (letters := _without_tone(option)))


@cache
def _syllables() -> frozenset[str]:
    from pypinyin.constants import PINYIN_DICT

    return frozenset(_without_tone(option) for options in PINYIN_DICT.values() for option in options.split(","))


def _without_tone(reading: str) -> str:
    decomposed = unicodedata.normalize("NFD", reading)
    return "".join(c for c in decomposed if "a" <= c <= "z")


_SYLLABLE = re.compile(
    r"(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ia|ie|in"
    r"|iu|ou|ua|ui|un|uo|ue|a|e|i|o|u)"
)


@cache
def syllables(word: str) -> tuple[tuple[str, ...], ...]:
    """Ways to read a lower-case word as two to four pinyin syllables (Jianning: jian-ning); empty when it is none."""
    found: list[tuple[str, ...]] = []

    def extend(begin: int, parts: tuple[str, ...]) -> None:
        if begin == len(word):
            found.append(parts)
        elif len(parts) < 4:
            for end in range(begin + 1, min(begin + 6, len(word)) + 1):
                if _SYLLABLE.fullmatch(word, begin, end):
                    extend(end, (*parts, word[begin:end]))

    if word.isascii() and word.isalpha() and len(word) <= 24:
        extend(0, ())
    return tuple(parts for parts in found if parts)


def find_by_sound(word: str, text: str) -> list[tuple[int, int]]:
    """Spans of `text` whose characters are read like the pinyin `word`, without overlap."""
    spans: list[tuple[int, int]] = []
    ways = syllables(word)
    if not ways:
        return spans
    for parts in ways:
        n = len(parts)
        for i in range(len(text) - n + 1):
            if all(part in readings(text[i + k]) for k, part in enumerate(parts)):
                spans.append((i, i + n))
    return spans
