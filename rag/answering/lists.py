"""Lists: sentences that enumerate, and what an article tells item by item (line by line, 第一…第二…), quoted whole."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rag.answering.composition import Quote, trim
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_text import fold_keep
from rag.answering.selection import choose_one, quote_of
from rag.dates import find_dates
from rag.numerals import whole_number
from rag.sentences import sentence_spans
from rag.tokens import is_chinese
from rag.types import Article

Span = tuple[int, int]

_NO_LIST: Final = 0.3
"""Weight of a sentence that enumerates nothing, when a list is asked."""
_MOST_ITEMS: Final = 6
"""Items from which a longer enumeration counts no more."""
_AS_MANY: Final = 3.0
"""Weight of a sentence that tells as many as the question asks for (等5家配套企业 for 哪5家)."""

_MARK = re.compile(
    r"[ \t　]*(?:(?P<han>[一二三四五六七八九十]{1,3}[、.．])|(?P<number>\d{1,2}[、.．)）](?!\d))"
    r"|(?P<bracketed>[（(][一二三四五六七八九十\d]{1,2}[）)])|(?P<bullet>[☆★●◆◇■□▶▪·•○*-][ \t　]?)|(?P<headed>【))"
)
_LINE = re.compile(r"[^\r\n]+")
_LEAST_ITEMS: Final = 2


def printed_list(article: Article, at: Span, limit: int) -> Span | None:
    """The lines of a list around or right behind `at`, with the line that introduces it; None when there is none.

    At most `limit` characters: whole lines, from the first.
    """
    text = article.text
    lines = [m.span() for m in _LINE.finditer(text) if m.group().strip()]
    here = next((i for i, (start, end) in enumerate(lines) if start <= at[0] < end), None)
    if here is None:
        return None
    kinds = [_kind(text, line) for line in lines]
    begin = here if kinds[here] else here + 1
    if begin >= len(lines) or not kinds[begin]:
        return None
    first = last = begin
    while first > 0 and kinds[first - 1] == kinds[begin]:
        first -= 1
    while last + 1 < len(lines) and kinds[last + 1] == kinds[begin]:
        last += 1
    if last - first + 1 < _LEAST_ITEMS:
        return None
    introduced = first > 0 and (first - 1 == here or text[lines[first - 1][1] - 1] in "：:")
    start = lines[first - 1][0] if introduced and lines[first - 1][0] >= article.body_start else lines[first][0]
    while last > first and lines[last][1] - start > limit:
        last -= 1
    return (start, lines[last][1]) if lines[last][1] - start <= limit else None


def _kind(text: str, line: Span) -> str:
    match = _MARK.match(text, *line)
    return match.lastgroup or "" if match else ""


_ASKED = re.compile(
    r"哪(?P<count>[几些两三四五六七八九十]|\d{1,2})(?:[个家所座条份项位名种类批大块处款本部](?!人))?(?P<noun>[^,，。？?]{0,4})"
)
_BY_SUFFIX: Final = {
    "路": "[路道街]",
    "街": "[路道街]",
    "厂": "(?:公司|集团|厂|企业)",
    "企业": "(?:公司|集团|厂|企业|科技|智能)",
    "公司": "(?:公司|集团|厂|企业|科技|智能)",
    "部门": "[局委办部厅院]",
    "单位": "(?:[局委办部厅院所会]|公司|集团|大学)",
    "大学": "(?:大学|学院)",
    "高校": "(?:大学|学院)",
    "学校": "(?:学校|小学|中学|大学|学院)",
    "机构": "(?:医院|中心|公司|院|所|会)",
    "银行": "银行",
}
"""How the names of what is asked for end."""
_OWN_SUFFIX: Final = frozenset("区县镇村省市国州站桥湖河山岛园馆港奖")
_COMPOUND: Final = "(?![级域内外里边面况委政府长属间段径标志])"
"""What makes another word of a name's end: 区级, 路况."""
_JOINED = re.compile(r"[一-鿿”」》）)](?:和|与|以及|及)[一-鿿“「《]")
_LIST_END = re.compile(r"等(?:(?P<count>\d{1,2}|[两三四五六七八九十]{1,3})(?:大|[个家所座条份项位名种类批块处款]))?")


