"""Answer -> the markup of one chat message. Pure: same answer, same markup; everything is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.export import Form
from rag.replies import MODE as REPLY
from rag.sentences import sentence_spans
from rag.types import Answer, AnswerSentence, Article, Citation, NearArticle, Support
from ui.markup import (
    day,
    escape,
    escape_lines,
    escape_verbatim,
    file_name,
    lines,
    link,
    marked,
    safe_url,
    story_query,
    time_tag,
)
from ui.strings import Language, text

Articles = Mapping[str, Article]
"""The articles that an answer cites, by id; one that has been removed is missing."""

_SURROUNDINGS = 110
"""Characters shown before and after a quote, at least, to whole sentences."""
_MOST_AROUND = 600
"""Where a sentence has no end, it is cut."""
_CLOSING = "。！？!?.…"
_EXPORTS = (Form.WORD, Form.MARKDOWN, Form.REFERENCES, Form.BIBTEX)


def question(asked: str, language: Language) -> str:
    """The user's own words, shown literally."""
    heading = f'<span class="jw-sr">{escape(text(language, "you_asked"))}</span>'
    return f'<div class="jw-question">{heading}{escape_lines(asked)}</div>'


def waiting(language: Language, key: str = "searching") -> str:
    """Shown until the first words of an answer."""
    return f'<div class="jw-waiting" role="status"><span class="jw-dots"></span>{escape(text(language, key))}</div>'


def trouble(message: str) -> str:
    """An error in place of an answer."""
    return f'<div class="jw-trouble" role="alert">{escape_lines(message)}</div>'


def aside(message: str) -> str:
    """A small remark below an answer."""
    return f'<div class="jw-aside">{escape_lines(message)}</div>'


def answer(answer: Answer, articles: Articles, language: Language, key: str) -> str:
    """A whole message. `key` makes the ids of its chips and cards unique on the page."""
    if answer.mode == REPLY:
        return _reply(answer, language, key)
    body = _refusal(answer, articles, language, key) if answer.refused else _text(answer, language, key)
    parts = [f'<div class="jw-text" lang="{escape(answer.language)}">{body}</div>', _notices(answer, language)]
    if answer.final:
        if not answer.refused:
            parts.append(_references(answer, language, key))
        parts.append(_made(answer, language))
        parts.append(_actions(answer, language, key))
    if answer.citations and not answer.refused:
        parts.append(_cards(answer, articles, language, key))
    state = " jw-refused" if answer.refused else ("" if answer.final else " jw-growing")
    heading = f'<span class="jw-sr">{escape(text(language, "answer_of"))}</span>'
    return f'<div class="jw-answer{state}" id="jw-{escape(key)}">{heading}{"".join(parts)}</div>'


def _reply(answer: Answer, language: Language, key: str) -> str:
    """A short reply to what is no question to the articles."""
    heading = f'<span class="jw-sr">{escape(text(language, "answer_of"))}</span>'
    body = f'<div class="jw-text" lang="{escape(answer.language)}"><p>{escape_lines(answer.answer)}</p></div>'
    return f'<div class="jw-answer" id="jw-{escape(key)}">{heading}{body}</div>'


def footnotes(answer: Answer, language: Language) -> str:
    """The answer as Markdown with its sources as footnotes, ready to paste."""
    known = {citation.marker for citation in answer.citations}
    if answer.sentences:
        sentences = (
            _flat(sentence.before + sentence.text + sentence.after)
            + "".join(f"[^{marker}]" for marker in sentence.markers if marker in known)
            for sentence in answer.sentences
        )
        body = _space(answer.language).join(sentences)
    else:
        body = _flat(answer.answer)
    notes = [f"[^{citation.marker}]: {_footnote(citation, language)}" for citation in answer.citations]
    return "\n".join([f"**{_flat(answer.question)}**", "", body, "", *notes]) + "\n"


def _footnote(citation: Citation, language: Language) -> str:
    title = _flat(citation.title) or text(language, "untitled")
    name = citation.source or file_name(citation.file)
    date = citation.date.isoformat() if citation.date else text(language, "no_date")
    place = [name, date, safe_url(citation.url) or ""]
    if language == "zh":
        return f"《{title}》，{'，'.join(part for part in place if part)}：“{_flat(citation.quote)}”"
    return f"“{title}”, {', '.join(part for part in place if part)}: “{_flat(citation.quote)}”"


def _flat(value: str) -> str:
    return " ".join(value.split())


def _space(language: str) -> str:
    return "" if language == "zh" else " "


def _text(answer: Answer, language: Language, key: str) -> str:
    if not answer.sentences:
        return f"<p>{escape_lines(answer.answer)}</p>"
    by_marker = {citation.marker: citation for citation in answer.citations}
    paragraphs: list[list[str]] = [[]]
    for sentence in answer.sentences:
        if sentence.apart:
            paragraphs.append([])
        paragraphs[-1].append(_sentence(sentence, by_marker, language, key))
    return "".join(f"<p>{_space(answer.language).join(paragraph)}</p>" for paragraph in paragraphs if paragraph)


