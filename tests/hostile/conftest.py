"""The attack as tests. Quick by default; `make hostile` (HOSTILE=full) tries all of it and prints a table.

What one hostile input does is one case: `attack(area, case)` counts it as tried, and as handled when its block ends
without an exception. A test fails when one of its cases did.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest

FULL = os.environ.get("HOSTILE") == "full"
_TRIED: Counter[str] = Counter()
_FAILED: defaultdict[str, list[str]] = defaultdict(list)


class Attack:
    """The cases of one test."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    @contextlib.contextmanager
    def __call__(self, area: str, case: str) -> Iterator[None]:
        _TRIED[area] += 1
        try:
            yield
        except Exception as error:  # every failure of a case is one line of the table, and the next case goes on
            line = f"{case}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            _FAILED[area].append(line)
            self.failures.append(line)


@pytest.fixture
def attack() -> Iterator[Attack]:
    cases = Attack()
    yield cases
    if cases.failures:
        pytest.fail("\n".join(cases.failures), pytrace=False)


@pytest.fixture(scope="session")
def amount() -> Callable[[int, int], int]:
    """How much of something: the first number in the quick part, the second in the full one."""
    return lambda quick, full: full if FULL else quick


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FULL or not _TRIED:
        return
    terminalreporter.section("attack")
    terminalreporter.write_line(f"{'area':<28}{'tried':>8}{'handled':>10}{'failed':>8}")
    for area, tried in sorted(_TRIED.items()):
        failed = len(_FAILED[area])
        terminalreporter.write_line(f"{area:<28}{tried:>8}{tried - failed:>10}{failed:>8}")
    for area, lines in sorted(_FAILED.items()):
        for line in lines:
            terminalreporter.write_line(f"{area}: {line}")
