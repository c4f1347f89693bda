"""Two runs side by side as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from eval.compare import Change, Comparison, QuestionPair
from eval.compare_report import verdict
from eval.html import document
from eval.results import QuestionResult

_HEADS = {
    Change.BETTER: "Better · 变好",
    Change.WORSE: "Worse · 变差",
    Change.CHANGED: "Answered differently · 回答不同，对错未变",
}


def comparison_page(comparison: Comparison) -> str:
    """The page of a comparison: what was different, the measures, every question that changed."""
    a, b = comparison.first.info, comparison.second.info
    different = "".join(f"<li>{escape(entry)}</li>" for entry in comparison.settings) or "<li>nothing recorded</li>"
    body = [
        f"<header><h1>{escape(a.name)} → {escape(b.name)}</h1></header>",
        f"<h2>What was different · 不同之处</h2><ul>{different}</ul>",
        "<h2>Measures · 指标</h2>",
        _measures(comparison),
        *(_questions(change, comparison.changed(change)) for change in _HEADS),
        f'<p class="soft">{len(comparison.changed(Change.SAME))} questions were answered the same.</p>',
        _missing(comparison),
    ]
    return document(f"{a.name} → {b.name} · jinwen eval", body)


def _measures(comparison: Comparison) -> str:
    rows: list[str] = []
    for m in comparison.measures:
        t = m.test
        tone = {True: "good", False: "bad", None: "soft"}[m.improved if m.significant else None]
        rows.append(
            f"<tr><td>{escape(m.measure)}</td><td>{t.count}</td><td>{t.first:.3f}</td><td>{t.second:.3f}</td>"
            f'<td class="{tone}">{t.difference:+.3f}</td><td>{t.low:+.3f} to {t.high:+.3f}</td>'
            f'<td>{m.corrected_p:.3f}</td><td class="text {tone}">{verdict(m)}</td></tr>'
        )
    heads = "".join(f"<th>{head}</th>" for head in ("measure", "n", "A", "B", "B − A", "95 %", "p", ""))
    return (
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        '<p class="soft">p: sign-flip permutation test on the shared questions, corrected for the measures '
        "that could be significant (Holm); 95 %: paired bootstrap.</p>"
    )


def _questions(change: Change, pairs: Sequence[QuestionPair]) -> str:
    shown = "".join(_pair(pair) for pair in pairs)
    return f"<h2>{_HEADS[change]} ({len(pairs)})</h2>{shown}"


def _pair(pair: QuestionPair) -> str:
    r = pair.first
    gold = " / ".join(escape(answer) for answer in r.gold_answers) or "refusal · 应拒答"
    return (
        f'<details open><summary><span class="tag">{escape(r.type)}</span> <b>{escape(r.id)}</b> {escape(r.question)}'
        f'</summary><p class="soft">Gold · 标准答案: {gold}</p><div class="pair">'
        f"<div><h3>A</h3>{_said(pair.first)}</div><div><h3>B</h3>{_said(pair.second)}</div></div></details>"
    )


def _said(result: QuestionResult) -> str:
    mark = {True: '<span class="good">✓</span>', False: '<span class="bad">✗</span>', None: ""}[result.correct]
    cited = "".join(f"<li>{escape(c.title)}: {escape(c.quote)}</li>" for c in result.citations)
    return f"<p>{mark} {escape(result.error or result.answer)}</p><ul>{cited}</ul>"


def _missing(comparison: Comparison) -> str:
    lines = [
        f"<p>Only in {label} ({len(ids)}): {escape(', '.join(ids))}</p>"
        for label, ids in (("A", comparison.only_first), ("B", comparison.only_second))
        if ids
    ]
    return "".join(lines)
