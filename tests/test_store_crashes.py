"""A killed or starved process leaves an index that is old or new, never mixed, and the next run goes on."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from library_toys import TopicEncoder

from rag.config import Settings
from rag.ingest import ingest
from rag.store import Level, LocalStore

FILES = 12
WORDS = "船鱼桥茶雪医票书"
KILLED, STORE_ERROR = -9, 3

Trial = Callable[[Path, Path, str, int], int]


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    """Runs an ingestion that dies: index, files, fault, n -> exit status."""
    program = Path(__file__).with_name("crash_child.py")
    child = subprocess.Popen([sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stdin, stdout = child.stdin, child.stdout
    assert stdin and stdout

    def run(index: Path, files: Path, fault: str, n: int) -> int:
        stdin.write(json.dumps({"index": str(index), "files": str(files), "fault": [fault, n]}) + "\n")
        stdin.flush()
        return int(stdout.readline())

    yield run
    stdin.close()
    assert child.wait() == 0


def write_files(folder: Path, edition: str) -> list[str]:
    """Files of one story each; the texts of an edition."""
    folder.mkdir(exist_ok=True)
    texts = [
        f"{edition}第{i}条消息：{WORDS[i % 8] * 5}，共{i}件。后续消息另行通知，请留意本栏{i}号公告。"
        for i in range(FILES)
    ]
    for i, text in enumerate(texts):
        (folder / f"{i:02}.txt").write_text(text, "utf-8")
    return texts


def texts_in(store: LocalStore) -> list[str]:
    return [article.text for article in store.articles()]


def verify(index: Path, files: Path, old: list[str], new: list[str], settings: Settings) -> None:
    """Each story is old or new and can be found; one more run makes all of them new."""
    encoder = TopicEncoder()
    with LocalStore.open(index, encoder=encoder, passages=settings.passages) as store:
        assert [f for f in store.check() if f.level is Level.ERROR] == []
        held = texts_in(store)
        acknowledged = int(index.with_suffix(".log").read_text() or 0)
        assert set(held) <= set(old) | set(new)
        assert len([text for text in held if text in new]) >= acknowledged
        assert len(held) == len(set(held)) >= len(old)
        for text in held:
            best = store.search_lexical(text, 1)[0].passage_id
            assert store.passages([best])[best].article.text == text
        report = ingest(store, [files], encoder, settings)
        assert len(report.added) + len(report.changed) == FILES - len([text for text in held if text in new])
        assert texts_in(store) == new
        assert store.check() == []
    with LocalStore.open(index, encoder=encoder) as store:
        for i, word in enumerate(WORDS):
            scores = [score for _, score in store.search_dense(encoder.encode_queries([word])[0], 3)]
            assert scores[0] == pytest.approx(1, abs=1e-3), word
            assert store.search_lexical(new[i], 1)
        assert sorted(path.name for path in index.iterdir()) == [
            "dense.cache", "index.sqlite3", "index.sqlite3-shm", "index.sqlite3-wal", "lexical", "lexical.cache",
            "write.lock",
        ]  # fmt: skip


POINTS = [
    ("encode", 1), ("encode", 2), ("encode", 3), ("commit", 1), ("commit", 2), ("committed", 1), ("committed", 3),
    ("rename", 1), ("renamed", 1), ("lexical state", 1),
    *[("time", ms) for ms in (5, 20, 50, 100)],
]  # fmt: skip


@pytest.mark.parametrize(("fault", "n"), POINTS[1::2], ids=lambda value: str(value))
def test_kill_in_the_first_run(tmp_path: Path, trial: Trial, settings: Settings, fault: str, n: int) -> None:
    index, files = tmp_path / "index", tmp_path / "files"
    new = write_files(files, "早报")
    status = trial(index, files, fault, n)
    assert status == KILLED or fault == "time"
    verify(index, files, [], new, settings)


@pytest.mark.parametrize(("fault", "n"), POINTS, ids=lambda value: str(value))
def test_kill_while_files_are_replaced(tmp_path: Path, trial: Trial, settings: Settings, fault: str, n: int) -> None:
    index, files = tmp_path / "index", tmp_path / "files"
    old = write_files(files, "早报")
    assert trial(index, files, "none", 0) == 0
    new = write_files(files, "晚报")
    status = trial(index, files, fault, n)
    assert status == KILLED or fault == "time"
    verify(index, files, old, new, settings)


@pytest.mark.parametrize("size", [100, 4196, 40_000, 100_000, 200_000])
def test_no_space_left_for_the_database(tmp_path: Path, trial: Trial, settings: Settings, size: int) -> None:
    """No file can grow beyond the limit, as on a full disk; here the write-ahead log hits it."""
    index, files = tmp_path / "index", tmp_path / "files"
    old = write_files(files, "早报")
    assert trial(index, files, "none", 0) == 0
    new = write_files(files, "晚报" * 20)
    assert trial(index, files, "disk", size) == STORE_ERROR
    verify(index, files, old, new, settings)


@pytest.mark.parametrize("size", [30, 700, 860, 1000, 1200])
def test_no_space_left_for_the_caches(tmp_path: Path, trial: Trial, settings: Settings, size: int) -> None:
    """What was ingested counts, and the caches are made later."""
    index, files = tmp_path / "index", tmp_path / "files"
    new = write_files(files, "早报")
    assert trial(index, files, "disk of caches", size) == 0
    verify(index, files, [], new, settings)
