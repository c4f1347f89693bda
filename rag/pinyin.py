"""Chinese names in Latin letters: whether a spelling such as `zhangjianning` reads a text aloud.

All readings of a character count (曾: zeng and ceng), tones do not; ü is written u.
"""

from __future__ import annotations

import unicodedata
from functools import cache


def spelled_in_pinyin(spelling: str, text: str) -> bool:
    """Whether consecutive characters of `text` read as `spelling` (lower-case letters only)."""
    letters = _plain(spelling)
    if not letters:
        return False
    readings = [readings(character) for character in text]
    for start in range(len(text)):
        reached = {0}
        for options in readings[start:]:
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
