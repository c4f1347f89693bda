"""Put back paragraphs that OCR read across two stories printed side by side.

Where a story's paragraph stops in mid-sentence at the foot of a column, OCR may go on with the last column of the
story beside it. Such paragraphs share their words with that story and hardly any with the one they stand in
(lexical cohesion, Hearst 1997, decides where punctuation cannot).
"""

from __future__ import annotations

import re
from dataclasses import replace

from rag.sources.newspaper_lines import Line, Role, is_finished
from rag.sources.newspaper_stories import Story

_MIN_SHARED = 4
_MIN_RATIO = 2.0
_HAN = re.compile("[一-鿿]+")


def restore_order(stories: list[Story]) -> list[Story]:
    """`stories` with misplaced paragraphs moved to the end of the story printed before."""
    result = list(stories)
    for index in range(1, len(result)):
        before, story = result[index - 1], result[index]
        moved = _strays(before, story)
        if moved:
            result[index - 1] = replace(before, lines=(*before.lines, *moved))
            result[index] = replace(story, lines=tuple(line for line in story.lines if line not in moved))
    return result


def _strays(before: Story, story: Story) -> list[Line]:
    """Paragraphs right below an unfinished one of `story` that belong to `before`."""
    lines = story.lines
    broken = next((i for i, line in enumerate(lines[:-1]) if _is_broken(line) and lines[i + 1].role is Role.BODY), None)
    if broken is None:
        return []
    first = broken + 1
    paragraphs = 0
    while first + paragraphs < len(lines) and lines[first + paragraphs].role is Role.BODY:
        paragraphs += 1
    for count in range(min(paragraphs, len(lines) - first - 1), 0, -1):  # something of the story must follow
        strays, own = lines[first : first + count], [*lines[:first], *lines[first + count :]]
        if all(_belongs(line, before.lines, own) for line in strays):
            return list(strays)
    return []


def _is_broken(line: Line) -> bool:
    return line.role in (Role.BODY, Role.LEAD) and not is_finished(line.text)


def _belongs(line: Line, there: tuple[Line, ...], here: list[Line]) -> bool:
    """Whether `line` shares clearly more words with the lines `there` than with those `here`."""
    words, elsewhere, around = _bigrams([line]), _bigrams(there), _bigrams(here)
    shared_there, shared_here = len(words & elsewhere - around), len(words & around - elsewhere)
    return shared_there >= _MIN_SHARED and shared_there >= _MIN_RATIO * shared_here


def _bigrams(lines: list[Line] | tuple[Line, ...]) -> set[str]:
    runs = [run for line in lines for run in _HAN.findall(line.text)]
    return {run[i : i + 2] for run in runs for i in range(len(run) - 1)}
