"""A citation -> the words of its footnote: title, source, date, address, quote."""

from __future__ import annotations

from dataclasses import dataclass

from rag.export.words import word
from rag.types import Citation, NearArticle
from rag.visible import file_name, flat, safe_url


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote; its text is `head`, the address if there is one, `colon`, and the quote in `quotes`."""

    number: int
    """1-based, in the order in which the notes are first referred to."""
    head: str
    """Title, source and date."""
    url: str | None
    quote: str
    """The quoted span as one line."""
    comma: str
    colon: str
    quotes: tuple[str, str] = ("“", "”")


def note(citation: Citation, number: int, language: str) -> Note:
    """The footnote of `citation`."""
    comma, colon = ("，", "：") if language == "zh" else (", ", ": ")
    url = safe_url(citation.url)
    return Note(number, origin_line(citation, language), url, flat(citation.quote), comma, colon)


def origin_line(item: Citation | NearArticle, language: str) -> str:
    """Title, source (its file, where that is not known) and date, as one line."""
    title = flat(item.title) or word(language, "untitled")
    source = flat(item.source) or flat(file_name(item.file))
    date = item.date.isoformat() if item.date else word(language, "no_date")
    if language == "zh":
        return f"《{title}》，{source}，{date}"
    return f"“{title}”, {source}, {date}"
