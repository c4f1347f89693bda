"""What an evaluation needs of the thing it evaluates.

`rag.library.Library` and `rag.assistant.Assistant` fit these Protocols; so does anything else that searches
and answers, such as the small stand-ins of the tests.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from rag.config import Settings
from rag.encoder import Encoder
from rag.types import Answer, Article, Filters, Hit, Turn


class Searchable(Protocol):
    """A library of articles."""

    @property
    def settings(self) -> Settings:
        """What the library was opened with."""

    @property
    def fingerprint(self) -> str:
        """Changes when the articles, the passages or the encoder do."""

    @property
    def encoder(self) -> Encoder:
        """What turns its texts into vectors."""

    def articles(self) -> Sequence[Article]:
        """All articles."""

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> Sequence[Hit]:
        """The `k` best passages for `query`, best first."""


class Answering(Protocol):
    """Answers questions over a library."""

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        filters: Filters | None = None,
        as_of: dt.date | None = None,
    ) -> Answer:
        """The final answer."""
