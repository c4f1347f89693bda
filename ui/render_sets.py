"""Question sets -> markup for the evaluation tab. Pure; everything is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from eval.importing import Imported
from eval.question import Problem, Question
from eval.question_set import QuestionSet
from ui.evaluation_errors import wrong_value
from ui.markup import escape
from ui.render_evaluation import tell, type_name
from ui.strings import Language, text

_MOST_ROWS = 300
_MOST_PROBLEMS = 50
_KNOWN = (
    (re.compile(r"evidence (.+) stands in none of the articles; .+"), "ev_problem_nowhere"),
    (re.compile(r"article (.+) is not in the library"), "ev_problem_article"),
    (re.compile(r"article (.+) is not in the library; found by its evidence"), "ev_problem_misnamed"),
    (re.compile(r"has neither evidence nor articles; .+"), "ev_problem_unjudged"),
    (re.compile(r"has no answers; .+"), "ev_problem_no_answers"),
    (re.compile(r"is not JSON \((.+)\); left out"), "ev_problem_json"),
    (re.compile(r"has no question; .+"), "ev_problem_no_question"),
    (re.compile(r"has no type; read as (.+)"), "ev_problem_no_type"),
    (re.compile(r"has no id; kept as (.+)"), "ev_problem_no_id"),
    (re.compile(r"id .+ was used before; this one is kept as (.+)"), "ev_problem_same_id"),
    (re.compile(r"is not UTF-8 text; .+"), "ev_problem_encoding"),
    (re.compile(r"is JSON nested too deeply; left out"), "ev_problem_nested"),
    (re.compile(r"holds a JSON (.+); expected an object; left out"), "ev_problem_no_object"),
    (re.compile(r"is unanswerable but has answers; .+"), "ev_problem_needless_answers"),
    (re.compile(r"has aliases but match is any; .+"), "ev_problem_needless_aliases"),
    (re.compile(r"has (\d+ answers and \d+) lists of aliases; .+"), "ev_problem_aliases"),
)
"""Problems that eval names in English -> their texts here; any other is shown as it is."""


def question_list(question_set: QuestionSet, name: str, chosen: str, language: Language) -> str:
    """The questions of a set, each a button that opens it, and a link that exports them."""
    count = escape(text(language, "ev_questions", count=len(question_set.questions)))
    address = escape("jinwen/questions?" + urlencode({"name": name}))
    export = f'<a class="jw-button" href="{address}">{escape(text(language, "ev_export"))}</a>'
    if not question_set.questions:
        return f'<p class="jw-empty">{escape(text(language, "ev_set_empty"))}</p>'
    shown = question_set.questions[:_MOST_ROWS]
    rows = "".join(f"<li>{_row(question, name, chosen, language)}</li>" for question in shown)
    more = ""
    if len(shown) < len(question_set.questions):
        left = len(question_set.questions) - len(shown)
        more = f'<p class="jw-hint">{escape(text(language, "ev_problems_more", count=left))}</p>'
    return f'<div class="jw-list"><p class="jw-count jw-ev-line">{count} {export}</p><ul>{rows}</ul>{more}</div>'


def _row(question: Question, name: str, chosen: str, language: Language) -> str:
    mark = " jw-picked" if question.id == chosen else ""
    parts = [question.id, type_name(question.type, language), " / ".join(question.answers)]
    if question.extra.get("draft"):
        parts.insert(1, text(language, "ev_draft_mark"))
    inside = (
        f'<span class="jw-row-title">{escape(question.text)}</span>'
        f'<span class="jw-row-origin">{escape(" · ".join(part for part in parts if part))}</span>'
    )
    return tell("edit", f"{name}:{question.id}", inside, f"jw-row{mark}")


def about(question: Question, language: Language) -> str:
    """What the editor shows of a question beside its fields."""
    lines = []
    if question.articles:
        titles = ("、" if language == "zh" else "; ").join(a.title or a.id or a.file for a in question.articles)
        lines.append(text(language, "ev_in_articles", titles=titles))
    if question.history:
        lines.append(text(language, "ev_history", count=len(question.history)))
    return "".join(f'<p class="jw-hint">{escape(line)}</p>' for line in lines)


def saved(question: Question, problems: Sequence[Problem], language: Language) -> str:
    """That a question was saved, and what is wrong with it."""
    if not problems:
        return _report(text(language, "ev_saved", id=question.id), [])
    lines = [problem_text(problem, language) for problem in problems]
    return _report(text(language, "ev_saved_problems", id=question.id), lines)


def validation(question_set: QuestionSet, problems: Sequence[Problem], language: Language) -> str:
    """What is wrong with a whole set."""
    if not problems:
        return _report(text(language, "ev_valid", count=len(question_set.questions)), [])
    return _report(text(language, "ev_problems", count=len(problems)), _listed(problems, language))


def imported(name: str, found: Imported, problems: Sequence[Problem], language: Language) -> str:
    """That a set was taken in, and everything that is wrong with it, by line."""
    count = len(found.question_set.questions)
    summary = text(language, "ev_imported", name=name, count=count)
    if found.articles:  # the articles of others are elsewhere, so what lacks them is counted and not listed
        lost = len({problem.question_id for problem in problems})
        return _report(summary + text(language, "ev_imported_articles", count=found.articles, lost=lost), [])
    if problems:
        summary = text(language, "ev_imported_problems", name=name, count=count, problems=len(problems))
    return _report(summary, _listed(problems, language))


def problem_text(problem: Problem, language: Language) -> str:
    """A problem in the page's language."""
    for pattern, key in _KNOWN:
        match = pattern.fullmatch(problem.message)
        if match:
            return text(language, key, what=match[1] if match.groups() else "")
    return wrong_value(problem.message, language)


def _listed(problems: Sequence[Problem], language: Language) -> list[str]:
    lines = [
        f"{problem.line or ''} {problem.question_id}".strip() + f": {problem_text(problem, language)}"
        for problem in sorted(problems, key=lambda problem: problem.line)[:_MOST_PROBLEMS]
    ]
    more = len(problems) - _MOST_PROBLEMS
    return [*lines, text(language, "ev_problems_more", count=more)] if more > 0 else lines


def _report(summary: str, lines: Sequence[str]) -> str:
    rows = "".join(f"<li>{escape(line)}</li>" for line in lines)
    listed = f"<ul>{rows}</ul>" if rows else ""
    return f'<div class="jw-report" role="status"><p>{escape(summary)}</p>{listed}</div>'
