"""The person's question sets beside the index: list, import, edit, check, draft. Knows nothing of Gradio."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.collection import file_stem
from eval.drafting import draft_questions
from eval.editing import free_id, put_question, question_from_answer, read_set, remove_question
from eval.gold import ArticleFinder, validate
from eval.importing import Imported, import_questions
from eval.question import UNANSWERABLE, GoldArticle, Match, Problem, Question
from eval.question_set import QuestionSet, make_question_set, write_question_set
from rag.config import EXAMPLES_DIR
from rag.errors import QuestionSetError
from rag.tokens import detect_language
from ui.contents import Contents
from ui.conversations import Exchange, turns
from ui.typed_dates import read_day
from ui.uploads import safe_name

if TYPE_CHECKING:
    from rag.library import Library

FOLDER = "question_sets"
SHIPPED = "examples"
"""Name of the sample set; a set of the person's own has the name of its file, which ends in `.jsonl`."""
MINE = "my-questions.jsonl"
"""Where questions from the chat go."""
_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Draft:
    """A question as typed into the editor."""

    text: str
    type: str
    answers: str
    """One a line; so is `evidence`."""
    match: Match
    evidence: str
    as_of: str
    """ISO date or empty."""


class BadDateError(QuestionSetError):
    """The day of asking cannot be read."""


