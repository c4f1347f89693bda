"""A disk without a byte left: reading goes on, writing stops with one line, and nothing is lost."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from library_toys import TopicEncoder, encoded, record

from rag.config import Settings
from rag.errors import StoreError
from rag.ingest import ingest
from rag.store import Level, LocalStore
from rag.types import Article


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("cannot mount a file system here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room."""
    filler = disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(4096))
    return filler


@pytest.fixture
def index(store: LocalStore, disk: Path) -> Path:
    store.update_caches()
    store.close()
    return Path(shutil.copytree(store.folder, disk / "index"))


def asked(store: LocalStore) -> list[int]:
    return [len(store.articles()), len(store.search_lexical("大桥", 9)), len(store.search_dense(*PORT, 9))]


PORT = (TopicEncoder().encode_queries(["船"])[0],)


@pytest.mark.parametrize("opened", ["before", "after"])
@pytest.mark.parametrize("caches", [True, False])
def test_reading_goes_on_and_writing_is_refused(
    opened: str, caches: bool, index: Path, disk: Path, articles: list[Article], encoder: TopicEncoder,
    settings: Settings, tmp_path: Path,
) -> None:  # fmt: skip
    if not caches:
        shutil.rmtree(index / "lexical")
        (index / "dense.cache").unlink()
    early = LocalStore.open(index) if opened == "before" else None
    if early is not None:
        early.counts()
    filler = fill(disk)
    store = early or LocalStore.open(index, encoder=encoder, passages=settings.passages)
    with store:
        assert asked(store) == [6, 1, 7]
        (tmp_path / "new.txt").write_text("书展\n\n" + "书展今日开幕，读者很多，图书馆门票免费。" * 3000, "utf-8")
        for _ in range(2):
            with pytest.raises(StoreError) as caught:
                ingest(store, [tmp_path / "new.txt"], encoder, settings)
            assert "no space left" in str(caught.value).lower(), caught.value
            assert "\n" not in str(caught.value)
        assert asked(store) == [6, 1, 7]
        filler.unlink()
        ingest(store, [tmp_path / "new.txt"], encoder, settings)
        assert len(store.articles()) == 7  # the same open store can write again
        assert [f for f in store.check() if f.level is Level.ERROR] == []


def test_a_reader_of_a_full_disk_sees_what_is_written_once_there_is_room(
    index: Path, disk: Path, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    filler = fill(disk)
    with LocalStore.open(index) as reader:
        assert len(reader.articles()) == 6
        filler.unlink()
        with LocalStore.open(index) as writer:
            story = Article(id="n#1", title="", text="鱼市开张。", file="n.txt")
            writer.replace_file(record("n.txt"), encoded([story], encoder, settings))
            assert len(reader.articles()) == 7
            assert len(reader.search_lexical("鱼市开张", 9)) > 0
        assert len(reader.articles()) == 7


def test_a_new_index_on_a_full_disk_is_one_line(disk: Path, encoder: TopicEncoder, settings: Settings) -> None:
    fill(disk)
    with pytest.raises(StoreError) as caught:
        LocalStore.open(disk / "new", create=True, encoder=encoder, passages=settings.passages)
    assert "\n" not in str(caught.value)
    assert not os.path.exists(disk / "new" / "index.sqlite3")
