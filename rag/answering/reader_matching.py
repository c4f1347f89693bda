"""Where the words of a question stand in a sentence, in Chinese directly, from English by translation.

A question term matches a Chinese sentence exactly; an English word matches through the word table, as pinyin
(Jinghai: 静海), as the same Latin word, or as the same number.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answering.question_type import QuestionProfile
from rag.answering.reader_text import Span, Term, fold_keep, terms, words
from rag.lexicon import Lexicon, is_stopword, stem
from rag.pinyin import find_by_sound

_SOUND_WEIGHT = 8.0
"""Weight of an English word that is read as Chinese syllables: it is a name."""
_LEAST_TRANSLATION = 0.05
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_FIRST_HAN = "㐀"


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One word of a question and everything that may stand for it in an article."""

    text: str
    weight: float
    """How telling it is; at least 0."""
    forms: tuple[tuple[str, float], ...]
    """Terms that match it, each with its worth in (0, 1], best first."""
    sound: bool = False
    """Whether to look for it as pinyin."""
    single: bool = False
    """A single Chinese character: counted apart, because bigrams hold it already."""
    attribute: bool = False
    """Whether it stands beside an asking word."""


@dataclass(frozen=True, slots=True)
class TextIndex:
    """A folded text with the places of its words and numbers; Chinese terms are looked up in the text itself."""

    text: str
    places: dict[str, list[Span]]

    @classmethod
    def of(cls, text: str) -> TextIndex:
        """Index `text` (any text; it is folded here)."""
        folded = fold_keep(text)
        places: dict[str, list[Span]] = {}
        for term in words(folded):
            places.setdefault(_key(term), []).append((term.start, term.end))
        return cls(folded, places)

    def find(self, form: str) -> list[Span]:
        """Spans of a term, in order."""
        if form[-1] == "月":
            return [m.span() for m in re.finditer(rf"(?<!\d){form}", self.text)]
        if form[0] < _FIRST_HAN:
            return self.places.get(form, [])
        spans: list[Span] = []
        at = self.text.find(form)
        while at >= 0:
            spans.append((at, at + len(form)))
            at = self.text.find(form, at + 1)
        return spans


def query_terms(question: QuestionProfile, lexicon: Lexicon) -> list[QueryTerm]:
    """Terms of a question that its answer's surroundings should hold; asking words and stop words are left out."""
    build = _english_term if question.language == "en" else _chinese_term
    seen: dict[str, QueryTerm] = {}
    for term in terms(question.text):
        asks = any(start < term.end and term.start < end for start, end in question.asking)
        if term.text in seen or asks:
            continue
        built = build(term, lexicon)
        if built is not None:
            beside = any(start <= term.start and term.end <= end for start, end in question.attribute)
            seen[term.text] = replace(built, attribute=beside)
    return list(seen.values())


def find_term(term: QueryTerm, index: TextIndex) -> tuple[float, list[Span]]:
    """How well `index` holds `term`, in [0, 1], and where."""
    for form, worth in term.forms:
        places = index.find(form)
        if places:
            return worth, places
    if term.sound:
        places = find_by_sound(term.text, index.text)
        if places:
            return 1.0, places
    return 0.0, []


def _key(term: Term) -> str:
    return stem(term.text) if term.text[0].isascii() and term.text[0].isalpha() else term.text


def _chinese_term(term: Term, lexicon: Lexicon) -> QueryTerm:
    key = _key(term)
    han = not key[0].isascii()
    return QueryTerm(key, lexicon.weight(key), ((key, 1.0),), single=han and len(key) == 1)


def _english_term(term: Term, lexicon: Lexicon) -> QueryTerm | None:
    if term.text[0].isascii() and term.text[0].isalpha():
        word = term.text.removesuffix("'s").removesuffix("’s")
        if is_stopword(word):
            return None
        key = stem(word)
        translations: Sequence[tuple[str, float]] = lexicon.translations.get(key, ())
        forms = ((key, 1.0), *((form, worth) for form, worth in translations if worth >= _LEAST_TRANSLATION))
        if word in _MONTHS:
            forms = ((f"{_MONTHS[word]}月", 1.0), *forms)
        known = key in lexicon.weights
        sound = len(word) > 2 and key not in lexicon.translations
        return QueryTerm(word, lexicon.weight(key) if known else _SOUND_WEIGHT, forms, sound=sound)
    return _chinese_term(term, lexicon)