class QuestionSets:
    """The question sets of one library; the methods may be called from any thread."""

    def __init__(self, library: Library, contents: Contents) -> None:
        self._library = library
        self._contents = contents
        self._folder = library.index_dir / FOLDER
        self._changing = threading.Lock()

    def names(self) -> list[str]:
        """The sample set where its articles are indexed, then the person's own sets."""
        own = sorted(p.name for p in self._folder.glob(f"*{_SUFFIX}")) if self._folder.is_dir() else []
        return [SHIPPED, *own] if self._holds_samples() else own

    def path(self, name: str) -> Path:
        """The file of a set.

        :raises QuestionSetError: there is no set of this name.
        """
        if name not in self.names():
            raise QuestionSetError(f"there is no question set {name!r}; choose another")
        return EXAMPLES_DIR / "questions.jsonl" if name == SHIPPED else self._folder / name

    def read(self, name: str) -> QuestionSet:
        """The set; it may be empty.

        :raises QuestionSetError: there is none, or it cannot be read.
        """
        found = read_set(self.path(name))
        return replace(found, name=SHIPPED) if name == SHIPPED else found

    def add_file(self, file: Path) -> tuple[str, Imported]:
        """Take the questions of an uploaded file in, of any format, under a name that no other set has.

        :raises QuestionSetError: it holds no question, or cannot be saved.
        """
        try:
            found = import_questions(file)
        except QuestionSetError as error:  # where the upload lies for the moment says nothing to anyone
            raise QuestionSetError(str(error).replace(str(file), file.name)) from error
        return self._save(found.question_set, file_stem(Path(safe_name(file.name))))[0], found

    def draft(self, count: int) -> tuple[str, int]:
        """Propose questions from the articles; the name of their set (empty when there are none) and how many."""
        drafts = draft_questions(self._library.articles(), count)
        if not drafts.questions:
            return "", 0
        return self._save(drafts, drafts.name)[0], len(drafts.questions)

    def delete(self, name: str) -> None:
        """Delete a set of the person's own; the sample set stays."""
        if name != SHIPPED:
            self.path(name).unlink(missing_ok=True)

    def keep(self, exchanges: Sequence[Exchange], *, liked: bool) -> tuple[Question, bool] | None:
        """Put the last of `exchanges` into the person's set; the question, and whether it was there before.

        Of an answer that was not liked only the evidence is taken over. None when there is no answer to keep.

        :raises QuestionSetError: the set cannot be read or written.
        """
        answer = exchanges[-1].answer if exchanges else None
        if answer is None:
            return None
        with self._changing:
            path = self._folder / MINE
            follows = answer.searched.strip() not in ("", answer.question.strip())
            history = turns(list(exchanges[:-1])) if follows else []
            made = question_from_answer(answer, free_id(path), history=history, as_of=dt.date.today())
            for known in read_set(path).questions:
                if (known.text, known.history) == (made.text, made.history):
                    return known, True
            if not liked:
                made = replace(made, answers=(), extra={"rating": "down"})
            put_question(path, made)
            return made, False

    def save(self, name: str, question_id: str, draft: Draft) -> tuple[str, Question]:
        """Write an edited or (with an empty id) new question; the set it went to and the question.

        The sample set is not written: its questions are saved to the person's own.

        :raises QuestionSetError: the question has no text, its date cannot be read, or the set cannot be written.
        """
        target = MINE if name in ("", SHIPPED) else name
        path = self._folder / target
        known = {q.id: q for q in (self.read(name) if name else make_question_set("", ())).questions}
        with self._changing:
            before = known.get(question_id) or Question(id="", text="", lang="zh", type="fact")
            ident = before.id if before.id and target == name else free_id(path)
            question = self._edited(replace(before, id=ident), draft)
            put_question(path, question)
        return target, question

    def remove(self, name: str, question_id: str) -> None:
        """Take a question out of a set of the person's own.

        :raises QuestionSetError: it is not there.
        """
        if name != SHIPPED:
            with self._changing:
                remove_question(self.path(name), question_id)

    def problems(self, question_set: QuestionSet) -> list[Problem]:
        """What is wrong with a set: its lines, and evidence or articles that the library does not hold."""
        return [*question_set.problems, *validate(question_set, self._library.articles())]

    def check(self, question: Question) -> list[Problem]:
        """What is wrong with one question."""
        found = validate(make_question_set("", [question]), self._library.articles())
        if question.answerable and not question.answers:
            found.append(Problem(0, question.id, "has no answers; its answer cannot be judged"))
        return found

    def _edited(self, before: Question, draft: Draft) -> Question:
        answers, evidence = _lines(draft.answers), _lines(draft.evidence)
        kind = draft.type.strip() or before.type
        same = evidence == tuple(map(flat, before.evidence))
        return replace(
            before,
            text=" ".join(draft.text.split()),
            lang=detect_language(draft.text),
            type=kind,
            answers=() if kind == UNANSWERABLE else answers,
            match=draft.match,
            aliases=before.aliases if answers == before.answers else (),
            evidence=before.evidence if same else evidence,
            articles=before.articles if same else self._holding(evidence) or before.articles,
            as_of=_day(draft.as_of),
            extra={key: value for key, value in before.extra.items() if key != "draft"},
        )

    def _holding(self, evidence: Sequence[str]) -> tuple[GoldArticle, ...]:
        """The first article that holds each quote."""
        finder = ArticleFinder(self._library.articles(), self._library.settings.passages)
        places = [finder.holding(quote) for quote in evidence]
        found = [self._library.article(place[0].article_id) for place in places if place]
        return tuple(dict.fromkeys(GoldArticle(a.file, a.id, a.title) for a in found if a is not None))

    def _save(self, question_set: QuestionSet, wanted: str) -> tuple[str, QuestionSet]:
        stem = Path(safe_name(f"{wanted}{_SUFFIX}")).stem
        with self._changing:
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                number, name = 1, f"{stem}{_SUFFIX}"
                while (self._folder / name).exists():
                    number += 1
                    name = f"{stem}-{number}{_SUFFIX}"
                write_question_set(self._folder / name, question_set)
            except OSError as error:
                raise QuestionSetError(f"the set cannot be saved in {self._folder}: {error.strerror}") from error
        return name, question_set

    def _holds_samples(self) -> bool:
        samples = {path.name for path in (EXAMPLES_DIR / "library").glob("*")}
        return any(Path(article.file).name in samples for article in self._contents.now().articles)


def title(name: str) -> str:
    """What people call a set of their own."""
    return name.removesuffix(_SUFFIX)


def flat(quote: str) -> str:
    """A quote on one line: white space does not count in evidence."""
    return " ".join(quote.split())


def _lines(typed: str) -> tuple[str, ...]:
    return tuple(line for line in map(flat, typed.splitlines()) if line)


def _day(typed: str) -> dt.date | None:
    try:
        return read_day(typed)
    except ValueError:
        raise BadDateError(typed.strip()) from None
