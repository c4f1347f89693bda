from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ui_support import BRIDGE, HOSTILE, LIBRARY, FakeAssistant, FakeLibrary, answered, refused

from rag.errors import StoreError
from rag.types import Filters, Turn
from ui import uploads
from ui.chat import Chat, FilterError, Options, View, read_filters
from ui.contents import Contents
from ui.conversations import FILE_NAME, ConversationStore, Exchange, turns
from ui.library_tab import LibraryTab
from ui.running import Runs, drain
from ui.visitors import Visitor

OPTIONS = Options(mode="extractive", max_sources=5)
OWNER = "me"
ME = Visitor(OWNER, "session")


@pytest.fixture
def assistant() -> FakeAssistant:
    return FakeAssistant()


@pytest.fixture
def chat(tmp_path: Path, assistant: FakeAssistant) -> Chat:
    return Chat(FakeLibrary(tmp_path), assistant, ConversationStore(tmp_path))  # type: ignore[arg-type]


def ask(chat: Chat, question: str, conversation: str = "", options: Options = OPTIONS) -> list[View]:
    return list(chat.ask(question, conversation, options, "zh", ME))


# --- conversations on disk


def test_answers_come_back_equal_after_a_restart(tmp_path: Path) -> None:
    first = ConversationStore(tmp_path)
    conversation = first.start(OWNER, "桥？")
    exchanges = [
        Exchange("桥？", answered("桥？", BRIDGE, "大桥全长1260米", "1260米")),
        Exchange("天气？", refused("天气？", HOSTILE)),
        Exchange("错？", None, "the model broke"),
    ]
    for exchange in exchanges:
        first.append(OWNER, conversation, exchange)
    assert ConversationStore(tmp_path).exchanges(OWNER, conversation) == exchanges


