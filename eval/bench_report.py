"""A benchmark run -> Markdown tables for the terminal and a README, and one self-contained HTML page with plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from eval import plots
from eval.bench_quality import LEGS, LEXICAL
from eval.bench_results import AnswerFigures, Bench, Quality, Scale, Spread
from eval.html import document


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; the first column is left-aligned, the others right."""

    title: str
    about: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def markdown(bench: Bench) -> str:
    """All tables and notes."""
    parts = [_markdown_table(table) for table in tables(bench)]
    return "\n\n".join([*parts, *(f"Note: {note}" for note in bench.notes), _machine_line(bench)]) + "\n"


def page(bench: Bench) -> str:
    """The whole run as one page."""
    plots_of = {"Retrieval quality": _quality_plots, "Encoding on one core": _speed_plots, "Size": _scale_plots}
    body = [f'<header><h1>Jinwen benchmark</h1><p class="soft">{escape(_machine_line(bench))}</p></header>']
    body.append(_headline(bench))
    body += [f"<p>{escape(note)}</p>" for note in bench.notes]
    for table in tables(bench):
        body.append(f'<h2>{escape(table.title)}</h2><p class="soft">{escape(table.about)}</p>')
        body.append(_html_table(table))
        if table.title in plots_of:
            body += plots_of[table.title](bench)
    body.append(_details(bench))
    return document("Jinwen benchmark", body)


def _headline(bench: Bench) -> str:
    """The figures that are asked for first."""
    cards: list[tuple[str, str, str]] = []
    hybrid = next((q for q in bench.quality if q.leg == "hybrid"), None)
    if hybrid:
        cards.append((f"Right text first, {hybrid.task}", f"{hybrid.r1:.3f}", f"hybrid, n={hybrid.queries}"))
    if bench.speeds:
        first = bench.speeds[0]
        ratio = bench.ratio(first)
        against = f"{ratio:,.0f} × {bench.baseline}" if ratio else first.encoder
        cards.append(("Passages encoded a second, one core", f"{first.passages_per_s:,.0f}", against))
    if bench.scales:
        last = max(bench.scales, key=lambda scale: scale.index.passages)
        size = f"{last.index.articles:,} articles, {last.index.passages:,} passages"
        cards.append(("Time to index", f"{last.index.seconds:.0f} s", f"{size}, {last.index.peak_rss_mb:,.0f} MB"))
        cards.append(
            ("A query over them", f"{last.query.fused.p50:.0f} ms", f"95 % under {last.query.fused.p95:.0f} ms")
        )
    if bench.answers:
        total = bench.answers.total
        cards.append(("An answer", f"{total.p50:.0f} ms", f"95 % under {total.p95:.0f} ms"))
    figures = (
        f'<div class="figure">{escape(label)}<b>{escape(value)}</b><span class="soft">{escape(about)}</span></div>'
        for label, value, about in cards
    )
    return f'<div class="figures">{"".join(figures)}</div>'


def tables(bench: Bench) -> Iterator[Table]:
    """The figures, part by part; parts that were not measured are left out."""
    if bench.quality:
        yield _quality_table(bench.quality)
    if bench.speeds:
        yield _speed_table(bench)
    if bench.scales:
        yield _scale_table(bench.scales)
    if bench.answers:
        yield _answer_table(bench.answers)


def _quality_table(quality: Sequence[Quality]) -> Table:
    heads = ["set", "encoder", "queries", *(f"{leg} R@1" for leg in LEGS), *(f"{leg} R@5" for leg in LEGS)]
    rows = []
    for task, encoder, by_leg in _side_by_side(quality):
        firsts = [f"{by_leg[leg].r1:.3f}" if leg in by_leg else "-" for leg in LEGS]
        fives = [f"{by_leg[leg].r5:.3f}" if leg in by_leg else "-" for leg in LEGS]
        rows.append([task, encoder, f"{next(iter(by_leg.values())).queries:,}", *firsts, *fives])
    about = "Share of queries whose right text is the first hit (R@1) or among the first five (R@5)."
    return Table("Retrieval quality", about, heads, rows)


def _side_by_side(quality: Sequence[Quality]) -> Iterator[tuple[str, str, dict[str, Quality]]]:
    """Per set and encoder the figures by leg; BM25 stands beside each encoder."""
    for task in dict.fromkeys(q.task for q in quality):
        of_task = [q for q in quality if q.task == task]
        for encoder in dict.fromkeys(q.encoder for q in of_task if q.leg != LEXICAL):
            yield task, encoder, {q.leg: q for q in of_task if q.leg == LEXICAL or q.encoder == encoder}


def _speed_table(bench: Bench) -> Table:
    heads = ["encoder", "dimensions", "MB on disk", "load s", "passages/s", "times the baseline"]
    rows = []
    for s in bench.speeds:
        ratio = bench.ratio(s)
        rate = f"{s.passages_per_s:,.0f}" if s.passages_per_s >= 100 else f"{s.passages_per_s:.1f}"
        rows.append(
            [s.encoder, f"{s.dim}", f"{s.disk_mb:.1f}", f"{s.load_s:.2f}", rate, f"{ratio:,.1f}" if ratio else "-"]
        )
    about = "Passages of 400 Chinese characters per second of processor time, encoders taking turns, best round."
    return Table("Encoding on one core", f"{about} Baseline: {bench.baseline or 'not installed'}.", heads, rows)


