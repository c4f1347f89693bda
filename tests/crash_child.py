"""Run as a program: ingests in forked children that die or run out of disk at chosen moments.

One interpreter serves all trials, so that the heavy imports are paid once. A trial is a JSON line on stdin:
{"index": …, "files": …, "fault": [name, n]}; the reply is a line with the child's exit status. What a child
reports as done goes to `<index>.log`.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import tantivy
from library_toys import TopicEncoder

import rag.ingest_writer
import rag.store.atomic
import rag.store.database
import rag.store.dense_cache
import rag.store.lexical_cache
from rag.config import PassageSettings, Settings
from rag.errors import StoreError
from rag.ingest import ingest
from rag.ingest_report import IngestProgress
from rag.store import LocalStore
from rag.tokens import tokenize

BATCH_CHARS = 150
"""About four of the test's files a transaction."""
rag.ingest_writer._FIRST_CHARS = rag.ingest_writer._MIN_CHARS = rag.ingest_writer._MAX_CHARS = BATCH_CHARS

tokenize("台")  # loads its table, once for all children
assert faiss and tantivy

STORE_ERROR = 3


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(place: Any, name: str, n: int, *, after: bool = False) -> None:
    """Make the n-th call of `place.name` kill the process, before or after it does its work."""
    original: Callable[..., Any] = getattr(place, name)
    calls = 0

    def wrapper(*args: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == n and not after:
            die()
        result = original(*args, **keywords)
        if calls == n:
            die()
        return result

    setattr(place, name, wrapper)


def limit_files(size: int) -> None:
    """Let no file grow beyond `size` bytes, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def arm(fault: str, n: int) -> None:
    """Set up the n-th occasion of a fault."""
    if fault == "encode":
        dying(TopicEncoder, "encode_passages", n)
    elif fault == "commit":
        dying(rag.store.database, "_count_change", n, after=True)  # the last statement before COMMIT
    elif fault == "committed":
        dying(LocalStore, "replace_files", n, after=True)
    elif fault == "rename":
        dying(rag.store.atomic.os, "replace", n)
    elif fault == "renamed":
        dying(rag.store.atomic.os, "replace", n, after=True)
    elif fault == "lexical state":
        dying(rag.store.lexical_cache, "write_cache", n)  # tantivy has committed
    elif fault == "time":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, n / 1000)
    elif fault == "disk":
        limit_files(n)
    elif fault == "disk of caches":
        update = LocalStore.update_caches
        LocalStore.update_caches = lambda store: (limit_files(n), update(store))[1]  # type: ignore[method-assign]
    else:
        assert fault == "none", fault


def run(index: Path, files: Path, fault: str, n: int) -> int:
    """One ingestion; every file whose storing was reported is noted in the log."""
    log = os.open(index.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def note(progress: IngestProgress) -> None:
        os.pwrite(log, f"{progress.articles:9d}".encode(), 0)

    settings = Settings(passages=PassageSettings(size=60, overlap=1))
    encoder = TopicEncoder()
    try:
        with LocalStore.open(index, create=True, encoder=encoder, passages=settings.passages) as store:
            arm(fault, n)
            ingest(store, [files], encoder, settings, progress=note)
    except StoreError:
        return STORE_ERROR
    return 0


def serve() -> None:
    """Answer trials until stdin ends."""
    for line in sys.stdin:
        trial = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = run(Path(trial["index"]), Path(trial["files"]), *trial["fault"])
            finally:
                os._exit(status)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
