"""Text formats whose articles point into their file: newspaper pages, Markdown, text."""

from __future__ import annotations

from rag.errors import SourceError
from rag.sources.cleaning import hidden_tags
from rag.sources.extracted import MAX_ARTICLE, too_long
from rag.sources.newspaper import read_newspaper
from rag.sources.reading import Problem
from rag.sources.sidecar import Defaults
from rag.sources.text import read_text
from rag.types import Article

Read = tuple[list[Article], list[Problem]]


def read_newspaper_page(text: str, file: str, defaults: Defaults) -> Read:
    """The stories of a newspaper page. :raises SourceError: it is too long."""
    problems = _checked(text, file)
    return read_newspaper(text, file, defaults), problems


def read_markdown(text: str, file: str, defaults: Defaults) -> Read:
    """The article of a Markdown file. :raises SourceError: it is too long or holds no text."""
    problems = _checked(text, file)
    return [read_text(text, file, defaults, markdown=True)], problems


def read_plain(text: str, file: str, defaults: Defaults) -> Read:
    """The article of a text file. :raises SourceError: it is too long or holds no text."""
    problems = _checked(text, file)
    return [read_text(text, file, defaults, markdown=False)], problems


def _checked(text: str, file: str) -> list[Problem]:
    if len(text) > MAX_ARTICLE:
        raise SourceError(too_long(text))
    tags = hidden_tags(text)
    return [Problem(file, None, f"{tags} invisible tag characters removed from the text")] if tags else []
