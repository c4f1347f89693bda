"""How much may be uploaded in all: what lies in the upload folders, and what is on its way there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Quota:
    """Counts bytes against one limit for everyone; may be used from any thread."""

    def __init__(self, limit: int, folders: Callable[[], Iterable[Path]]) -> None:
        """`limit` in bytes; `folders` are asked for at every upload, since they may be made later."""
        self.limit = limit
        self._folders = folders
        self._lock = threading.Lock()
        self._coming = 0

    @contextmanager
    def room_for(self, count: int) -> Iterator[bool]:
        """Whether an upload of `count` bytes fits; while the block lasts, it counts for every other upload.

        What has arrived of an upload is counted twice until its end: so the limit is never passed.
        """
        with self._lock:
            fits = sum(map(_size, self._folders())) + self._coming + count <= self.limit
            taken = count if fits else 0
            self._coming += taken
        try:
            yield fits
        finally:
            with self._lock:
                self._coming -= taken


def _size(folder: Path) -> int:
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(where, name), follow_symlinks=False).st_size
            except OSError:  # gone meanwhile
                continue
    return total
