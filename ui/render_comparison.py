"""Comparisons and explanations -> markup for the evaluation tab. Pure; everything is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.compare import Change, Comparison, MeasureDifference, QuestionPair
from eval.explain import Explanation, Step
from eval.results import QuestionResult
from eval.tracing import Leg, Trace
from ui.evaluation_errors import circumstance
from ui.markup import escape, time_tag
from ui.render_evaluation import measure_name, type_name
from ui.render_failures import citations, gold
from ui.strings import Language, text

_MOST_PAIRS = 100
_NAMES = {
    Step.LIBRARY: "library",
    Step.FILTER: "filter",
    Step.DEPTH: "depth",
    Step.LEFT_OUT: "left_out",
    Step.CUT_OFF: "cut_off",
    Step.REFUSED: "refused",
    Step.NOT_CHOSEN: "not_chosen",
    Step.NOWHERE: "nowhere",
}


# ---- two runs


def comparison(found: Comparison, language: Language) -> str:
    """Two runs side by side: what was different, the measures, the questions that turned."""
    changes = {change: found.changed(change) for change in Change}
    counts = " · ".join(
        text(
            language, "ev_change_count", change=text(language, f"ev_change_{change.value}"), count=len(changes[change])
        )
        for change in (Change.BETTER, Change.WORSE, Change.CHANGED)
    )
    different = "".join(f"<li>{escape(circumstance(line, language))}</li>" for line in found.settings)
    if not different:
        different = f"<li>{escape(text(language, 'ev_nothing_different'))}</li>"
    same = text(language, "ev_change_same", count=len(changes[Change.SAME]))
    return (
        f'<div class="jw-ev-result"><h2 class="jw-ev-title">{escape(found.first.info.name)} → '
        f'{escape(found.second.info.name)}</h2><p class="jw-ev-headline">{escape(counts)}</p>'
        f'<h3 class="jw-ev-head">{escape(text(language, "ev_different"))}</h3><ul class="jw-ev-plain">{different}</ul>'
        f"{_measures(found.measures, language)}"
        + "".join(_turned(c, changes[c], language) for c in (Change.BETTER, Change.WORSE, Change.CHANGED))
        + f'<p class="jw-hint">{escape(same)}</p>{_missing(found, language)}</div>'
    )


def _count(change: Change, count: int, language: Language) -> str:
    return text(language, "ev_change_count", change=text(language, f"ev_change_{change.value}"), count=count)


def _measures(measures: Sequence[MeasureDifference], language: Language) -> str:
    equal = [m for m in measures if m.test.low == m.test.high == 0]
    rows = "".join(_measure(m, language) for m in measures if m not in equal)
    heads = "".join(
        f'<th scope="col">{escape(head)}</th>'
        for head in (
            text(language, "ev_measure"), text(language, "ev_count"), "A", "B", "B − A",
            text(language, "ev_interval_head"), "p", text(language, "ev_verdict"),
        )
    )  # fmt: skip
    table = (
        '<div class="jw-ev-scroll" tabindex="0"><table class="jw-ev-table jw-ev-measures">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    notes = [text(language, "ev_p_note")] if rows else []
    if equal:
        names = ("、" if language == "zh" else ", ").join(measure_name(m.measure, language) for m in equal)
        notes.append(text(language, "ev_all_equal", names=names))
    return (table if rows else "") + "".join(f'<p class="jw-hint">{escape(note)}</p>' for note in notes)


def _measure(m: MeasureDifference, language: Language) -> str:
    t = m.test
    key, tone = "ev_equal", ""
    if m.improved is not None:
        key = f"ev_{'better' if m.improved else 'worse'}{'_sure' if m.significant else ''}"
        tone = f"jw-ev-{'good' if m.improved else 'bad'}" if m.significant else ""
    cells = (f"{t.count}", f"{100 * t.first:.1f}", f"{100 * t.second:.1f}", _points(t.difference),
             f"{_points(t.low)} … {_points(t.high)}", f"{m.corrected_p:.3f}")  # fmt: skip
    return (
        f'<tr><th scope="row">{escape(measure_name(m.measure, language))}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f'<td class="jw-ev-text"><span class="{tone}">{escape(text(language, key))}</span></td></tr>'
    )


def _points(difference: float) -> str:
    """A difference of shares in points of a hundred, with its sign; nothing has no sign."""
    shown = f"{100 * difference:+.1f}"
    return shown[1:] if shown[1:] == "0.0" else shown.replace("-", "−")


def _turned(change: Change, pairs: Sequence[QuestionPair], language: Language) -> str:
    if not pairs:
        return ""
    head = _count(change, len(pairs), language)
    shown = "".join(_pair(pair, change, language) for pair in pairs[:_MOST_PAIRS])
    more = len(pairs) - _MOST_PAIRS
    rest = f'<p class="jw-hint">{escape(text(language, "ev_problems_more", count=more))}</p>' if more > 0 else ""
    return f'<h3 class="jw-ev-head">{escape(head)}</h3>{shown}{rest}'


def _pair(pair: QuestionPair, change: Change, language: Language) -> str:
    r = pair.first
    tone = {Change.BETTER: "jw-ev-good", Change.WORSE: "jw-ev-bad"}.get(change, "")
    name = escape(text(language, f"ev_change_{change.value}"))
    return (
        '<details class="jw-card jw-ev-failure"><summary><span class="jw-card-head"><span class="jw-card-title">'
        f'{escape(r.question)}</span><span class="jw-card-origin">{escape(f"{r.id} · {type_name(r.type, language)}")}'
        f' · <b class="{tone}">{name}</b></span></span></summary><div class="jw-ev-body">'
        f"<h4>{escape(text(language, 'ev_gold'))}</h4>{gold(r, language)}"
        f'<div class="jw-ev-pair"><div><h4>A</h4>{_said(pair.first)}</div>'
        f"<div><h4>B</h4>{_said(pair.second)}</div></div></div></details>"
    )


def _said(r: QuestionResult) -> str:
    mark = {True: '<b class="jw-ev-good">✓</b> ', False: '<b class="jw-ev-bad">✗</b> ', None: ""}[r.correct]
    return f"<p>{mark}{escape(r.error or r.answer)}</p>{citations(r.citations)}"


def _missing(found: Comparison, language: Language) -> str:
    lines = [
        text(language, "ev_only_in", run=run, count=len(ids), ids=", ".join(ids[:20]))
        for run, ids in (("A", found.only_first), ("B", found.only_second))
        if ids
    ]
    return "".join(f'<p class="jw-hint">{escape(line)}</p>' for line in lines)


# ---- one question


def explanation(e: Explanation, per_article: int, language: Language) -> str:
    """Where an expected text was lost, the figures that decided, and what brings it back."""
    name = _NAMES[e.step]
    tone = "jw-ev-good" if e.step is Step.NOWHERE else "jw-ev-bad"
    parts = [
        f'<h2 class="jw-ev-title"><span class="{tone}">{escape(text(language, f"ev_step_{name}"))}</span></h2>',
        f'<p class="jw-ev-headline">{escape(reason(e, per_article, language))}</p>',
    ]
    parts.append(_remedies(e, language))
    if e.searched != e.question:
        parts.append(f'<p class="jw-hint">{escape(text(language, "searched", question=e.searched))}</p>')
    if e.article is not None:
        origin = f"{escape(e.article.source or text(language, 'no_source'))} {time_tag(e.article.date, language)}"
        parts.append(
            _head("ev_found_in", language) + f"<p>{escape(e.article.display_title)} <small>{origin}</small></p>"
        )
        if not e.verbatim:
            parts.append(
                f'<p class="jw-hint">{escape(text(language, "ev_like_it"))}</p><p><mark>{escape(e.expected)}</mark></p>'
            )
    if e.traces:
        limits = escape(text(language, "ev_limits", depth=e.depth, top_k=e.top_k))
        parts.append(_head("ev_passages", language) + _traces(e, language) + f'<p class="jw-hint">{limits}</p>')
    for key, words in (("ev_shared", e.shared_words), ("ev_missing", e.missing_words)):
        if words:
            tags = " ".join(f'<span class="jw-ev-tag">{escape(word)}</span>' for word in words)
            parts.append(f'<p class="jw-ev-words"><b>{escape(text(language, key))}</b> {tags}</p>')
    parts.append(_head("ev_answer", language) + f"<p>{escape(e.answer.answer)}</p>")
    return f'<div class="jw-ev-result jw-ev-why">{"".join(parts)}</div>'


def reason(e: Explanation, per_article: int, language: Language) -> str:
    """The figures that decided, in one sentence."""
    best = e.traces[0] if e.traces else None
    quote = e.answer.citations[0].quote if e.answer.citations else e.answer.answer
    return text(
        language,
        f"ev_reason_{_NAMES[e.step]}",
        rank=best.final_rank if best else "",
        dense=_ranked(best.dense if best else None, language),
        lexical=_ranked(best.lexical if best else None, language),
        depth=e.depth,
        top_k=e.top_k,
        per_article=per_article,
        sure=f"{e.answer.confidence:.0%}",
        quote=" ".join(quote.split())[:60],
    )


def _ranked(leg: Leg | None, language: Language) -> str:
    rank = leg.rank if leg else None
    return text(language, "ev_ranked", rank=rank) if rank else text(language, "ev_unranked")


def _head(key: str, language: Language) -> str:
    return f'<h3 class="jw-ev-head">{escape(text(language, key))}</h3>'


def _remedies(e: Explanation, language: Language) -> str:
    if e.step in (Step.NOWHERE, Step.LIBRARY):
        return ""
    rows = "".join(f"<li>{_remedy(line, language)}</li>" for line in e.remedies)
    body = f"<ul>{rows}</ul>" if rows else f"<p>{escape(text(language, 'ev_no_remedies'))}</p>"
    return f'<div class="jw-report"><b>{escape(text(language, "ev_remedies"))}</b>{body}</div>'


def _remedy(line: str, language: Language) -> str:
    """A remedy of eval.remedies in the page's language; names of settings stay as they are typed."""
    if line.startswith("a question closer"):
        return escape(text(language, "ev_remedy_closer"))
    change, _, effect = line.partition(": ")
    change = change.replace("without the filters", text(language, "ev_remedy_filters"))
    settings = text(language, "ev_and").join(f"<code>{escape(part)}</code>" for part in change.split(" and "))
    rank = re.fullmatch(r"rank (\d+), read", effect)
    if rank:
        return f"{settings}: {escape(text(language, 'ev_remedy_read', rank=rank[1]))}"
    return f"{settings}: {escape(text(language, 'ev_remedy_cited'))}" if effect == "cited" else settings


def _traces(e: Explanation, language: Language) -> str:
    heads = "".join(
        f'<th scope="col">{escape(text(language, key))}</th>'
        for key in ("ev_dense", "ev_lexical", "ev_fused", "ev_final")
    )
    return "".join(
        f'<div class="jw-ev-scroll"><table class="jw-ev-table"><thead><tr>{heads}</tr></thead><tbody><tr>'
        f"{_ranks(trace, language)}</tr></tbody></table></div>"
        f'<p class="jw-ev-passage">{escape(trace.passage.text)}</p>'
        for trace in e.traces
    )


def _ranks(trace: Trace, language: Language) -> str:
    fused = (trace.fused_rank, trace.fused_score)
    cells = [_rank(leg.rank, leg.score, language) for leg in (trace.dense, trace.lexical)]
    cells += [_rank(*fused, language), _rank(trace.final_rank, None, language)]
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


def _rank(rank: int | None, score: float | None, language: Language) -> str:
    if rank is None:
        return text(language, "ev_unranked")
    if score is None:
        return str(rank)
    return text(language, "ev_rank_score", rank=rank, score=f"{score:.3f}")
