"""What the set editor shows: questions from the chat, the list, the fields, what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from eval.question import UNANSWERABLE, Question
from rag.errors import JinwenError
from ui import render_sets
from ui.conversations import ConversationStore
from ui.evaluation_controls import EvaluationControls
from ui.evaluation_errors import told
from ui.evaluation_sets import MINE, SHIPPED, BadDateError, Draft, QuestionSets, flat, title
from ui.markup import escape
from ui.render_library import remark
from ui.strings import Language, text

Changes = dict[Any, Any]
"""Component -> its new value, or a `gr.update` of it."""
_DRAFTS = 20


class Editor:
    """The question sets as the page shows and changes them; every method says what changes on the page."""

    def __init__(self, sets: QuestionSets, store: ConversationStore, controls: EvaluationControls) -> None:
        self._sets = sets
        self._store = store
        self._all = controls
        self._c = controls.sets

    def choices(self, language: Language) -> list[tuple[str, str]]:
        """The sets, as people call them."""
        return [(set_title(name, language), name) for name in self._sets.names()]

    def dropdowns(self, running: str | None, editing: str | None, language: Language) -> Changes:
        """Both choices of a set, each with its current value where that is still there."""
        choices = self.choices(language)
        names = [name for _, name in choices]
        runs = running if running in names else next(iter(names), None)
        edits = editing if editing in names else next(iter(names), None)
        return {
            self._all.runs.sets: gr.update(choices=choices, value=runs),
            self._c.sets: gr.update(choices=choices, value=edits),
        }

    def listing(self, name: str | None, chosen: str, language: Language) -> Changes:
        """The questions of a set."""
        c = self._c
        own = bool(name) and name != SHIPPED
        changes: Changes = {c.delete: gr.update(visible=own), c.validate: gr.update(visible=bool(name))}
        if not name:
            return {**changes, c.listing: f'<p class="jw-empty">{escape(text(language, "ev_no_sets"))}</p>'}
        try:
            return {**changes, c.listing: render_sets.question_list(self._sets.read(name), name, chosen, language)}
        except JinwenError as error:
            return {**changes, c.listing: remark(told(error, language))}

    def choose(self, name: str | None, language: Language) -> Changes:
        """Another set: its list, and nothing in the editor."""
        c = self._c
        closed: Changes = {
            c.editor: gr.update(visible=False),
            c.hint: gr.update(visible=True),
            c.confirm_row: gr.update(visible=False),
            self._all.memory.edited: "",
            c.status: "",
        }
        return closed | self.listing(name, "", language)

    def edit(self, name: str, question_id: str, language: Language) -> Changes:
        """A question of a set in the editor."""
        found = next((q for q in self._sets.read(name).questions if q.id == question_id), None)
        if found is None:
            return {self._c.status: remark(text(language, "ev_untouched"))}
        return self._fields(name, found, language) | self.listing(name, question_id, language)

    def add(self, name: str | None, language: Language) -> Changes:
        """An empty question in the editor."""
        return self._fields(name or MINE, Question(id="", text="", lang=language, type="fact"), language)

    def keep(self, owner: str, turn: str, liked: bool, language: Language) -> Changes:
        """A turn of a chat of `owner` (`conversation-number`) as a question of the person's own set, in the editor."""
        conversation, _, number = turn.rpartition("-")
        exchanges = self._store.exchanges(owner, conversation)[: int(number)] if number.isdecimal() else []
        kept = self._sets.keep(exchanges, liked=liked)
        here: Changes = {
            self._all.page_tabs: gr.update(selected="evaluation"),
            self._all.tabs: gr.update(selected="sets"),
        }
        if kept is None:
            return here | {self._c.status: remark(text(language, "ev_nothing_to_keep"))}
        question, before = kept
        key = "ev_kept_before" if before else ("ev_kept" if liked else "ev_kept_disliked")
        said: Changes = {self._c.note: remark(text(language, key, name=set_title(MINE, language)))}
        return here | self._fields(MINE, question, language) | self._shown(MINE, question.id, language) | said

    def save(self, name: str | None, question_id: str, draft: Draft, language: Language) -> Changes:
        """Write what is in the editor, and say what is wrong with it."""
        try:
            target, question = self._sets.save(name or "", question_id, draft)
        except BadDateError as error:
            return {self._c.outcome: remark(text(language, "ev_bad_as_of", date=error))}
        except JinwenError as error:
            return {self._c.outcome: remark(told(error, language))}
        status = render_sets.saved(question, self._sets.check(question), language)
        shown = self._shown(target, question.id, language)
        return self._fields(target, question, language) | shown | {self._c.outcome: status}

    def remove(self, name: str | None, question_id: str, language: Language) -> Changes:
        """Take the question in the editor out of its set."""
        if name and question_id:
            try:
                self._sets.remove(name, question_id)
            except JinwenError as error:
                return {self._c.status: remark(told(error, language))}
        said: Changes = {self._c.status: remark(text(language, "ev_removed", id=question_id))}
        return self.choose(name, language) | said

    def delete(self, name: str | None, language: Language) -> Changes:
        """Delete a whole set."""
        if name:
            self._sets.delete(name)
        left = next(iter(self._sets.names()), None)
        said: Changes = {self._c.status: remark(text(language, "ev_deleted", name=set_title(name or "", language)))}
        return self.choose(left, language) | self.dropdowns(None, left, language) | said

    def take_in(self, file: Path, language: Language) -> Changes:
        """An uploaded set."""
        try:
            name, found = self._sets.add_file(file)
        except JinwenError as error:
            line = remark(told(error, language))
            return {self._c.status: line, self._all.runs.status: line}
        said = render_sets.imported(title(name), found, self._sets.problems(found.question_set), language)
        return (
            self.choose(name, language)
            | self.dropdowns(name, name, language)
            | {
                self._c.status: said,
                self._all.runs.status: said,
            }
        )

    def draft(self, language: Language) -> Changes:
        """Questions drafted from the articles."""
        name, count = self._sets.draft(_DRAFTS)
        if not name:
            return {self._c.status: remark(text(language, "ev_drafted_none"))}
        said: Changes = {self._c.status: remark(text(language, "ev_drafted", count=count, name=title(name)))}
        return self.choose(name, language) | self.dropdowns(None, name, language) | said

    def validate(self, name: str | None, language: Language) -> Changes:
        """What is wrong with the whole set."""
        if not name:
            return {self._c.status: remark(text(language, "ev_untouched"))}
        try:
            found = self._sets.read(name)
        except JinwenError as error:
            return {self._c.status: remark(told(error, language))}
        return {self._c.status: render_sets.validation(found, self._sets.problems(found), language)}

    def about(self, name: str | None, question_id: str, language: Language) -> Changes:
        """What stands beside the fields, in another language."""
        try:
            questions = self._sets.read(name).questions if name and question_id else ()
        except JinwenError:
            questions = ()
        found = next((q for q in questions if q.id == question_id), None)
        return {self._c.about: render_sets.about(found, language) if found else "", self._c.note: _note(name, language)}

    def _shown(self, name: str, question_id: str, language: Language) -> Changes:
        """The list of a set that may be new."""
        choices = self.choices(language)
        return {
            self._all.runs.sets: gr.update(choices=choices),
            self._c.sets: gr.update(choices=choices, value=name),
        } | self.listing(name, question_id, language)

    def _fields(self, name: str, question: Question, language: Language) -> Changes:
        c = self._c
        return {
            c.editor: gr.update(visible=True),
            c.hint: gr.update(visible=False),
            c.remove_row: gr.update(visible=False),
            c.remove: gr.update(visible=bool(question.id) and name != SHIPPED),
            c.status: "",
            c.outcome: "",
            c.note: _note(name, language),
            c.question: question.text,
            c.type: question.type,
            c.answers: "\n".join(question.answers if question.type != UNANSWERABLE else ()),
            c.match: question.match,
            c.evidence: "\n".join(map(flat, question.evidence)),
            c.as_of: question.as_of.isoformat() if question.as_of else "",
            c.about: render_sets.about(question, language),
            self._all.memory.edited: question.id,
        }


def set_title(name: str, language: Language) -> str:
    """What a set is called on the page."""
    return text(language, "ev_set_shipped") if name == SHIPPED else title(name)


def _note(name: str | None, language: Language) -> str:
    if name != SHIPPED:
        return ""
    return f'<p class="jw-hint">{escape(text(language, "ev_shipped_note", name=title(MINE)))}</p>'
