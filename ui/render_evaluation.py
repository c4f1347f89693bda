"""Runs and their results -> markup for the evaluation tab. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from eval.bootstrap import Interval
from eval.runs import Run
from eval.summary import Group, Metrics
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


def hint(key: str, language: Language) -> str:
    """What stands in a place that is still empty."""
    return f'<p class="jw-empty">{escape(text(language, key))}</p>'
