import json
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from library_toys import TopicEncoder

import rag.ingest
import rag.ingest_writer
from rag.config import Settings, SourceSettings
from rag.encoder import Vectors
from rag.errors import IndexLockedError, IndexMismatchError
from rag.ingest import IngestProgress, IngestReport, ingest
from rag.store import Counts, FileState, LocalStore


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Three text files and one list of two records."""
    folder = tmp_path / "library"
    folder.mkdir()
    write(folder / "bridge.txt", "大桥合龙\n\n跨海大桥昨日合龙，全长七公里。大桥预计年底通车。")
    write(folder / "fish.txt", "渔民收成好\n\n今年春天渔民捕鱼八百吨，比去年多一成。")
    write(folder / "tea.txt", "春茶开采\n\n青石山的春茶开采了，茶农说比往年早十天。")
    write_records(
        folder / "posts.json", {"1_1": "新港区开港，首日有12艘船靠岸。", "2_1": "山城昨夜大雪，道班清扫积雪。"}
    )
    return folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def write_records(file: Path, texts: dict[str, str]) -> None:
    records = [
        {
            "文章标识符aid": aid,
            "标题title": text[:4],
            "链接url": f"https://example.org/{aid}",
            "时间time": "2025-03-02",
            "公众号名称": "海湾发布",
            "finalContent": text,
        }
        for aid, text in texts.items()
    ]
    write(file, json.dumps(records, ensure_ascii=False))


class Runner:
    """Ingests into one store with the same settings."""

    def __init__(self, store: LocalStore, encoder: TopicEncoder, settings: Settings) -> None:
        self.store, self.encoder, self.settings = store, encoder, settings

    def __call__(self, *paths: Path, **options: object) -> IngestReport:
        self.encoder.encoded.clear()
        return ingest(self.store, paths, self.encoder, self.settings, **options)  # type: ignore[arg-type]


@pytest.fixture
def run(empty_store: LocalStore, encoder: TopicEncoder, settings: Settings) -> Runner:
    return Runner(empty_store, encoder, settings)


def names(paths: Sequence[str]) -> list[str]:
    return [Path(path).name for path in paths]


def ids(store: LocalStore) -> list[str]:
    return [article.id for article in store.articles()]


def test_a_folder_becomes_an_index(run: Runner, library: Path) -> None:
    report = run(library)
    assert names(report.added) == ["bridge.txt", "fish.txt", "posts.json", "tea.txt"]
    assert (report.changed, report.unchanged, report.skipped, report.missing) == ((), (), (), ())
    assert (report.articles, report.passages) == (5, 5)
    assert report.total == run.store.counts() == Counts(files=4, articles=5, passages=5)
    assert ids(run.store) == ["bridge.txt#1", "fish.txt#1", "海湾发布/1_1", "海湾发布/2_1", "tea.txt#1"]
    assert [(f.state, f.format) for f in run.store.files()] == [
        (FileState.INGESTED, form) for form in ("text", "text", "wechat", "text")
    ]
    assert run.store.article("tea.txt#1").file == str(library / "tea.txt")  # type: ignore[union-attr]
    (hit,) = run.store.search_lexical("七公里", 5)
    assert run.store.passages([hit.passage_id])[hit.passage_id].article.id == "bridge.txt#1"


def test_what_did_not_change_is_neither_read_nor_encoded(run: Runner, library: Path) -> None:
    run(library)
    for file in library.iterdir():
        os.utime(file, (1, 1))  # times say nothing
    again = run(library)
    assert names(again.unchanged) == ["bridge.txt", "fish.txt", "posts.json", "tea.txt"]
    assert (again.articles, again.added, again.changed) == (0, (), ())
    assert run.encoder.encoded == []


def test_of_a_changed_file_only_what_changed_is_encoded(run: Runner, library: Path) -> None:
    run(library)
    before = run.store.article("海湾发布/1_1")
    write_records(library / "posts.json", {"1_1": "新港区开港，首日有12艘船靠岸。", "3_1": "大桥通车。"})
    report = run(library)
    assert names(report.changed) == ["posts.json"]
    assert (report.articles, report.removed_articles) == (1, 1)
    assert [text.splitlines()[-1] for text in run.encoder.encoded] == ["大桥通车。"]
    assert run.store.article("海湾发布/1_1") == before
    assert run.store.article("海湾发布/2_1") is None
    assert run.store.search_lexical("积雪", 5) == []


def test_a_file_is_one_file_however_it_is_named(run: Runner, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(library.parent)
    run(Path("library"))
    again = run(library, library / ".." / "library" / "tea.txt", Path("library/fish.txt"))
    assert len(again.unchanged) == 4
    assert run.store.article("tea.txt#1").file == "library/tea.txt"  # type: ignore[union-attr]


def test_what_decides_how_a_file_is_read_is_part_of_it(run: Runner, library: Path) -> None:
    run(library)
    write(library / "tea.txt.meta.toml", 'date = 2025-03-20\nsource = "山城晚报"\n')
    assert names(run(library).changed) == ["tea.txt"]
    tea = run.store.article("tea.txt#1")
    assert tea is not None and (str(tea.date), tea.source) == ("2025-03-20", "山城晚报")
    run.settings = replace(run.settings, sources=SourceSettings(date="2024-01-01"))
    run(library)
    assert [str(a.date) for a in run.store.articles()] == [
        "2024-01-01", "2024-01-01", "2025-03-02", "2025-03-02", "2025-03-20",
    ]  # fmt: skip
    (library / "tea.txt.meta.toml").unlink()
    run(library)
    assert str(run.store.article("tea.txt#1").date) == "2024-01-01"  # type: ignore[union-attr]


def test_a_new_parser_reads_again(run: Runner, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(library)
    monkeypatch.setattr(rag.ingest, "PARSER_VERSION", rag.ingest.PARSER_VERSION + 1)
    report = run(library)
    assert len(report.changed) == 4
    assert report.articles == 0  # they came out the same
    assert run.encoder.encoded == []


def test_bad_files_are_named_and_stop_nothing(run: Runner, library: Path) -> None:
    (library / "zero.txt").write_bytes(b"")
    (library / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    os.symlink("/etc/hostname", library / "link.txt")
    report = run(library, library / "nowhere.txt")
    assert names(report.added) == ["bridge.txt", "fish.txt", "posts.json", "tea.txt"]
    skipped = {Path(problem.file).name: problem.cause for problem in report.skipped}
    assert {"zero.txt", "picture.txt", "link.txt", "nowhere.txt"} <= set(skipped)
    assert all("\n" not in str(problem) and problem.cause for problem in report.skipped)
    again = run(library)
    assert {Path(problem.file).name: problem.cause for problem in again.skipped}["zero.txt"] == skipped["zero.txt"]
    assert again.articles == 0


def test_a_file_gone_bad_keeps_its_stories_until_it_is_mended(run: Runner, library: Path) -> None:
    run(library)
    whole = (library / "tea.txt").read_bytes()
    (library / "tea.txt").write_bytes(b"")
    assert names([problem.file for problem in run(library).skipped]) == ["tea.txt"]
    assert run.store.article("tea.txt#1") is not None
    assert [(f.path, f.state) for f in run.store.files() if f.error] == [(str(library / "tea.txt"), FileState.FAILED)]
    (library / "tea.txt").write_bytes(whole)
    report = run(library)
    assert (names(report.changed), report.articles, report.skipped) == (["tea.txt"], 0, ())
    assert [f.path for f in run.store.files() if f.error] == []


def test_missing_files_are_reported_and_removed_on_request(run: Runner, library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    write(other, "雪\n\n山城下雪了，明天仍有小雪。")
    run(library, other)
    (library / "tea.txt").unlink()
    other.unlink()
    report = run(library)
    assert (names(report.missing), report.removed) == (["tea.txt"], ())
    assert run.store.article("tea.txt#1") is not None
    report = run(library, remove_missing=True)
    assert (names(report.removed), report.removed_articles, report.missing) == (["tea.txt"], 1, ())
    assert run.store.article("tea.txt#1") is None
    assert run.store.article("other.txt#1") is not None  # not under the given path


def test_a_moved_file_keeps_its_vectors(run: Runner, library: Path) -> None:
    run(library)
    (library / "2025").mkdir()
    shutil.move(library / "posts.json", library / "2025" / "posts.json")
    report = run(library)
    assert (names(report.changed), report.missing, report.articles) == (["posts.json"], (), 0)
    assert run.encoder.encoded == []
    assert run.store.article("海湾发布/1_1").file == str(library / "2025" / "posts.json")  # type: ignore[union-attr]
    assert run.store.counts().files == 4


def test_the_same_story_in_two_files_is_kept_once_and_comes_back_with_the_other(run: Runner, library: Path) -> None:
    text = "新港区开港，首日有12艘船靠岸。"
    write_records(library / "reposts.json", {"1_1": text, "7_1": "医院搬迁，新楼启用。"})
    report = run(library)
    (problem,) = report.skipped
    assert (names([problem.file]), problem.record) == (["reposts.json"], "海湾发布/1_1")
    assert problem.cause == f"the same story as 海湾发布/1_1 of {library / 'posts.json'}; kept once"
    (library / "posts.json").unlink()
    report = run(library, remove_missing=True)
    assert (names(report.removed), names(report.changed)) == (["posts.json"], ["reposts.json"])
    assert run.store.article("海湾发布/1_1").file == str(library / "reposts.json")  # type: ignore[union-attr]


def test_two_files_of_one_name_are_two_files(run: Runner, library: Path) -> None:
    write(library / "old" / "tea.txt", "秋茶开采\n\n青石山的秋茶也开采了，茶农很忙。")
    run(library)
    assert {i for i in ids(run.store) if i.startswith("tea")} == {"tea.txt#1", "tea.txt#1~2"}
    again = run(library)
    assert (again.articles, len(again.unchanged)) == (0, 5)


def test_lone_surrogates_and_odd_names_do_no_harm(run: Runner, library: Path) -> None:
    write_records(library / "surrogate.json", {"5_1": "坏字在此。"})
    text = (library / "surrogate.json").read_text("utf-8")
    (library / "surrogate.json").write_text(text.replace("坏字", "坏\\ud83d字"), "utf-8")
    (library / "a\nb\u202e.txt").write_text("灯塔\n\n灯塔昨夜点灯，渔船平安回港。", "utf-8")
    bad_name = os.fsencode(library) + b"/\xff.txt"
    with open(bad_name, "w", encoding="utf-8") as stream:
        stream.write("灯塔\n\n灯塔今晨熄灯，渔船陆续出港。")
    report = run(library)
    assert "\n" not in "".join(map(str, report.skipped))
    assert any("not valid UTF-8" in problem.cause for problem in report.skipped)
    assert "a\nb\u202e.txt#1" in ids(run.store)
    assert [a.text.encode("utf-8").decode("utf-8")[0] for a in run.store.articles() if "在此" in a.text] == ["坏"]
    json.dumps(report.to_json(), ensure_ascii=False).encode("utf-8", "surrogateescape")


# -- stopping and going on -------------------------------------------------------------------------------------


class StoppingEncoder(TopicEncoder):
    """Asks the run to stop during its n-th call."""

    def __init__(self, n: int, stop: threading.Event) -> None:
        super().__init__()
        self._left, self._stop = n, stop

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self._left -= 1
        if self._left == 0:
            self._stop.set()
        return super().encode_passages(texts)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction after every few sentences."""
    for name in ("_FIRST_CHARS", "_MIN_CHARS", "_MAX_CHARS"):
        monkeypatch.setattr(rag.ingest_writer, name, 40)


