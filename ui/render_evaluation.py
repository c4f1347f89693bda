"""Runs and their results -> markup for the evaluation tab. Pure; everything is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlencode

from eval.bootstrap import Interval
from eval.causes import Cause
from eval.report import Failure
from eval.results import Cited, QuestionResult, Retrieved
from eval.runs import Run
from eval.summary import Group, Metrics
from ui.evaluation_errors import told
from ui.evaluation_runs import Finished
from ui.markup import escape
from ui.strings import STRINGS, Language, text

COLUMNS = {
    "correct": "ev_m_correct",
    "correct_cited": "ev_m_correct_cited",
    "citation_precision": "ev_m_citation_precision",
    "refusal": "ev_m_refusal",
    "false_refusal": "ev_m_false_refusal",
    "article R@1": "ev_m_article_R1",
    "article R@5": "ev_m_article_R5",
    "evidence R@1": "ev_m_evidence_R1",
    "evidence R@5": "ev_m_evidence_R5",
    "follows_wrong": "ev_m_follows_wrong",
    "conflict_shown": "ev_m_conflict_shown",
    "judged_correct": "ev_m_judged_correct",
}
"""Measures of the table with their heads."""
_OTHERS = {
    "article RR": "ev_m_article_RR",
    "article nDCG@10": "ev_m_article_nDCG",
    "evidence RR": "ev_m_evidence_RR",
    "evidence nDCG@10": "ev_m_evidence_nDCG",
    "exact_match": "ev_m_exact_match",
    "f1": "ev_m_f1",
    "citation_recall": "ev_m_citation_recall",
    "sentence_recall": "ev_m_sentence_recall",
    "sentence_precision": "ev_m_sentence_precision",
    "verbatim": "ev_m_verbatim",
    "judged_unsupported": "ev_m_judged_unsupported",
}
"""Measures that only a comparison shows."""
MOST_FAILURES = 100
_SHOWN_HITS = 5


def percent(share: float) -> str:
    """A share of 1 as tables show it."""
    return f"{100 * share:.1f} %"


def measure_name(measure: str, language: Language) -> str:
    """What a measure is called."""
    key = COLUMNS.get(measure) or _OTHERS.get(measure)
    return text(language, key) if key else measure


def type_name(name: str, language: Language) -> str:
    """What a type of question is called; a set's own types keep their names."""
    key = f"ev_type_{name}"
    return text(language, key) if key in STRINGS[language] else name


def cause_name(cause: Cause, language: Language) -> str:
    """What a cause of failure is called."""
    return text(language, f"ev_cause_{cause.value.replace(' ', '_')}")


def when(run: Run) -> str:
    """When a run was started, in the time of this machine."""
    import datetime as dt

    try:
        return f"{dt.datetime.fromisoformat(run.info.created).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return run.info.created


def tell(verb: str, argument: str, markup: str, css: str) -> str:
    """A button that tells the server `verb:argument` (see page.js)."""
    return f'<button type="button" class="{css} jw-tell" value="{escape(f"{verb}:{argument}")}">{markup}</button>'


def run_list(runs: Sequence[Run], opened: str, language: Language) -> str:
    """All runs, newest first, each a button that opens it."""
    heading = f'<h2 class="jw-section">{escape(text(language, "ev_runs"))}</h2>'
    if not runs:
        return f'{heading}<p class="jw-empty">{escape(text(language, "ev_no_runs"))}</p>'
    rows = "".join(f"<li>{_run_row(run, opened, language)}</li>" for run in runs)
    return f'{heading}<div class="jw-list"><ul>{rows}</ul></div>'


def _run_row(run: Run, opened: str, language: Language) -> str:
    info = run.info
    correct = _correct(run)
    state = percent(correct.mean) if correct else text(language, "ev_unfinished")
    mark = " jw-picked" if run.folder.name == opened else ""
    about = f"{when(run)} · {info.question_set} · {text(language, 'ev_questions', count=info.questions)}"
    inside = (
        f'<span class="jw-row-title">{escape(info.name)}</span><span class="jw-ev-score">{escape(state)}</span>'
        f'<span class="jw-row-origin">{escape(about)}</span>'
    )
    return tell("open", run.folder.name, inside, f"jw-row jw-ev-run{mark}")


