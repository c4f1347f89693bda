"""Readings that were cut off: a time limit, a crash, a failing disk. The file may be good: the next run reads it."""

import os
import sys
import zipfile
from pathlib import Path

import pytest
from library_toys import TopicEncoder

from rag.config import Settings, SourceSettings
from rag.errors import SourceError, UnfinishedError
from rag.ingest import IngestReport, ingest
from rag.sources import read_source, sandbox
from rag.sources.sandbox import Sandbox
from rag.store import FileState, LocalStore

PAGE = (
    "<!DOCTYPE html><html><head><title>大桥合龙</title></head><body><article><h1>大桥合龙</h1>"
    + "<p>跨海大桥昨日合龙，全长七公里。大桥预计年底通车，届时两岸车程缩短一小时。</p>" * 3
    + "</article></body></html>"
)
WORKER = """
import os, time
import rag.sources.worker as worker
def extract(form, data):
    {body}
worker.extract = extract
worker.main()
"""
GOOD = (
    "from rag.sources.extracted import Extracted; from rag.sources.extraction import Extraction; "
    "return Extraction(documents=(Extracted('大桥合龙', '大桥合龙'),))"
)


def with_worker(body: str, seconds: float = 60) -> Sandbox:
    return Sandbox(seconds, ("-c", WORKER.format(body=body)))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(PAGE, "utf-8")
    return file


def index(store: LocalStore, encoder: TopicEncoder, settings: Settings, *paths: Path) -> IngestReport:
    return ingest(store, paths, encoder, settings)


@pytest.mark.parametrize("body", ["os.kill(os.getpid(), 9)", "time.sleep(30)", "import no_such_module"])
def test_a_file_whose_reading_was_cut_off_is_read_by_the_next_run(
    body: str, page: Path, empty_store: LocalStore, encoder: TopicEncoder, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patched:
        cut_off = with_worker(body, seconds=0.2)
        patched.setattr(sandbox, "shared", cut_off)
        report = index(empty_store, encoder, settings, page)
        cut_off.close()
    (problem,) = report.skipped
    assert problem.again
    assert "not read, the next run tries again: " in report.summary()
    assert [record.state for record in empty_store.files()] == [FileState.UNFINISHED]
    report = index(empty_store, encoder, settings, page)
    assert (report.skipped, len(report.changed), len(empty_store.articles())) == ((), 1, 1)


def test_an_archive_of_which_a_file_was_cut_off_is_read_again(
    page: Path, tmp_path: Path, empty_store: LocalStore, encoder: TopicEncoder, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    archive = tmp_path / "both.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(page, "page.html")
        packed.writestr("ferry.txt", "渡轮改道\n\n渡轮自下月起改道，途经灯塔，票价不变，末班船提前半小时。\n")
    with monkeypatch.context() as patched:
        body = "os.kill(os.getpid(), 9) if form == 'html' else None; return format_named(form).load_reader()(data)"
        cut_off = with_worker(f"from rag.sources.formats import format_named; {body}")
        patched.setattr(sandbox, "shared", cut_off)
        report = index(empty_store, encoder, settings, archive)
        cut_off.close()
    assert [(problem.record, problem.again) for problem in report.skipped] == [("page.html", True)]
    assert [article.title for article in empty_store.articles()] == ["渡轮改道"]
    report = index(empty_store, encoder, settings, archive)
    assert (report.skipped, len(report.changed), len(empty_store.articles())) == ((), 1, 2)
    assert [record.state for record in empty_store.files()] == [FileState.INGESTED]


def test_a_file_that_is_broken_is_not_read_again(
    tmp_path: Path, empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    (tmp_path / "broken.txt").write_bytes(b"")
    for _ in range(2):
        (problem,) = index(empty_store, encoder, settings, tmp_path / "broken.txt").skipped
        assert not problem.again
    assert [record.state for record in empty_store.files()] == [FileState.FAILED]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_the_limit_counts_processor_time() -> None:
    busy = with_worker("while True: pass", seconds=1)
    try:
        with pytest.raises(UnfinishedError, match="more than 1 s of processor time"):
            busy.extract("pdf", b"x")
    finally:
        busy.close()
    waiting = with_worker(f"time.sleep(1.5); {GOOD}", seconds=1)
    try:
        assert waiting.extract("pdf", b"x").documents[0].text == "大桥合龙"
    finally:
        waiting.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
def test_the_limit_is_for_each_file_not_for_all_of_them() -> None:
    half = f"start = time.process_time()\n    while time.process_time() < start + .7: pass\n    {GOOD}"
    several = with_worker(half, seconds=1)
    try:
        assert [several.extract("pdf", b"x").documents[0].text for _ in range(3)] == ["大桥合龙"] * 3
    finally:
        several.close()


def test_a_disk_that_fails_while_reading_is_not_the_fault_of_the_file(
    page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(UnfinishedError, match="Input/output error"):
        read_source(page, SourceSettings())


def test_a_file_that_is_too_large_is(page: Path) -> None:
    with pytest.raises(SourceError, match="the limit is") as caught:
        read_source(page, SourceSettings(max_file_mb=0.0001))
    assert not isinstance(caught.value, UnfinishedError)
