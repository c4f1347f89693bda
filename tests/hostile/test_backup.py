"""Backups: of an index in use, damaged on the way, from elsewhere; and what restoring does to what is there."""

import json
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from library_toys import TopicEncoder, fill

from rag.cli import main
from rag.config import Settings
from rag.errors import BackupError, IndexLockedError, IndexMissingError
from rag.locking import WriterLock
from rag.store import LocalStore
from rag.store.backup import make_backup
from rag.store.restore import restore_backup
from rag.types import Article

FORMS = ["backup", "backup.zip"]


@pytest.fixture
def index(store: LocalStore) -> Path:
    """An index with conversations and an uploaded file; `store` stays open, as in a page."""
    with closing(sqlite3.connect(store.folder / "conversations.sqlite3")) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE conversations (id TEXT, title TEXT)")
        connection.execute("INSERT INTO conversations VALUES ('1', '大桥多长？')")
    (store.folder / "uploads" / "x").mkdir(parents=True)
    (store.folder / "uploads" / "x" / "茶.txt").write_text("春茶开采了。", "utf-8")
    return store.folder


def titles(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "conversations.sqlite3")) as connection:
        return [row[0] for row in connection.execute("SELECT title FROM conversations")]


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("form", FORMS)
def test_there_and_back(form: str, index: Path, store: LocalStore, tmp_path: Path, articles: list[Article]) -> None:
    made = make_backup(index, tmp_path / "safe" / form)
    assert (made.place, made.files, made.counts, made.left_out) == (tmp_path / "safe" / form, 3, store.counts(), ())
    assert entries(tmp_path / "safe") == {form}
    report = restore_backup(made.place, tmp_path / "new")
    assert (report.counts, report.files, report.kept) == (made.counts, 3, None)
    with LocalStore.open(tmp_path / "new") as new:
        assert new.articles() == articles
        assert new.fingerprint == store.fingerprint
        assert [f for f in new.check() if f.level == "error"] == []
    assert titles(tmp_path / "new") == ["大桥多长？"]
    assert (tmp_path / "new" / "uploads" / "x" / "茶.txt").read_text("utf-8") == "春茶开采了。"
    assert not [name for name in entries(tmp_path / "new") if ".new-" in name]


def test_a_backup_of_an_index_that_is_written_meanwhile_is_one_state(
    index: Path, store: LocalStore, tmp_path: Path, encoder: TopicEncoder, settings: Settings
) -> None:
    done = threading.Event()

    def write() -> None:
        n = 0
        while not done.is_set():
            n += 1
            fill(store, [Article(f"n#{i}", "", f"第{n}座大桥开工。", "n.txt") for i in range(2)], encoder, settings)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [make_backup(index, tmp_path / f"{i}.zip") for i in range(4)]
    finally:
        done.set()
        thread.join()
    for report in made:
        restore_backup(report.place, tmp_path / f"{report.place.stem}-restored")
        with LocalStore.open(tmp_path / f"{report.place.stem}-restored") as restored:
            texts = {article.text for article in restored.articles() if article.file == "n.txt"}
            assert len(texts) <= 1  # both of one transaction


def test_an_open_page_goes_on_with_what_was_restored(
    index: Path, store: LocalStore, tmp_path: Path, encoder: TopicEncoder, settings: Settings, articles: list[Article]
) -> None:
    backup = make_backup(index, tmp_path / "backup.zip").place
    fill(store, [Article("n#1", "", "鱼市开张。", "n.txt")], encoder, settings)
    store.remove_article("海湾日报/1")
    (index / "uploads" / "x" / "茶.txt").write_text("changed", "utf-8")
    assert len(store.search_lexical("鱼市开张", 9)) == 1
    with pytest.raises(BackupError, match="sqlite3 already, which the backup would replace.*add --yes"):
        restore_backup(backup, index)
    assert len(store.articles()) == 6
    report = restore_backup(backup, index, replace=True)
    assert store.articles() == articles
    assert store.search_lexical("鱼市开张", 9) == []
    assert (index / "uploads" / "x" / "茶.txt").read_text("utf-8") == "春茶开采了。"
    store.remove_article("海湾日报/2")  # and it can be written
    assert report.kept is not None
    restore_backup(report.kept, tmp_path / "before")
    with LocalStore.open(tmp_path / "before") as before:
        assert before.article("n#1") is not None
        assert before.article("海湾日报/1") is None
    assert (tmp_path / "before" / "uploads" / "x" / "茶.txt").read_text("utf-8") == "changed"


def flip(file: Path, position: int) -> None:
    data = bytearray(file.read_bytes())
    data[position] ^= 0x40
    file.write_bytes(data)


