"""An index in a folder: SQLite holds the truth, FAISS and Tantivy are caches of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from rag.config import PassageSettings
from rag.encoder import Encoder
from rag.errors import IndexDamagedError, StoreError
from rag.locking import WriterLock
from rag.store import reading, writing
from rag.store.atomic import remove_drafts
from rag.store.caches import DENSE_FILE, LEXICAL_FILE, Caches
from rag.store.check import check_index
from rag.store.database import Database
from rag.store.dense_cache import DenseCache
from rag.store.info import DATABASE_FILE, LOCK_FILE, IndexInfo, create_index, put_aside, read_info, require_match
from rag.store.migration import open_up_to_date
from rag.store.records import (
    Counts,
    EncodedArticle,
    FileArticles,
    FileRecord,
    Finding,
    Scored,
    StoredPassage,
    Vectors,
    Version,
    Written,
)
from rag.store.truth import Truth
from rag.types import Article, Filters

REBUILD_FOLDER = "rebuild"
_RESCORED = 2


class LocalStore:
    """Articles, passages and vectors of one index; safe for concurrent readers in one process and many.

    Changes become visible to every open store with its next call. A writing call takes the writer lock for
    its duration; `writing` keeps it for several.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        encoder: Encoder | None = None,
        passages: PassageSettings | None = None,
        read_only: bool = False,
    ) -> None:
        """Use `open` instead."""
        self.folder = folder
        self._opened = database
        self._opening = threading.Lock()
        self._encoder = encoder
        self._passages = passages
        self._read_only = read_only
        self._lock = WriterLock(folder / LOCK_FILE)
        self._caches = Caches(folder, None if read_only else self._lock)
        self._seen: tuple[Version, IndexInfo] | None = None
        self._writer: Database | None = None
        self._mask = lru_cache(maxsize=8)(self._allowed_rows)

    @classmethod
    def open(
        cls,
        index_dir: Path,
        *,
        create: bool = False,
        encoder: Encoder | None = None,
        passages: PassageSettings | None = None,
        read_only: bool = False,
        rebuild: bool = False,
    ) -> LocalStore:
        """The index in `index_dir`; with `create`, a new one if there is none.

        `encoder` and `passages` are what the index must have been built with; None accepts any. With `rebuild`,
        for an ingestion that builds the index anew, another encoder is no error, and a database that cannot be
        read is put aside.

        :raises IndexMissingError: there is none.
        :raises IndexMismatchError: it was built by another encoder or with other passage settings.
        :raises IndexDamagedError: its database cannot be read.
        :raises StoreError: it is of a newer format, or cannot be created.
        """
        file = index_dir / DATABASE_FILE
        if create and not file.exists():
            create_index(index_dir, encoder, passages)
        try:
            database = open_up_to_date(file, read_only=read_only)
        except IndexDamagedError as error:
            if not (rebuild and create):
                raise
            put_aside(file, error)
            create_index(index_dir, encoder, passages)
            database = Database.open(file)
        expected = (None, None) if rebuild else (encoder, passages)
        store = cls(index_dir, database, encoder=expected[0], passages=expected[1], read_only=read_only)
        try:
            store.info  # noqa: B018  refuses an index of another encoder
        except BaseException:
            store.close()
            raise
        return store

    def __enter__(self) -> LocalStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the index."""
        self._opened.close()

    @property
    def _database(self) -> Database:
        """The database at its place: opened again when the folder was deleted and put back, or made anew.

        :raises IndexMissingError: there is none now.
        """
        if not self._opened.is_current():
            with self._opening:
                if not self._opened.is_current():
                    # The former one is not closed: other threads may be reading from it.
                    self._opened = open_up_to_date(self.folder / DATABASE_FILE, read_only=self._read_only)
                    self._seen = None
        return self._opened

    # -- what it is ----------------------------------------------------------------------------------------

    @property
    def info(self) -> IndexInfo:
        """Encoder and passage settings it was built with.

        :raises IndexMismatchError: they are not the ones asked for when it was opened.
        """
        return self._current()[1]

    @property
    def encoder_name(self) -> str:
        """Name of the encoder that made the vectors."""
        return self.info.encoder_name

    @property
    def fingerprint(self) -> str:
        """Changes when the articles, the passage settings or the encoder do; 16 hexadecimal digits."""
        info = self.info
        about = [info.encoder_fingerprint, str(info.passages.size), str(info.passages.overlap)]
        with self._database.reading() as connection:
            return reading.fingerprint(connection, about)

    def counts(self) -> Counts:
        """Numbers of files, articles and passages."""
        with self._database.reading() as connection:
            return reading.counts(connection)

    # -- reading -------------------------------------------------------------------------------------------

    def articles(self) -> list[Article]:
        """All articles, by file and position."""
        with self._database.reading() as connection:
            return list(reading.articles(connection))

    def article(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        with self._database.reading() as connection:
            return reading.article(connection, article_id)

    def newest(self, k: int, last: dt.date, filters: Filters | None = None) -> list[Article]:
        """The `k` newest dated articles printed up to `last` that pass `filters`, newest first."""
        with self._database.reading() as connection:
            return list(reading.newest(connection, k, last, filters or Filters()))

    def files(self) -> list[FileRecord]:
        """What was ingested from where, by path."""
        with self._database.reading() as connection:
            return reading.files(connection)

    def passages(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """Those of the passages `ids` that the index holds now."""
        with self._database.reading() as connection:
            return reading.passages(connection, ids)

    def search_dense(self, vector: Vectors, k: int, filters: Filters | None = None) -> list[Scored]:
        """The `k` passages with the highest inner product with `vector`, float32 `(dim,)`, best first.

        Scores are exact on the stored float16 vectors; which passages are looked at is decided on codes of 8
        bits, `_RESCORED` times as many as asked for. A vector of zeros finds nothing.
        """
        version, info = self._current()
        if vector.shape != (info.dim,):
            raise ValueError(f"query vector of shape {vector.shape}, expected ({info.dim},)")
        cache = self._caches.dense(version, self._truth)
        near = cache.search(vector, _RESCORED * k, self._mask(cache, filters) if filters else None)
        with self._database.reading() as connection:
            found = reading.inner_products(connection, [hit.passage_id for hit in near], vector)
        return sorted(found, key=lambda hit: (-hit.score, hit.passage_id))[:k]

    def search_lexical(
        self, query: str, k: int, filters: Filters | None = None, also: Mapping[str, float] | None = None
    ) -> list[Scored]:
        """The `k` passages with the highest BM25 for the words of `query`, best first.

        `also` holds further tokens (see `rag.tokens`), each with the weight of its part of the score.
        """
        version, _ = self._current()
        return self._caches.lexical(version, self._truth).search(query, k, filters or Filters(), also or {})

    def most_lexical(self, query: str) -> float:
        """More than any passage can score for `query` in `search_lexical`; 0 when it has no words."""
        version, _ = self._current()
        return self._caches.lexical(version, self._truth).most(query)

    def check(self) -> list[Finding]:
        """What is wrong with the index; reads all of it, changes nothing."""
        with self._truth() as truth:
            return check_index(self.folder, truth)

    # -- writing -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Keep the writer lock for the `with` block.

        :raises IndexLockedError: another process or thread is writing.
        :raises StoreError: the index cannot be written.
        """
        if self._read_only:
            raise StoreError(f"index {self.folder} was opened for reading only")
        if self._lock.held:
            yield
            return
        with self._lock.hold():
            remove_drafts(self.folder)
            # A connection of its own, so that other threads can read while a transaction is open.
            self._writer = Database.open(self.folder / DATABASE_FILE, must_write=True)
            try:
                yield
            finally:
                self._writer.close()
                self._writer = None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self.writing():
            assert self._writer is not None
            with self._writer.transaction() as connection:
                yield connection

    def replace_files(
        self, batch: Sequence[FileArticles], encode: Callable[[Sequence[Article]], Iterable[EncodedArticle]]
    ) -> Written:
        """Make each file hold exactly its articles, in one transaction.

        Articles that the index holds already, word for word, stay as they are; `encode` is called once with
        the others and gives each back, in order, with its passages and vectors. A story that another file has
        word for word is left out and reported; an id that another story has gets a suffix, as in `page.txt#1~2`.
        """
        with self._transaction() as connection:
            return writing.replace_files(connection, batch, encode, self.info.dim)

    def replace_file(self, record: FileRecord, articles: Sequence[EncodedArticle]) -> Written:
        """Make one file hold exactly `articles`, in one transaction; see `replace_files`."""
        ready = {encoded.article.id: encoded for encoded in articles}
        batch = [FileArticles(record, [encoded.article for encoded in articles])]
        return self.replace_files(batch, lambda new: [ready[article.id] for article in new])

    def record_files(self, records: Sequence[FileRecord]) -> None:
        """Note what became of files without touching their articles."""
        with self._transaction() as connection:
            for record in records:
                writing.put_file(connection, record)

    def remove_file(self, identity: str) -> int:
        """Forget a file, named by its absolute path, and its articles; how many articles it had."""
        with self._transaction() as connection:
            return writing.remove_file(connection, identity)

    def remove_article(self, article_id: str) -> bool:
        """Remove one article; whether there was one."""
        with self._transaction() as connection:
            return writing.remove_article(connection, article_id)

    @contextlib.contextmanager
    def rebuilding(self, encoder: Encoder, passages: PassageSettings) -> Iterator[LocalStore]:
        """A new index beside this one, to be filled and handed to `adopt`.

        One that an interrupted rebuild left, with the same encoder and settings, is gone on with.
        """
        folder = self.folder / REBUILD_FOLDER
        with self.writing():
            try:
                fresh = LocalStore.open(folder, create=True, encoder=encoder, passages=passages)
            except StoreError:
                shutil.rmtree(folder, ignore_errors=True)
                fresh = LocalStore.open(folder, create=True, encoder=encoder, passages=passages)
            with fresh:
                yield fresh

    def adopt(self, fresh: LocalStore) -> None:
        """Become equal to the index that `rebuilding` gave, in one transaction, and remove that."""
        with self.writing():
            assert self._writer is not None
            fresh._database.copy_into(self._writer)
            self._encoder, self._passages = fresh._encoder, fresh._passages
            for cache in (DENSE_FILE, LEXICAL_FILE):
                (self.folder / cache).unlink(missing_ok=True)  # made of the old index
            fresh.close()
            shutil.rmtree(fresh.folder, ignore_errors=True)

    def require(self, encoder: Encoder, passages: PassageSettings) -> None:
        """Refuse to go on if the index was built by another encoder or with other passage settings.

        :raises IndexMismatchError: it was.
        """
        require_match(self.folder, self.info, encoder, passages)

    def update_caches(self) -> None:
        """Bring both caches up to date now, so that the next search need not."""
        version, _ = self._current()
        self._caches.dense(version, self._truth)
        self._caches.lexical(version, self._truth)

    # -- inside --------------------------------------------------------------------------------------------

    def _current(self) -> tuple[Version, IndexInfo]:
        """State and description of the database, checked again whenever it changes."""
        version = self._database.version()
        if self._seen is None or self._seen[0] != version:
            info = read_info(self.folder, self._database)
            require_match(self.folder, info, self._encoder, self._passages)
            self._seen = version, info
            self._mask.cache_clear()  # it holds on to the caches of former states
        return self._seen

    @contextlib.contextmanager
    def _truth(self) -> Iterator[Truth]:
        """The database at this moment, on a connection of its own so that other readers go on."""
        database = Database.open(self.folder / DATABASE_FILE, read_only=True)
        with contextlib.closing(database), database.snapshot():
            info = read_info(self.folder, database)
            yield Truth(database, info.index_id, info.dim, database.version())

    def _allowed_rows(self, cache: DenseCache, filters: Filters) -> npt.NDArray[np.bool_]:
        """Which rows of `cache` pass `filters`."""
        with self._database.reading() as connection:
            return np.isin(cache.ids, reading.matching_ids(connection, filters))
