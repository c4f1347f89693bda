"""Articles -> store, in transactions of a few seconds whatever the speed of the encoder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from rag.config import PassageSettings
from rag.encoder import Encoder
from rag.passages import indexed_text, split_article
from rag.store import Duplicate, EncodedArticle, FileArticles, FileState, LocalStore
from rag.types import Article, Passage

_ENCODE_BATCH = 1_024
"""Passages handed to the encoder at a time."""
_MAX_CHARS = 1_500_000
"""Most text in one transaction: bounds memory, and what a kill can cost."""
_MIN_CHARS = 10_000
_FIRST_CHARS = 100_000
"""Until the speed of the encoder is known."""
_SECONDS = 5.0
"""How long a transaction should take."""


class BatchWriter:
    """Collects articles of files and stores them together."""

    def __init__(
        self, store: LocalStore, encoder: Encoder, settings: PassageSettings, tick: Callable[[], None]
    ) -> None:
        """`tick` is called whenever some passages have been encoded and when a transaction is done."""
        self._store = store
        self._encoder = encoder
        self._settings = settings
        self._tick = tick
        self._batch: list[FileArticles] = []
        self._chars = 0
        self._most_chars = _FIRST_CHARS
        self.articles = 0
        """New or changed articles so far."""
        self.passages = 0
        self.removed = 0
        self.duplicates: list[Duplicate] = []
        self.renamed: list[tuple[str, str]] = []

    def add(self, entry: FileArticles, stop: Callable[[], bool]) -> bool:
        """Take a file; whether all of it was taken, which only `stop` between slices of a large one prevents."""
        for piece in self._slices(entry):
            self._batch.append(piece)
            self._chars += sum(len(article.text) for article in piece.articles)
            if self._chars >= self._most_chars:
                self.flush()
                if stop() and not piece.last:
                    return False
        return True

    def flush(self) -> None:
        """Store what was collected, in one transaction."""
        if not self._batch:
            return
        started = time.monotonic()
        before = self.passages
        written = self._store.replace_files(self._batch, self._encode)
        self.articles += written.articles
        self.passages = before + written.passages
        self.removed += written.removed
        self.duplicates += written.duplicates
        self.renamed += written.renamed
        if written.passages:
            pace = self._chars / max(time.monotonic() - started, 1e-3)
            self._most_chars = int(min(max(pace * _SECONDS, _MIN_CHARS), _MAX_CHARS))
        self._batch, self._chars = [], 0
        self._tick()

    def _slices(self, entry: FileArticles) -> Iterator[FileArticles]:
        """`entry` in pieces of about a transaction each; all but the last leave the file marked as partial."""
        partial = replace(entry.record, state=FileState.PARTIAL)
        first = chars = 0
        for i, article in enumerate(entry.articles):
            chars += len(article.text)
            if chars >= self._most_chars and i + 1 < len(entry.articles):
                yield replace(entry, record=partial, articles=entry.articles[first : i + 1], first=first, last=False)
                first, chars = i + 1, 0
        yield replace(entry, articles=entry.articles[first:], first=first)

    def _encode(self, articles: Sequence[Article]) -> Iterator[EncodedArticle]:
        group: list[tuple[Article, list[Passage]]] = []
        size = 0
        for article in articles:
            passages = split_article(article, self._settings)
            group.append((article, passages))
            size += len(passages)
            if size >= _ENCODE_BATCH:
                yield from self._encode_group(group)
                group, size = [], 0
        yield from self._encode_group(group)

    def _encode_group(self, group: Sequence[tuple[Article, list[Passage]]]) -> Iterator[EncodedArticle]:
        texts = [indexed_text(article, passage) for article, passages in group for passage in passages]
        parts = [
            self._encoder.encode_passages(texts[i : i + _ENCODE_BATCH]) for i in range(0, len(texts), _ENCODE_BATCH)
        ]
        vectors = np.concatenate(parts) if parts else np.empty((0, self._encoder.dim), np.float32)
        start = 0
        for article, passages in group:
            yield EncodedArticle(article, passages, vectors[start : start + len(passages)])
            start += len(passages)
        self._tick()


def text_is_storable(article: Article) -> bool:
    """Whether `article` is proper Unicode; a lone surrogate, which JSON can smuggle in, is not."""
    fields = (article.id, article.title, article.text, article.source, article.url, article.byline, article.subtitle)
    try:
        for text in fields:
            (text or "").encode()
    except UnicodeEncodeError:
        return False
    return True