def favour_items(asked: str, reading: Reading) -> Reading:
    """Shares raised for sentences that enumerate what `asked` asks for, lowered for those that enumerate nothing."""
    weights = [s.share * _weight(asked, s) for s in reading.sentences]
    total = sum(weights) or 1.0
    weighed = [replace(s, share=w / total) for s, w in zip(reading.sentences, weights, strict=True)]
    return replace(reading, sentences=tuple(sorted(weighed, key=lambda s: -s.share)))


def _weight(asked: str, scored: ScoredSentence) -> float:
    candidate = scored.candidate
    article = candidate.hit.article
    if _MARK.match(article.text, candidate.start, candidate.end) or candidate.text.rstrip().endswith(("：", ":")):
        return float(_MOST_ITEMS) / 2
    count = items(asked, candidate.text)
    if count < _LEAST_ITEMS:
        return _NO_LIST
    weight = float(min(count, _MOST_ITEMS) - 1)
    if _suffix(asked):
        weight *= 2.0 if len(_named_as(asked, fold_keep(candidate.text))) >= _LEAST_ITEMS else 0.5
    return weight * (_AS_MANY if _tells(asked_count(asked), candidate.text) else 1.0)


def asked_count(asked: str) -> int | None:
    """How many things `asked` wants named (哪5家, which three); None when it does not say."""
    match = _ASKED.search(fold_keep(asked))
    return whole_number(match["count"].replace("两", "二")) if match and match["count"] not in "几些" else None


def _tells(count: int | None, sentence: str) -> bool:
    told = [whole_number(m["count"].replace("两", "二")) for m in _LIST_END.finditer(fold_keep(sentence)) if m["count"]]
    return count is not None and count in told


def items(asked: str, sentence: str) -> int:
    """How many things `sentence` puts side by side; 1 when it enumerates nothing.

    Names that end as what `asked` asks for are counted too: 从滨海新区…到和平区 are two of 哪几个区.
    """
    folded = fold_keep(sentence)
    if not is_chinese(sentence):
        return 1 + len(re.findall(r", (?=\S)|(?<!,) and ", folded)) if " and " in folded else 1
    separators = folded.count("、") + len(_JOINED.findall(folded)[:1])
    return max(1 + separators, len(_named_as(asked, folded)))


def _named_as(asked: str, folded: str) -> set[str]:
    """The names in `folded` that end like what is asked for."""
    suffix = _suffix(asked)
    return set(re.findall(rf"[一-鿿]{{1,4}}{suffix}{_COMPOUND}", folded)) if suffix else set()


def _suffix(asked: str) -> str:
    """How the names that `asked` asks for end, as a pattern; empty when that is not known."""
    match = _ASKED.search(fold_keep(asked))
    noun = match["noun"] if match else ""
    known = next((ends for kind, ends in _BY_SUFFIX.items() if kind in noun), "")
    return known or (noun[0] if noun[:1] in _OWN_SUFFIX else "")


_STEPS: Final = tuple(
    re.compile(rf"[“「]?(?:{pattern})")
    for pattern in (
        r"第[一二三四五六七八九十](?![届次批名期季])[^,，]{0,4}[,，是]?",
        r"[一二三四五六七八九]是",
        r"首先|其次|再次|最后",
    )
)
_LONGEST_STEP: Final = 110
_TAKES_PLACE = re.compile(
    r"(?:哪些|哪几|什么)[^,，。？?]{0,12}?(?:举行|举办|召开|开幕|闭幕|开工|开业|开通|启用|发生|揭牌|活动)"
    r"|(?:which|what) [\w ]{0,30}?(?:took place|happened|were held|opened|started|began)",
    re.IGNORECASE,
)
_ANY_DAY: Final = dt.date(2000, 1, 1)
_MOST_READ: Final = 60
_MOST_HAPPENINGS: Final = 4


