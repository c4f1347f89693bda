"""The Gradio page: what stands where, and which control calls what.

Nothing lives in Gradio's session state, which a restart loses: the open conversation, the language and the
chosen article are in text boxes of the page itself, and everything else is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ui import layout, render, render_library
from ui.chat import Chat, Options
from ui.conversations import ConversationStore
from ui.layout import Controls
from ui.library_tab import LibraryTab
from ui.markup import escape
from ui.server import private_uploads, run
from ui.strings import Language, as_language, text

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.library import Library

Update = dict[str, Any]
_HIDDEN: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_AT_ONCE: dict[str, Any] = {**_HIDDEN, "queue": False}
"""For events that must not wait behind a long answer."""


def build_app(library: Library, assistant: Assistant) -> gr.Blocks:
    """The page over `library`; conversations are kept beside its index."""
    chat = Chat(library, assistant, ConversationStore(library.index_dir))
    page, controls = layout.build(library.settings)
    wiring = _Wiring(library, chat, LibraryTab(library), controls)
    with page:
        wiring.start()
        wiring.asking()
        wiring.conversations()
        wiring.filters()
        wiring.library_tab()
    page.queue(max_size=32, default_concurrency_limit=4)
    return page


def serve(library: Library, assistant: Assistant, *, port: int, open_browser: bool = False) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C.

    :raises PortError: the port is taken.
    """
    with private_uploads():
        run(build_app(library, assistant), library, port=port, open_browser=open_browser)


