"""Long work behind the page that can be stopped at once.

An iterator is drained on its own thread, so that a stop takes effect even while a model is busy between
two snapshots; the abandoned iterator is closed as soon as it comes back.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_POLL_S = 0.05


class Runs:
    """What is running now, one per browser session, so that a stop button reaches it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}

    def start(self, session: str) -> threading.Event:
        """An event that `stop(session)` sets; what the session ran before is stopped."""
        stop = threading.Event()
        with self._lock:
            earlier = self._stops.get(session)
            self._stops[session] = stop
        if earlier is not None:
            earlier.set()
        return stop

    def stop(self, session: str) -> None:
        """Ask what the session is running to stop."""
        with self._lock:
            stop = self._stops.get(session)
        if stop is not None:
            stop.set()

    def finish(self, session: str, stop: threading.Event) -> None:
        """Forget a run that has ended."""
        with self._lock:
            if self._stops.get(session) is stop:
                del self._stops[session]


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def drain(make: Callable[[], Iterator[T]], stop: threading.Event) -> Iterator[T]:
    """The items of `make()`, read on another thread, until it ends or `stop` is set.

    Items that arrive faster than they are taken are skipped in favour of the latest one.
    Errors of the iterator are raised here.
    """
    items: queue.SimpleQueue[_Item[T] | _End] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(make, stop, items), daemon=True, name="jinwen-answer").start()
    while not stop.is_set():
        try:
            item = items.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        latest: _Item[T] | None = None
        while isinstance(item, _Item):
            latest = item
            try:
                item = items.get_nowait()
            except queue.Empty:
                break
        if latest is not None:
            yield latest.value
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return


def _read(make: Callable[[], Iterator[T]], stop: threading.Event, items: queue.SimpleQueue[_Item[T] | _End]) -> None:
    try:
        iterator = make()
        for value in iterator:
            if stop.is_set():
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
                return
            items.put(_Item(value))
    except BaseException as error:  # handed over to the thread that waits for it
        items.put(_End(error))
    else:
        items.put(_End(None))