def _scale_table(scales: Sequence[Scale]) -> Table:
    heads = ["passages", "articles", "index s", "index CPU s", "index RSS MB", "disk MB", "open s", "query RSS MB"]
    heads += ["encode", "dense", "BM25", "query", "query CPU"]
    rows = []
    for s in scales:
        i, q = s.index, s.query
        rows.append(
            [
                f"{i.passages:,}",
                f"{i.articles:,}",
                f"{i.seconds:.1f}",
                f"{i.cpu_s:.1f}",
                f"{i.peak_rss_mb:,.0f}",
                f"{i.disk_mb:,.1f}",
                f"{q.open_s:.2f}",
                f"{q.peak_rss_mb:,.0f}",
                *(_spread(step) for step in (q.encode, q.dense, q.lexical, q.fused, q.fused_cpu)),
            ]
        )
    about = (
        "Indexing from files to a searchable index; queries one after the other, p50 / p95 in milliseconds: encoding "
        "the query, the scan of all vectors, BM25, and the whole with both legs, fusion, reading the hits and the "
        "reranker. CPU is processor time of all threads, which a busy machine changes little; RSS is the peak of a "
        "process of its own; "
        "open is from opening the index to the first hits."
    )
    return Table("Size", about, heads, rows)


def _answer_table(answers: AnswerFigures) -> Table:
    rows = [
        ["questions", f"{answers.questions}"],
        ["retrieve ms", _spread(answers.retrieve)],
        ["answer ms", _spread(answers.answer)],
        ["whole question ms", _spread(answers.total)],
        ["jinwen ask, whole process, first s", f"{answers.first_start_s:.2f}"],
        ["jinwen ask, whole process, median s", f"{answers.start_s:.2f}"],
    ]
    about = "Extractive answers to the questions of the sample library; p50 / p95."
    return Table("Answers", about, ["step", "time"], rows)


def _quality_plots(bench: Bench) -> list[str]:
    parts = []
    for task in dict.fromkeys(q.task for q in bench.quality):
        parts.append(f"<h3>{escape(task)}: R@1</h3>")
        rows = [
            (f"{q.leg} {_short(q.encoder)}".strip(), q.r1, q.r1_low, q.r1_high, q.queries)
            for q in bench.quality
            if q.task == task
        ]
        parts.append(plots.bars(f"{task}, R@1", rows))
    return [*parts, '<p class="soft">Whiskers: 95 % bootstrap interval.</p>']


def _speed_plots(bench: Bench) -> list[str]:
    rows = [(_short(s.encoder, 28), s.passages_per_s, f"{s.passages_per_s:,.1f}/s") for s in bench.speeds]
    return [plots.magnitudes("passages per second on one core", rows)]


def _scale_plots(bench: Bench) -> list[str]:
    queries = {
        f"{name} {which}": [(s.index.passages, getattr(getattr(s.query, step), which)) for s in bench.scales]
        for name, step in (("whole", "fused"), ("dense", "dense"), ("BM25", "lexical"))
        for which in ("p95", "p50")
    }
    seconds = {"index": [(s.index.passages, s.index.seconds) for s in bench.scales]}
    memory = {
        "indexing": [(s.index.passages, s.index.peak_rss_mb) for s in bench.scales],
        "querying": [(s.index.passages, s.query.peak_rss_mb) for s in bench.scales],
        "on disk": [(s.index.passages, s.index.disk_mb) for s in bench.scales],
    }
    return [
        "<h3>Time a query</h3>",
        plots.lines("time a query", queries, "passages", "milliseconds"),
        "<h3>Time to index</h3>",
        plots.lines("time to index", seconds, "passages", "seconds"),
        "<h3>Memory and disk</h3>",
        plots.lines("memory and disk", memory, "passages", "MB"),
    ]


def _details(bench: Bench) -> str:
    machine = bench.machine
    rows = [*bench.options.items(), ("processor", machine.processor), ("cores", str(machine.cores))]
    rows += [("code", bench.code), *((f"model {name}", value) for name, value in bench.models.items())]
    rows += [("memory GB", str(machine.memory_gb)), ("Python", machine.python), *machine.versions.items()]
    cells = "".join(f'<tr><td>{escape(k)}</td><td class="text">{escape(v)}</td></tr>' for k, v in rows)
    return f"<h2>Settings and versions</h2><details><summary>Show</summary><table>{cells}</table></details>"


def _machine_line(bench: Bench) -> str:
    machine = bench.machine
    return (
        f"{bench.created}; {machine.processor}, {machine.cores} cores, {machine.memory_gb:g} GB; load average "
        f"{machine.load_before:.2f} before, {machine.load_after:.2f} after"
    )


def _spread(spread: Spread) -> str:
    return f"{spread.p50:.1f} / {spread.p95:.1f}"


def _short(name: str, most: int = 12) -> str:
    """The end of a long name or path, which tells models apart."""
    return name if len(name) <= most else f"…{name[-most + 1 :]}"


def _markdown_table(table: Table) -> str:
    widths = [max(len(row[i]) for row in (table.heads, *table.rows)) for i in range(len(table.heads))]
    lines = [f"### {table.title}", "", table.about, ""]
    rule = [("-" if i == 0 else "-:").rjust(width, "-") for i, width in enumerate(widths)]
    for row in (table.heads, rule, *table.rows):
        cells = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _html_table(table: Table) -> str:
    heads = "".join(f"<th>{escape(head)}</th>" for head in table.heads)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
