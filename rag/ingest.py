"""Files and folders -> index: only what changed is read, and an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.config import Settings, SourceSettings
from rag.encoder import Encoder
from rag.errors import SourceError, UnfinishedError
from rag.ingest_losses import is_gone, is_sudden, missing_paths, named, require_paths
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
    allow_loss: bool = False,
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

    What would take more than a small part of the articles away (see `rag.ingest_losses`), or in a rebuild those
    of a file that is there but cannot be read, is refused unless `allow_loss`: the index stays, and
    `IngestReport.refusal` says so. A refused rebuild is kept, so that the same call with `allow_loss` ends it.

    :raises SourceError: none of `paths` exists, or with `rebuild` one of them does not.
    :raises IndexLockedError: another process or thread is writing.
    :raises IndexMismatchError: the index was built by another encoder or with other passage settings.
    :raises StoreError: the index cannot be written, or no space is left; what was committed before stays.
    """
    started = time.monotonic()
    stop = stop or threading.Event()
    if not (remove_missing and allow_loss):
        require_paths(paths, every=rebuild)
    with store.writing():
        if rebuild:
            tally = _rebuild(store, paths, encoder, settings, progress, stop, allow_loss)
        else:
            store.require(encoder, settings.passages)
            run = _Run(store, encoder, settings, progress, stop)
            tally = run.read_all(paths, remove_missing=remove_missing, allow_loss=allow_loss)
        store.update_caches()
    return tally.report(store.counts(), time.monotonic() - started)


def _rebuild(
    store: LocalStore,
    paths: Sequence[Path],
    encoder: Encoder,
    settings: Settings,
    progress: Callable[[IngestProgress], None] | None,
    stop: threading.Event,
    allow_loss: bool,
) -> Tally:
    known = {record.identity: record for record in store.files()}
    with store.rebuilding(encoder, settings.passages) as fresh:
        run = _Run(fresh, encoder, settings, progress, stop)
        chosen = paths or [Path(identity) for identity in known]
        tally = run.read_all(chosen, remove_missing=True, allow_loss=True)
        tally.removed, tally.removed_articles, tally.not_found = [], 0, []
        if tally.interrupted:
            return tally
        run.forget_others()
        built = {record.identity: record for record in fresh.files()}
        if not allow_loss:
            tally.refusal = _loss_of_rebuild(store, fresh, known, built)
        if tally.refusal is None:
            tally.removed = [record.path for identity, record in known.items() if identity not in built]
            store.adopt(fresh)
        else:
            tally.added, tally.changed, tally.unchanged, tally.articles, tally.passages = [], [], [], 0, 0
    return tally


def _loss_of_rebuild(
    store: LocalStore, fresh: LocalStore, known: Mapping[str, FileRecord], built: Mapping[str, FileRecord]
) -> str | None:
    """Why `fresh` must not take the place of `store` without a word from the user; None when it may."""
    cure = "the index was left as it is; if this is meant, run the same command with --yes"
    before, after = store.counts().articles, fresh.counts().articles
    if is_sudden(before, after):
        return f"the rebuilt index would hold {after} articles, the present one holds {before}; {cure}"
    unread = [
        record.path
        for identity, record in known.items()
        if record.articles and identity in built and built[identity].error is not None
    ]
    if unread:
        return f"the rebuilt index would lose the articles of {named(unread)}, which cannot be read now; {cure}"
    return None


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
        self._found: Collection[str] = ()
        self._tally = Tally()
        self._at = IngestProgress(0, 0, "", 0, 0)
        self._milestone = time.monotonic()

    def read_all(self, paths: Sequence[Path], *, remove_missing: bool, allow_loss: bool) -> Tally:
        """Read what changed under `paths`, and settle what is gone."""
        tally = self._tally
        files, problems = find_files(paths)
        tally.skipped += problems
        tally.not_found += missing_paths(paths)
        unique = {_identity(path): path for path in files}
        self._found = unique.keys()
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
            self._settle_missing(roots, remove_missing, allow_loss)
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
            self._tally.skipped.append(Problem(name, None, f"cannot be read: {error.strerror or error}", again=True))
        except SourceError as error:
            self._fail(record, str(error), again=isinstance(error, UnfinishedError))
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

    def _fail(self, record: FileRecord, cause: str, *, again: bool = False) -> None:
        """Note a file that cannot be read, whose reading is tried `again` or not; what was read before stays."""
        self._tally.skipped.append(Problem(record.path, None, cause, again))
        state = FileState.UNFINISHED if again else FileState.FAILED
        self._failed.append(replace(record, state=state, error=cause))

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
        cut_off = next((problem.cause for problem in reading.problems if problem.again), None)
        record = replace(
            record,
            state=FileState.INGESTED if cut_off is None else FileState.UNFINISHED,
            error=cut_off,
            format=reading.format,
            encoding=reading.encoding,
            encoding_guessed=reading.encoding_guessed,
        )
        entry = FileArticles(record, articles, moved_from=moved)
        if not self._writer.add(entry, self._stop.is_set):
            tally.interrupted = True

    def _moved_from(self, record: FileRecord) -> str | None:
        """The identity under which the index knows this file, if it was moved or renamed."""
        for identity in self._by_content.get(record.sha256, ()):
            if identity in self._known and is_gone(identity):
                del self._known[identity]
                return identity
        return None

    def forget_others(self) -> None:
        """Remove files that are not among those just read: an earlier rebuild, which was stopped, had them."""
        for record in self._store.files():
            if record.identity not in self._found:
                self._store.remove_file(record.identity)

    def _settle_missing(self, roots: Collection[str], remove: bool, allow_loss: bool) -> None:
        """Report, or remove, files of the index that were under the given paths and are no more."""
        gone: dict[str, FileRecord] = {}
        for root in sorted(roots):
            under = {i: r for i, r in self._known.items() if i == root or i.startswith(root.rstrip(os.sep) + os.sep)}
            lost = {i: r for i, r in under.items() if i not in self._found and is_gone(i)}
            before = sum(record.articles for record in under.values())
            after = before - sum(record.articles for record in lost.values())
            if remove and not allow_loss and is_sudden(before, after):
                self._tally.refusal = (
                    f"{before - after} of the {before} articles under {named([root])} have no file any more; they stay "
                    "in the index: see whether the folder is mounted, or run the same command with --yes"
                )
            gone |= lost
        for identity, record in sorted(gone.items()):
            if remove and self._tally.refusal is None:
                self._tally.removed_articles += self._store.remove_file(identity)
                self._tally.removed.append(record.path)
            else:
                self._tally.missing.append(record.path)

    def _read_stale(self) -> None:
        """Read again the files that left out a story which another file had, and has no longer."""
        for record in self._store.files():
            if record.stale and not is_gone(record.identity):
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
    done = known.state in {FileState.INGESTED, FileState.FAILED} and not known.stale
    return done and (known.sha256, known.recipe) == (now.sha256, now.recipe)
