"""Checks every sentence that a model wrote against the passages it cites.

The words are compared by coverage: the share of the sentence's content tokens (character bigrams for
Chinese, words for the rest) that occur in the cited passages. Coverage says whether the passages speak of
the same things; whether the figures, dates, quotations and names are right is checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.answering.facts import Evidence, find_facts, squeeze
from rag.tokens import is_chinese, tokenize
from rag.types import Support

SUPPORTED_COVERAGE = 0.6
"""A news sentence reaches this in another passage of its own article in under 1 of 100 cases (327 sentences)."""
PARTIAL_COVERAGE = 0.3
"""Reached by chance in 1 of 10 cases within an article, in 1 of 50 in another article."""
SHORTEST_QUOTE = 6
"""Characters below which a sentence counts as quoted only by chance."""

_FUNCTION_CHARACTERS = frozenset(
    "的了在是和与及等也都就把被将对为以于而则其该这那有一不个中上下来去到说要会能可我你他她它们"
)
_ENGLISH_FUNCTION_WORDS = (
    "a an and are as at be been but by for from had has have he her his in into is it its of on or over she so than "
    "that the their them there these they this those to was we were which who will with would also not more about after"
)
_FUNCTION_WORDS = frozenset(_ENGLISH_FUNCTION_WORDS.split())


@dataclass(frozen=True, slots=True)
class Check:
    """What the check of one sentence found."""

    support: Support
    problems: tuple[str, ...]
    """Numbers, dates, quotations and names, as written, that stand in none of the passages."""


def check_sentence(sentence: str, cited: Sequence[Evidence]) -> Check:
    """Check one sentence against the passages it cites.

    quoted: it stands in one of them word for word (white space and punctuation aside).
    supported: nothing is missing, and coverage is at least SUPPORTED_COVERAGE.
    partial: coverage is at least PARTIAL_COVERAGE, or the passages are in another language and it names at
    least one fact and none that is missing: words of two languages cannot be compared here.
    unsupported: anything else.
    """
    if is_quoted(sentence, cited):
        return Check(Support.QUOTED, ())
    facts = find_facts(sentence)
    missing = [fact.text for fact in facts if not any(evidence.holds(fact) for evidence in cited)]
    problems = tuple(dict.fromkeys(missing))
    share = coverage(sentence, cited)
    if share >= SUPPORTED_COVERAGE and not problems:
        return Check(Support.SUPPORTED, problems)
    foreign = bool(cited) and all(evidence.is_chinese != is_chinese(sentence) for evidence in cited)
    if share >= PARTIAL_COVERAGE or (foreign and facts and not problems):
        return Check(Support.PARTIAL, problems)
    return Check(Support.UNSUPPORTED, problems)


def check_uncited(sentence: str, shown: Sequence[Evidence]) -> Check:
    """Check a sentence without a marker against everything the model was shown.

    At best partial: its words may be right, but it does not say where they stand.
    """
    check = check_sentence(sentence, shown)
    if check.support in {Support.QUOTED, Support.SUPPORTED}:
        return Check(Support.PARTIAL, check.problems)
    return check


def is_quoted(sentence: str, cited: Sequence[Evidence]) -> bool:
    """Whether the sentence stands word for word in one of the passages."""
    squeezed = squeeze(sentence)
    return len(squeezed) >= SHORTEST_QUOTE and any(squeezed in evidence.squeezed for evidence in cited)


def coverage(sentence: str, cited: Iterable[Evidence]) -> float:
    """Share of the sentence's content tokens that occur in the passages, in [0, 1]; 0 without such tokens."""
    tokens = content_tokens(sentence)
    found = tokens & {token for evidence in cited for token in tokenize(evidence.text)}
    return len(found) / len(tokens) if tokens else 0.0


def content_tokens(text: str) -> frozenset[str]:
    """Distinct tokens of `text` without function words."""
    return frozenset(
        token for token in tokenize(text) if token not in _FUNCTION_WORDS and not _FUNCTION_CHARACTERS.issuperset(token)
    )
