"""Where the gold articles and the evidence of a question stand in a library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from eval.matching import find_span, fold
from eval.question import GoldArticle, Problem, Question
from eval.question_set import QuestionSet
from rag.config import PassageSettings
from rag.passages import split_article
from rag.types import Article, Passage


@dataclass(frozen=True, slots=True)
class Location:
    """A span of an article: `text[start:end]`."""

    article_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Gold:
    """What should be found for one question."""

    articles: tuple[frozenset[str], ...]
    """One set of article ids per article that is needed, in the order of `Question.articles` where the question
    names articles; finding any id of a set finds it. An empty set is an article that the library does not hold:
    it is needed, and never found."""
    evidence: tuple[tuple[Location, ...], ...]
    """Per quote of the question, in order: where it stands; empty when nowhere."""
    groups: tuple[int, ...]
    """Per quote, the number of its group: quotes that one passage holds together are one thing to find."""

    identified: frozenset[str]
    """Ids of the gold articles that the question names by id. Where it gives a title only, nothing says where
    that story begins and ends (a newspaper page is cut by a parser), so a citation must overlap the evidence."""

    @property
    def article_ids(self) -> frozenset[str]:
        """All gold article ids."""
        return frozenset().union(*self.articles)

    @property
    def ingested(self) -> bool:
        """Whether the library holds anything that could answer the question."""
        return bool(self.article_ids) or any(self.evidence)


class ArticleFinder:
    """Finds articles by what a question set says of them, and quotes in articles."""

    def __init__(self, articles: Iterable[Article], passages: PassageSettings | None = None) -> None:
        """`passages` are the settings with which the library cut its articles."""
        self._articles = list(articles)
        self._passage_settings = passages or PassageSettings()
        self._with_id = {article.id: article for article in self._articles}
        self._by_file: dict[str, list[Article]] = {}
        self._by_id: dict[str, list[Article]] = {}
        for article in self._articles:
            self._by_file.setdefault(PurePath(article.file).name, []).append(article)
            # A WeChat article is `<account>/<aid>`; question sets may give the bare aid.
            for name in dict.fromkeys((article.id, article.id.rpartition("/")[2])):
                self._by_id.setdefault(name, []).append(article)
        self._folded: dict[str, str] = {}

    def gold(self, question: Question) -> Gold:
        """The gold articles and evidence of `question`."""
        named = [self.named(gold) for gold in question.articles]
        evidence = tuple(self._locations(quote, question.articles, named) for quote in question.evidence)
        units = [frozenset(a.id for a in found) for found in named]
        if not all(units):
            units = self._filled(question, units, evidence)
        if not question.articles:
            units = _joined([frozenset(p.article_id for p in places) for places in evidence])
        if question.any_article and units:
            units = [frozenset().union(*units)]
        identified = frozenset(
            a.id for wanted, found in zip(question.articles, named, strict=True) if wanted.id for a in found
        )
        return Gold(tuple(units), evidence, self._groups(evidence), identified)

    def named(self, gold: GoldArticle) -> tuple[Article, ...]:
        """The articles that `gold` names for certain.

        By id, else by title within its file, else as the only article of its file.
        """
        in_file = self._by_file.get(PurePath(gold.file).name, []) if gold.file else None
        if gold.id:
            found = self._by_id.get(gold.id, [])
            ids = {a.id for a in in_file or ()}
            return tuple(a for a in found if a.id in ids) or tuple(found)
        pool = self._articles if in_file is None else in_file
        if gold.title:
            wanted = fold(gold.title)
            exact = tuple(a for a in pool if wanted and fold(a.title) == wanted)
            if exact:
                return exact
        return tuple(pool) if in_file is not None and len(pool) == 1 else ()

    def names_nothing(self, gold: GoldArticle) -> bool:
        """Whether the library has neither the id nor the file that `gold` gives."""
        if gold.id:
            return gold.id not in self._by_id
        return bool(gold.file) and PurePath(gold.file).name not in self._by_file

    def holding(self, quote: str, among: Sequence[Article] | None = None) -> tuple[Location, ...]:
        """Every article (of `among`, default all) that holds `quote`, with its first place there."""
        wanted = fold(quote)
        if not wanted:
            return ()
        places: list[Location] = []
        for article in self._articles if among is None else among:
            if wanted in self._fold(article):
                places.append(Location(article.id, *(find_span(article.text, quote) or (0, len(article.text)))))
        return tuple(places)

    def _locations(
        self, quote: str, golds: Sequence[GoldArticle], named: Sequence[tuple[Article, ...]]
    ) -> tuple[Location, ...]:
        """Look in the named articles, then in the named files, then everywhere."""
        articles = list({a.id: a for found in named for a in found}.values())
        files = {PurePath(gold.file).name for gold in golds if gold.file}
        in_files = [a for name in sorted(files) for a in self._by_file.get(name, [])]
        return self.holding(quote, articles) or self.holding(quote, in_files) or self.holding(quote)

    def _filled(
        self, question: Question, units: Sequence[frozenset[str]], evidence: Sequence[tuple[Location, ...]]
    ) -> list[frozenset[str]]:
        """Give each unit that no name resolved the articles, not yet taken, that hold the evidence."""
        taken = frozenset().union(*units)
        free = _joined([frozenset(p.article_id for p in places) - taken for places in evidence if places])
        filled: list[frozenset[str]] = []
        for gold, unit in zip(question.articles, units, strict=True):
            if unit or not free:
                filled.append(unit)
                continue
            in_file = {a.id for a in self._by_file.get(PurePath(gold.file).name, [])}
            best = next((ids for ids in free if ids & in_file), free[0])
            free.remove(best)
            filled.append(best)
        return filled

    def _groups(self, evidence: Sequence[tuple[Location, ...]]) -> tuple[int, ...]:
        group = list(range(len(evidence)))
        if len(evidence) < 2:
            return tuple(group)
        for article_id in sorted({place.article_id for places in evidence for place in places}):
            for passage in split_article(self._with_id[article_id], self._passage_settings):
                held = {g for g, places in zip(group, evidence, strict=True) if _holds_any(passage, places)}
                group = [min(held) if g in held else g for g in group]
        return tuple(group)

    def _fold(self, article: Article) -> str:
        if article.id not in self._folded:
            self._folded[article.id] = fold(article.text)
        return self._folded[article.id]


def passage_holds(passage: Passage, place: Location) -> bool:
    """Whether a passage holds at least half of the characters of an evidence."""
    if passage.article_id != place.article_id:
        return False
    shared = min(passage.end, place.end) - max(passage.start, place.start)
    return shared * 2 >= place.end - place.start


def _holds_any(passage: Passage, places: Iterable[Location]) -> bool:
    return any(passage_holds(passage, place) for place in places)


def validate(question_set: QuestionSet, articles: Iterable[Article]) -> list[Problem]:
    """Questions of a set that this library cannot answer: evidence or gold articles that are nowhere."""
    finder = ArticleFinder(articles)
    problems: list[Problem] = []
    for question in question_set.questions:
        gold = finder.gold(question)
        for quote, places in zip(question.evidence, gold.evidence, strict=True):
            if not places:
                message = f"evidence {_shown(quote)} stands in none of the articles; quote it verbatim or index them"
                problems.append(Problem(question.line, question.id, message))
        for number, wanted in enumerate(question.articles):
            unit = gold.articles[0 if question.any_article else number]
            name = wanted.id or wanted.title or wanted.file
            if not unit:
                problems.append(Problem(question.line, question.id, f"article {_shown(name)} is not in the library"))
            elif finder.names_nothing(wanted):
                message = f"article {_shown(wanted.id or wanted.file)} is not in the library; found by its evidence"
                problems.append(Problem(question.line, question.id, message))
        if question.answerable and not question.evidence and not question.articles:
            problems.append(
                Problem(question.line, question.id, "has neither evidence nor articles; its citations cannot be judged")
            )
    return problems


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat}”" if len(flat) <= 40 else f"“{flat[:39]}…”"


def _joined(groups: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """`groups` with those that share a member merged, in order of first appearance."""
    joined: list[frozenset[str]] = []
    for group in groups:
        touching = [other for other in joined if other & group]
        merged = group.union(*touching)
        place = joined.index(touching[0]) if touching else len(joined)
        joined = [other for other in joined if other not in touching]
        joined.insert(place, merged)
    return joined
