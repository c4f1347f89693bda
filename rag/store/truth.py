"""One state of the database, as the caches need to see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag.passages import indexed_text
from rag.store import reading
from rag.store.cache_file import Ids
from rag.store.database import Database
from rag.store.records import Vectors, Version
from rag.types import Article


class Cache(Protocol):
    """What both caches say about themselves."""

    @property
    def index_id(self) -> str:
        """The index it was made from."""

    @property
    def version(self) -> Version:
        """The state of that index."""

    @property
    def ids(self) -> Ids:
        """Passages that it covers, ascending."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a cache has to match. Its `database` sees one unchanging state."""

    database: Database
    index_id: str
    dim: int
    version: Version

    def is_met(self, cache: Cache) -> bool:
        """Whether `cache` is of this very state."""
        return (cache.index_id, cache.version) == (self.index_id, self.version)

    def is_ahead_of(self, cache: Cache) -> bool:
        """Whether `cache` is an earlier state of this index, so that passage ids alone tell what is missing."""
        return cache.index_id == self.index_id and self.database.knows(cache.version)

    def changes(self, cached: Ids) -> tuple[Ids, Ids]:
        """Passages to remove from, and to add to, a cache that holds `cached`; both ascending."""
        with self.database.reading() as connection:
            ids = reading.passage_ids(connection)
        return np.setdiff1d(cached, ids, assume_unique=True), np.setdiff1d(ids, cached, assume_unique=True)

    def vectors(self, ids: Ids) -> Iterator[tuple[Ids, Vectors]]:
        """Vectors of the passages `ids` in batches: ids and float32 `(n, dim)`."""
        with self.database.reading() as connection:
            yield from reading.vectors(connection, ids, self.dim)

    def texts(self, ids: Ids) -> Iterator[tuple[int, Article, str]]:
        """Id, article and indexed text of the passages `ids`."""
        with self.database.reading() as connection:
            for stored in reading.texts(connection, ids):
                yield stored.id, stored.article, indexed_text(stored.article, stored.passage)
