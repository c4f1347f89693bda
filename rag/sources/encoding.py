"""Bytes -> text: UTF-8 with or without BOM, UTF-16, GB18030, Big5, EUC-KR, Shift-JIS, EUC-JP, Windows-1252.

UTF-8 is strict enough to be certain. Everything else without a byte order mark is a guess and is reported as one:
GB18030 decodes nearly any bytes (Big5 and Shift-JIS too) to wrong text without an error, so the candidates are
scored by how much of their text consists of everyday characters. Korean and Japanese bytes are everyday Chinese too
in part; what gives them away is that nearly all are hangul, or that many are kana.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from rag.errors import SourceError
from rag.sources.cleaning import unify

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
_SAMPLE = 200_000
_PUNCTUATION = "，。、；：？！“”‘’（）《》【】—…·　「」『』・ー"
_BINARY_MAGIC = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"MZ",
    b"SQLite format 3\0",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
)
_BINARY = "binary file; expected text, JSON, HTML, PDF or DOCX"
_CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))
_MIN_PLAUSIBLE = 0.75
_MIN_FOREIGN = 10
"""Fewer characters that are not ASCII do not tell Korean or Japanese from Chinese."""
_HANGUL = re.compile("[가-힣]")
_KANA = re.compile("[ぁ-んァ-ヶｦ-ﾟ]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LATIN = re.compile("[À-ÖØ-öø-ÿŠšŽžŸŒœ‘’“”–—…€£©®°·•«»¿¡§½¼¾]")


@dataclass(frozen=True, slots=True)
class Decoded:
    r"""A text file as characters.

    `text` is what the spans of an article point into: the decoded file without its byte order mark, with line ends
    unified to `\n` and each no-break space and lone surrogate replaced one for one (see `cleaning.unify`).
    """

    text: str
    encoding: str
    guessed: bool


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """Text of `data`; `encoding` overrides detection.

    :raises SourceError: the bytes are binary, or no known encoding fits them.
    """
    if encoding:
        return Decoded(unify(_decode_as(data, encoding)), encoding, guessed=False)
    for bom, codec, name in _BOMS:
        if data.startswith(bom):
            return Decoded(unify(_decode_as(data, codec)), name, guessed=False)
    wide = _utf16_without_bom(data)
    if wide:
        return Decoded(unify(_decode_as(data, wide)), wide, guessed=True)
    _refuse_binary(data)
    try:
        return Decoded(unify(data.decode("utf-8")), "utf-8", guessed=False)
    except UnicodeDecodeError as error:
        guess = _guess(data)
        if guess is None:
            raise SourceError(
                f"not UTF-8 (invalid byte 0x{data[error.start]:02x} at byte {error.start}) and no other known "
                "encoding fits; convert the file to UTF-8 or name its encoding (sources.encoding)"
            ) from None
    return Decoded(unify(data.decode(guess)), guess, guessed=True)


def _decode_as(data: bytes, codec: str) -> str:
    try:
        text = data.decode(codec)
    except LookupError:
        raise SourceError(f"unknown encoding {codec!r}; expected a name such as utf-8, gb18030 or big5") from None
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start} is not valid {codec}; convert the file to UTF-8 or set sources.encoding"
        ) from None
    except UnicodeError:
        raise SourceError(f"not valid {codec}; convert the file to UTF-8 or name its encoding") from None
    return text.removeprefix("\ufeff")


def _utf16_without_bom(data: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` where NULs or the high bytes of Chinese stand in every second place, else None."""
    sample = data[:_SAMPLE]
    if len(data) % 2 or len(data) < 4:
        return None
    for name, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        other = sample[0::2] if name == "utf-16-le" else sample[1::2]
        if not high.count(0) or other.count(0) * 20 > len(other):
            continue  # even an all-Chinese text has line breaks or digits, whose high byte is NUL
        likely = sum(1 for byte in high if byte == 0 or 0x4E <= byte <= 0x9F or byte in (0x20, 0x30, 0xFF))
        if likely * 10 >= len(high) * 9:
            return name
    return None


