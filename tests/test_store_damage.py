"""Broken files: a cache is rebuilt with a logged line, a broken database is refused, nothing is answered wrongly."""

import dataclasses
import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from library_toys import TopicEncoder, encoded, fill, record

from rag.config import PassageSettings, Settings
from rag.errors import IndexDamagedError, IndexLockedError, StoreError
from rag.locking import WriterLock
from rag.store import FileArticles, FileState, Level, LocalStore
from rag.types import Article

ASKED = ("船 port", "大桥全长七公里", "茶 雪", "library tickets")


def answers(store: LocalStore) -> list[list[tuple[int, float]]]:
    """All that the two searches say, for comparison."""
    encoder = TopicEncoder()
    dense = [store.search_dense(encoder.encode_queries([text])[0], 9) for text in ASKED]
    lexical = [store.search_lexical(text, 9) for text in ASKED]
    return [[(hit.passage_id, round(hit.score, 5)) for hit in found] for found in (*dense, *lexical)]


@pytest.fixture
def index(store: LocalStore) -> Path:
    """A closed index with both caches."""
    store.update_caches()
    store.close()
    return store.folder


def cache_files(index: Path) -> list[Path]:
    return [index / "dense.cache", index / "lexical.cache", *sorted((index / "lexical").glob("*.*"))]


def flip(file: Path, position: int) -> None:
    data = bytearray(file.read_bytes())
    data[position] ^= 0xFF
    file.write_bytes(data)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def empty(file: Path) -> None:
    file.write_bytes(b"")