@pytest.mark.usefixtures("small_batches")
def test_a_stopped_run_is_complete_as_far_as_it_got_and_goes_on(run: Runner, library: Path) -> None:
    stop = threading.Event()
    run.encoder = StoppingEncoder(1, stop)
    report = run(library, stop=stop)
    assert report.interrupted
    first = ids(run.store)
    assert 0 < len(first) < 5
    assert report.articles == len(first)
    report = run(library)
    assert (report.interrupted, len(ids(run.store)), report.articles) == (False, 5, 5 - len(first))


@pytest.mark.usefixtures("small_batches")
def test_a_large_file_is_stored_in_slices_and_gone_on_with(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "posts.json"
    texts = {f"{i}_1": f"第{i}号消息：港口来了{i}艘船，装卸顺利，明天继续。" for i in range(12)}
    write_records(file, texts)
    stop = threading.Event()
    run.encoder = StoppingEncoder(3, stop)
    assert run(file, stop=stop).interrupted
    (record,) = run.store.files()
    assert (record.state, record.articles) == (FileState.PARTIAL, 6)
    assert "was not read to its end" in str(run.store.check()[0])
    texts["0_1"] = "第0号消息已更正：今天没有船。"
    del texts["1_1"]
    write_records(file, texts)
    report = run(file)
    assert report.articles == 1 + 6  # the corrected one and those that were not in yet
    assert [a.text for a in run.store.articles()] == list(texts.values())
    assert [f.state for f in run.store.files()] == [FileState.INGESTED]


def test_an_exception_while_encoding_leaves_what_was_there(run: Runner, library: Path) -> None:
    run(library)
    before = run.store.articles()

    class Failing(TopicEncoder):
        def encode_passages(self, texts: Sequence[str]) -> Vectors:
            raise KeyboardInterrupt

    write(library / "tea.txt", "夏茶\n\n夏茶也开采了，茶农很忙，山上很热闹。")
    run.encoder = Failing()
    with pytest.raises(KeyboardInterrupt):
        run(library)
    assert run.store.articles() == before
    run.encoder = TopicEncoder()
    assert names(run(library).changed) == ["tea.txt"]


def test_a_file_that_changes_while_it_is_read_is_read_again(
    run: Runner, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = rag.ingest.read_source
    touched: list[Path] = []

    def read_and_change(path: Path, settings: SourceSettings) -> object:
        reading = read(path, settings)
        if path.name == "tea.txt" and len(touched) < limit:
            touched.append(path)
            write(path, f"春茶\n\n春茶第{len(touched)}次涨价，茶农高兴，茶客不高兴。")
        return reading

    monkeypatch.setattr(rag.ingest, "read_source", read_and_change)
    limit = 1
    assert len(run(library).added) == 4
    assert "第1次" in run.store.article("tea.txt#1").text  # type: ignore[union-attr]
    limit = 99
    write(library / "tea.txt", "春茶\n\n春茶又要变了，茶农说。")
    (problem,) = run(library).skipped
    assert problem.cause == "cannot be read: it changes while it is being read; try again when it is complete"


def test_two_runs_at_once_are_refused(run: Runner, library: Path, encoder: TopicEncoder, settings: Settings) -> None:
    with LocalStore.open(run.store.folder) as other, other.writing():
        thread_error: list[BaseException] = []

        def second() -> None:
            try:
                run(library)
            except IndexLockedError as error:
                thread_error.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert len(thread_error) == 1
    assert run.store.articles() == []


# -- rebuilding and reporting ----------------------------------------------------------------------------------


def test_rebuilding_with_another_encoder(run: Runner, library: Path, settings: Settings) -> None:
    run(library)
    other = TopicEncoder("themes", "themes-1")
    with pytest.raises(IndexMismatchError):
        ingest(run.store, [library], other, settings)
    (library / "tea.txt").unlink()
    with LocalStore.open(run.store.folder, encoder=other, passages=settings.passages, rebuild=True) as store:
        report = ingest(store, [], other, settings, rebuild=True)
        assert (names(report.added), names(report.removed)) == (["bridge.txt", "fish.txt", "posts.json"], ["tea.txt"])
        assert len(other.encoded) == 4
        assert store.encoder_name == "themes"
        assert store.check() == []
    with LocalStore.open(run.store.folder, encoder=other, passages=settings.passages) as store:
        assert len(store.articles()) == 4


def test_a_stopped_rebuild_leaves_the_old_index_and_goes_on(
    run: Runner, library: Path, settings: Settings, small_batches: None
) -> None:
    run(library)
    stop = threading.Event()
    other = StoppingEncoder(1, stop)
    other.fingerprint = "topics-2"
    with LocalStore.open(run.store.folder, encoder=other, passages=settings.passages, rebuild=True) as store:
        assert ingest(store, [library], other, settings, rebuild=True, stop=stop).interrupted
        assert len(store.articles()) == 5
        assert run.store.search_lexical("七公里", 5) != []
        done = len(other.encoded)
        report = ingest(store, [library], other, settings, rebuild=True)
        assert (report.interrupted, len(other.encoded)) == (False, 5)
        assert 0 < done < 5
        assert len(store.articles()) == 5


def test_progress_counts_files_and_ends(run: Runner, library: Path) -> None:
    seen: list[IngestProgress] = []
    run(library, progress=seen.append)
    assert [(p.done, Path(p.file).name) for p in seen if p.file][::1][:1] == [(0, "bridge.txt")]
    assert seen[-1].finished and (seen[-1].done, seen[-1].total, seen[-1].articles) == (4, 4, 5)
    assert all(a.done <= b.done and a.articles <= b.articles for a, b in zip(seen, seen[1:], strict=False))
    assert seen[-1].line() == "4 of 4 files, 5 new articles, 5 passages"


def test_the_summary_says_numbers_and_what_needs_attention(run: Runner, library: Path) -> None:
    (library / "zero.txt").write_bytes(b"")
    run(library)
    (library / "tea.txt").unlink()
    report = replace(run(library), seconds=1.25, interrupted=True)
    lines = report.summary().splitlines()
    assert lines[0] == ("0 files added, 0 changed, 3 unchanged, 1 skipped, 0 removed: 0 articles, 0 passages in 1.2 s")
    assert lines[1] == "the index holds 5 articles of 5 files in 5 passages"
    assert lines[2].startswith("skipped: ") and "zero.txt: empty file" in lines[2]
    assert lines[3] == f"gone from disk (remove with --remove-missing): {library / 'tea.txt'}"
    assert lines[4] == "stopped before the end; run the same command again to go on"
    data = json.loads(json.dumps(report.to_json()))
    assert data["total"] == {"files": 5, "articles": 5, "passages": 5}
    (skipped,) = data["skipped"]
    assert skipped == {"file": str(library / "zero.txt"), "record": None, "cause": "empty file", "again": False}


def test_a_guessed_encoding_is_named(run: Runner, tmp_path: Path) -> None:
    file = tmp_path / "gbk.txt"
    file.write_bytes("渔民收成好\n\n今年春天渔民捕鱼八百吨，比去年多一成，渔业站说。".encode("gb18030"))
    report = run(file)
    assert [(Path(name).name, encoding.lower()) for name, encoding in report.guessed] == [("gbk.txt", "gb18030")]
    assert "encoding guessed" in report.summary()
