"""Articles -> draft questions with their evidence, by rule: deterministic and without a language model.

A sentence that states an amount, a day, a person or a name in quotation marks becomes a question by putting the
asking word in its place ("泊位长410米" -> "泊位长多少米？"), or, in English, a gap to fill. Drafts copy the words of
their article, which makes them easier than what people ask: they are marked `draft` and meant to be reworded.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.question import GoldArticle, Question
from eval.question_set import QuestionSet, make_question_set
from rag.dates import find_dates
from rag.numbers import Number, find_numbers
from rag.sentences import clause_spans, sentence_spans
from rag.tokens import is_chinese, tokenize
from rag.types import Article

_SHORTEST, _LONGEST = 14, 120
"""Characters of a sentence that can become a question."""
_AIM = 36
"""Characters of a question that is long enough to be understood without the rest of its sentence."""
_MOST_ARTICLES = 2_000
"""Articles looked at; of a larger library, evenly spread ones."""
_MOST_NUMBERS = 3
"""A sentence with more amounts makes a question that needs a table to answer."""
_LONGEST_WHEN = 31
"""Days: a whole year is no answer to "when"."""
_ANY_DAY = dt.date(2000, 1, 1)
_FIGURE = re.compile(r"\d[\d,.，]*\s?[万亿千百]*[多余]?")
_LEAD = re.compile(r"^(?:本报讯\s*(?:[(（][^)）]*[)）])?|据[^，,。]{1,6}[，,])\s*")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆"
    "汪范廖石贾韦夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔汤"
)
_PERSON_ZH = re.compile(
    rf"(?:^|[长记任席理授家人师士员事，,、])([{_SURNAMES}][一-鿿]{{1,2}})(?:说|表示|介绍|透露|认为|指出|强调|告诉)"
)
_UNFINISHED = re.compile(r"^(?:他|她|它|其|该|这|此|那|并|且|也|还|而|但|同时|此外|另外|据悉|目前)")
_UNFINISHED_EN = re.compile(r"^(?:He|She|It|They|This|That|These|Those|But|And|However)\b")
_QUOTED = re.compile(r"《([^《》]{2,16})》|“([^“”]{2,12})”")
_PERSON_EN = re.compile(r"\b([A-Z][a-z]+ [A-Z][a-z]+),? (?:said|says|told)\b")
_END = re.compile(r"[。！？!?.；;，,：:…\s]+$")


class Kind(StrEnum):
    """What a draft asks for."""

    HOW_MANY = "how many"
    WHEN = "when"
    WHO = "who"
    CLOZE = "cloze"


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: Kind
    question: str
    answer: str
    evidence: str
    article: Article


def draft_questions(articles: Sequence[Article], count: int) -> QuestionSet:
    """Up to `count` draft questions, spread over the articles and the kinds; equal input gives equal drafts.

    Each has its sentence as evidence and `draft: true` among its extra fields.
    """
    step = max(1, -(-len(articles) // _MOST_ARTICLES))
    looked_at = articles[::step]
    known = Counter(word for article in looked_at for word in set(tokenize(article.text)))
    queues = [_ranked(article, known) for article in looked_at]
    chosen = _spread([queue for queue in queues if queue], count)
    return make_question_set("drafts", [_question(number, draft) for number, draft in enumerate(chosen, 1)])


def _spread(queues: list[list[_Draft]], count: int) -> list[_Draft]:
    """Drafts of evenly spread articles, a second one of an article only when each has given one.

    Of an article's drafts, one of the kind that was taken least so far goes first.
    """
    taken: Counter[Kind] = Counter()
    asked: set[str] = set()
    chosen: list[_Draft] = []
    while queues and len(chosen) < count:
        wanted = count - len(chosen)
        turn = [queues[i * len(queues) // wanted] for i in range(wanted)] if wanted < len(queues) else queues
        for queue in turn:
            draft = min(queue, key=lambda d: (taken[d.kind], queue.index(d)))
            queue.remove(draft)
            if draft.question not in asked:
                asked.add(draft.question)
                taken[draft.kind] += 1
                chosen.append(draft)
        queues = [queue for queue in queues if queue]
    return chosen


def _ranked(article: Article, known: Counter[str]) -> list[_Draft]:
    """The drafts of one article, those with the most telling words first."""

    def telling(draft: _Draft) -> float:
        words = tokenize(draft.question)
        return sum(known[word] <= 2 for word in words) / len(words) if words else 0.0

    return sorted(_drafts(article), key=lambda draft: -telling(draft))


def _drafts(article: Article) -> Iterator[_Draft]:
    for number, (start, end) in enumerate(sentence_spans(article.text, article.body_start)):
        lead = _LEAD.match(article.text[start:end])
        sentence = article.text[start + (lead.end() if lead else 0) : end]
        if not _SHORTEST <= len(sentence) <= _LONGEST or "\n" in sentence:
            continue
        chinese = is_chinese(sentence)
        if (_UNFINISHED if chinese else _UNFINISHED_EN).match(sentence):
            continue
        for kind, span in _askable(sentence, chinese=chinese):
            if kind is Kind.WHEN and number == 0 and span[0] == 0:
                continue  # a dateline: when the article was written, not when something happened
            answer = sentence[span[0] : span[1]]
            if sentence.count(answer) == 1:
                asked = _ask_zh(kind, *_clauses(sentence, span)) if chinese else _ask_en(kind, sentence, span)
                if len(asked) >= _SHORTEST and asked.count("“") == asked.count("”") and not _UNFINISHED.match(asked):
                    yield _Draft(kind, asked, answer, sentence, article)


def _askable(sentence: str, *, chinese: bool) -> Iterator[tuple[Kind, tuple[int, int]]]:
    """What a question about the sentence can ask for, with its span; one of each kind."""
    numbers = [number for number in find_numbers(sentence) if not number.spelled]
    if 1 <= len(numbers) <= _MOST_NUMBERS and _is_countable(sentence, numbers[0], chinese=chinese):
        yield Kind.HOW_MANY, (numbers[0].start, numbers[0].end)
    dates = [mention for mention in find_dates(sentence, _ANY_DAY) if not mention.relative]
    if len(dates) == 1 and (dates[0].last - dates[0].first).days <= _LONGEST_WHEN:
        yield Kind.WHEN, (dates[0].start, dates[0].end)
    people = [match.span(1) for match in (_PERSON_ZH if chinese else _PERSON_EN).finditer(sentence)]
    if len(people) == 1:
        yield Kind.WHO, people[0]
    quoted = _QUOTED.search(sentence)
    if quoted:
        yield Kind.CLOZE, quoted.span(1 if quoted[1] else 2)


def _is_countable(sentence: str, number: Number, *, chinese: bool) -> bool:
    """Whether the amount begins with its figure, says what it counts and is no end of a range."""
    figure = _FIGURE.match(sentence, number.start)
    if figure is None or sentence[number.end :][:1] in ("到", "至", "-", "—", "~", "～"):
        return False
    return figure.end() < number.end if chinese else sentence[number.end :][:1] == " "


def _clauses(sentence: str, span: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """As many clauses around `span` as make a question that stands alone, and where `span` is in them."""
    clauses = clause_spans(sentence)
    first = last = next(i for i, (_, end) in enumerate(clauses) if end >= span[1])
    while first > 0 and (clauses[last][1] - clauses[first][0] < _AIM or clauses[first][0] > span[0]):
        first -= 1
    while last + 1 < len(clauses) and clauses[last][1] - clauses[first][0] < _AIM:
        last += 1
    start, end = clauses[first][0], clauses[last][1]
    return sentence[start:end], (span[0] - start, span[1] - start)


def _ask_zh(kind: Kind, sentence: str, span: tuple[int, int]) -> str:
    before, answer, after = sentence[: span[0]], sentence[span[0] : span[1]], _END.sub("", sentence[span[1] :])
    if kind is Kind.HOW_MANY:
        figure = _FIGURE.match(answer)
        return f"{before}多少{answer[figure.end() if figure else 0 :]}{after}？"
    if kind is Kind.WHEN:
        return f"{before}什么时候{after}？"
    if kind is Kind.WHO:
        return f"{before}谁{after}？"
    return f"填空：{before}＿＿{after}。"


def _ask_en(kind: Kind, sentence: str, span: tuple[int, int]) -> str:
    gap = f"{sentence[: span[0]]}____{_END.sub('', sentence[span[1] :])}."
    lead = {Kind.HOW_MANY: "How many", Kind.WHEN: "When", Kind.WHO: "Who", Kind.CLOZE: "Fill in the gap"}[kind]
    return f"{lead}: {gap}"


def _question(number: int, draft: _Draft) -> Question:
    article = draft.article
    return Question(
        id=f"draft-{number:03d}",
        text=draft.question,
        lang="zh" if is_chinese(draft.evidence) else "en",
        type="fact",
        answers=(draft.answer,),
        evidence=(draft.evidence,),
        articles=(GoldArticle(article.file, article.id, article.title),),
        extra={"draft": True, "kind": draft.kind.value},
    )