def test_any_flipped_byte_of_a_backup_is_noticed(index: Path, tmp_path: Path) -> None:
    folder = make_backup(index, tmp_path / "backup").place
    archive = make_backup(index, tmp_path / "backup.zip").place
    for file in [*(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"), archive]:
        whole = file.read_bytes()
        for position in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            flip(file, position)
            source = archive if file == archive else folder
            try:
                restore_backup(source, tmp_path / "new")
                assert file == archive  # a byte of the archive's directory that means nothing
                with LocalStore.open(tmp_path / "new") as store:
                    assert len(store.articles()) == 6
                shutil.rmtree(tmp_path / "new")
            except BackupError as error:
                assert "\n" not in str(error)
                assert not (tmp_path / "new" / "index.sqlite3").exists()
            file.write_bytes(whole)


def lose(folder: Path) -> None:
    (folder / "conversations.sqlite3").unlink()


def change_manifest(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        (folder / "manifest.json").write_text(json.dumps(manifest | changes), "utf-8")

    return change


FACTS = {"bytes": 1, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "harm",
    [
        lose,
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_bytes(b"\xff[" * 9),
        lambda folder: (folder / "manifest.json").write_text("[" * 100_000),
        change_manifest(jinwen_backup=99),
        change_manifest(files={}),
        change_manifest(counts={"cats": 1}),
        *(
            change_manifest(files={"index.sqlite3": FACTS, name: FACTS})
            for name in ("../x", "/etc/x", "uploads/../../x", "uploads//x", "uploads", "write.lock", "uploads/a\0b")
        ),
    ],
)
def test_what_is_no_backup_is_refused(harm: Callable[[Path], object], index: Path, tmp_path: Path) -> None:
    folder = make_backup(index, tmp_path / "backup").place
    harm(folder)
    with pytest.raises(BackupError) as caught:
        restore_backup(folder, tmp_path / "new")
    assert "\n" not in str(caught.value)
    assert entries(tmp_path / "new") <= {"write.lock"}


def test_an_archive_that_lies_about_its_sizes_does_not_fill_the_disk(index: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    manifest = {"jinwen_backup": 1, "counts": {"files": 1, "articles": 1, "passages": 1}}
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest | {"files": {"index.sqlite3": FACTS}}))
        archive.writestr("index.sqlite3", bytes(50_000_000))
    with pytest.raises(BackupError, match="not what was backed up"):
        restore_backup(bomb, tmp_path / "new")


def test_what_cannot_be_backed_up_is_told(index: Path, store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError):
        make_backup(tmp_path / "none", tmp_path / "backup")
    assert not (tmp_path / "backup").exists()
    (tmp_path / "taken.zip").write_bytes(b"mine")
    with pytest.raises(BackupError, match="exists already"):
        make_backup(index, tmp_path / "taken.zip")
    assert make_backup(index, tmp_path).place.name.startswith("jinwen-")  # a folder: inside it
    (index / "conversations.sqlite3").write_bytes(b"junk" * 3000)
    assert "conversations.sqlite3: " in make_backup(index, tmp_path / "without").left_out[0]
    store.close()
    with closing(sqlite3.connect(index / "index.sqlite3")) as connection, connection:
        connection.execute("UPDATE articles SET title = 'x' WHERE key = 1")
    with pytest.raises(BackupError, match="is damaged: article '海湾日报/1' is not what was written"):
        make_backup(index, tmp_path / "damaged")
    assert not (tmp_path / "damaged").exists()


def test_a_damaged_index_is_put_aside_by_a_restore(index: Path, store: LocalStore, tmp_path: Path) -> None:
    backup = make_backup(index, tmp_path / "backup").place
    store.close()
    for name in ("index.sqlite3", "conversations.sqlite3"):
        (index / name).write_bytes(b"junk" * 3000)
    restore_backup(backup, index, replace=True)
    with LocalStore.open(index) as restored:
        assert len(restored.articles()) == 6
    assert titles(index) == ["大桥多长？"]
    aside = [name for name in entries(index) if ".replaced-" in name and not name.endswith(("-wal", "-shm"))]
    assert [(index / name).read_bytes() for name in aside] == [b"junk" * 3000] * 2


def test_a_restore_waits_for_no_writer(index: Path, tmp_path: Path) -> None:
    backup = make_backup(index, tmp_path / "backup").place
    with WriterLock(index / "write.lock").hold(), pytest.raises(IndexLockedError):
        restore_backup(backup, index, replace=True)


def test_the_commands(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backup = str(tmp_path / "b.zip")
    assert main(["backup", backup, "--index", str(index), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["place"], made["articles"], made["parts"], made["left_out"]) == (backup, 6, 3, [])
    assert main(["restore", backup, "--index", str(tmp_path / "new")]) == 0
    assert "verified and restored: " in capsys.readouterr().out
    assert main(["restore", backup, "--index", str(tmp_path / "new"), "--yes"]) == 0
    assert "what was there is kept in " in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "none"), "--index", str(index)]) == 1
    assert main(["backup", backup, "--index", str(index)]) == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 2
