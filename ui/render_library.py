"""Articles, hits and what became of uploaded files -> markup for the library tab. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.types import Article, ArticleKind, Hit
from ui.markup import escape, escape_lines, file_name, link, story, time_tag
from ui.strings import Language, text

MOST_ROWS = 200
"""Articles listed at once; the filter narrows them down."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one uploaded file."""

    name: str
    outcome: Literal["ok", "same", "skipped"]
    detail: str = ""


def matching(articles: Sequence[Article], needle: str) -> list[Article]:
    """Articles whose title, source, byline or file hold every word of `needle`; newest first, undated last."""
    words = needle.casefold().split()
    found = [article for article in articles if all(word in _searchable(article) for word in words)]
    dated = sorted((a for a in found if a.date), key=lambda a: (a.date, a.id), reverse=True)
    return dated + [article for article in found if article.date is None]


def _searchable(article: Article) -> str:
    return " ".join(
        [article.display_title, article.source, article.byline or "", article.file, str(article.date or "")]
    ).casefold()


def article_list(articles: Sequence[Article], needle: str, language: Language) -> str:
    """The list of articles that match `needle`, each a button that opens it."""
    if not articles:
        return f'<p class="jw-empty">{escape(text(language, "library_empty"))}</p>'
    found = matching(articles, needle)
    if not found:
        return f'<p class="jw-empty">{escape(text(language, "library_none"))}</p>'
    shown = found[:MOST_ROWS]
    count = text(language, "library_count", count=len(found))
    if len(shown) < len(found):
        count = text(language, "library_shown", shown=len(shown), count=len(found))
    rows = "".join(f"<li>{_row(article, language)}</li>" for article in shown)
    return f'<div class="jw-list"><p class="jw-count">{escape(count)}</p><ul>{rows}</ul></div>'


def _row(article: Article, language: Language) -> str:
    return (
        f'<button type="button" class="jw-row" value="{escape(pick_value(article.id))}">'
        f'<span class="jw-row-title">{escape(article.display_title or text(language, "untitled"))}</span>'
        f'<span class="jw-row-origin">{_origin(article, language)}</span></button>'
    )


def _origin(article: Article, language: Language) -> str:
    kind = ""
    if article.kind is not ArticleKind.ARTICLE:
        kind = f' <span class="jw-kind">{escape(text(language, f"kind_{article.kind.value}"))}</span>'
    source = escape(article.source or text(language, "no_source"))
    return f'<span class="jw-source">{source}</span> {time_tag(article.date, language)}{kind}'


def hit_list(query: str, hits: Sequence[Hit], language: Language) -> str:
    """Passages found for `query`, each with its rank in both legs and a button that opens its story."""
    if not hits:
        return f'<p class="jw-empty">{escape(text(language, "library_no_hits", query=query))}</p>'
    heading = escape(text(language, "library_hits", query=query, count=len(hits)))
    explain = escape(text(language, "rank_explain"))
    rows = "".join(f"<li>{_hit(hit, language)}</li>" for hit in hits)
    return f'<div class="jw-list jw-hits"><p class="jw-count">{heading} <span>{explain}</span></p><ol>{rows}</ol></div>'


def _hit(hit: Hit, language: Language) -> str:
    ranks = f"{_rank('dense', hit.dense_rank, language)} · {_rank('lexical', hit.lexical_rank, language)}"
    value = escape(pick_value(hit.article.id, hit.passage.start, hit.passage.end))
    return (
        f'<button type="button" class="jw-row jw-hit" value="{value}"><span class="jw-number">{hit.rank}</span>'
        f'<span class="jw-row-title">{escape(hit.article.display_title or text(language, "untitled"))}</span>'
        f'<span class="jw-row-text">{escape(hit.passage.text)}</span>'
        f'<span class="jw-row-origin">{_origin(hit.article, language)} <span class="jw-ranks">{ranks}</span></span>'
        "</button>"
    )


def pick_value(article_id: str, start: int = 0, end: int = 0) -> str:
    """What a row tells the page when it is chosen: the article and the span to mark."""
    return f"{start}:{end}:{article_id}"


def read_pick(value: str) -> tuple[str, int, int]:
    """The inverse of `pick_value`; an empty article id when `value` is none."""
    start, _, rest = value.partition(":")
    end, _, article_id = rest.partition(":")
    if not (start.isdecimal() and end.isdecimal()):
        return "", 0, 0
    return article_id, int(start), int(end)


def _rank(leg: Literal["dense", "lexical"], rank: int | None, language: Language) -> str:
    if rank is None:
        return escape(text(language, f"rank_none_{leg}"))
    return escape(text(language, f"rank_{leg}", rank=rank))


def reader(article: Article, language: Language, start: int = 0, end: int = 0) -> str:
    """One article to read, `text[start:end]` marked (softly: it is a passage found, not a quote)."""
    title = escape(article.display_title or text(language, "untitled"))
    byline = f' <span class="jw-byline">{escape(article.byline)}</span>' if article.byline else ""
    where = link(article.url, text(language, "original"))
    file = f'<span class="jw-file">{escape(text(language, "file"))} {escape(file_name(article.file))}</span>'
    back = f'<button type="button" class="jw-button jw-back">← {escape(text(language, "library_back"))}</button>'
    return (
        f'<article class="jw-reader">{back}<header><h2>{title}</h2>'
        f'<p class="jw-row-origin">{_origin(article, language)}{byline}</p></header>'
        f"{story(article, language, start, end)}<footer>{where}{file}</footer></article>"
    )


def nothing_open(language: Language) -> str:
    """What stands in the reader before an article is chosen."""
    return f'<p class="jw-empty jw-reader-empty">{escape(text(language, "reader_hint"))}</p>'


def progress(message: str, done: int, total: int) -> str:
    """A line with a progress bar; without a total the bar only moves."""
    amount = f'value="{min(done, total)}" max="{total}"' if total else ""
    label = escape(message)
    bar = f'<progress title="{label}" {amount}></progress>'
    return f'<div class="jw-progress" role="status"><span>{label}</span>{bar}</div>'


def report(summary: str, results: Sequence[FileResult], language: Language) -> str:
    """What became of uploaded files: a summary line and one line per file."""
    keys = {"ok": "ingest_ok", "same": "ingest_same", "skipped": "ingest_skipped"}
    rows = "".join(
        f'<li class="jw-{result.outcome}"><b>{escape(text(language, keys[result.outcome]))}</b> '
        f"<span>{escape(result.name)}</span> <small>{escape(result.detail)}</small></li>"
        for result in results
    )
    return f'<div class="jw-report" role="status"><p>{escape_lines(summary)}</p><ul>{rows}</ul></div>'


def remark(message: str) -> str:
    """One line of news."""
    return f'<div class="jw-report" role="status"><p>{escape_lines(message)}</p></div>'
