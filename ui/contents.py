"""What the page shows of the whole library, read again only when the library has changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import StoreError
from rag.types import Article
from ui.strings import LANGUAGES, Language

if TYPE_CHECKING:
    from rag.library import Library

_OPENING = 60
"""Characters of the body that are kept: enough for the title of a story printed without one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The library at one moment."""

    articles: tuple[Article, ...]
    """By file and position; their texts cut short, since a list shows none of them."""
    sources: tuple[str, ...]
    """Sorted."""
    examples: dict[Language, tuple[str, ...]]
    """Questions that the library can answer."""
    problem: str = ""
    """Why the library cannot be read now; the rest is empty then."""


_NOTHING = Snapshot((), (), dict.fromkeys(LANGUAGES, ()))


class Contents:
    """The current snapshot of a library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._fingerprint = ""
        self._snapshot = _NOTHING

    def now(self) -> Snapshot:
        """The library as it is now; an index that is gone or damaged is a problem of the snapshot, and no error."""
        try:
            fingerprint = self._library.fingerprint
            with self._lock:
                if fingerprint != self._fingerprint:
                    self._snapshot = self._read()
                    self._fingerprint = fingerprint
                return self._snapshot
        except StoreError as error:
            return replace(_NOTHING, problem=str(error))

    def _read(self) -> Snapshot:
        articles = tuple(_cut(article) for article in self._library.articles())
        return Snapshot(
            articles,
            tuple(sorted({article.source for article in articles if article.source})),
            {language: tuple(self._library.example_questions(language)) for language in LANGUAGES},
        )


def _cut(article: Article) -> Article:
    return replace(article, text=article.text[: article.body_start + _OPENING], spans=())
