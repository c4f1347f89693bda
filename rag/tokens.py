"""Text -> tokens for lexical matching: character bigrams for Chinese, words and numbers for the rest.

Character bigrams beat word segmentation for retrieval in our measurements (DESIGN of the lexical leg:
XQuAD-zh R@1 .891 against .866). Width, case, combining marks and the two Chinese scripts are folded on
both sides, so 冷҈ is found by 冷, ＡＩ by ai and 臺灣 by 台湾.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_OTHER_UNSPACED = "\u3040-\u30ff"
_TOKEN = re.compile(rf"[{_HAN}{_OTHER_UNSPACED}]+|[^\W_{_HAN}{_OTHER_UNSPACED}]+(?:[.'’][^\W_{_HAN}]+)*")
_MARK_RUN = re.compile(r"[̀-ͯ҃-҉᪰-᫿᷀-᷿⃐-⃿︠-︯]{30,}")
_ENGLISH_WORDS = re.compile(r"\b(?:what|who|when|where|which|how|why|the|of|is|are|was|were|did|does|in)\b", re.I)
_UNUSUAL = re.compile(r"[^\x00-\x7f\u3001-\u3020\u3400-\u4dbf\u4e00-\u9fff]+")
"""What can hold marks and format characters: asking each Chinese character for its category costs a quarter of all."""
_UNSPACED = re.compile(rf"[{_HAN}{_OTHER_UNSPACED}]")


def fold(text: str) -> str:
    """`text` with width, case and Chinese script folded, combining marks and format characters removed.

    Lengths change: use it for matching, never for offsets.
    """
    text = unicodedata.normalize("NFKC", _MARK_RUN.sub("", text)).lower().translate(_simplified())
    return _UNUSUAL.sub(_without_marks, text)


def _without_marks(match: re.Match[str]) -> str:
    return "".join(c for c in match.group() if unicodedata.category(c) not in {"Mn", "Me", "Cf"})


def tokenize(text: str) -> list[str]:
    """Tokens of `text` in order: bigrams of each Chinese run (the character itself for a run of one), words.

    >>> tokenize("天津港 Port 2026年")
    ['天津', '津港', 'port', '2026', '年']
    """
    tokens: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        run = match.group()
        if not _UNSPACED.match(run):
            tokens.append(run.replace("’", "'"))
        elif len(run) == 1:
            tokens.append(run)
        else:
            tokens.extend(a + b for a, b in pairwise(run))
    return tokens


def is_chinese(text: str) -> bool:
    """Whether `text` is to be answered in Chinese: it has Han characters, and no English sentence around them."""
    han = len(re.findall(rf"[{_HAN}]", text))
    words = len(re.findall(r"[A-Za-z]+", text))
    return han > 0 and (han > 2 * words or not _ENGLISH_WORDS.search(text))


def detect_language(text: str) -> str:
    """`zh` or `en`: the language in which to answer `text`."""
    return "zh" if is_chinese(text) else "en"


@cache
def _simplified() -> dict[int, str]:
    """Character table from traditional to simplified Chinese (OpenCC's TSCharacters, first choice)."""
    import opencc

    file = Path(opencc.__file__).parent / "dictionary" / "TSCharacters.txt"
    table: dict[int, str] = {}
    for line in file.read_text("utf-8").splitlines():
        source, _, targets = line.partition("\t")
        target = targets.split(" ")[0]
        if len(source) == 1 and target and target != source:
            table[ord(source)] = target
    return table
