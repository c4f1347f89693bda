"""Measures of one answer: pure functions of texts, spans and flags; means are taken elsewhere.

Every function says what it rewards and gives a value in [0, 1].
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from eval.matching import fold, holds, overlaps
from eval.question import Question

MAX_CHARS = {
    "fact": 200,
    "crosslingual": 200,
    "paraphrase": 200,
    "followup": 200,
    "temporal": 240,
    "multi": 500,
    "list": 500,
}
"""Longest answer that counts as one, in characters without markers: a page that holds everything answers nothing."""
MAX_CHARS_OWN_TYPE = 300
MAX_CHARS_SEVERAL = 500

_MARKER = re.compile(r"\[\d+\]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def without_markers(answer: str) -> str:
    """`answer` without its `[n]` markers."""
    return _MARKER.sub("", answer)


def length_limit(question: Question) -> int:
    """Characters that an answer to `question` may have."""
    own = MAX_CHARS_SEVERAL if question.match == "all" else MAX_CHARS_OWN_TYPE
    return MAX_CHARS.get(question.type, own)


def holds_gold(question: Question, answer: str) -> bool:
    """Whether the answer holds what is asked for, however long it is: one form of every entry."""
    text = without_markers(answer)
    entries = question.entries
    return bool(entries) and all(any(holds(text, form) for form in forms) for forms in entries)


def holds_wrong(question: Question, answer: str) -> bool:
    """Whether the answer repeats the wrong answers of the articles: one of them, with match `all` every one."""
    text = without_markers(answer)
    held = [holds(text, wrong) for wrong in question.wrong_answers]
    return bool(held) and (all(held) if question.match == "all" else any(held))


def correct(question: Question, answer: str) -> bool:
    """Whether the answer holds a gold answer (of every entry, with match `all`) and is short enough."""
    return len(without_markers(answer)) <= length_limit(question) and holds_gold(question, answer)


def exact_match(question: Question, answer: str) -> float:
    """1 when the answer says nothing but a gold answer (SQuAD's EM: punctuation and English articles ignored)."""
    said = normalized(without_markers(answer))
    return float(any(said == normalized(gold) for gold in gold_texts(question)))


def answer_f1(question: Question, answer: str) -> float:
    """Best F1 over the gold answers, of characters in Chinese and tokens in English (SQuAD and CMRC 2018).

    With P = shared / said and R = shared / gold, counted as multisets: F1 = 2PR / (P + R).
    """
    said = units(without_markers(answer))
    return max((f1(said, units(gold)) for gold in gold_texts(question)), default=0.0)


def gold_texts(question: Question) -> tuple[str, ...]:
    """The gold answers as whole texts; with match `all` one text, the first forms in order."""
    if question.match == "any":
        return question.answers
    return (" ".join(forms[0] for forms in question.entries),) if question.entries else ()


def f1(said: Sequence[str], gold: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of `said` against `gold`, as multisets.

    >>> f1(["a", "b", "c", "d"], ["b", "d"])  # P = 2/4, R = 2/2
    0.6666666666666666
    """
    shared = sum((Counter(said) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def units(text: str) -> list[str]:
    """What F1 counts: each Chinese character and each other word or number of `text`, folded, in order.

    >>> units("天津港 handled 2,100万箱")
    ['天', '津', '港', 'handled', '2100', '万', '箱']
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = _ARTICLES.sub(" ", re.sub(r"(?<=\d),(?=\d{3})", "", plain))
    return re.findall(
        r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|\d+(?:\.\d+)?|[^\W\d_\u3040-\u9fff]+", plain
    )


def normalized(text: str) -> str:
    """`text` as exact match compares it."""
    return " ".join(units(text))


def is_right_citation(quote: str, article_id: str, question: Question, gold_ids: frozenset[str]) -> bool:
    """Whether a citation points to the right place: its quote overlaps an evidence or lies in a gold article.

    :param gold_ids: articles that the question names by id.
    """
    if len(fold(quote)) < 4:
        return False
    return article_id in gold_ids or any(overlaps(quote, evidence) for evidence in question.evidence)


def citation_precision(right: Sequence[bool]) -> float:
    """Right citations / all citations; an answer without citations scores 0."""
    return sum(right) / len(right) if right else 0.0


def citation_recall(quotes: Sequence[str], evidence: Sequence[str]) -> float:
    """Evidence texts that some quote overlaps / all evidence texts; 0 where there is no evidence."""
    if not evidence:
        return 0.0
    return sum(any(overlaps(quote, text) for quote in quotes) for text in evidence) / len(evidence)


def supports(quotes: Sequence[str], sentence: str) -> bool:
    """Whether quotes back a sentence, by their words: the judge of ALCE's measures, without a model.

    True when a quote holds the sentence verbatim, or when the quotes together hold every number of it and at
    least 80 % of its units (Chinese characters, words).
    """
    said = normalized(sentence)
    if not said or not quotes:
        return False
    if any(said in normalized(quote) for quote in quotes):
        return True
    have = Counter(unit for quote in quotes for unit in units(quote))
    need = Counter(units(sentence))
    if any(unit[0].isdigit() and unit not in have for unit in need):
        return False
    return sum((have & need).values()) >= 0.8 * sum(need.values())


def sentence_recall(sentences: Sequence[tuple[str, Sequence[str]]]) -> float:
    """ALCE citation recall (Gao et al., EMNLP 2023): sentences backed by their own citations / all sentences.

    :param sentences: per sentence of the answer, its text and the quotes that it cites.
    """
    if not sentences:
        return 0.0
    return sum(supports(quotes, text) for text, quotes in sentences) / len(sentences)


def sentence_precision(sentences: Sequence[tuple[str, Sequence[str]]]) -> float:
    """ALCE citation precision: citations that are needed / all citations; 0 when there is none.

    A citation is needed when its sentence is backed by all of its citations together and either the citation
    alone backs it or the others without it do not.
    """
    total = needed = 0
    for text, quotes in sentences:
        total += len(quotes)
        if not supports(quotes, text):
            continue
        for number, quote in enumerate(quotes):
            others = [*quotes[:number], *quotes[number + 1 :]]
            needed += supports([quote], text) or not supports(others, text)
    return needed / total if total else 0.0