def _correct(run: Run) -> Interval | None:
    if not run.finished:
        return None
    try:
        overall = run.metrics().overall
    except Exception:  # a damaged run is still listed, so that it can be deleted
        return None
    return overall.get("correct", overall.get("refusal"))


def result(found: Finished, language: Language) -> str:
    """The result of a run: headline, table, times, downloads."""
    info, metrics = found.run.info, found.metrics
    about = " · ".join(
        [
            when(found.run),
            text(language, "ev_questions", count=info.questions),
            text(language, "ev_articles", count=f"{info.articles:,}"),
            text(language, f"mode_{info.settings.get('answer', {}).get('mode', 'extractive')}"),
        ]
    )
    return (
        f'<div class="jw-ev-result"><h2 class="jw-ev-title">{escape(info.name)}</h2>'
        f'<p class="jw-count">{escape(about)}</p>{_headline(metrics, language)}'
        f"{_table(metrics.groups, language)}{_times(metrics, language)}{_downloads(found.run, language)}</div>"
    )


def _headline(metrics: Metrics, language: Language) -> str:
    overall = metrics.overall
    if "correct" not in overall or "correct_cited" not in overall:
        return ""
    said = text(
        language, "ev_headline",
        correct=percent(overall["correct"].mean), cited=percent(overall["correct_cited"].mean),
    )  # fmt: skip
    return f'<p class="jw-ev-headline">{escape(said)}</p>'


def _table(groups: Sequence[Group], language: Language) -> str:
    shown = [m for m in COLUMNS if any(m in group.measures for group in groups)]
    heads = "".join(f'<th scope="col">{escape(measure_name(measure, language))}</th>' for measure in shown)
    rows = "".join(
        f'<tr class="jw-ev-{group.kind}"><th scope="row">{escape(_group_name(group, language))}</th>'
        f"<td>{group.questions}</td>{''.join(_cell(group.measures.get(m), language) for m in shown)}</tr>"
        for group in groups
    )
    first = "".join(f'<th scope="col">{escape(text(language, key))}</th>' for key in ("ev_group", "ev_count"))
    return (
        f'<div class="jw-ev-scroll" tabindex="0"><table class="jw-ev-table"><thead><tr>{first}{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _group_name(group: Group, language: Language) -> str:
    if group.kind == "overall":
        return text(language, "ev_overall")
    if group.kind == "lang":
        key = f"ev_lang_{group.name}"
        return text(language, key) if key in STRINGS[language] else group.name
    return type_name(group.name, language)


def _cell(interval: Interval | None, language: Language) -> str:
    if interval is None:
        return "<td>–</td>"
    hint = text(language, "ev_interval", low=percent(interval.low), high=percent(interval.high), count=interval.count)
    return f'<td title="{escape(hint)}">{100 * interval.mean:.1f}</td>'


def _times(metrics: Metrics, language: Language) -> str:
    steps = metrics.latency_ms
    if "total" not in steps:
        return ""
    medians = {step: f"{steps[step].median:.0f}" if step in steps else "–" for step in ("retrieve", "answer")}
    said = text(language, "ev_times", median=f"{steps['total'].median:.0f}", p95=f"{steps['total'].p95:.0f}", **medians)
    if metrics.errors:
        said += " " + text(language, "ev_errors", count=metrics.errors)
    return f'<p class="jw-hint">{escape(said)}</p>'


def _downloads(run: Run, language: Language) -> str:
    def link(file: str, key: str, **more: str) -> str:
        address = "jinwen/run?" + urlencode({"folder": run.folder.name, "file": file, **more})
        target = "" if more else ' target="_blank" rel="noopener"'
        return f'<a class="jw-button" href="{escape(address)}"{target}>{escape(text(language, key))}</a>'

    links = [
        link("report.html", "ev_open_report"),
        link("report.html", "ev_download", save="1"),
        link("results.csv", "ev_download_csv", save="1"),
        link("report.md", "ev_download_md", save="1"),
        link("run.trec", "ev_download_trec", save="1"),
        link("qrels.trec", "ev_download_qrels", save="1"),
        link("ragas.jsonl", "ev_download_ragas", save="1"),
    ]
    return f'<p class="jw-actions">{"".join(links)}</p>'


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


def hint(key: str, language: Language) -> str:
    """What stands in a place that is still empty."""
    return f'<p class="jw-empty">{escape(text(language, key))}</p>'