class _Wiring:
    """Connects the controls of the page with what they do."""

    def __init__(self, library: Library, chat: Chat, tab: LibraryTab, controls: Controls) -> None:
        self._library = library
        self._chat = chat
        self._tab = tab
        self._c = controls

    def start(self) -> None:
        """On load and on a change of language: every text, the open conversation, the library."""
        c = self._c
        outputs = [*(labelled.component for labelled in c.labelled), *self._data_outputs()]
        c.state.wish.change(self._boot, c.state.wish, outputs, trigger_mode="always_last", **_AT_ONCE)

    def asking(self) -> None:
        """The question box, the examples and the stop button."""
        ask, drawer, state = self._c.ask, self._c.drawer, self._c.state
        settings = [drawer.mode, drawer.max_sources, drawer.date_from, drawer.date_to, drawer.sources]
        outputs = [ask.chat, ask.box, state.current, drawer.conversations, ask.hero, drawer.delete]
        for trigger, source in [(ask.box.submit, ask.box), *((button.click, button) for button in ask.examples)]:
            trigger(
                self._ask,
                [source, state.current, *settings, state.language],
                outputs,
                trigger_mode="once",
                concurrency_limit=4,
                concurrency_id="answer",
                **_HIDDEN,
            )
        ask.box.stop(self._stop, None, None, **_AT_ONCE)

    def conversations(self) -> None:
        """List, open, start and delete conversations.

        Each of these leaves a running answer. They go through the queue, so that what they show comes after
        the last that the answer has sent.
        """
        ask, drawer, state = self._c.ask, self._c.drawer, self._c.state
        outputs = [
            ask.chat, state.current, drawer.conversations, ask.hero, drawer.delete, drawer.confirm_row, ask.box
        ]  # fmt: skip
        queued: dict[str, Any] = {"concurrency_limit": 8, "concurrency_id": "open", **_HIDDEN}
        drawer.conversations.input(self._open, [drawer.conversations, state.language], outputs, **queued)
        drawer.new.click(self._new, state.language, outputs, **queued)
        drawer.confirm.click(self._delete, [state.current, state.language], outputs, **queued)
        _confirms(drawer.delete, drawer.cancel, drawer.confirm_row)

    def filters(self) -> None:
        """Filters in force are named above the question box, since the drawer may hide them."""
        ask, drawer = self._c.ask, self._c.drawer
        fields = [drawer.date_from, drawer.date_to, drawer.sources]
        for field in fields:
            field.change(
                _active_filters, [*fields, self._c.state.language], [ask.active_filters, ask.filter_row], **_AT_ONCE
            )
        ask.clear_filters.click(lambda: ("", "", []), None, fields, **_AT_ONCE)

    def library_tab(self) -> None:
        """Filter, search, read, add and remove."""
        shelf, state = self._c.shelf, self._c.state
        looking = [shelf.find, state.language]
        shelf.find.change(self._filter, looking, shelf.listing, trigger_mode="always_last", **_AT_ONCE)
        gr.on([shelf.find.submit, shelf.search.click], self._search, looking, shelf.listing, **_HIDDEN)

        reading = [shelf.reader, shelf.question, shelf.remove, shelf.confirm_row]
        changed = [shelf.status, shelf.listing, self._c.drawer.sources, self._c.ask.count]
        state.pick.change(self._read, [state.pick, state.language], reading, **_AT_ONCE)
        _confirms(shelf.remove, shelf.cancel, shelf.confirm_row)
        shelf.confirm.click(self._remove, [state.pick, *looking], [*changed, state.pick, *reading], **_HIDDEN)

        shelf.upload.upload(self._add, [shelf.upload, *looking], [*changed, shelf.stop], concurrency_limit=1, **_HIDDEN)
        shelf.stop.click(self._stop_adding, None, None, **_AT_ONCE)

    def _data_outputs(self) -> list[Any]:
        state, drawer, ask, shelf = self._c.state, self._c.drawer, self._c.ask, self._c.shelf
        return [
            state.language, ask.chat, state.current, drawer.conversations, ask.hero, drawer.delete, *ask.examples,
            drawer.sources, ask.count, shelf.listing, state.pick, shelf.reader, shelf.remove, shelf.confirm_row,
            shelf.status,
        ]  # fmt: skip

    def _boot(self, wish: str) -> list[Any]:
        language, conversation, *_ = [*(wish or "").split(":"), "", ""]
        chosen = as_language(language)
        return [*(labelled.update(chosen) for labelled in self._c.labelled), *self._data(chosen, conversation)]

    def _data(self, language: Language, conversation: str) -> list[Any]:
        messages = self._chat.show(conversation, language)
        known = conversation if messages else ""
        sources, count, listing = self._library_data("", language)
        return [
            language, messages, known, self._list(known), gr.update(visible=not messages),
            gr.update(visible=bool(known)), *self._examples(language), sources, count, listing,
            "", render_library.nothing_open(language), gr.update(visible=False), gr.update(visible=False), "",
        ]  # fmt: skip

    def _examples(self, language: Language) -> list[Update]:
        questions = self._library.example_questions(language)[: layout.EXAMPLES]
        questions += [""] * (layout.EXAMPLES - len(questions))
        return [gr.update(value=question, visible=bool(question)) for question in questions]

    def _library_data(self, needle: str, language: Language) -> tuple[Update, str, str]:
        """Choices of the source filter, the count on the start page and the list."""
        sources, articles = self._library.sources(), self._library.articles()
        key = "hero_count" if articles else "hero_empty"
        count = text(language, key, articles=f"{len(articles):,}", sources=len(sources))
        return (
            gr.update(choices=sources),
            f'<p class="jw-hero-count">{escape(count)}</p>',
            self._tab.listing(needle, language),
        )

    def _filter(self, needle: str, language: str) -> str:
        return self._tab.listing(needle or "", as_language(language))

    def _search(self, query: str, language: str) -> str:
        return self._tab.search(query or "", as_language(language))

    def _list(self, chosen: str) -> Update:
        summaries = self._chat.store.summaries()
        return gr.update(
            choices=[(summary.title, summary.id) for summary in summaries],
            value=chosen or None,
            visible=bool(summaries),
        )

    def _ask(
        self,
        question: str,
        conversation: str,
        mode: Any,
        max_sources: int,
        date_from: str,
        date_to: str,
        sources: list[str],
        language: str,
        request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:
        chosen = as_language(language)
        options = Options(mode, int(max_sources), date_from or "", date_to or "", tuple(sources or ()))
        first = True
        for view in self._chat.ask(question or "", conversation, options, chosen, _session(request)):
            box: Update = gr.skip()
            if first and view.running:
                box = gr.update(value="", submit_btn=False, stop_btn=text(chosen, "stop"))
            elif not view.running:
                box = _resting_box(chosen)
            listed = self._list(view.conversation) if first or not view.running else gr.skip()
            shown = bool(view.messages)
            yield (
                view.messages,
                box,
                view.conversation,
                listed,
                gr.update(visible=not shown),
                gr.update(visible=shown),
            )
            first = False

    def _stop(self, request: gr.Request) -> None:
        self._chat.stop(_session(request))

    def _stop_adding(self, request: gr.Request) -> None:
        self._tab.stop(_session(request))

    def _open(self, conversation: str | None, language: str, request: gr.Request) -> tuple[Any, ...]:
        self._chat.leave(_session(request))
        chosen = as_language(language)
        messages = self._chat.show(conversation or "", chosen)
        known = (conversation or "") if messages else ""
        return (
            messages,
            known,
            self._list(known),
            gr.update(visible=not messages),
            gr.update(visible=bool(known)),
            gr.update(visible=False),
            _resting_box(chosen),
        )

    def _new(self, language: str, request: gr.Request) -> tuple[Any, ...]:
        return self._open("", language, request)

    def _delete(self, conversation: str, language: str, request: gr.Request) -> tuple[Any, ...]:
        self._chat.leave(_session(request))
        self._chat.store.delete(conversation)
        return self._open("", language, request)

    def _read(self, pick: str, language: str) -> tuple[Any, ...]:
        chosen = as_language(language)
        markup, title = self._tab.read(pick or "", chosen)
        question = f"<p>{escape(text(chosen, 'remove_question', title=title))}</p>" if title else ""
        return markup, question, gr.update(visible=bool(title)), gr.update(visible=False)

    def _remove(self, pick: str, needle: str, language: str) -> tuple[Any, ...]:
        chosen = as_language(language)
        status = self._tab.remove(pick or "", chosen)
        sources, count, listing = self._library_data(needle or "", chosen)
        return status, listing, sources, count, "", *self._read("", language)

    def _add(
        self, files: list[str] | None, needle: str, language: str, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        chosen = as_language(language)
        same = gr.skip()
        paths = [Path(file) for file in files or []]
        status = ""
        for status in self._tab.add(paths, chosen, _session(request)):
            yield status, same, same, same, gr.update(visible=True)
        sources, count, listing = self._library_data(needle or "", chosen)
        yield status, listing, sources, count, gr.update(visible=False)


def _active_filters(date_from: str, date_to: str, sources: list[str], language: str) -> tuple[str, Update]:
    chosen = as_language(language)
    parts = [render.day_range(date_from or "", date_to or "", chosen), *(sources or [])]
    named = " · ".join(part for part in parts if part)
    return (
        f"<p>{escape(text(chosen, 'active_filters', filters=named))}</p>" if named else "",
        gr.update(visible=bool(named)),
    )


def _resting_box(language: Language) -> Update:
    update: Update = gr.update(submit_btn=text(language, "send"), stop_btn=False)
    return update


def _session(request: gr.Request) -> str:
    return str(request.session_hash or "")


def _confirms(button: gr.Button, cancel: gr.Button, row: gr.Column) -> None:
    """`button` asks first: it opens `row`, `cancel` closes it."""
    button.click(lambda: gr.update(visible=True), None, row, **_AT_ONCE)
    cancel.click(lambda: gr.update(visible=False), None, row, **_AT_ONCE)
