"""Files and folders -> index: only what changed is read, and an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from rag.config import Settings, SourceSettings
from rag.encoder import Encoder
from rag.errors import SourceError
from rag.ingest_report import IngestProgress, IngestReport, Tally
from rag.ingest_writer import BatchWriter, text_is_storable
from rag.sources import PARSER_VERSION, Problem, Reading, find_files, read_source
from rag.sources.sidecar import is_there, sidecars_of
from rag.store import FileArticles, FileRecord, FileState, LocalStore
from rag.store.atomic import hash_file

__all__ = ["IngestProgress", "IngestReport", "ingest"]

_MILESTONE_SECONDS = 10.0


def ingest(
    store: LocalStore,
    paths: Sequence[Path],
    encoder: Encoder,
    settings: Settings,
    *,
    progress: Callable[[IngestProgress], None] | None = None,
    rebuild: bool = False,
    remove_missing: bool = False,
    stop: threading.Event | None = None,
) -> IngestReport:
    """Bring the index up to date with the files and folders `paths`.

    A file is read again when its bytes, the parser, the settings that decide how it is read or its side-car
    changed; of a file that changed only the articles that changed are encoded. Each transaction holds whole
    articles; setting `stop` ends the run after the current one. A file that cannot be read is reported and
    stops nothing; what was read from it before stays. Files of the index that are gone from `paths` are
    reported, and with `remove_missing` their articles are removed.

    With `rebuild` the index is built anew from `paths` (without any, from the files it knows) beside the old
    one, which serves until the new one is complete and takes its place in one transaction.

    :raises IndexLockedError: another process or thread is writing.
    :raises IndexMismatchError: the index was built by another encoder or with other passage settings.
    :raises StoreError: the index cannot be written, or no space is left; what was committed before stays.
    """
    started = time.monotonic()
    stop = stop or threading.Event()
    with store.writing():
        if rebuild:
            tally = _rebuild(store, paths, encoder, settings, progress, stop)
        else:
            store.require(encoder, settings.passages)
            run = _Run(store, encoder, settings, progress, stop)
            tally = run.read_all(paths, remove_missing=remove_missing)
        store.update_caches()
    return tally.report(store.counts(), time.monotonic() - started)


def _rebuild(
    store: LocalStore,
    paths: Sequence[Path],
    encoder: Encoder,
    settings: Settings,
    progress: Callable[[IngestProgress], None] | None,
    stop: threading.Event,
) -> Tally:
    known = {record.identity: record.path for record in store.files()}
    with store.rebuilding(encoder, settings.passages) as fresh:
        run = _Run(fresh, encoder, settings, progress, stop)
        tally = run.read_all(paths or [Path(path) for path in known], remove_missing=True)
        if not tally.interrupted:
            built = {record.identity for record in fresh.files()}
            tally.removed = [path for identity, path in known.items() if identity not in built]
            store.adopt(fresh)
    return tally


class _Run:
    """One reading of files into one store."""

    def __init__(
        self,
        store: LocalStore,
        encoder: Encoder,
        settings: Settings,
        progress: Callable[[IngestProgress], None] | None,
        stop: threading.Event,
    ) -> None:
        self._store = store
        self._settings = settings.sources
        self._progress = progress
        self._stop = stop
        self._writer = BatchWriter(store, encoder, settings.passages, self._show)
        self._known = {record.identity: record for record in store.files()}
        self._by_content: defaultdict[str, list[str]] = defaultdict(list)
        for record in self._known.values():
            if record.state is FileState.INGESTED:
                self._by_content[record.sha256].append(record.identity)
        self._failed: list[FileRecord] = []
        self._tally = Tally()
        self._at = IngestProgress(0, 0, "", 0, 0)
        self._milestone = time.monotonic()

    def read_all(self, paths: Sequence[Path], *, remove_missing: bool) -> Tally:
        """Read what changed under `paths`, and settle what is gone."""
        tally = self._tally
        files, problems = find_files(paths)
        tally.skipped += problems
        unique = {_identity(path): path for path in files}
        self._at = replace(self._at, total=len(unique))
        for done, (identity, path) in enumerate(unique.items()):
            if self._stop.is_set():
                tally.interrupted = True
                break
            self._show(done=done, file=str(path))
            self._take(path, str(path), identity)
        self._writer.flush()
        if not tally.interrupted:
            roots = {root for path in paths for root in (_identity(path), os.path.realpath(path))}
            self._settle_missing(roots, unique, remove_missing)
            self._read_stale()
        if self._failed:
            self._store.record_files(self._failed)
        self._close()
        return tally

    def _take(self, path: Path, name: str, identity: str) -> None:
        """Read one file if it has to be."""
        known = self._known.get(identity)
        try:
            identity.encode()
            record = _describe(path, name, identity, self._settings)
            if known is not None and _is_same(known, record):
                self._keep(known, name)
                return
            reading, record = self._read(path, record)
        except UnicodeEncodeError:
            self._tally.skipped.append(Problem(name, None, "file name is not valid UTF-8; rename the file"))
        except OSError as error:
            self._tally.skipped.append(Problem(name, None, f"cannot be read: {error.strerror or error}"))
        except SourceError as error:
            self._fail(record, str(error))
        else:
            self._store_reading(record, reading, known)

    def _keep(self, known: FileRecord, name: str) -> None:
        if known.state is FileState.FAILED:
            self._tally.skipped.append(Problem(name, None, known.error or "could not be read"))
        else:
            self._tally.unchanged.append(name)

    def _read(self, path: Path, record: FileRecord) -> tuple[Reading, FileRecord]:
        """The articles of a file that did not change while it was read."""
        for _ in range(2):
            reading = read_source(path, self._settings)
            after = _describe(path, record.path, record.identity, self._settings)
            if after == record:
                return reading, record
            record = after
        raise OSError("it changes while it is being read; try again when it is complete")

    def _fail(self, record: FileRecord, cause: str) -> None:
        """Note a file that cannot be read; what was read from it before stays."""
        self._tally.skipped.append(Problem(record.path, None, cause))
        self._failed.append(replace(record, state=FileState.FAILED, error=cause))

    def _store_reading(self, record: FileRecord, reading: Reading, known: FileRecord | None) -> None:
        tally = self._tally
        tally.skipped += reading.problems
        articles = [article for article in reading.articles if text_is_storable(article)]
        for article in reading.articles:
            if not text_is_storable(article):
                tally.skipped.append(Problem(record.path, article.title, "holds characters that are not Unicode"))
        if not articles:
            self._fail(record, "no article in it")
            return
        moved = self._moved_from(record)
        (tally.added if known is None and moved is None else tally.changed).append(record.path)
        if reading.encoding_guessed and reading.encoding:
            tally.guessed.append((record.path, reading.encoding))
        record = replace(
            record, format=reading.format, encoding=reading.encoding, encoding_guessed=reading.encoding_guessed
        )
        entry = FileArticles(record, articles, moved_from=moved)
        if not self._writer.add(entry, self._stop.is_set):
            tally.interrupted = True

    def _moved_from(self, record: FileRecord) -> str | None:
        """The identity under which the index knows this file, if it was moved or renamed."""
        for identity in self._by_content.get(record.sha256, ()):
            if identity in self._known and not os.path.exists(identity):
                del self._known[identity]
                return identity
        return None

    def _settle_missing(self, roots: Collection[str], found: Collection[str], remove: bool) -> None:
        """Report, or remove, files of the index that were under the given paths and are no more."""
        for identity, record in sorted(self._known.items()):
            under = any(identity == root or identity.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
            if not under or identity in found or os.path.exists(identity):
                continue
            if remove:
                self._tally.removed_articles += self._store.remove_file(identity)
                self._tally.removed.append(record.path)
            else:
                self._tally.missing.append(record.path)

    def _read_stale(self) -> None:
        """Read again the files that left out a story which another file had, and has no longer."""
        for record in self._store.files():
            if record.stale and os.path.exists(record.identity):
                self._known[record.identity] = record
                self._take(Path(record.identity), record.path, record.identity)
        self._writer.flush()

    def _show(self, *, done: int | None = None, file: str | None = None) -> None:
        """Report progress."""
        if self._progress is None:
            return
        due = time.monotonic() - self._milestone > _MILESTONE_SECONDS
        if due:
            self._milestone = time.monotonic()
        self._at = replace(
            self._at,
            done=self._at.done if done is None else done,
            file=self._at.file if file is None else file,
            articles=self._writer.articles,
            passages=self._writer.passages,
            milestone=due,
        )
        self._progress(self._at)

    def _close(self) -> None:
        """Add up, and show the end."""
        tally, writer = self._tally, self._writer
        tally.articles, tally.passages = writer.articles, writer.passages
        tally.removed_articles += writer.removed
        for left_out in writer.duplicates:
            cause = f"the same story as {left_out.kept_id} of {left_out.kept_path}; kept once"
            tally.skipped.append(Problem(left_out.path, left_out.article_id, cause))
        for wanted, given in writer.renamed:
            tally.skipped.append(Problem(given, wanted, f"another story has this id; stored as {given}"))
        if self._progress:
            done = self._at.done if tally.interrupted else self._at.total
            self._show(done=done, file="")
            self._progress(replace(self._at, finished=True))


def _identity(path: Path) -> str:
    """Absolute, without `..` and links in the folders above, so that one file named in two ways is one file."""
    return os.path.join(os.path.realpath(path.parent), path.name) if path.name else os.path.realpath(path)


def _describe(path: Path, name: str, identity: str, settings: SourceSettings) -> FileRecord:
    """What decides whether a file has to be read."""
    size = path.stat().st_size
    return FileRecord(
        path=name,
        identity=identity,
        size=size,
        # What is refused for its size is not read for its hash: a sparse file of 20 GB costs a minute.
        sha256=hash_file(path) if size <= settings.max_file_mb * 1_000_000 else f"{size} bytes",
        recipe=_recipe(path, settings),
    )


def _recipe(path: Path, settings: SourceSettings) -> str:
    """What else than its bytes decides which articles a file gives."""
    hashes = [hash_file(file) if is_there(file) else None for file in sidecars_of(path)]
    parts = [PARSER_VERSION, settings.encoding, settings.date, settings.max_file_mb, *hashes]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _is_same(known: FileRecord, now: FileRecord) -> bool:
    """Whether reading the file again would give what the index holds."""
    done = known.state is not FileState.PARTIAL and not known.stale
    return done and (known.sha256, known.recipe) == (now.sha256, now.recipe)
