"""What a parser of an untrusted format (HTML, PDF, DOCX) hands back."""

from __future__ import annotations

from dataclasses import dataclass

MAX_ARTICLE = 5_000_000
"""Most characters of one article: ten long books. More would be taken for one sentence list, one set of vectors."""


def too_long(text: str) -> str:
    """Why an article of this `text` is refused."""
    return f"one article of {len(text):,} characters; the limit is {MAX_ARTICLE:,}: split it"


@dataclass(frozen=True, slots=True)
class Extracted:
    """Main text of a file and what its metadata say; empty where they say nothing. Nothing is cleaned yet."""

    text: str
    title: str = ""
    author: str = ""
    date: str = ""
    """As written in the metadata."""
    url: str = ""
    site: str = ""