def list_quotes(asked: str, reading: Reading, limit: int) -> list[Quote]:
    """What lists the things that `asked` asks for, at most `limit` characters.

    The list that an article prints line by line or tells step by step, else the sentences that enumerate.
    """
    weighed = favour_items(asked, reading)
    if not weighed.sentences:
        return []
    best = weighed.sentences[0].candidate
    article = best.hit.article
    printed = printed_list(article, (best.start, best.end), limit)
    if printed is not None:
        return [Quote(article, *printed, is_list=True)]
    happenings = _of_the_day(asked, weighed, limit)
    if happenings:
        return happenings
    if items(asked, best.text) <= _LEAST_ITEMS:
        steps = told_steps(article, (best.start, best.end), limit)
        if steps:
            return [Quote(article, *span) for span in steps]
    return choose_one(weighed, limit, readable=limit)


def _of_the_day(asked: str, reading: Reading, limit: int) -> list[Quote]:
    """One sentence of each article that names the day, when `asked` wants to know what took place on it.

    Empty when fewer than two articles do.
    """
    days = [m for m in find_dates(asked, _ANY_DAY) if m.is_day]
    if not days or not _TAKES_PLACE.search(asked):
        return []
    day = (days[0].first.month, days[0].first.day)
    quotes: dict[str, Quote] = {}
    for scored in reading.sentences[:_MOST_READ]:
        article = scored.candidate.hit.article
        if article.id not in quotes and _holds_day(day, scored, article.date or _ANY_DAY):
            quotes[article.id] = quote_of(scored.candidate, limit // _MOST_HAPPENINGS)
    return list(quotes.values())[:_MOST_HAPPENINGS] if len(quotes) >= _LEAST_ITEMS else []


_UNTIL = re.compile(r"\s*(?:[至到~—–-]+|and|to)\s*(\d{1,2})(?!\d|[.:月])")


def _holds_day(day: tuple[int, int], scored: ScoredSentence, anchor: dt.date) -> bool:
    """Whether the sentence names the day (month, day of the month), alone or in a range (8日至10日)."""
    text = scored.candidate.text
    for mention in find_dates(text, anchor):
        if not mention.is_day:
            continue
        until = _UNTIL.match(text, mention.end)
        last = max(mention.first.day, int(until[1])) if until else mention.first.day
        if mention.first.month == day[0] and mention.first.day <= day[1] <= last:
            return True
    return False


def told_steps(article: Article, at: Span, limit: int) -> list[Span]:
    """The sentences that begin with 第一, 第二 … (一是, 首先 …) where `at` is one or stands right before the first.

    Each is trimmed to its first clauses; at most `limit` characters together; empty when `at` belongs to none.
    """
    text = article.text
    sentences = sentence_spans(text, article.body_start)
    here = next((i for i, (start, end) in enumerate(sentences) if start <= at[0] < end), None)
    if here is None:
        return []
    near = [text[slice(*sentences[i])] for i in (here, here + 1) if i < len(sentences)]
    kind = next((step for step in _STEPS if any(step.match(sentence) for sentence in near)), None)
    if kind is None:
        return []
    steps = [span for span in sentences if kind.match(text, *span)]
    if len(steps) < _LEAST_ITEMS:
        return []
    return _fitting(article, steps, limit)


def _fitting(article: Article, spans: Sequence[Span], limit: int) -> list[Span]:
    """The first of `spans`, trimmed alike, that fit `limit` characters."""
    each = max(40, min(_LONGEST_STEP, limit // len(spans)))
    fitting: list[Span] = []
    for span in spans:
        trimmed = trim(article, *span, None, each)
        if sum(b - a for a, b in fitting) + trimmed[1] - trimmed[0] > limit:
            break
        fitting.append(trimmed)
    return fitting
