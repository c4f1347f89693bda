"""The failed questions of a run -> markup for the evaluation tab. Pure; everything is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from eval.causes import Cause
from eval.report import Failure
from eval.results import Cited, QuestionResult, Retrieved
from eval.runs import Run
from ui.evaluation_errors import told
from ui.evaluation_runs import Finished
from ui.markup import escape
from ui.render_evaluation import tell, type_name
from ui.strings import Language, text

MOST_FAILURES = 100
_SHOWN_HITS = 5


def cause_name(cause: Cause, language: Language) -> str:
    """What a cause of failure is called."""
    return text(language, f"ev_cause_{cause.value.replace(' ', '_')}")


def causes(failed: Sequence[Failure], language: Language) -> list[tuple[str, str]]:
    """The choices of the filter: what is shown and the value; all causes first."""
    counts = Counter(failure.cause for failure in failed)
    choices = [(text(language, "ev_all_causes", count=len(failed)), "")]
    return choices + [
        (text(language, "ev_cause_choice", cause=cause_name(cause, language), count=counts[cause]), cause.value)
        for cause in Cause
        if counts[cause]
    ]


def failed(found: Finished, cause: str, language: Language) -> str:
    """The failed questions with this cause (empty: all of them)."""
    head = text(language, "ev_failures", count=len(found.failures), total=len(found.results))
    heading = f'<h3 class="jw-ev-head">{escape(head)}</h3>'
    if not found.failures:
        return heading + f'<p class="jw-hint">{escape(text(language, "ev_no_failures"))}</p>'
    wanted = [failure for failure in found.failures if cause in ("", failure.cause.value)]
    shown = wanted[:MOST_FAILURES]
    more = ""
    if len(shown) < len(wanted):
        said = text(language, "ev_failures_shown", shown=len(shown), count=len(wanted))
        more = f'<p class="jw-hint">{escape(said)}</p>'
    return heading + "".join(_failure(failure, found.run, language) for failure in shown) + more


def _failure(failure: Failure, run: Run, language: Language) -> str:
    r = failure.result
    said = escape(told(r.error, language) if r.error else r.answer)
    if r.refused:
        said = f'<span class="jw-ev-tag">{escape(text(language, "ev_refused"))}</span> {said}'
    evidence = "".join(f"<li>{escape(quote)}</li>" for quote in r.evidence)
    why = ""
    if r.answerable and r.evidence:
        why = tell("why", f"{run.folder.name}:{r.id}", escape(text(language, "ev_why")), "jw-button")
    return (
        f'<details class="jw-card jw-ev-failure"><summary><span class="jw-card-head"><span class="jw-card-title">'
        f'{escape(r.question)}</span><span class="jw-card-origin">{escape(f"{r.id} · {type_name(r.type, language)}")}'
        f' · <b class="jw-ev-bad">{escape(cause_name(failure.cause, language))}</b></span></span></summary>'
        f'<div class="jw-ev-body">{_part("ev_gold", gold(r, language), language)}'
        f"{_part('ev_evidence', f'<ul>{evidence}</ul>' if evidence else '', language)}"
        f"{_part('ev_answer', f'<p>{said}</p>', language)}"
        f"{_part('ev_citations', citations(r.citations), language)}"
        f"{_part('ev_judged', _verdict(r, language), language)}"
        f"{_part('ev_retrieved', _hits(r, language), language)}{why}</div></details>"
    )


def _verdict(r: QuestionResult, language: Language) -> str:
    if r.verdict is None:
        return ""
    css = "jw-ev-good" if r.verdict.label == "correct" else "jw-ev-bad"
    label = escape(text(language, f"ev_label_{r.verdict.label}"))
    return f'<p><b class="{css}">{label}</b> {escape(r.verdict.reason)} <small>{escape(r.verdict.judge)}</small></p>'


def gold(r: QuestionResult, language: Language) -> str:
    """The right answers of a question."""
    said = " / ".join(r.gold_answers) if r.answerable else text(language, "ev_should_refuse")
    return f"<p>{escape(said)}</p>" if said else ""


def _part(key: str, markup: str, language: Language) -> str:
    return f"<h4>{escape(text(language, key))}</h4>{markup}" if markup else ""


def citations(cited: Sequence[Cited]) -> str:
    """The citations of an answer, each with whether it is right."""
    rows = "".join(
        f'<li><b class="{"jw-ev-good" if c.right else "jw-ev-bad"}">{"✓" if c.right else "✗"} [{c.marker}]</b> '
        f"{escape(c.title)}: {escape(c.quote)}</li>"
        for c in cited
    )
    return f'<ul class="jw-ev-plain">{rows}</ul>' if rows else ""


def _hits(r: QuestionResult, language: Language) -> str:
    rows = "".join(_hit(hit, r, language) for hit in r.retrieved[:_SHOWN_HITS])
    return f'<ol class="jw-ev-plain">{rows}</ol>' if rows else ""


def _hit(hit: Retrieved, r: QuestionResult, language: Language) -> str:
    tags = []
    if hit.evidence:
        tags.append(("ev_holds_evidence", "jw-ev-good"))
    elif hit.articles:
        tags.append(("ev_gold_article", ""))
    if hit.rank > r.read:
        tags.append(("ev_not_read", ""))
    shown = "".join(f' <span class="jw-ev-tag {css}">{escape(text(language, key))}</span>' for key, css in tags)
    legs = " · ".join(
        text(language, f"rank_{leg}", rank=rank) if rank else text(language, f"rank_none_{leg}")
        for leg, rank in (("dense", hit.dense_rank), ("lexical", hit.lexical_rank))
    )
    return (
        f"<li><b>{hit.rank}</b> {escape(hit.title)}{shown} <small>{escape(legs)}</small>"
        f'<span class="jw-ev-passage">{escape(hit.text)}</span></li>'
    )
