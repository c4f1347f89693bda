"""One writer at a time, across processes and threads.

The lock is `flock` on a file that stays: the kernel drops it when its holder dies, so there are no stale
locks after `kill -9` or in a copied index. Not safe on network file systems whose `flock` is local.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from rag.errors import IndexLockedError, StoreError

_POLL_S = 0.02


class LockPurpose(StrEnum):
    """Why the lock is held; it decides how long another writer waits for it."""

    WRITE = "write"
    """Somebody ingests: refuse after half a second."""
    CACHE = "cache"
    """Somebody brings a cache up to date, which ends by itself: wait for it."""


_PATIENCE_S = {LockPurpose.WRITE: 0.5, LockPurpose.CACHE: 60.0}


class WriterLock:
    """Exclusive lock on a file; the thread that holds it may take it again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._owner: int | None = None
        self._depth = 0

    @property
    def held(self) -> bool:
        """Whether this thread holds the lock."""
        return self._owner == threading.get_ident()

    @contextlib.contextmanager
    def hold(self, purpose: LockPurpose = LockPurpose.WRITE, *, wait: bool = True) -> Iterator[None]:
        """Hold the lock for the `with` block.

        :raises IndexLockedError: somebody else has it; without `wait`, at once.
        :raises StoreError: the lock file cannot be written, as in a read-only folder.
        """
        descriptor = None if self.held else self._acquire(purpose, wait)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if descriptor is not None:
                self._owner = None
                os.close(descriptor)

    def _acquire(self, purpose: LockPurpose, wait: bool) -> int:
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        try:
            self._flock(descriptor, wait)
            self._owner = threading.get_ident()
            self._sign(descriptor, purpose)
        except BaseException as error:
            self._owner = None
            os.close(descriptor)
            if isinstance(error, OSError):
                raise self._unwritable(error) from error
            raise
        return descriptor

    def _unwritable(self, error: Exception) -> StoreError:
        full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}
        cure = "free some space" if full else "make the folder writable or use another with --index"
        return StoreError(
            f"index {self._file.parent} cannot be written ({getattr(error, 'strerror', None) or error}); {cure}"
        )

    @staticmethod
    def _sign(descriptor: int, purpose: LockPurpose) -> None:
        """Say in the file who holds it. That is for people: on a full disk the lock holds without."""
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{purpose} {os.getpid()} {dt.datetime.now():%Y-%m-%dT%H:%M:%S}\n".encode(), 0)

    def _flock(self, descriptor: int, wait: bool) -> None:
        started = time.monotonic()
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                purpose, holder = self._holder(descriptor)
                if not wait or time.monotonic() - started > _PATIENCE_S[purpose]:
                    raise IndexLockedError(
                        f"index {self._file.parent} is being written by {holder}; wait for it to end and try again"
                    ) from None
                time.sleep(_POLL_S)

    @staticmethod
    def _holder(descriptor: int) -> tuple[LockPurpose, str]:
        """Purpose and description of whoever holds the lock; its note may not be written yet."""
        words = os.pread(descriptor, 200, 0).decode("ascii", "replace").split()
        if len(words) != 3 or words[0] not in set(LockPurpose):
            return LockPurpose.WRITE, "another process"
        return LockPurpose(words[0]), f"process {words[1]} (since {words[2].replace('T', ' ')})"
