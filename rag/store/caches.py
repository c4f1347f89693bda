"""The two caches of an index, kept in step with the database.

On disk they change only under the writer lock. Whoever finds them behind brings them up to date if the lock
is free. While somebody else writes, searches go on with the state that was loaded before; what has been
deleted since is no longer found in the database and drops out of the results.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Generic, TypeVar

from rag.errors import IndexLockedError, StoreError
from rag.locking import LockPurpose, WriterLock
from rag.store import dense_cache, lexical_cache
from rag.store.cache_file import Access
from rag.store.dense_cache import DenseCache
from rag.store.lexical_cache import LexicalCache
from rag.store.records import Version
from rag.store.truth import Cache, Truth

DENSE_FILE = "dense.cache"
LEXICAL_FILE = "lexical.cache"
LEXICAL_FOLDER = "lexical"

_log = logging.getLogger(__name__)
_AnyCache = TypeVar("_AnyCache", bound=Cache)

OpenTruth = Callable[[], AbstractContextManager[Truth]]


class _Keeper(Generic[_AnyCache]):
    """The state of one cache that searches use, swapped as a whole; safe for concurrent readers."""

    def __init__(self, lock: WriterLock | None, sync: Callable[[Truth, _AnyCache | None, Access], _AnyCache]) -> None:
        self._lock = lock
        self._sync = sync
        self._current: _AnyCache | None = None
        self._guard = threading.Lock()

    def at(self, version: Version, open_truth: OpenTruth) -> _AnyCache:
        current = self._current
        if current is None or current.version != version:
            with self._guard:
                current = self._current
                if current is None or current.version != version:  # else another thread was faster
                    with open_truth() as truth:
                        self._current = current = self._refresh(truth)
        return current

    def _refresh(self, truth: Truth) -> _AnyCache:
        try:
            with self._lock.hold(LockPurpose.CACHE, wait=False) if self._lock else contextlib.nullcontext():
                return self._sync(truth, self._current, Access.WRITE if self._lock else Access.READ_ONLY)
        except IndexLockedError:
            if self._current is not None and truth.is_ahead_of(self._current):
                return self._current
            return self._sync(truth, self._current, Access.BUSY)
        except StoreError as error:
            _log.info("caches are kept in memory: %s", error)
            return self._sync(truth, self._current, Access.READ_ONLY)


class Caches:
    """Dense and lexical cache of the index in `folder`; without a lock nothing is written."""

    def __init__(self, folder: Path, lock: WriterLock | None) -> None:
        def sync_dense(truth: Truth, current: DenseCache | None, access: Access) -> DenseCache:
            return dense_cache.sync(folder / DENSE_FILE, truth, current, access)

        def sync_lexical(truth: Truth, current: LexicalCache | None, access: Access) -> LexicalCache:
            return lexical_cache.sync(folder / LEXICAL_FOLDER, folder / LEXICAL_FILE, truth, current, access)

        self._dense = _Keeper(lock, sync_dense)
        self._lexical = _Keeper(lock, sync_lexical)

    def dense(self, version: Version, open_truth: OpenTruth) -> DenseCache:
        """The dense cache at `version`, or an earlier one while somebody else is writing."""
        return self._dense.at(version, open_truth)

    def lexical(self, version: Version, open_truth: OpenTruth) -> LexicalCache:
        """The lexical cache at `version`, or an earlier one while somebody else is writing."""
        return self._lexical.at(version, open_truth)
