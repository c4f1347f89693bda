"""What a parser of an untrusted format (HTML, PDF, DOCX) hands back."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 20_000_000
"""Most characters taken from one file."""


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
