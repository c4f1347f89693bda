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


class Run:
    """One piece of work that a browser session waits for."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        """Set to end the work early."""
        self.left = threading.Event()
        """Set when the page no longer shows the work: nothing more is to be sent to it."""
        self.done = threading.Event()
        """Set by the work when it has ended and nothing more will be sent."""


class Runs:
    """What is running now, one per browser session, so that a stop button reaches it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}

    def start(self, session: str) -> Run:
        """A new run; what the session ran before is stopped."""
        run = Run()
        with self._lock:
            earlier = self._runs.get(session)
            self._runs[session] = run
        if earlier is not None:
            earlier.stop.set()
        return run

    def running(self, session: str) -> bool:
        """Whether the session has work under way."""
        return self._get(session) is not None

    def stop(self, session: str) -> None:
        """Ask what the session is running to stop."""
        run = self._get(session)
        if run is not None:
            run.stop.set()

    def leave(self, session: str, timeout_s: float = 3.0) -> None:
        """Stop what the session is running and wait until it sends nothing more."""
        run = self._get(session)
        if run is not None:
            run.left.set()
            run.stop.set()
            run.done.wait(timeout_s)

    def finish(self, session: str, run: Run) -> None:
        """Called by the work when it has ended."""
        run.stop.set()
        with self._lock:
            if self._runs.get(session) is run:
                del self._runs[session]
        run.done.set()

    def _get(self, session: str) -> Run | None:
        with self._lock:
            return self._runs.get(session)


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