def _sentence(sentence: AnswerSentence, citations: Mapping[int, Citation], language: Language, key: str) -> str:
    chips = "".join(_chip(citations[marker], language, key) for marker in sentence.markers if marker in citations)
    badge = ""
    if sentence.support in (Support.PARTIAL, Support.UNSUPPORTED):
        badge = f'<span class="jw-badge jw-{sentence.support.value}">{text(language, sentence.support.value)}</span>'
    problems = ""
    if sentence.problems:
        items = ("、" if language == "zh" else ", ").join(sentence.problems)
        problems = f'<span class="jw-problems">{escape(text(language, "problems", items=items))}</span>'
    kind = f' class="jw-{sentence.support.value}-text"' if badge else ' class="jw-derived"' if sentence.derived else ""
    before = f'<span class="jw-before">{escape(sentence.before)}</span>' if sentence.before else ""
    shown = f"{before}{_emphasised(sentence)}{escape(sentence.after)}"
    return f"<span{kind}>{shown}</span>{chips}{badge}{problems}"


def _emphasised(sentence: AnswerSentence) -> str:
    parts: list[str] = []
    done = 0
    for start, end in sorted(sentence.emphasis):
        if not done <= start < end <= len(sentence.text):
            continue
        parts += [lines(sentence.text[done:start]), f"<strong>{escape(sentence.text[start:end])}</strong>"]
        done = end
    return "".join([*parts, lines(sentence.text[done:])])


def _chip(citation: Citation, language: Language, key: str) -> str:
    name = " · ".join(part for part in (citation.source, citation.title) if part)
    return (
        f'<a class="jw-chip" href="#jw-{escape(key)}-{citation.marker}" title="{escape(name)}">'
        f'<span class="jw-sr">{escape(text(language, "source_marker"))} </span>[{citation.marker}]</a>'
    )


def _refusal(answer: Answer, articles: Articles, language: Language, key: str) -> str:
    label = f'<p class="jw-label">{escape(text(language, "refusal_label"))}</p>'
    said = f"<p>{escape_lines(answer.answer)}</p>"
    if not answer.nearest:
        return label + said
    cards = "".join(_near_card(near, articles, language, f"{key}-n{i}") for i, near in enumerate(answer.nearest, 1))
    return f'{label}{said}<p class="jw-nearest">{escape(text(language, "nearest"))}</p>{cards}'


def _notices(answer: Answer, language: Language) -> str:
    label = escape(text(language, "notice"))
    return "".join(
        f'<div class="jw-notice" role="note"><b>{label}</b> {escape_lines(notice)}</div>' for notice in answer.notices
    )


def _references(answer: Answer, language: Language, key: str) -> str:
    rows = "".join(
        f"<li>{_chip(citation, language, key)} <span>{_origin(citation, language)}</span>"
        f'<span class="jw-ref-title">{escape(citation.title or text(language, "untitled"))}</span></li>'
        for citation in answer.citations
    )
    return f'<ul class="jw-refs">{rows}</ul>' if rows else ""


def _made(answer: Answer, language: Language) -> str:
    seconds = (answer.timings.retrieve + answer.timings.answer) / 1000
    shown = f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"
    how = text(language, "mode_generative" if answer.mode == "generative" else "mode_extractive")
    if answer.mode == "generative" and answer.model:
        how = answer.model
    parts = [] if answer.refused else [f'<span title="{escape(answer.model)}">{escape(how)}</span>']
    parts.append(f"<span>{escape(text(language, 'seconds', seconds=shown))}</span>")
    if answer.searched and answer.searched.strip() != answer.question.strip():
        parts.append(f'<span class="jw-searched">{escape(text(language, "searched", question=answer.searched))}</span>')
    return f'<div class="jw-made">{"".join(parts)}</div>'


def _actions(answer: Answer, language: Language, key: str) -> str:
    keep = "".join(
        f'<button type="button" class="jw-button jw-tell jw-{verb}" value="{verb}:{escape(key)}">'
        f"{escape(text(language, f'ev_{verb}'))}</button>"
        for verb in ("keep", "dislike")
    )
    if answer.refused:
        return f'<div class="jw-actions">{keep}{exports(language, key, (Form.WORD, Form.MARKDOWN))}</div>'
    copy, show = _states(language, "copy", "copied"), escape(text(language, "show_sources"))
    return (
        '<div class="jw-actions">'
        f'<button type="button" class="jw-button jw-copy">{copy}</button>'
        f'<button type="button" class="jw-button jw-show">{show}</button>'
        f"{keep}{exports(language, key)}"
        f'<pre class="jw-copytext" hidden>{escape_verbatim(footnotes(answer, language))}</pre></div>'
    )