def _refuse_binary(data: bytes) -> None:
    """The whole of `data` is looked at, since a text may turn into something else half-way."""
    if data.startswith(_BINARY_MAGIC):
        raise SourceError(_BINARY)
    zero = data.find(b"\0")
    for start in range(0, len(data), _SAMPLE):
        block = data[start : start + _SAMPLE]
        if start <= zero < start + _SAMPLE or _controls(block) * 50 > len(block):
            raise SourceError(_BINARY if start == 0 else f"{_BINARY}; text only up to byte {start}")


def _controls(block: bytes) -> int:
    return len(block) - len(block.translate(None, _CONTROLS))


def _guess(data: bytes) -> str | None:
    """The candidate under which most of the text is everyday writing, None when none is plausible."""
    return _western(data) or _korean_or_japanese(data) or _chinese(data)


def _western(data: bytes) -> str | None:
    """Windows-1252 where bytes over 127 stand alone among ASCII: a Chinese or Japanese character has two."""
    runs = [len(run.group()) for run in _HIGH_RUN.finditer(data, 0, _SAMPLE)]
    if not runs or sum(runs) * 5 > min(len(data), _SAMPLE) or sum(run == 1 for run in runs) * 5 < len(runs) * 4:
        return None
    text = _decoded_or_none(data, "cp1252")
    others = [char for char in (text or "")[:_SAMPLE] if ord(char) > 0x7F]
    return "cp1252" if others and sum(map(bool, map(_LATIN.match, others))) * 10 >= len(others) * 9 else None


def _korean_or_japanese(data: bytes) -> str | None:
    for name, letters, least in (("euc_kr", _HANGUL, 0.9), ("shift_jis", _KANA, 0.2), ("euc_jp", _KANA, 0.2)):
        text = _decoded_or_none(data, name)
        others = [char for char in (text or "")[:_SAMPLE] if ord(char) > 0x7F and char not in _PUNCTUATION]
        known = sum(map(bool, map(letters.match, others)))
        if len(others) >= _MIN_FOREIGN and known >= least * len(others):
            sample = (text or "")[:_SAMPLE]
            spaced = sample.count(" ") * 12 >= known  # Korean parts its words, Chinese does not
            if spaced if name == "euc_kr" else _plausibility(sample, name) >= _MIN_PLAUSIBLE:
                return name
    return None


def _decoded_or_none(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def _chinese(data: bytes) -> str | None:
    best: str | None = None
    best_score = _MIN_PLAUSIBLE
    for name in ("gb18030", "big5", "big5hkscs"):  # the last holds Hong Kong's characters and all of Big5
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        score = _plausibility(text[:_SAMPLE], name)
        if score > best_score:
            best, best_score = name, score
    return best


def _plausibility(text: str, name: str) -> float:
    """Share in [0, 1] of the non-ASCII characters that are everyday ones: level-1 hanzi, kana aside, punctuation."""
    others = [c for c in text if ord(c) > 0x7F]
    if not others:
        return 0.0
    return sum(_everyday(c, name) for c in others) / len(others)


def _everyday(char: str, name: str) -> bool:
    if char in _PUNCTUATION or (name in ("shift_jis", "euc_jp") and _KANA.match(char)):
        return True
    # Level 1 of the sets holds the frequent characters. GB18030 files also come in traditional characters.
    sets = {"gb18030": ("gb2312", "big5"), "shift_jis": ("shift_jis",), "euc_jp": ("shift_jis",)}.get(name, ("big5",))
    return any(_is_frequent(char, coded) for coded in sets)


def _is_frequent(char: str, name: str) -> bool:
    try:
        encoded = char.encode(name)
    except UnicodeEncodeError:
        return False
    first, last = {"gb2312": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "shift_jis": (0x88, 0x98)}[name]
    return len(encoded) == 2 and first <= encoded[0] <= last