# -- caches ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", [truncate, empty, Path.unlink, lambda f: flip(f, 0), lambda f: flip(f, -1)])
def test_a_harmed_cache_is_rebuilt(
    index: Path, harm: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    with LocalStore.open(index, read_only=True) as store:
        expected = answers(store)
    for i in range(len(cache_files(index))):
        file = cache_files(index)[i]  # rebuilding gives the files of the lexical cache new names
        if file.stat().st_size < 7 or file.suffix == ".lock":
            continue
        harm(file)
        with LocalStore.open(index, read_only=True) as store:
            (finding,) = store.check()
            assert (finding.level, finding.cure) == (Level.WARNING, "nothing to do: the next search mends it")
        with caplog.at_level(logging.INFO), LocalStore.open(index) as store:
            assert answers(store) == expected, file
            assert store.check() == []
        assert "from the database" in caplog.text
        caplog.clear()


def test_any_flipped_byte_of_a_cache_is_noticed(index: Path) -> None:
    rng = random.Random(5)
    with LocalStore.open(index, read_only=True) as store:
        for file in cache_files(index):
            whole = file.read_bytes()
            for position in {
                *range(0, min(len(whole), 40), 5),
                *(rng.randrange(len(whole)) for _ in range(10) if whole),
            }:
                flip(file, position)
                if file.suffix != ".lock":
                    assert len(store.check()) == 1, (file, position)
                file.write_bytes(whole)
        assert store.check() == []


def test_caches_of_another_index_are_not_used(
    index: Path, tmp_path: Path, articles: list[Article], encoder: TopicEncoder, settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with LocalStore.open(index) as store:
        expected = answers(store)
    other = tmp_path / "other"
    with LocalStore.open(other, create=True, encoder=encoder, passages=settings.passages) as store:
        fill(store, list(reversed(articles)), encoder, settings)
        assert answers(store) != expected
    for name in ("dense.cache", "lexical.cache"):
        shutil.copy(other / name, index / name)
    shutil.rmtree(index / "lexical")
    shutil.copytree(other / "lexical", index / "lexical")
    with LocalStore.open(index) as store:
        assert answers(store) == expected
    assert caplog.text.count("belongs to another index or state") == 2


def test_a_restored_backup_does_not_meet_the_caches_of_its_former_future(
    index: Path, encoder: TopicEncoder, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Both histories use the same change numbers and passage ids."""
    backup = (index / "index.sqlite3").read_bytes()
    one = Article(id="n#1", title="", text="鱼市开张。", file="n.txt")
    two = dataclasses.replace(one, text="茶馆开张。")
    with LocalStore.open(index) as store:
        fill(store, [one], encoder, settings)
        assert [hit.score for hit in store.search_dense(encoder.encode_queries(["鱼"])[0], 2)] == [1, 1]
    (index / "index.sqlite3").write_bytes(backup)
    with LocalStore.open(index) as store:
        fill(store, [two], encoder, settings)
        scores = [round(hit.score, 3) for hit in store.search_dense(encoder.encode_queries(["鱼"])[0], 2)]
        assert scores == [1, 0]
        assert store.search_lexical("鱼市", 5) == []
        assert len(store.search_lexical("茶馆", 5)) == 1


def test_an_unchanged_cache_is_not_written_again(index: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in cache_files(index)}
    with LocalStore.open(index) as store:
        answers(store)
        store.update_caches()
    assert {file: file.stat().st_mtime_ns for file in cache_files(index)} == before


# -- the database ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not the database of a Jinwen index"),
        (b"not a database at all " * 300, "is damaged .file is not a database."),
    ],
)
def test_a_file_that_is_no_index_is_refused(index: Path, content: bytes, message: str) -> None:
    (index / "index.sqlite3").write_bytes(content)
    with pytest.raises(IndexDamagedError, match=message + ".*rebuild it with: jinwen index --rebuild PATH"):
        LocalStore.open(index)
    assert (index / "index.sqlite3").read_bytes() == content


def test_an_index_of_a_newer_format_is_refused(index: Path) -> None:
    with sqlite3.connect(index / "index.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="has format 99, this Jinwen reads up to 2; update Jinwen"):
        LocalStore.open(index)


def test_altered_text_and_vectors_are_refused(index: Path) -> None:
    file = index / "index.sqlite3"
    data = file.read_bytes()
    file.write_bytes(data.replace("七公里".encode(), "八公里".encode()))
    with LocalStore.open(index) as store:
        with pytest.raises(IndexDamagedError, match="article '海湾日报/3' of the index is damaged"):
            store.article("海湾日报/3")
        assert store.article("海湾日报/1") is not None
        assert [f.what for f in store.check() if f.level is Level.ERROR] == [
            "article '海湾日报/3' is not what was written"
        ]
    vector = np.eye(8, dtype="<f2")[2].tobytes()
    assert vector in data
    file.write_bytes(data.replace(vector, np.eye(8, dtype="<f2")[3].tobytes()))
    (index / "dense.cache").unlink()
    with LocalStore.open(index) as store, pytest.raises(IndexDamagedError, match="passage 3 of the index is damaged"):
        store.search_dense(np.eye(8, dtype=np.float32)[2], 1)


def test_flipped_bytes_of_the_database_never_change_an_answer(index: Path) -> None:
    """Each is refused, found by the check, or hits a byte that means nothing."""
    file = index / "index.sqlite3"
    whole = file.read_bytes()
    with LocalStore.open(index) as store:
        stories = {article.id: article for article in store.articles()}
        expected = answers(store)
    rng = random.Random(11)
    noticed = 0
    for position in [*range(0, 100, 6), *(rng.randrange(len(whole)) for _ in range(60))]:
        flip(file, position)
        try:
            with LocalStore.open(index, read_only=True) as store:
                harm = [f for f in store.check() if f.level is Level.ERROR]
                if not harm:
                    assert {a.id: a for a in store.articles()} == stories, position
                    assert answers(store) == expected, position
                noticed += bool(harm)
        except StoreError:
            noticed += 1
        file.write_bytes(whole)
    assert noticed >= 12


# -- writers and readers ---------------------------------------------------------------------------------------


HOLDER = """
import sys, time
from pathlib import Path
from rag.locking import LockPurpose, WriterLock
with WriterLock(Path(sys.argv[1])).hold(LockPurpose(sys.argv[2])):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def hold(index: Path, purpose: str, seconds: float) -> subprocess.Popen[str]:
    """A process that has the writer lock."""
    command = [sys.executable, "-c", HOLDER, str(index / "write.lock"), purpose, str(seconds)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout and child.stdout.readline() == "held\n"
    return child


@pytest.fixture
def writer(index: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is writing."""
    child = hold(index, "write", 60)
    yield child
    child.kill()
    child.wait()


def test_a_second_writer_is_refused_at_once_and_readers_go_on(index: Path, writer: subprocess.Popen[str]) -> None:
    with LocalStore.open(index) as store:
        started = time.monotonic()
        with pytest.raises(IndexLockedError, match=rf"is being written by process {writer.pid} \(since 2.*try again"):
            store.remove_article("海湾日报/1")
        assert time.monotonic() - started < 1.5
        assert len(store.search_lexical("大桥", 5)) == 1
        assert len(store.search_dense(np.ones(8, np.float32), 50)) == 7


def test_a_lock_ends_with_its_holder(index: Path, writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.wait()
    with LocalStore.open(index) as store:
        assert store.remove_article("海湾日报/1") is True


def test_a_writer_waits_while_a_cache_is_made(index: Path) -> None:
    child = hold(index, "cache", 1.2)
    with LocalStore.open(index) as store:
        assert store.remove_article("海湾日报/1") is True
    assert child.wait() == 0


def test_two_threads_are_two_writers_and_one_may_nest(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "lock")
    refused: list[str] = []

    def other() -> None:
        try:
            with lock.hold():
                pass
        except IndexLockedError as error:
            refused.append(str(error))

    with lock.hold(), lock.hold():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert [f"process {os.getpid()}" in message for message in refused] == [True]
    other()
    assert len(refused) == 1


def test_a_reader_without_caches_can_search_while_another_writes(
    index: Path, writer: subprocess.Popen[str], articles: list[Article]
) -> None:
    shutil.rmtree(index / "lexical")
    (index / "dense.cache").unlink()
    with LocalStore.open(index) as store:
        assert len(store.search_lexical("大桥", 5)) == 1
        assert len(store.search_dense(np.ones(8, np.float32), 50)) == 7
    assert not (index / "dense.cache").exists()


def test_searches_during_a_long_write_see_the_state_before_it(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    before = answers(store)
    story = dataclasses.replace(articles[2], text="跨海大桥通车了。")
    inside = threading.Event()
    go_on = threading.Event()

    def encode(new: list[Article]) -> object:
        inside.set()
        assert go_on.wait(20)
        return encoded(new, encoder, settings)

    def write() -> None:
        with store.writing():
            entries = [FileArticles(record("gulf.json"), [*articles[:2], story])]
            store.replace_files(entries, encode)  # type: ignore[arg-type]

    thread = threading.Thread(target=write)
    thread.start()
    assert inside.wait(20)
    assert answers(store) == before
    assert store.articles() == articles
    go_on.set()
    thread.join()
    assert store.article(story.id) == story
    assert len(store.search_lexical("通车了", 1)) == 1


def test_many_threads_may_search_while_articles_come_and_go(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    errors: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                for found in (store.search_lexical("大桥 茶", 9), store.search_dense(np.ones(8, np.float32), 9)):
                    for stored in store.passages([hit.passage_id for hit in found]).values():
                        assert stored.article.text[stored.passage.start : stored.passage.end] == stored.passage.text
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for round_ in range(6):
        story = Article(id="n#1", title="", text=f"第{round_}座大桥开工。", file="n.txt")
        fill(store, [story], encoder, settings)
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.search_lexical("座大桥", 9)) == 2


# -- read-only folders -----------------------------------------------------------------------------------------


READ_ONLY = """
import os, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_store_damage import answers
from rag.store import LocalStore
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
assert not os.access(sys.argv[1], os.W_OK)
with LocalStore.open(Path(sys.argv[1])) as store:
    print(answers(store))
    print(store.check())
    try:
        store.remove_article("x")
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize("caches", [True, False])
def test_an_index_that_cannot_be_written_answers_and_refuses_writing(index: Path, caches: bool) -> None:
    with LocalStore.open(index) as store:
        expected = answers(store)
    with tempfile.TemporaryDirectory() as place:  # pytest's own folder is closed to other users
        copy = Path(place) / "index"
        shutil.copytree(index, copy)
        if not caches:
            shutil.rmtree(copy / "lexical")
            (copy / "dense.cache").unlink()
        for path in [*copy.rglob("*"), copy, Path(place)]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        command = [sys.executable, "-c", READ_ONLY, str(copy), str(Path(__file__).parent)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for path in [Path(place), copy, *copy.rglob("*")]:
            path.chmod(0o755)
    lines = done.stdout.splitlines()
    assert lines[0] == repr(expected)
    assert lines[2] == (
        f"StoreError index {copy} cannot be written (Permission denied); "
        "make the folder writable or use another with --index"
    )
    assert (lines[1] == "[]") == caches


# -- rebuilding ------------------------------------------------------------------------------------------------


def test_rebuilding_serves_the_old_index_until_the_new_one_is_complete(
    store: LocalStore, articles: list[Article], settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    other = TopicEncoder("themes", "themes-1")
    old = answers(store)
    caplog.clear()
    passages = PassageSettings(size=40, overlap=0)
    with LocalStore.open(store.folder, encoder=other, passages=passages, rebuild=True) as writer, writer.writing():
        with writer.rebuilding(other, passages) as fresh:
            fill(fresh, articles[:3], other, settings)
            assert answers(store) == old
            assert store.articles() == articles
            writer.adopt(fresh)
        assert writer.encoder_name == "themes"
        assert writer.articles() == articles[:3]
        assert len(writer.search_lexical("大桥", 9)) == 1
        writer.update_caches()
        assert writer.check() == []
    assert not (store.folder / "rebuild").exists()
    assert caplog.text == ""
    assert store.articles() == articles[:3]  # opened without an encoder, it follows


def test_a_damaged_database_is_put_aside_by_a_rebuild(
    index: Path, articles: list[Article], encoder: TopicEncoder, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    (index / "index.sqlite3").write_bytes(b"junk" * 3000)
    with LocalStore.open(index, create=True, encoder=encoder, passages=settings.passages, rebuild=True) as store:
        fill(store, articles, encoder, settings)
        assert len(store.articles()) == 6
        assert [f for f in store.check() if f.level is Level.ERROR] == []
    (aside,) = index.glob("index.sqlite3.damaged-*")
    assert aside.read_bytes() == b"junk" * 3000
    assert "the old database is kept as" in caplog.text


def test_a_partial_file_is_named_by_the_check(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    piece = FileArticles(record("new.json", state=FileState.PARTIAL), [articles[0]], last=False)
    store.replace_files([piece], lambda new: encoded(new, encoder, settings))
    store.update_caches()
    assert [str(f) for f in store.check()] == [
        "warning: new.json was not read to its end; go on with: jinwen index new.json"
    ]
