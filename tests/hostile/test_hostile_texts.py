"""Monotonous text of a megabyte costs time in proportion to its length, wherever article text is read or shown.

The quick part uses so much that anything quadratic takes many times the limit; the full part a megabyte of each.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

import rag
import ui
from rag import dates, numbers, passages, sentences, tokens
from rag.config import PassageSettings
from rag.errors import SourceError
from rag.sources import cleaning, detect, encoding, markup, newspaper, text
from rag.sources.sidecar import Defaults
from rag.types import Article
from ui import markup as page
from ui import render

UNITS = {
    "spaces": " ", "tabs": "\t", "full-width spaces": "　", "newlines": "\n", "spaced newlines": " \n",
    "one letter": "a", "capitals": "Aa ", "digits": "1", "thousands": "1,", "decimals": "1.", "brackets": "(",
    "square brackets": "[", "CJK brackets": "（", "tags": "<", "comments": "<!--", "links": "[a](",
    "entities": "&#", "quotes": "“", "CJK": "天", "numerals": "一", "powers": "亿", "days": "1日",
    "years": "2025年", "reporters": "记者 ", "commas": "，", "stops": "。", "periods": "A. ", "stars": "*",
    "marks": "#", "dashes": "-", "rules": "|", "backticks": "`", "empty brackets": "(    )\n",
    "spaced brackets": "（" + " " * 90 + "）\n",
}  # fmt: skip


def article(value: str) -> Article:
    return Article(id="a#1", title="开头", text=value, file="a.txt")


STEPS: dict[str, Callable[[str], object]] = {
    "decode": lambda value: encoding.decode(value.encode()),
    "detect": detect.detect_text,
    "clean": cleaning.clean,
    "tags": lambda value: markup.without_tags("<p>" + value),
    "text": lambda value: text.read_text(value, "a.txt", Defaults(), markdown=False),
    "Markdown": lambda value: text.read_text("# 标题\n" + value, "a.md", Defaults(), markdown=True),
    "newspaper": lambda value: newspaper.read_newspaper(value, "a.txt", Defaults()),
    "sentences": sentences.sentence_spans,
    "clauses": sentences.clause_spans,
    "passages": lambda value: passages.split_article(article(value), PassageSettings()),
    "tokens": tokens.tokenize,
    "dates": lambda value: dates.find_dates(value, dt.date(2025, 3, 1)),
    "numbers": numbers.find_numbers,
    "story": lambda value: page.story(article(value), "zh", 0, 3),
    "card": lambda value: render.surroundings(article(value), 0, 3),
    "mark": lambda value: page.marked(value, len(value) // 2, len(value) // 2 + 3),
    "lines": page.escape_lines,
    "copy": page.escape_verbatim,
}


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Stop what uses more processor time; a busy machine does not count."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds:g} s of processor time")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_linear(attack, amount, step: str) -> None:
    size = amount(40_000, 1_000_000)
    for name, unit in UNITS.items():
        value = "开头a" + unit * (size // len(unit)) + "尾x。"
        refusal = contextlib.suppress(SourceError)  # is an answer
        with attack("monotonous text", f"{step}, {name}"), within(size / 40_000 * 0.6 + 0.4), refusal:
            STEPS[step](value)


OWN_WORDS = {"ui.evaluation_errors"}
"""Modules whose patterns meet our own messages only."""


def patterns() -> dict[str, re.Pattern[str]]:
    """Compiled patterns at the top of the modules that meet article text, by name."""
    found: dict[str, re.Pattern[str]] = {}
    names = [info.name for info in pkgutil.walk_packages(rag.__path__, "rag.") if info.name.startswith("rag.sources.")]
    names += [f"rag.{name}" for name in ("dates", "numbers", "sentences", "tokens", "units", "passages")]
    names += [info.name for info in pkgutil.walk_packages(ui.__path__, "ui.") if info.name not in OWN_WORDS]
    for name in names:
        for key, value in vars(importlib.import_module(name)).items():
            for number, part in enumerate(value if isinstance(value, tuple) else (value,)):
                if isinstance(part, re.Pattern) and isinstance(part.pattern, str):
                    found[f"{name}.{key}[{number}]"] = part
    return found


def test_every_pattern_is_linear(attack) -> None:
    """Against four times the text a pattern may take about four times as long, sixteen times when it is quadratic."""

    def seconds(pattern: re.Pattern[str], value: str) -> float:
        with within(2.0):
            started = time.process_time()
            for _ in pattern.finditer(value):
                pass
            return time.process_time() - started

    for name, pattern in patterns().items():
        for unit_name, unit in UNITS.items():
            with attack("patterns", f"{name} {pattern.pattern[:60]!r}, {unit_name}"):
                taken = seconds(pattern, unit * (4_000 // len(unit)))
                if taken > 0.04:
                    longer = seconds(pattern, unit * (16_000 // len(unit)))
                    assert longer < 8 * taken, f"{taken:.3f} s, four times the text {longer:.3f} s"


def test_what_is_shown_around_a_quote_is_capped_and_folded() -> None:
    quote = "桥长420米。"
    body = "无标点" * 40_000 + quote + " " * 200_000 + "完"
    start = body.index(quote)
    shown = render.surroundings(article(body), start, start + len(quote))
    assert f"<mark>{quote}</mark>" in shown and len(shown) < 1_500
    assert page.escape_lines("甲" + " " * 5_000 + "乙\n \n\t\n丙") == "甲 乙<br>丙"
