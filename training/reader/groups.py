"""Example -> a question with the passages it is trained on together: what answers, what comes close, what was found."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from training.reader.examples import Example, Span
from training.reader.windows import Window, window_around, windows

CUT = 0.10
"""Share of the answerable questions whose answering sentence is taken away."""
EXCHANGED = 0.06
"""Share of the answerable questions with a number or year exchanged for another."""


@dataclass(frozen=True, slots=True)
class Read:
    """A passage and what is right about it; spans are offsets into `window.text`."""

    window: Window
    answers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A question and its passages."""

    question: str
    reads: tuple[Read, ...]
    source: str = field(default="")


def make_group(example: Example, found: Sequence[Window], rng: random.Random, rivals: int) -> Group:
    """`example` with up to `rivals` of the passages `found` that do not answer it."""
    header = _header(example, rng)
    others = _others(example, found, rivals, rng, header)
    if not example.answers:
        own = rng.choice(windows(example.text, header)) if len(example.text) > 450 else _whole(example, header)
        own = _nearest(example.question, windows(example.text, header)) if rng.random() < 0.7 else own
        return _shuffled(example.question, [Read(own), *others], example.source, rng)
    chance = rng.random()
    if chance < CUT:
        without = _without_answer(example, rng, header)
        if without is not None:
            return _shuffled(example.question, [Read(without), *others], example.source + "/cut", rng)
    elif chance < CUT + EXCHANGED:
        changed = exchange_number(example.question, rng)
        if changed is not None:
            reads = [Read(read.window) for read in _answering(example, rng, header)[:1]]
            return _shuffled(changed, [*reads, *others], example.source + "/exchanged", rng)
    return _shuffled(example.question, [*_answering(example, rng, header), *others], example.source, rng)


def _shuffled(question: str, reads: list[Read], source: str, rng: random.Random) -> Group:
    rng.shuffle(reads)
    return Group(question, tuple(reads), source)


def _header(example: Example, rng: random.Random) -> str:
    """Something like the context line of an article: the beginning of its text for a title, and its date."""
    lines = []
    if rng.random() < 0.6 and example.date:
        lines.append(re.split(r"[，。！？\n]", example.text, maxsplit=1)[0][:30])
    if rng.random() < 0.7 and example.date:
        year, month, day = example.date.split("-")
        lines.append(f"{year}年{int(month)}月{int(day)}日")
    return "\n".join(lines)


def _whole(example: Example, header: str) -> Window:
    return Window(example.text, 0, len(example.text), header)


def _answering(example: Example, rng: random.Random, header: str) -> list[Read]:
    """Passages around the answers: one, or with several parts as many as hold them all (at most three)."""
    left = list(example.answers) if example.several else [rng.choice(example.answers)]
    reads: list[Read] = []
    while left and len(reads) < 3:
        window = window_around(example.text, left[0], rng, header)
        inside = tuple((a, b) for a, b in example.answers if window.start <= a and b <= window.end)
        reads.append(Read(window, inside or (left[0],)))
        left = [span for span in left[1:] if span not in inside]
    return reads


def _others(example: Example, found: Sequence[Window], count: int, rng: random.Random, header: str) -> list[Read]:
    """Passages that do not answer: of the same text, and as retrieval found them, the first ones more often."""
    chosen: list[Window] = []
    own = [w for w in windows(example.text, header) if not any(w.start < b and a < w.end for a, b in example.answers)]
    if own and example.answers and rng.random() < 0.4:
        chosen.append(_nearest(example.question, own) if rng.random() < 0.6 else rng.choice(own))
    pool = list(found)
    while pool and len(chosen) < count:
        chosen.append(pool.pop(min(int(rng.expovariate(0.35)), len(pool) - 1)))
    return [Read(window) for window in chosen[:count]]


def _nearest(question: str, found: Sequence[Window]) -> Window:
    """The one that shares the most characters with the question."""
    asked = set(question)
    return max(found, key=lambda w: len(asked & set(w.passage)))


def _without_answer(example: Example, rng: random.Random, header: str) -> Window | None:
    """A passage whose sentence with the answer is cut out; None when little is left or the answer stands elsewhere."""
    window = window_around(example.text, example.answers[0], rng, header)
    kept = [(a, b) for a, b in window.sentences if not any(a < d and c < b for c, d in example.answers)]
    text = "".join(example.text[a:b] + ("" if example.text[b - 1 : b] in "。！？" else " ") for a, b in kept)
    if len(text) < 60 or any(answer in text for answer in example.answer_texts if len(answer) > 1):
        return None
    return Window(text, 0, len(text), window.header)


_NUMBER = re.compile(r"\d+|(?<=第)[一二三四五六七八九十]+")
_ORDINALS = "一二三四五六七八九十"


def exchange_number(question: str, rng: random.Random) -> str | None:
    """`question` with one of its numbers (a year, a day, an ordinal) exchanged for another; None without one."""
    numbers = list(_NUMBER.finditer(question))
    if not numbers:
        return None
    match = rng.choice(numbers)
    old = match.group()
    if old.isdigit():
        value = int(old)
        shift = rng.choice([-3, -2, -1, 1, 2, 3]) if value < 2100 else rng.choice([-100, 100, 500])
        new = str(max(1, value + shift))
    else:
        new = rng.choice([c for c in _ORDINALS if c != old])
    return None if new == old else question[: match.start()] + new + question[match.end() :]
