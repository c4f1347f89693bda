"""Stories -> the sentences that tell them best: central, new, early in the article, and never boilerplate."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rag.boilerplate import RepeatedLines, content_span, is_boilerplate
from rag.overview.stories import Story
from rag.overview.subject import Subject
from rag.overview.terms import Vector, centre, likeness, terms_of
from rag.sentences import sentence_spans
from rag.types import Article

MOST_POINTS: Final = 8
_LEADS: Final = (0.35, 0.2, 0.1)
"""What the first sentences of an article gain."""
_ASKED: Final = 0.35
"""What a sentence gains that holds all of the subject's terms."""
_SPOKEN: Final = 0.25
"""What a quotation, a question or a sentence that leans on the one before loses."""
_SHORT: Final = 14
_LONG: Final = 260
_SAME: Final = 0.55
"""From this likeness on a sentence says nothing new."""
_ENOUGH: Final = 0.6
"""Least score of a second point of a story against its first."""
_SECOND: Final = 3
"""With fewer points than this, stories give further ones."""
_LEANS: Final = re.compile(
    r"^(?:[“\"「]|对此|其中|此外|另外|同时|因此|所以|但是?|不过|然而|而且?|并且?|该|这|那|他们?|她们?|它们?|其|据此|随后|图为|现场"
    r"|(?:He|She|It|They|This|That|These|But|And|However|Meanwhile)\b)"
)
_UNENDED: Final = re.compile(r"[？?：:，,]\s*[”’」』）)\"]*$|^[^。！!.]{0,30}$")


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence `article.text[start:end]` of a story."""

    article: Article
    start: int
    end: int
    vector: Vector
    score: float
    order: int
    """Which content sentence of its article it is, from 0."""

    @property
    def text(self) -> str:
        """The sentence, verbatim, without the notes at its ends."""
        return self.article.text[self.start : self.end]


Points = Mapping[str, Sequence[Point]]
"""The content sentences of each article, by its id, in order."""


def read_points(stories: Sequence[Story], subject: Subject) -> Points:
    """The content sentences of all articles of `stories`; what several of the stories repeat is left out."""
    repeated = RepeatedLines([article.text for article in story.articles] for story in stories)
    return {a.id: points_of(a, subject, repeated) for story in stories for a in story.articles}


def points_of(article: Article, subject: Subject, repeated: RepeatedLines) -> list[Point]:
    """The content sentences of `article` in order, scored for how well they tell what it says of the subject."""
    spans = []
    for start, end in sentence_spans(article.text, article.body_start):
        sentence = article.text[start:end]
        begin, stop = content_span(article.text, start, end)
        repeats = repeated.stories(sentence) if begin == start else 1
        if begin < stop and not is_boilerplate(sentence, stories=repeats):
            spans.append((begin, stop))
    terms = [terms_of(article.text[start:end]) for start, end in spans]
    vectors = [subject.weights.vector(words) for words in terms]
    middle = centre(vectors)
    total = sum(subject.terms.values()) or 1.0
    points = []
    for i, ((start, end), words, vector) in enumerate(zip(spans, terms, vectors, strict=True)):
        text = article.text[start:end]
        asked = sum(value for term, value in subject.terms.items() if term in set(words)) / total
        score = likeness(vector, middle) + _ASKED * asked + (_LEADS[i] if i < len(_LEADS) else 0.0)
        score -= _SPOKEN * bool(_LEANS.search(text)) + _SPOKEN * bool(_UNENDED.search(text))
        score -= 0.2 * (len(text) < _SHORT) + 0.15 * (len(text) > _LONG)
        points.append(Point(article, start, end, vector, score, i))
    return points


def choose(stories: Sequence[Story], points: Points, most: int = MOST_POINTS) -> list[list[Point]]:
    """For each of the first `most` stories the points that tell it, best first; at most `most` points in all.

    Every story has one; where that leaves room, the stories give further points that say something new.
    """
    pools = [points[story.lead.id] for story in stories[:most]]
    told = [[max(pool, key=lambda p: p.score)] if pool else [] for pool in pools]
    chosen = [point for best in told for point in best]
    room = min(most, max(_SECOND, len(chosen) + len(chosen) // 2)) - len(chosen)
    rest = [(i, p) for i, pool in enumerate(pools) for p in pool if told[i] and p is not told[i][0]]
    for i, point in sorted(rest, key=lambda entry: -entry[1].score):
        if room <= 0:
            break
        if point.score < _ENOUGH * told[i][0].score or len(told[i]) > 2 or len(point.text) < _SHORT:
            continue
        if max(likeness(point.vector, other.vector) for other in chosen) >= _SAME:
            continue
        told[i].append(point)
        chosen.append(point)
        room -= 1
    return [sorted(best, key=lambda p: p.order) for best in told]


def in_reprints(story: Story, point: Point, points: Points) -> list[Point]:
    """For each reprint of the story its sentence that says what `point` says, or its first where none does."""
    pools = [points[article.id] for article in story.articles[1:] if points[article.id]]
    return [max(pool, key=lambda other: (likeness(other.vector, point.vector), -other.order)) for pool in pools]