def exports(language: Language, key: str = "", forms: Sequence[Form] = _EXPORTS) -> str:
    """Buttons that export the answer `key`, or without one the conversation that is open."""
    named, label = ("export_as", "export") if key else ("export_all_as", "export_all")
    buttons = "".join(
        f'<button type="button" class="jw-button jw-export" value="{form}:{escape(key)}"'
        f' title="{escape(text(language, f"export_{form}_hint"))}">'
        f'<span class="jw-state-0"><span class="jw-sr">{escape(text(language, named))}</span>'
        f"{escape(text(language, f'export_{form}'))}</span>"
        f'<span class="jw-state-2" title="{escape(text(language, "export_failed_hint"))}">'
        f"{escape(text(language, 'export_failed'))}</span></button>"
        for form in forms
    )
    heading = f'<span class="jw-exports-label">{escape(text(language, label))}</span>'
    return f'<span class="jw-exports">{heading}{buttons}</span>'


def _states(language: Language, *keys: str) -> str:
    """The labels of a button's states; page.js moves it between them and style.css shows one."""
    return "".join(
        f'<span class="jw-state-{state}">{escape(text(language, key))}</span>' for state, key in enumerate(keys)
    )


def _cards(answer: Answer, articles: Articles, language: Language, key: str) -> str:
    cards = "".join(_card(citation, articles, language, key) for citation in answer.citations)
    count = text(language, "sources_count", count=len(answer.citations))
    heading = f"{escape(text(language, 'sources'))} <small>{escape(count)}</small>"
    about = f'<p class="jw-about">{escape(_flat(answer.question))}</p>'
    return f'<section class="jw-cards"><h2>{heading}</h2>{about}{cards}</section>'


def _card(citation: Citation, articles: Articles, language: Language, key: str) -> str:
    article = articles.get(citation.article_id)
    whole = article is not None and article.text[citation.start : citation.end] == citation.quote
    if article is not None and whole:
        quote = surroundings(article, citation.start, citation.end)
    else:
        remark = text(language, "gone" if article is None else "changed")
        quote = f'<mark>{escape_lines(citation.quote)}</mark><br><small class="jw-warning">{escape(remark)}</small>'
    number = f'<span class="jw-number">{citation.marker}</span>'
    ident = f"{key}-{citation.marker}"
    return _details(citation, ident, number, quote, language, article, (citation.start, citation.end))


def _near_card(near: NearArticle, articles: Articles, language: Language, ident: str) -> str:
    article = articles.get(near.article_id)
    return _details(near, ident, "", escape_lines(near.text), language, article, (near.start, near.end))


def _details(
    item: Citation | NearArticle,
    ident: str,
    number: str,
    quote: str,
    language: Language,
    article: Article | None,
    span: tuple[int, int],
) -> str:
    title = escape(item.title or text(language, "untitled"))
    story = ""
    if article is not None:
        query = escape(story_query(item.article_id, *span))
        story = (
            f'<button type="button" class="jw-button jw-story" value="{query}">'
            f"{_states(language, 'whole_story', 'only_quote', 'load_failed')}</button>"
        )
    where = link(item.url, text(language, "original"))
    if not where:
        where = f'<span class="jw-file">{escape(text(language, "file"))} {escape(file_name(item.file))}</span>'
    return (
        f'<details class="jw-card" id="jw-{escape(ident)}"><summary>{number}<span class="jw-card-head">'
        f'<span class="jw-card-title">{title}</span><span class="jw-card-origin">{_origin(item, language)}</span>'
        f'</span></summary><blockquote class="jw-quote" tabindex="0">{quote}</blockquote>'
        f'<div class="jw-card-foot">{story}{where}</div></details>'
    )


def _origin(item: Citation | NearArticle, language: Language) -> str:
    source = escape(item.source or text(language, "no_source"))
    return f'<span class="jw-source">{source}</span> {time_tag(item.date, language)}'


def surroundings(article: Article, start: int, end: int, margin: int = _SURROUNDINGS) -> str:
    """The quote `article.text[start:end]` in `<mark>` with whole sentences around it, `margin` or more each side.

    A sentence that would bring in more than 600 characters is cut.

    The printed headline is left out, since the card has a title, unless it is quoted.
    """
    full, floor = article.text, article.body_start if start >= article.body_start else 0
    first, last = start, end
    window = max(floor, start - _MOST_AROUND), min(len(full), end + _MOST_AROUND)
    for sentence_start, sentence_end in sentence_spans(full, *window):
        if sentence_end > start - margin and sentence_start < start:
            first = min(first, sentence_start)
        if sentence_start < end + margin and sentence_end > end:
            last = max(last, sentence_end)
    before = "…" if full[floor:first].strip() else ""
    after = "…" if full[last:].strip() and full[last - 1] not in _CLOSING else ""
    return before + marked(full[first:last], start - first, end - first) + after


def day_range(first: str, last: str, language: Language) -> str:
    """Words for an active date filter; both ends are ISO dates or empty."""
    if first and last:
        return f"{first} – {last}"
    return text(language, "since", date=first) if first else text(language, "until", date=last) if last else ""


__all__ = [
    "answer",
    "aside",
    "day",
    "day_range",
    "exports",
    "footnotes",
    "question",
    "surroundings",
    "trouble",
    "waiting",
]
