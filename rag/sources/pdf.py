"""PDF -> text by pypdf: columns in reading order, lines of a paragraph joined again, running heads left out."""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import cache

from rag.errors import JinwenError, SourceError
from rag.lexicon import LEXICON_FILE, load_lexicon, stem
from rag.sources.extracted import MAX_ARTICLE, Extracted, said_author, said_title
from rag.sources.pdf_columns import page_lines

_MAX_PAGES = 2_000
_FULL_LINE = 0.8
"""A line at least this share of the page's widest ones continues its paragraph."""
_SENTENCE_END = re.compile(r"[。！？…!?.:：；;][”’」』）)》\"']*$")
_EDGE = 2
"""Lines at the top and at the foot in which running heads stand."""
_NUMBER = re.compile(r"\W{0,20}\d{0,4}\W{0,20}")
_PAGE = re.compile(
    r"\W{0,5}(?:第\s?\d{1,4}\s?页[\s/,，]{0,3}(?:共\s?\d{1,4}\s?页)?|(?:Page|p\.)\s?\d{1,4}(?:\s?(?:of|/)\s?\d{1,4})?"
    r"|\d{1,4}\s?/\s?\d{1,4})\W{0,5}",
    re.I,
)
_LATIN_EDGE = re.compile(r"[A-Za-z0-9,;:)\"”’.%]$")


def extract_pdf(data: bytes) -> Extracted:
    """Text of all pages and the metadata of a PDF.

    :raises SourceError: encrypted with a password, too many pages, or no text layer.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PdfReadError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise SourceError("encrypted PDF; save it without its password")
        count = len(reader.pages)
    except (DependencyError, FileNotDecryptedError) as error:
        raise SourceError("encrypted PDF; save it without its password") from error
    except PdfReadError as error:
        raise SourceError(f"damaged PDF: {error}") from error
    if not count:
        raise SourceError("PDF without pages")
    if count > _MAX_PAGES:
        raise SourceError(f"PDF with {count} pages; the limit is {_MAX_PAGES}, split it")
    pages: list[list[str]] = []
    size = 0
    for page in reader.pages:
        lines = page_lines(page)
        size += sum(map(len, lines))
        if size > MAX_ARTICLE:
            raise SourceError(f"PDF with more than {MAX_ARTICLE:,} characters; split it")
        pages.append(lines)
    if not size or not any(line.strip() for lines in pages for line in lines):
        raise SourceError("PDF without a text layer (scanned images); needs OCR first")
    return Extracted(text="\n".join(reflow(pages)), **_metadata(reader))


def _metadata(reader: object) -> dict[str, str]:
    values: dict[str, str] = {}
    metadata = getattr(reader, "metadata", None) or {}
    for field, key in (("title", "/Title"), ("author", "/Author"), ("made", "/CreationDate")):
        value = metadata.get(key)
        values[field] = str(value) if value else ""
    match = re.match(r"(?:D:)?(\d{4})(\d{2})(\d{2})", values["made"])
    values["made"] = "-".join(match.groups()) if match else ""
    return values | {"title": said_title(values["title"]), "author": said_author(values["author"])}


def reflow(pages: list[list[str]]) -> list[str]:
    """Paragraphs of `pages` (the printed lines of each), without repeated headers, footers and page numbers."""
    repeated = _repeated(pages)
    words = _words(pages)
    paragraphs: list[str] = []
    for page in pages:
        kept = [line.strip() for line in page if line.strip()]
        last = len(kept) - _EDGE
        lines = [
            line
            for index, line in enumerate(kept)
            if not _NUMBER.fullmatch(line)
            and not ((index < _EDGE or index >= last) and (_PAGE.fullmatch(line) or _shape(line) in repeated))
        ]
        widths = sorted(_width(line) for line in lines)
        full = _FULL_LINE * widths[int(len(widths) * 0.9)] if widths else 0.0
        for index, line in enumerate(lines):
            open_before = bool(paragraphs) and not _SENTENCE_END.search(paragraphs[-1])
            wide_before = _width(lines[index - 1]) >= full if index else True
            if open_before and (wide_before or (paragraphs[-1][-1] in "-‐" and line[:1].islower())):
                paragraphs[-1] = _join(paragraphs[-1], line, words)
            else:
                paragraphs.append(line)
    return paragraphs


def _repeated(pages: list[list[str]]) -> set[str]:
    """Shapes of lines at the top or foot of half of the pages, of both where there are two."""
    edges: Counter[str] = Counter()
    for page in pages:
        lines = [line.strip() for line in page if line.strip()]
        edges.update({_shape(line) for line in (*lines[:_EDGE], *lines[-_EDGE:])})
    return {shape for shape, count in edges.items() if count >= max(min(3, len(pages)), 2, len(pages) / 2)}


def _shape(line: str) -> str:
    """`line` with its figures alike, as the pages count on."""
    return re.sub(r"\d+", "#", line)


def _words(pages: list[list[str]]) -> set[str]:
    return {word.lower() for page in pages for line in page for word in re.findall(r"[A-Za-z]{3,40}", line)}


def _is_word(word: str, words: set[str]) -> bool:
    """Whether `word` stands in the text (`words`) or among the words that ship with the reader."""
    known = _lexicon()
    return word in words or word in known or stem(word) in known


@cache
def _lexicon() -> frozenset[str]:
    try:
        lexicon = load_lexicon(LEXICON_FILE)
    except JinwenError:  # without it only the text itself tells
        return frozenset()
    return frozenset(lexicon.weights) | frozenset(lexicon.translations)


def _width(line: str) -> float:
    return sum(0.5 if ord(char) < 0x2000 else 1.0 for char in line)


def _join(above: str, below: str, words: set[str]) -> str:
    """Both lines in one; a hyphen between them goes where the word without it is one (pro-/ject, not five-/storey)."""
    cut = re.search(r"([A-Za-z]+)-$", above)
    rest = re.match(r"[a-z]+", below)
    if cut and rest:
        return (above[:-1] if _is_word(f"{cut[1]}{rest.group()}".lower(), words) else above) + below
    space = " " if _LATIN_EDGE.search(above) and below[:1].isascii() else ""
    return above + space + below
