"""The file of conversations damaged, deleted, unwritable: the page opens, answers, says so, and keeps what it can."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from test_full_disk import disk, fill  # noqa: F401  (a fixture)
from ui_support import BRIDGE, FakeAssistant, FakeLibrary, answered

from rag.doctor import examine_conversations
from rag.errors import BackupError, IndexMissingError
from rag.store.backup import verify_conversations
from ui import conversation_file
from ui.app import build_app
from ui.chat import Chat, Options
from ui.contents import Contents
from ui.conversations import FILE_NAME, ConversationStore, Exchange
from ui.library_tab import LibraryTab

JUNK = b"this is no database, whatever its name says" * 100
OWNER = "me"
OPTIONS = Options(mode="extractive", max_sources=5)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_file, "_RETRY_S", 0.0)


def talk(store: ConversationStore, question: str) -> str:
    conversation = store.start(OWNER, question)
    store.append(OWNER, conversation, Exchange(question, answered(question, BRIDGE, "大桥全长1260米")))
    return conversation


def titles(store: ConversationStore) -> list[str]:
    return [summary.title for summary in store.summaries(OWNER)]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_file_that_is_no_database_is_put_aside(when: str, tmp_path: Path) -> None:
    if when == "before":
        (tmp_path / FILE_NAME).write_bytes(JUNK)
        store = ConversationStore(tmp_path)
    else:
        store = ConversationStore(tmp_path)
        talk(store, "旧")
        (tmp_path / FILE_NAME).write_bytes(JUNK)
    assert titles(store) == []
    assert len(store.exchanges(OWNER, talk(store, "新"))) == 1
    assert store.file.put_aside is not None
    assert store.file.put_aside.read_bytes() == JUNK
    assert (store.file.outage, titles(ConversationStore(tmp_path))) == ("", ["新"])


def test_broken_pages_are_found_at_the_start(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    for i in range(40):
        talk(store, f"第{i}问")
    file = tmp_path / FILE_NAME
    data = bytearray(file.read_bytes())
    data[4096 * 3 : 4096 * 3 + 2000] = os.urandom(2000)
    file.write_bytes(data)
    again = ConversationStore(tmp_path)
    assert again.file.put_aside is not None
    assert titles(again) == []
    talk(again, "新")
    assert titles(again) == ["新"]


def test_a_deleted_file_is_begun_anew_with_its_rights(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    talk(store, "旧")
    for file in tmp_path.iterdir():
        file.unlink()
    assert titles(store) == []
    talk(store, "新")
    assert titles(store) == ["新"]
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_deleted_folder_loses_nothing_that_is_said_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    store = ConversationStore(folder)
    old = talk(store, "旧")
    copy = shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    talk(store, "其间")
    assert titles(store) == ["其间"]
    assert "No such file" in store.file.outage
    shutil.move(copy, folder)
    assert set(titles(store)) == {"旧", "其间"}
    assert (len(store.exchanges(OWNER, old)), store.file.outage) == (1, "")
    assert set(titles(ConversationStore(folder))) == {"旧", "其间"}


def test_on_a_full_disk_conversations_go_on_and_are_written_later(disk: Path) -> None:  # noqa: F811
    store = ConversationStore(disk)
    old, gone = talk(store, "旧"), talk(store, "删")
    filler = fill(disk)
    with filler.open("r+b") as stream:
        stream.truncate(filler.stat().st_size // 4096 * 4096)
    long = "长" * 100_000
    for i in range(3):
        conversation = store.start(OWNER, f"满{i}")
        store.append(OWNER, conversation, Exchange(long, None, "stopped"))
    store.append(OWNER, old, Exchange("又问", None, "stopped"))
    store.delete(OWNER, gone)
    assert store.file.outage != ""
    assert (len(store.exchanges(OWNER, old)), set(titles(store))) == (2, {"旧", "满0", "满1", "满2"})
    assert set(titles(ConversationStore(disk))) == {"旧", "删"}  # a page that starts now reads what there is
    filler.unlink()
    assert set(titles(store)) == {"旧", "满0", "满1", "满2"}
    assert store.file.outage == ""
    again = ConversationStore(disk)
    assert (len(again.exchanges(OWNER, old)), set(titles(again))) == (2, {"旧", "满0", "满1", "满2"})


def test_conversations_of_before_get_their_checksums(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    conversation = talk(store, "旧")
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        for statement in ("TRIGGER seal_conversation", "TRIGGER seal_exchange", "TABLE checksums"):
            connection.execute(f"DROP {statement}")
    again = ConversationStore(tmp_path)
    verify_conversations(tmp_path / FILE_NAME)
    again.append(OWNER, conversation, Exchange("又问", None, "stopped"))
    verify_conversations(tmp_path / FILE_NAME)
    again.delete(OWNER, conversation)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("SELECT count(*) FROM checksums").fetchone() == (0,)


def of_before(folder: Path) -> None:
    """A file of the time before owners, with one conversation."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection, connection:
        connection.executescript(
            "CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, updated REAL NOT NULL) STRICT;"
            "CREATE TABLE exchanges (conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,"
            " position INTEGER NOT NULL, question TEXT NOT NULL, answer TEXT, problem TEXT NOT NULL,"
            " PRIMARY KEY (conversation, position)) STRICT;"
            "INSERT INTO conversations VALUES ('old', '旧', 1.0);"
            "INSERT INTO exchanges VALUES ('old', 1, '旧', NULL, 'stopped');"
        )


