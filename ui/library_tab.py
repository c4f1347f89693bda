"""What happens on the library tab: list, search, read, add, remove. Knows nothing of Gradio."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import JinwenError, StoreError
from rag.ingest import IngestProgress, IngestReport
from ui import render_library as render
from ui import uploads
from ui.contents import Contents
from ui.render_library import FileResult
from ui.running import Runs
from ui.strings import Language, text

if TYPE_CHECKING:
    from rag.library import Library

_LOG = logging.getLogger(__name__)
_POLL_S = 0.1
_HITS = 20


class LibraryTab:
    """The articles of one library, as the page shows and changes them."""

    def __init__(self, library: Library, contents: Contents) -> None:
        self._library = library
        self._contents = contents
        self._runs = Runs()

    def listing(self, needle: str, language: Language) -> str:
        """The articles whose title, source, byline, date or file match `needle`."""
        return render.article_list(self._contents.now().articles, needle, language)

    def search(self, query: str, language: Language) -> str:
        """Passages for `query`; the plain list when it is empty."""
        if not query.strip():
            return self.listing("", language)
        try:
            hits = self._library.search(query.strip(), k=_HITS)
        except JinwenError as error:
            return render.remark(str(error))
        return render.hit_list(query.strip(), hits, language)

    def read(self, pick: str, language: Language) -> tuple[str, str]:
        """The chosen article as markup, and its title; the title is empty when it is gone."""
        article_id, start, end = render.read_pick(pick)
        try:
            article = self._library.article(article_id) if article_id else None
        except StoreError as error:
            return render.remark(text(language, "index_failed", detail=error)), ""
        if article is None:
            return (render.remark(text(language, "gone")) if article_id else render.nothing_open(language)), ""
        return render.reader(article, language, start, end), article.display_title or text(language, "untitled")

    def remove(self, pick: str, language: Language) -> str:
        """Take the chosen article out, and its uploaded file with the last article of it; a line that says so."""
        article_id, _, _ = render.read_pick(pick)
        _, title = self.read(pick, language)
        try:
            article = self._library.article(article_id) if article_id else None
            self._library.remove_article(article_id)
        except JinwenError as error:
            return render.remark(str(error))
        if article is not None and all(other.file != article.file for other in self._library.articles()):
            self._discard(article.file)
        return render.remark(text(language, "removed", title=title))

    def _discard(self, file: str) -> None:
        if uploads.discard(file, self._library.index_dir):
            self._library.forget_file(file)

    def add(self, files: Sequence[Path], language: Language, session: str) -> Iterator[str]:
        """Save and read uploaded files; progress markup, at last the result of every file.

        Closing this iterator, or `stop(session)`, stops after the file at hand; what was read is kept.
        """
        if len(files) > uploads.MOST_FILES:
            yield render.remark(text(language, "too_many_files", limit=uploads.MOST_FILES, count=len(files)))
            return
        yield render.progress(text(language, "ingest_starting", count=len(files)), 0, 0)
        run = self._runs.start(session)
        try:
            saved = uploads.save(files, self._library.index_dir)
            for step in self._ingest([file.path for file in saved], run.stop):
                if isinstance(step, IngestReport):
                    yield render.report(_summary(step, language), _results(saved, step, language), language)
                else:
                    yield render.progress(_step(step, language), step.done, step.total)
        except JinwenError as error:
            yield render.remark(text(language, "ingest_failed", error=error))
        except Exception:
            _LOG.exception("adding files failed")
            yield render.remark(text(language, "failed_unknown"))
        finally:
            self._runs.finish(session, run)

    def stop(self, session: str) -> None:
        """Stop adding files."""
        self._runs.stop(session)

    def _ingest(self, paths: Sequence[Path], stop: threading.Event) -> Iterator[IngestProgress | IngestReport]:
        """Progress and at last the report, while the work runs on its own thread."""
        steps: queue.SimpleQueue[IngestProgress | IngestReport | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                steps.put(self._library.ingest(paths, progress=steps.put, stop=stop))
            except BaseException as error:  # handed over to the thread that waits for it
                steps.put(error)

        threading.Thread(target=work, daemon=True, name="jinwen-ingest").start()
        while True:
            step = steps.get()
            while isinstance(step, IngestProgress) and not steps.empty():
                step = steps.get()  # only the latest is worth showing
            if isinstance(step, BaseException):
                raise step
            yield step
            if isinstance(step, IngestReport):
                return


def _step(progress: IngestProgress, language: Language) -> str:
    name = Path(progress.file).name
    return text(language, "ingest_reading", done=progress.done, total=progress.total, file=name)


def _summary(report: IngestReport, language: Language) -> str:
    summary = text(
        language,
        "ingest_done",
        articles=report.articles,
        added=len(report.added) + len(report.changed),
        unchanged=len(report.unchanged),
        skipped=len(report.skipped),
    )
    return f"{summary} {text(language, 'ingest_stopped')}" if report.interrupted else summary


def _results(saved: Sequence[uploads.SavedFile], report: IngestReport, language: Language) -> list[FileResult]:
    added, unchanged = {*report.added, *report.changed}, set(report.unchanged)
    results = []
    for file in saved:
        path = str(file.path)
        problems = [
            f"{problem.record}: {problem.cause}" if problem.record else problem.cause
            for problem in report.skipped
            if problem.file == path
        ]
        remarks = [text(language, "ingest_renamed", name=file.path.name)] if file.renamed else []
        detail = "; ".join([*remarks, *problems])
        if path in added:
            results.append(FileResult(file.sent_as, "ok", detail))
        elif path in unchanged:
            results.append(FileResult(file.sent_as, "same", detail))
        else:
            results.append(FileResult(file.sent_as, "skipped", detail))
    return results
