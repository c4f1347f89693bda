"""Runs that would empty an index: a path that is not there, a folder that is not mounted, files gone bad."""

import json
import os
import shutil
from pathlib import Path

import pytest
from library_toys import TopicEncoder

from rag.config import Settings
from rag.errors import SourceError
from rag.ingest import IngestReport, ingest
from rag.ingest_losses import is_gone, is_sudden
from rag.store import FileState, LocalStore

STORIES = {
    "bridge.txt": "大桥合龙\n\n跨海大桥昨日合龙，全长七公里。大桥预计年底通车。",
    "fish.txt": "渔民收成好\n\n今年春天渔民捕鱼八百吨，比去年多一成。",
    "tea.txt": "春茶开采\n\n青石山的春茶开采了，茶农说比往年早十天。",
    "snow.txt": "山城大雪\n\n山城昨夜大雪，道班工人清扫积雪。",
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    for name, text in STORIES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


class Runner:
    def __init__(self, store: LocalStore, encoder: TopicEncoder, settings: Settings) -> None:
        self.store, self.encoder, self.settings = store, encoder, settings

    def __call__(self, *paths: Path, **options: bool) -> IngestReport:
        return ingest(self.store, paths, self.encoder, self.settings, **options)


@pytest.fixture
def run(empty_store: LocalStore, encoder: TopicEncoder, settings: Settings, library: Path) -> Runner:
    runner = Runner(empty_store, encoder, settings)
    assert runner(library).failure is None
    return runner


def held(run: Runner) -> int:
    return len(run.store.articles())


@pytest.mark.parametrize("also", [[], ["library"]])
def test_a_rebuild_with_a_missing_path_changes_nothing(run: Runner, tmp_path: Path, also: list[str]) -> None:
    with pytest.raises(SourceError, match="nowhere does not exist; nothing was changed"):
        run(*(tmp_path / name for name in also), tmp_path / "nowhere", rebuild=True)
    assert held(run) == 4


@pytest.mark.parametrize("named", [True, False])
def test_a_rebuild_whose_sources_are_gone_keeps_the_index(run: Runner, library: Path, named: bool) -> None:
    for file in library.iterdir():
        file.unlink()
    paths = [library] if named else []
    report = run(*paths, rebuild=True)
    assert report.failure is not None
    assert "would hold 0 articles, the present one holds 4" in report.failure
    assert (held(run), report.total.articles, report.added, report.removed) == (4, 4, (), ())
    assert run(*paths, rebuild=True, allow_loss=True).failure is None
    assert held(run) == 0


def test_a_rebuild_may_lose_a_small_part_and_a_refused_one_is_gone_on_with(run: Runner, library: Path) -> None:
    (library / "tea.txt").unlink()
    report = run(library, rebuild=True)
    assert (report.failure, len(report.removed), held(run)) == (None, 1, 3)
    (library / "fish.txt").unlink()
    (library / "snow.txt").unlink()
    assert run(library, rebuild=True).refusal is not None
    run.encoder.encoded.clear()
    assert run(library, rebuild=True, allow_loss=True).refusal is None
    assert (held(run), run.encoder.encoded) == (1, [])  # the refused one was complete


def test_a_rebuild_does_not_lose_a_file_that_has_gone_bad(run: Runner, library: Path) -> None:
    (library / "tea.txt").write_bytes(b"")
    report = run(library, rebuild=True)
    assert report.failure is not None
    assert "would lose the articles of" in report.failure
    assert "tea.txt" in report.failure
    assert held(run) == 4


def test_what_a_stopped_rebuild_of_other_paths_left_does_not_come_along(
    run: Runner, library: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "boat.txt").write_text("新船\n\n渔港添了两艘新船，渔民高兴。", "utf-8")
    assert run(other, rebuild=True).refusal is not None
    assert run(library, rebuild=True).refusal is None
    assert {Path(article.file).name for article in run.store.articles()} == set(STORIES)


def test_an_unmounted_folder_loses_nothing(run: Runner, library: Path) -> None:
    shutil.move(library, library.with_name("elsewhere"))
    with pytest.raises(SourceError, match="does not exist"):
        run(library, remove_missing=True)
    library.mkdir()  # the mount point
    report = run(library, remove_missing=True)
    assert report.failure is not None
    assert "4 of the 4 articles" in report.failure
    assert (held(run), report.removed, len(report.missing)) == (4, (), 4)
    library.rmdir()
    assert run(library, remove_missing=True, allow_loss=True).failure is None
    assert held(run) == 0


def test_a_part_that_is_not_mounted_is_judged_by_itself(run: Runner, library: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for i in range(20):
        (many / f"{i}.txt").write_text(f"第{i}艘船\n\n第{i}艘船昨日进港，装卸{i}吨货物。", "utf-8")
    run(many)
    for file in library.iterdir():
        file.unlink()
    assert run(library, many, remove_missing=True).refusal is not None  # 4 of 24, but all of one folder
    assert held(run) == 24


def test_a_named_path_that_is_missing_is_a_failure_and_the_rest_is_read(run: Runner, library: Path) -> None:
    (library / "new.txt").write_text("书展\n\n书展今日开幕，读者很多，图书馆门票免费。", "utf-8")
    report = run(library, library / "nowhere.txt")
    assert report.failure is not None
    assert "nowhere.txt does not exist; the other paths were read" in report.failure
    assert held(run) == 5


def test_a_run_that_could_read_nothing_is_a_failure(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    assert "every file was skipped" in (run(tmp_path / "empty.txt").failure or "")
    assert run.store.files()[0].state is FileState.FAILED


def test_what_cannot_be_looked_at_is_not_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_gone(str(tmp_path / "x"))
    assert is_gone("a\0b")

    def failing(path: str) -> os.stat_result:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", failing)
        assert not is_gone(str(tmp_path / "x"))


@pytest.mark.parametrize(("before", "after", "sudden"), [(0, 0, False), (6, 4, False), (6, 3, True), (1, 0, True)])
def test_a_third_may_go(before: int, after: int, sudden: bool) -> None:
    assert is_sudden(before, after) is sudden


def test_the_report_as_json_says_so(run: Runner, library: Path) -> None:
    (library / "tea.txt").unlink()
    (library / "fish.txt").unlink()
    data = json.loads(json.dumps(run(library, remove_missing=True).to_json()))
    assert data["refusal"].startswith("2 of the 4 articles")
    assert data["not_found"] == []