def test_conversations_of_before_owners_are_sealed_and_written_later_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_before(tmp_path)
    store = ConversationStore(tmp_path)
    verify_conversations(tmp_path / FILE_NAME)

    with monkeypatch.context() as broken:
        broken.setattr(conversation_file.os, "open", no_place)
        store.adopt(OWNER)
        talk(store, "其间")
        assert store.file.outage != ""
    assert (set(titles(store)), store.file.outage) == ({"旧", "其间"}, "")
    store.adopt("the next")
    assert set(titles(ConversationStore(tmp_path))) == {"旧", "其间"}
    verify_conversations(tmp_path / FILE_NAME)


def no_place(*_: Any) -> int:
    raise OSError(28, "No space left on device")


# -- what the page says ----------------------------------------------------------------------------------------


class GoneLibrary(FakeLibrary):
    """An index whose folder can be deleted."""

    gone = True

    @property
    def fingerprint(self) -> str:
        if self.gone:
            raise IndexMissingError("the index is gone; put it <back>")
        return "1"

    def article(self, article_id: str) -> Any:
        return self.fingerprint and super().article(article_id)


def booted(library: FakeLibrary) -> str:
    """What the page shows on load, as one text."""
    page = build_app(library, FakeAssistant(), library.index_dir / "runs")  # type: ignore[arg-type]
    boot = next(fn for fn in page.fns.values() if getattr(fn.fn, "__name__", "") == "_boot")
    changes = boot.fn("zh:", Request())  # type: ignore[misc]
    return " ".join(str(change) for change in changes.values())


class Request:
    """As much of Gradio's request as the page looks at."""

    session_hash = "session"
    cookies: Any = None


def test_the_page_says_that_the_index_is_gone_and_recovers(tmp_path: Path) -> None:
    library = GoneLibrary(tmp_path)
    assert "文库现在打不开：the index is gone; put it &lt;back&gt;" in booted(library)
    contents = Contents(library)  # type: ignore[arg-type]
    assert contents.now().articles == ()
    assert "打不开" in LibraryTab(library, contents).read(f"0:5:{BRIDGE.id}", "zh")[0]  # type: ignore[arg-type]
    library.gone = False
    assert len(contents.now().articles) == 3
    assert "打不开" not in booted(library)


def test_the_page_says_that_conversations_were_damaged(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(JUNK)
    shown = booted(FakeLibrary(tmp_path))
    assert "对话记录的文件已损坏，另存为" in shown


def test_a_conversation_is_shown_without_its_index(tmp_path: Path) -> None:
    library = GoneLibrary(tmp_path)
    store = ConversationStore(tmp_path)
    chat = Chat(library, FakeAssistant(), store)  # type: ignore[arg-type]
    messages = chat.show(OWNER, talk(store, "大桥全长多少米？"), "zh")
    assert "大桥全长1260米" in messages[1]["content"]


# -- doctor ----------------------------------------------------------------------------------------------------


def test_doctor_looks_at_conversations(tmp_path: Path) -> None:
    def looked() -> tuple[bool, str]:
        finding = examine_conversations(tmp_path / FILE_NAME)
        return finding.ok, finding.detail

    store = ConversationStore(tmp_path)
    talk(store, "问")
    assert looked() == (True, f"{tmp_path / FILE_NAME}: 1 conversations")
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE exchanges SET question = '间'")
    assert "exchange 1 of conversation" in looked()[1]
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE exchanges SET question = '问'")
        connection.execute("UPDATE conversations SET title = '间'")
    assert "conversation" in looked()[1]
    assert not looked()[0]
    with pytest.raises(BackupError, match="is not what was written"):
        verify_conversations(tmp_path / FILE_NAME)
    (tmp_path / FILE_NAME).write_bytes(JUNK)
    assert not looked()[0]
    assert "file is not a database" in looked()[1]