def test_conversations_are_listed_latest_first_and_named_after_their_first_question(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    older, newer = store.start(OWNER, "  第一\n问 "), store.start(OWNER, "x" * 100)
    assert [(s.id, s.title) for s in store.summaries(OWNER)] == [(newer, "x" * 60), (older, "第一 问")]
    store.append(OWNER, older, Exchange("第一", None, "stopped"))
    assert [s.id for s in store.summaries(OWNER)] == [older, newer]


def test_a_deleted_conversation_leaves_nothing_and_takes_nothing_more(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    conversation = store.start(OWNER, "极其机密的问题")
    store.append(OWNER, conversation, Exchange("极其机密的问题", None, "stopped"))
    store.delete(OWNER, conversation)
    store.append(OWNER, conversation, Exchange("再来", None, "stopped"))
    assert store.summaries(OWNER) == [] and store.exchanges(OWNER, conversation) == []


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    ConversationStore(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_an_answer_of_another_version_does_not_hide_the_conversation(tmp_path: Path) -> None:
    import sqlite3

    store = ConversationStore(tmp_path)
    conversation = store.start(OWNER, "q")
    store.append(OWNER, conversation, Exchange("q", answered("q", BRIDGE, "大桥全长1260米")))
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE exchanges SET answer = '{\"new\": 1}'")
    connection.close()
    assert store.exchanges(OWNER, conversation) == [Exchange("q", None, "unreadable")]


def test_many_threads_lose_no_exchange(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    conversation = store.start(OWNER, "q")
    threads = [
        threading.Thread(target=store.append, args=(OWNER, conversation, Exchange(f"q{n}", None, "stopped")))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(e.question for e in store.exchanges(OWNER, conversation)) == sorted(f"q{n}" for n in range(12))


def test_only_answered_questions_become_history() -> None:
    answer = answered("桥？", BRIDGE, "大桥全长1260米")
    history = turns([Exchange("错？", None, "broken"), Exchange("桥？", answer)])
    assert history == [Turn("user", "桥？"), Turn("assistant", "大桥全长1260米[1]", articles=("河畔日报/1",))]


# --- asking


def test_an_answer_grows_and_is_kept(chat: Chat) -> None:
    views = ask(chat, "  大桥全长多少米？ ")
    assert "jw-waiting" in views[0].messages[-1]["content"] and views[0].running
    assert not views[-1].running and [view.running for view in views[:-1]] == [True] * (len(views) - 1)
    assert "<strong>1260米</strong>" in views[-1].messages[-1]["content"]
    assert views[0].messages[0]["role"] == "user" and "大桥全长多少米？" in views[0].messages[0]["content"]
    assert chat.show(OWNER, views[-1].conversation, "zh") == views[-1].messages


def test_a_follow_up_goes_on_in_its_conversation_with_its_history(chat: Chat, assistant: FakeAssistant) -> None:
    first = ask(chat, "大桥全长多少米？")[-1]
    second = ask(chat, "什么时候通车？", first.conversation)[-1]
    assert second.conversation == first.conversation
    assert [message["role"] for message in second.messages] == ["user", "assistant"] * 2
    assert [turn.text for turn in assistant.asked[1][1]] == [
        "大桥全长多少米？",
        "大桥全长1260米，双向六车道，两侧各设三米宽的步道。[1]",
    ]
    keys = [message["content"].partition('id="jw-')[2].partition('"')[0] for message in second.messages[1::2]]
    assert keys == [f"{first.conversation}-1", f"{first.conversation}-2"]


def test_the_same_conversation_is_shown_in_the_other_language(chat: Chat) -> None:
    conversation = ask(chat, "大桥全长多少米？")[-1].conversation
    assert "Quoted sentences" in chat.show(OWNER, conversation, "en")[1]["content"]
    assert "原文摘句" in chat.show(OWNER, conversation, "zh")[1]["content"]


def test_settings_reach_the_assistant(chat: Chat, assistant: FakeAssistant) -> None:
    ask(chat, "大桥全长多少米？", options=Options("generative", 3, "2026-01-01", "2026/1/31", ("河畔日报",)))
    _, _, filters, mode, most = assistant.asked[0]
    assert filters == Filters(dt.date(2026, 1, 1), dt.date(2026, 1, 31), ("河畔日报",))
    assert (mode, most) == ("generative", 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options("extractive", 5, "2026-13-01"), "2026-13-01"),
        (Options("extractive", 5, "昨天"), "昨天"),
        (Options("extractive", 5, "2026-02-01", "2026-01-01"), "晚于"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_in_words(chat: Chat, options: Options, said: str) -> None:
    with pytest.raises(FilterError, match=said):
        read_filters(options, "zh")
    assert said in ask(chat, "大桥？", options=options)[-1].messages[-1]["content"]


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
def test_an_empty_question_does_nothing(chat: Chat, assistant: FakeAssistant, question: str) -> None:
    assert ask(chat, question) == [View([], "", running=False)]
    assert assistant.asked == [] and chat.store.summaries(OWNER) == []


def test_a_known_error_is_shown_escaped_and_does_not_end_the_conversation(chat: Chat) -> None:
    view = ask(chat, "错误")[-1]
    assert "the model &lt;b&gt;broke&lt;/b&gt;; choose another" in view.messages[-1]["content"]
    assert len(ask(chat, "大桥全长多少米？", view.conversation)[-1].messages) == 4


def test_an_unknown_error_says_nothing_of_the_inside(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    shown = ask(chat, "崩溃")[-1].messages[-1]["content"]
    assert "程序内部出错" in shown and "secret detail" not in shown
    assert "secret detail" in caplog.text


def test_an_answer_is_shown_and_kept_where_the_file_of_conversations_was_damaged(chat: Chat, tmp_path: Path) -> None:
    conversation = ask(chat, "大桥全长多少米？")[-1].conversation
    for file in tmp_path.glob(f"{FILE_NAME}*"):
        file.unlink()
    (tmp_path / FILE_NAME).write_text("garbage" * 1000)
    view = ask(chat, "什么时候通车？", conversation)[-1]
    assert not view.running and "jw-answer" in view.messages[-1]["content"]
    assert len(chat.store.exchanges(OWNER, view.conversation)) == 1


def test_an_answer_that_cannot_be_saved_is_still_shown_and_says_so(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise StoreError("conversations cannot be kept: it is busy")

    monkeypatch.setattr(chat.store, "append", failing)
    view = ask(chat, "什么时候通车？")[-1]
    assert not view.running and "cannot be kept" in view.messages[-1]["content"]


def test_what_no_question_can_hold_is_dropped_or_cut(chat: Chat, assistant: FakeAssistant) -> None:
    ask(chat, "大\x00桥\ud800多少\u202e米？")
    ask(chat, "长" * 1_000_000)
    assert [len(asked[0]) for asked in assistant.asked] == [6, 2001]
    assert assistant.asked[0][0] == "大桥多少米？"


def test_an_unknown_conversation_id_starts_a_new_one(chat: Chat) -> None:
    conversation = ask(chat, "大桥全长多少米？", "../../etc")[-1].conversation
    assert conversation != "../../etc"
    assert [summary.id for summary in chat.store.summaries(OWNER)] == [conversation]


def test_stop_ends_the_answer_at_once_and_keeps_what_there_was(chat: Chat, assistant: FakeAssistant) -> None:
    views = chat.ask("慢慢说，多长？", "", OPTIONS, "zh", ME)
    for view in views:
        if "jw-growing" in view.messages[-1]["content"]:
            chat.stop(ME)
            break
    started = time.monotonic()
    *_, last = views
    assert time.monotonic() - started < 1.0
    assert not last.running and "已停止；" in last.messages[-1]["content"]
    assert assistant.closed.wait(2), "the assistant's iterator must be closed"
    stored = chat.store.exchanges(OWNER, last.conversation)[0]
    assert stored.problem == "stopped" and stored.answer is not None


def test_stopping_one_session_leaves_another_alone(chat: Chat) -> None:
    chat.stop(Visitor(OWNER, "another page"))
    chat.stop(Visitor("someone else", "session"))
    assert not ask(chat, "大桥全长多少米？")[-1].running
    assert "已停止；" not in ask(chat, "大桥全长多少米？")[-1].messages[-1]["content"]


def test_a_closed_page_keeps_what_there_was(chat: Chat, assistant: FakeAssistant) -> None:
    views = chat.ask("慢慢说，多长？", "", OPTIONS, "zh", ME)
    conversation = next(view.conversation for view in views if "jw-growing" in view.messages[-1]["content"])
    views.close()  # type: ignore[attr-defined]
    assert chat.store.exchanges(OWNER, conversation)[0].problem == "stopped"
    assert assistant.closed.wait(2)


def test_a_conversation_is_its_owner_s_alone(chat: Chat) -> None:
    mine = ask(chat, "大桥全长多少米？")[-1].conversation
    store = chat.store
    assert store.summaries("someone else") == [] and store.exchanges("someone else", mine) == []
    assert chat.show("someone else", mine, "zh") == []
    store.append("someone else", mine, Exchange("插话", None, "stopped"))
    store.delete("someone else", mine)
    assert [e.question for e in store.exchanges(OWNER, mine)] == ["大桥全长多少米？"]
    answered_elsewhere = list(chat.ask("那它呢？", mine, OPTIONS, "zh", Visitor("someone else", "page")))[-1]
    assert answered_elsewhere.conversation != mine and len(store.exchanges(OWNER, mine)) == 1


def test_conversations_of_before_owners_go_to_the_first_who_comes(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection, connection:
        connection.execute(
            "CREATE TABLE conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, updated REAL NOT NULL)"
        )
        connection.execute("INSERT INTO conversations VALUES ('old', '旧问题', 1.0)")
    store = ConversationStore(tmp_path)
    assert store.summaries(OWNER) == []
    store.adopt(OWNER)
    ConversationStore(tmp_path).adopt("the next")
    assert [s.title for s in store.summaries(OWNER)] == ["旧问题"] and store.summaries("the next") == []


# --- running


def test_drain_passes_the_last_item_and_the_error() -> None:
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        for number in drain(numbers, threading.Event()):
            seen.append(number)  # noqa: PERF402
    assert seen[-1] == 3 and seen == sorted(seen)


def test_drain_does_not_wait_for_a_busy_iterator() -> None:
    release, stop = threading.Event(), threading.Event()

    def stuck() -> Iterator[int]:
        release.wait(5)
        yield 1

    threading.Timer(0.1, stop.set).start()
    started = time.monotonic()
    assert list(drain(stuck, stop)) == []
    assert time.monotonic() - started < 1
    release.set()


def test_a_new_run_stops_the_session_s_earlier_one() -> None:
    runs = Runs()
    first = runs.start("a")
    second, other = runs.start("a"), runs.start("b")
    assert [run.stop.is_set() for run in (first, second, other)] == [True, False, False]
    runs.finish("a", first)
    runs.stop("a")
    assert [run.stop.is_set() for run in (second, other)] == [True, False]


def test_leaving_waits_until_nothing_more_is_sent(chat: Chat) -> None:
    views = chat.ask("慢慢说，多长？", "", OPTIONS, "zh", ME)
    shown = [next(views), next(views)]
    rest: list[View] = []
    reader = threading.Thread(target=lambda: rest.extend(views))
    reader.start()
    chat.leave(ME)
    sent = len(rest)
    reader.join(2)
    assert len(rest) == sent and all(view.running for view in [*shown, *rest])
    assert chat.store.exchanges(OWNER, shown[0].conversation)[0].problem == "stopped"


# --- library tab


@pytest.fixture
def tab(tmp_path: Path) -> LibraryTab:
    library: Any = FakeLibrary(tmp_path / "index")
    return LibraryTab(library, Contents(library))


def upload(tmp_path: Path, name: str, content: str) -> Path:
    folder = tmp_path / "incoming" / content[:3].strip()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(content, "utf-8")
    return file


def test_search_and_empty_search(tab: LibraryTab) -> None:
    assert "“大桥”：1 个段落" in tab.search(" 大桥 ", "zh")
    assert "共 3 篇" in tab.search("  ", "zh")
    assert "没有找到与“虚无&lt;”有关的段落" in tab.search("虚无<", "zh")


def test_an_article_is_read_with_its_span_and_a_missing_one_says_so(tab: LibraryTab) -> None:
    markup, title = tab.read(f"0:4:{BRIDGE.id}", "zh")
    assert "<mark>青榆大桥</mark>" in markup and title == BRIDGE.title
    assert tab.read("0:4:nothing", "zh") == (
        '<div class="jw-report" role="status"><p>这篇报道已不在文库中。</p></div>',
        "",
    )
    assert "选一篇报道" in tab.read("", "zh")[0]


def test_a_removed_article_is_gone(tab: LibraryTab) -> None:
    pick = f"0:0:{BRIDGE.id}"
    assert "已移出：《青榆大桥本月建成通车》" in tab.remove(pick, "zh")
    assert tab.read(pick, "zh")[1] == ""
    assert "共 2 篇" in tab.listing("", "zh")


def test_added_files_are_saved_read_and_reported_one_by_one(tab: LibraryTab, tmp_path: Path) -> None:
    files = [upload(tmp_path, "新闻.txt", "一条新闻"), upload(tmp_path, "空.txt", " \n")]
    *steps, result = tab.add(files, "zh", "s")
    assert "正在保存 2 个文件" in steps[0]
    assert "收入 1 篇报道；1 个文件新收，0 个未变，跳过 1 项" in result
    assert result.index("<b>已收</b> <span>新闻.txt</span>") < result.index("<b>跳过</b> <span>空.txt</span>")
    assert "no text" in result
    assert (tmp_path / "index" / "uploads" / "新闻.txt").read_text("utf-8") == "一条新闻"
    assert "共 4 篇" in tab.listing("", "zh")


def test_an_uploaded_file_goes_with_its_last_article_and_may_come_again(tmp_path: Path) -> None:
    from rag.config import load_settings
    from rag.library import Library as RealLibrary

    with RealLibrary(tmp_path / "index", load_settings(environ={}), create=True) as library:
        tab = LibraryTab(library, Contents(library))
        for _ in range(2):
            *_, result = tab.add([upload(tmp_path, "新闻.txt", "白鹭渡口昨天恢复通航。")], "zh", "s")
            assert "1 个文件新收" in result
            [article] = library.articles()
            tab.remove(f"0:0:{article.id}", "zh")
            assert library.articles() == [] and list((tmp_path / "index" / "uploads").iterdir()) == []


def test_only_uploaded_files_are_deleted(tmp_path: Path) -> None:
    own = upload(tmp_path, "own.txt", "one")
    assert not uploads.discard(str(own), tmp_path / "index") and own.exists()
    saved = uploads.save([upload(tmp_path, "a.txt", "one")], tmp_path / "index")[0].path
    (saved.parent / "a.txt.meta.toml").write_text("")
    assert uploads.discard(str(saved), tmp_path / "index") and list(saved.parent.iterdir()) == []
    assert not uploads.discard(str(saved), tmp_path / "index")


def test_too_many_files_are_refused_before_any_is_touched(tab: LibraryTab, tmp_path: Path) -> None:
    steps = list(tab.add([tmp_path / f"{n}.txt" for n in range(51)], "en", "s"))
    assert len(steps) == 1 and "At most 50 files at a time, got 51" in steps[0]


def test_a_file_that_cannot_be_saved_is_one_clear_line(tab: LibraryTab, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "uploads").write_text("in the way")
    *_, result = tab.add([upload(tmp_path, "a.txt", "a")], "en", "s")
    assert "Not added: the uploaded files cannot be saved" in result


# --- uploads


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("报道.txt", "报道.txt"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".hidden", "hidden"),
        ("a\u202etxt.exe", "atxt.exe"),
        ('<img src=x onerror="1">.html', "img src=x onerror=1.html"),
        ("x" * 300 + ".txt", "x" * 80 + ".txt"),
        ("a\nb\x00.txt", "ab.txt"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_file_names_are_made_safe(sent: str, safe: str) -> None:
    assert uploads.safe_name(sent) == safe


def test_the_same_file_is_kept_once_and_another_of_its_name_beside_it(tmp_path: Path) -> None:
    index = tmp_path / "index"
    first = uploads.save([upload(tmp_path, "a.txt", "one")], index)[0]
    again = uploads.save([upload(tmp_path, "a.txt", "one")], index)[0]
    other = uploads.save([upload(tmp_path, "a.txt", "two")], index)[0]
    assert again.path == first.path and not again.renamed
    assert other.path.name == "a (2).txt" and other.renamed
    assert sorted(file.name for file in (index / "uploads").iterdir()) == ["a (2).txt", "a.txt"]
    assert first.path.read_text() == "one"
    assert not list((tmp_path / "incoming").rglob("*.txt")), "uploads are moved, not left behind"
    assert stat.S_IMODE((index / "uploads").stat().st_mode) == 0o700


# --- contents


def test_the_library_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    library: Any = FakeLibrary(tmp_path)
    contents = Contents(library)
    first = contents.now()
    assert contents.now() is first
    assert [article.id for article in first.articles] == [BRIDGE.id, LIBRARY.id, HOSTILE.id]
    assert first.sources == ("<marquee>来源</marquee>", "Aldermoor Courier", "河畔日报")
    assert first.examples["en"][0] == "When did the Qingyu Bridge open?"
    library.remove_article(LIBRARY.id)
    assert [article.id for article in contents.now().articles] == [BRIDGE.id, HOSTILE.id]


def test_texts_are_cut_but_titles_stay(tmp_path: Path) -> None:
    untitled = dataclasses.replace(BRIDGE, title="", text=BRIDGE.text * 20)
    library: Any = FakeLibrary(tmp_path, [untitled])
    (kept,) = Contents(library).now().articles
    assert len(kept.text) < 100 and kept.display_title == untitled.display_title
