"""A run as one HTML page that needs nothing but itself: no script, no outside request, everything escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from eval import plots
from eval.causes import MEANING, Cause
from eval.html import document
from eval.matching import find_span
from eval.report import Failure, group_name, judge_line, show
from eval.results import QuestionResult, Retrieved, Verdict
from eval.runs import Run
from eval.summary import LOWER_IS_BETTER, MEASURES, Group, Metrics
from eval.verdicts import Label, tally

_SHOWN_HITS = 5


def page(run: Run, results: Sequence[QuestionResult], metrics: Metrics, lost: Sequence[Failure]) -> str:
    """The whole report of a run."""
    name = escape(run.info.name)
    body = [
        f"<header><h1>{name}</h1>{_header(run)}</header>",
        _headline(metrics),
        "<h2>By type and language · 按类型与语言</h2>",
        _figures_table(metrics.groups),
        _plots(results, metrics),
        f"<h2>Failed questions · 未通过的问题 ({len(lost)} / {len(results)})</h2>",
        _causes(lost),
        *(_failure(failure) for failure in lost),
        _judge(results),
        "<h2>All questions · 全部问题</h2>",
        _all_questions(results),
        "<h2>Settings and versions · 设置与版本</h2>",
        _settings(run),
    ]
    return document(f"{run.info.name} · jinwen eval", body)


def _header(run: Run) -> str:
    info = run.info
    parts = [
        f"Question set · 问题集 <b>{escape(info.question_set)}</b> ({info.questions})",
        f"{info.articles} articles · 篇文章",
        f"encoder {escape(info.encoder)}",
        f"index {escape(info.index_fingerprint[:12])}",
        f"answers {escape(str(info.settings.get('answer', {}).get('mode', '')))}",
        escape(info.created[:16].replace("T", " ")) + " UTC",
    ]
    return f'<p class="soft">{" · ".join(parts)}</p>'


def _headline(metrics: Metrics) -> str:
    labels = (
        ("correct", "Correct · 正确"),
        ("correct_cited", "Correct and cited · 正确且有据"),
        ("citation_precision", "Citation precision · 引用准确率"),
        ("article R@5", "Article in first 5 · 文章前五命中"),
        ("refusal", "Refusal · 应拒则拒"),
        ("false_refusal", "False refusal · 误拒"),
        ("follows_wrong", "Follows a wrong fact · 跟从错误事实"),
        ("conflict_shown", "Conflict shown · 两说并列"),
        ("judged_correct", "Judged correct · 模型评判正确"),
    )
    cards: list[str] = []
    for name, label in labels:
        interval = metrics.overall.get(name)
        if interval:
            cards.append(
                f'<div class="figure">{escape(label)}<b>{interval.mean:.3f}</b><span class="soft">95 % '
                f"{interval.low:.3f}–{interval.high:.3f}, n={interval.count}</span></div>"
            )
    return f'<div class="figures">{"".join(cards)}</div>'


def _figures_table(groups: Sequence[Group]) -> str:
    heads = "".join(f"<th>{escape(group_name(group))}<br>n={group.questions}</th>" for group in groups)
    rows: list[str] = []
    for name, meaning in MEASURES.items():
        if not any(name in group.measures for group in groups):
            continue
        arrow = " ↓" if name in LOWER_IS_BETTER else ""
        cells = "".join(_cell(group, name) for group in groups)
        rows.append(f'<tr><td title="{escape(meaning, quote=True)}">{escape(name)}{arrow}</td>{cells}</tr>')
    notes = "".join(f"<li><b>{escape(name)}</b>: {escape(meaning)}</li>" for name, meaning in MEASURES.items())
    return (
        f'<div class="scroll"><table><thead><tr><th>measure</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody>'
        f"</table></div><details><summary>What the measures mean · 指标含义</summary><ul>{notes}</ul></details>"
    )


def _cell(group: Group, name: str) -> str:
    interval = group.measures.get(name)
    if interval is None:
        return '<td class="soft">-</td>'
    return f'<td title="95 % {interval.low:.3f}–{interval.high:.3f}, n={interval.count}">{show(interval)}</td>'


def _plots(results: Sequence[QuestionResult], metrics: Metrics) -> str:
    rows = [
        (group_name(g), i.mean, i.low, i.high, i.count)
        for g in metrics.groups
        if (i := g.measures.get("correct", g.measures.get("refusal")))
    ]
    points = [(point.coverage, point.risk) for point in metrics.risk_coverage.points]
    parts = ["<h2>Correct by type · 各类型正确率</h2>", plots.bars("correct by type", rows)]
    parts.append('<p class="soft">Unanswerable questions: share refused. Whiskers: 95 % bootstrap interval.</p>')
    parts.append("<h2>Risk and coverage · 风险与覆盖</h2>")
    parts.append(plots.curve("risk-coverage curve", points, "coverage: share answered", "risk: share wrong"))
    parts.append(
        '<p class="soft">Answers enter from the most to the least confident; '
        f"mean risk {metrics.risk_coverage.area:.3f}.</p>"
    )
    totals = [r.timings_ms["total"] for r in results if "total" in r.timings_ms]
    if totals:
        parts.append("<h2>Time a question · 每题用时</h2>")
        parts.append(plots.histogram("time a question", totals, "milliseconds"))
        steps = "; ".join(
            f"{escape(step)}: mean {t.mean:.1f}, median {t.median:.1f}, 95 % under {t.p95:.1f}, longest {t.longest:.1f}"
            for step, t in metrics.latency_ms.items()
        )
        parts.append(f'<p class="soft">Milliseconds. {steps}</p>')
    return "\n".join(parts)


def _judge(results: Sequence[QuestionResult]) -> str:
    """What a judge said, and every answer that it and the computed verdict see differently."""
    judged = tally(results)
    if judged is None:
        return ""
    rows = "".join(
        f'<tr><td class="text">{escape(r.id)} {escape(r.question)}</td><td class="text">{escape(r.answer)}</td>'
        f'<td>{"correct" if r.correct else "not correct"}</td><td class="text">{_verdict(r.verdict)}</td></tr>'
        for r in results
        if r.verdict and r.correct is not None and r.correct != (r.verdict.label == Label.CORRECT)
    )
    table = (
        "<details><summary>Where they differ · 判断不同的问题</summary>"
        '<div class="scroll"><table><thead><tr><th>question</th><th class="text">answer</th><th>computed</th>'
        f'<th class="text">judge</th></tr></thead><tbody>{rows}</tbody></table></div></details>'
    )
    return f"<h2>Judge · 模型评判</h2><p>{escape(judge_line(judged))}</p>{table if rows else ''}"


def _verdict(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    css = "good" if verdict.label == Label.CORRECT else "bad"
    return f'<span class="tag {css}">{escape(verdict.label)}</span> {escape(verdict.reason)}'


def _causes(lost: Sequence[Failure]) -> str:
    counts = Counter(failure.cause for failure in lost)
    rows = "".join(
        f'<tr><td>{escape(cause)}</td><td>{counts[cause]}</td><td class="text">{escape(MEANING[cause])}</td></tr>'
        for cause in Cause
        if counts[cause]
    )
    return (
        f"<table><thead><tr><th>guessed cause</th><th>questions</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _failure(failure: Failure) -> str:
    r = failure.result
    gold = " / ".join(escape(answer) for answer in r.gold_answers) or "refusal · 应拒答"
    evidence = "".join(f"<blockquote>{escape(quote)}</blockquote>" for quote in r.evidence)
    said = f'<span class="bad">{escape(r.error)}</span>' if r.error else escape(r.answer)
    cited = "".join(
        f'<li><span class="{"good" if c.right else "bad"}">{"✓" if c.right else "✗"} [{c.marker}]</span> '
        f"{escape(c.title)}: {escape(c.quote)}</li>"
        for c in r.citations
    )
    hits = "".join(_hit(hit, r) for hit in r.retrieved[:_SHOWN_HITS])
    judged = f'<p class="soft">Judge · 模型评判: {_verdict(r.verdict)}</p>' if r.verdict else ""
    searched = f'<p class="soft">Searched: {escape(r.searched)}</p>' if r.searched not in ("", r.question) else ""
    return (
        f'<details><summary><span class="tag">{escape(r.type)}</span> <b>{escape(r.id)}</b> {escape(r.question)} '
        f'<span class="tag bad">{escape(failure.cause)}</span></summary>{searched}'
        f"<h3>Gold · 标准答案</h3><p>{gold}</p>{evidence}"
        f"<h3>Answer · 回答 {'(refused · 拒答)' if r.refused else ''}</h3><p>{said}</p><ul>{cited}</ul>{judged}"
        f"<h3>Retrieved · 检索结果{_where_found(r)}</h3><ol>{hits}</ol></details>"
    )


def _hit(hit: Retrieved, result: QuestionResult) -> str:
    tag = ""
    if hit.evidence:
        tag = ' <span class="tag good">evidence · 含证据</span>'
    elif hit.articles:
        tag = ' <span class="tag">gold article · 目标文章</span>'
    unread = "" if hit.rank <= result.read else ' <span class="tag">not read · 未读</span>'
    legs = f"dense {hit.dense_rank or '-'}, lexical {hit.lexical_rank or '-'}"
    head = f"<b>{escape(hit.title)}</b>{tag}{unread}"
    return f'<li value="{hit.rank}">{head} <span class="soft">{legs}</span><br>{_marked(hit, result)}</li>'


def _marked(hit: Retrieved, result: QuestionResult) -> str:
    """The passage with the evidence it holds marked."""
    spans = (find_span(hit.text, result.evidence[number]) for number in hit.evidence)
    parts: list[str] = []
    at = 0
    for start, end in sorted(span for span in spans if span):
        if start >= at:
            parts += [escape(hit.text[at:start]), f"<mark>{escape(hit.text[start:end])}</mark>"]
            at = end
    return "".join([*parts, escape(hit.text[at:])])


def _where_found(result: QuestionResult) -> str:
    if not result.answerable:
        return ""
    ranks = [hit.rank for hit in result.retrieved if hit.evidence]
    if ranks:
        return f": evidence at rank {ranks[0]}"
    return f": evidence not among the first {len(result.retrieved)}"


def _all_questions(results: Sequence[QuestionResult]) -> str:
    rows: list[str] = []
    for r in results:
        verdict = {True: '<span class="good">✓</span>', False: '<span class="bad">✗</span>', None: "?"}[r.correct]
        said = f"({escape(r.error)})" if r.error else escape(r.answer)
        rows.append(
            f'<tr><td>{escape(r.id)}</td><td>{verdict}</td><td class="text">{escape(r.question)}</td>'
            f'<td class="text">{said}</td><td>{r.timings_ms.get("total", 0.0):.0f} ms</td></tr>'
        )
    return (
        '<details><summary>Every question with its answer · 展开</summary><div class="scroll"><table><tbody>'
        f"{''.join(rows)}</tbody></table></div></details>"
    )


def _settings(run: Run) -> str:
    rows = [
        (f"{section}.{key}", str(value))
        for section, values in run.info.settings.items()
        for key, value in values.items()
    ]
    rows += [(name, version) for name, version in run.info.versions.items()]
    rows += [(f"model {name}", digest) for name, digest in run.info.models.items()]
    rows += [
        ("code", run.info.code),
        ("asked as of", run.info.as_of),
        ("question set", run.info.question_set_fingerprint),
        ("index", run.info.index_fingerprint),
        ("encoder", run.info.encoder_fingerprint),
    ]
    cells = "".join(f'<tr><td>{escape(k)}</td><td class="text">{escape(v)}</td></tr>' for k, v in rows)
    return (
        '<details><summary>Show · 展开</summary><div class="scroll"><table><tbody>'
        f"{cells}</tbody></table></div></details>"
    )
