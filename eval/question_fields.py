"""One JSON record -> a Question and what had to be repaired on the way."""

from __future__ import annotations

import datetime as dt
import json
import re

from eval.question import UNANSWERABLE, GoldArticle, Json, Match, Problem, Question
from rag.answering.refusal import turn_of
from rag.tokens import detect_language
from rag.types import Turn

_KINDS = {list: "list", str: "text", int: "number", float: "number", bool: "truth value"}


def read_line(number: int, line: str) -> tuple[Question | None, list[Problem]]:
    """The question in line `number` (1-based), or None with a Problem that keeps the line."""
    if any("\udc80" <= character <= "\udcff" for character in line):
        return None, [Problem(number, "", "is not UTF-8 text; save the file as UTF-8; left out", line)]
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        return None, [
            Problem(
                number, "", f"is not JSON ({error.msg.removesuffix(' at')} at column {error.colno}); left out", line
            )
        ]
    except RecursionError:
        return None, [Problem(number, "", "is JSON nested too deeply; left out", line)]
    if re.search("[\ud800-\udfff]", json.dumps(record, ensure_ascii=False)):  # from \\ud800 escapes: no text at all
        record = json.loads(re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(record, ensure_ascii=False)))
    if not isinstance(record, dict):
        kind = "null" if record is None else _KINDS[type(record)]
        return None, [Problem(number, "", f"holds a JSON {kind}; expected an object; left out", line)]
    reader = _Fields(number, record)
    question = reader.question()
    if question is None:
        return None, [Problem(p.line, p.question_id, p.message, line) for p in reader.problems]
    return question, reader.problems


class _Fields:
    """Reads the fields of one record, converting what it can and noting what it did."""

    def __init__(self, line: int, record: dict[str, Json]) -> None:
        self._line = line
        self._record = dict(record)
        self._id = ""
        self.problems: list[Problem] = []

    def question(self) -> Question | None:
        """The question, or None when the record has no text to ask."""
        self._id = self._text("id")
        if not self._id:
            self._id = f"line-{self._line}"
            self._note(f"has no id; kept as {self._id!r}")
        text = self._text("question").strip()
        if not text:
            self._note("has no question; expected a text in the field 'question'; left out")
            return None
        evidence = self._texts("evidence")
        answers = self._texts("answers")
        question = Question(
            id=self._id,
            text=text,
            lang=self._lang(text),
            type=self._type(answers, evidence),
            answers=answers,
            match=self._match(),
            aliases=self._aliases(),
            evidence=evidence,
            articles=self._articles(),
            any_article=self._flag("any_article"),
            as_of=self._date("as_of"),
            history=self._history(),
            sources=self._texts("sources"),
            wrong_answers=self._texts("wrong_answers"),
            extra=self._record,
            line=self._line,
        )
        self._check(question)
        return question

    def _note(self, message: str) -> None:
        self.problems.append(Problem(self._line, self._id, message))

    def _wrong(self, key: str, value: Json, expected: str, done: str) -> None:
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 60 else shown[:57] + "…"
        self._note(f"{key} is {shown}; expected {expected}; {done}")

    def _text(self, key: str) -> str:
        value = self._record.pop(key, None)
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self._wrong(key, value, "a text", f"read as {str(value)!r}")
            return str(value)
        self._wrong(key, value, "a text", "read as empty")
        return ""

    def _texts(self, key: str) -> tuple[str, ...]:
        return self._as_texts(key, self._record.pop(key, None))

    def _as_texts(self, key: str, value: Json) -> tuple[str, ...]:
        if value is None:
            return ()
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            self._wrong(key, value, "a list of texts", "read as a list of one")
            return (str(value),)
        if not isinstance(value, list):
            self._wrong(key, value, "a list of texts", "read as empty")
            return ()
        kept: list[str] = []
        for entry in value:
            if isinstance(entry, str):
                kept.append(entry)
            elif isinstance(entry, (int, float)) and not isinstance(entry, bool):
                self._wrong(key, entry, "texts", f"read as {str(entry)!r}")
                kept.append(str(entry))
            else:
                self._wrong(key, entry, "texts", "this entry is ignored")
        return tuple(text for text in kept if text.strip())

    def _flag(self, key: str) -> bool:
        value = self._record.pop(key, False)
        if isinstance(value, bool):
            return value
        self._wrong(key, value, "true or false", "read as false")
        return False

    def _lang(self, text: str) -> str:
        value = self._text("lang")
        if value in ("zh", "en"):
            return value
        guessed = detect_language(text)
        if value:
            self._wrong("lang", value, "zh or en", f"read as {guessed}")
        return guessed

    def _type(self, answers: tuple[str, ...], evidence: tuple[str, ...]) -> str:
        value = self._text("type").strip()
        if value:
            return value
        guessed = "fact" if answers or evidence else UNANSWERABLE
        self._note(f"has no type; read as {guessed}")
        return guessed

    def _match(self) -> Match:
        value = self._record.pop("match", "any")
        if value == "all":
            return "all"
        if value not in ("any", None):
            self._wrong("match", value, "any or all", "read as any")
        return "any"

    def _aliases(self) -> tuple[tuple[str, ...], ...]:
        value = self._record.pop("aliases", None)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._wrong("aliases", value, "a list of lists of texts", "ignored")
            return ()
        return tuple(forms for forms in (self._as_texts("aliases", entry) for entry in value) if forms)

    def _articles(self) -> tuple[GoldArticle, ...]:
        value = self._record.pop("articles", None)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._wrong("articles", value, "a list of objects with file, id or title", "ignored")
            return ()
        kept: list[GoldArticle] = []
        for entry in value:
            if isinstance(entry, str):
                self._wrong("articles", entry, "objects with file, id or title", "read as an id")
                kept.append(GoldArticle(id=entry))
            elif isinstance(entry, dict):
                fields = {k: str(entry[k]) for k in ("file", "id", "title") if entry.get(k) not in (None, "")}
                if fields:
                    kept.append(GoldArticle(**fields))
                else:
                    self._wrong("articles", entry, "objects with file, id or title", "this entry is ignored")
            else:
                self._wrong("articles", entry, "objects with file, id or title", "this entry is ignored")
        return tuple(kept)

    def _date(self, key: str) -> dt.date | None:
        value = self._record.pop(key, None)
        if value is None or value == "":
            return None
        try:
            if not isinstance(value, str):
                raise ValueError
            return dt.date.fromisoformat(value)
        except ValueError:
            self._wrong(key, value, "a date like 2026-01-31", "ignored")
            return None

    def _history(self) -> tuple[Turn, ...]:
        value = self._record.pop("history", None)
        if value is None:
            return ()
        turns: list[Turn] = []
        for entry in value if isinstance(value, list) else [value]:
            role, text = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
            if isinstance(role, str) and isinstance(text, str) and role in ("user", "assistant"):
                turns.append(turn_of(role, text))
            else:
                self._wrong("history", entry, '["user" or "assistant", text]', "this turn is ignored")
        return tuple(turns)

    def _check(self, question: Question) -> None:
        if question.answerable and not question.answers:
            self._note("has no answers; its answer cannot be judged (type 'unanswerable' says that there is none)")
        if not question.answerable and question.answers:
            self._note("is unanswerable but has answers; they are not used")
        if question.aliases and question.match == "any":
            self._note("has aliases but match is any; they are not used")
        elif question.aliases and len(question.aliases) != len(question.answers):
            self._note(
                f"has {len(question.answers)} answers and {len(question.aliases)} lists of aliases; "
                "expected one list per answer; the aliases decide"
            )
