"""Question + hits -> the messages for a model, within its context."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prompts import read_prompt
from rag.answering.generator import Message
from rag.answering.refusal import REFUSAL
from rag.errors import ModelError
from rag.sentences import sentence_spans
from rag.types import Hit, Question

PROMPT_VERSION = 1

_FULL_WIDTH = str.maketrans({"<": "＜", ">": "＞", "[": "［", "]": "］"})
_UNKNOWN = {"zh": "未注明", "en": "not given"}


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A prompt that leaves room for the answer."""

    messages: tuple[Message, ...]
    hits: tuple[Hit, ...]
    """What the model is shown, in order: `[n]` means `hits[n - 1]`. The last passage may be shortened."""
    dropped: int
    """Passages at the end that found no room."""
    shortened: bool
    """Whether the last passage shown ends before its end."""


def fit_prompt(
    question: Question, hits: Sequence[Hit], count_tokens: Callable[[Sequence[Message]], int], room: int
) -> FittedPrompt:
    """The prompt with as many of `hits`, best first, as fit in `room` tokens.

    Passages are dropped from the end; of the first one dropped, as many whole sentences as fit are kept.

    :raises ModelError: not even the first sentence of the first passage fits.
    """

    def fits(shown: Sequence[Hit]) -> bool:
        return count_tokens(build_messages(question, shown)) <= room

    whole = _largest(len(hits), lambda count: fits(hits[:count]))
    shown = list(hits[:whole])
    part = None
    if whole < len(hits):
        beginnings = _beginnings(hits[whole])
        kept = _largest(len(beginnings), lambda count: fits([*shown, beginnings[count - 1]]))
        part = beginnings[kept - 1] if kept else None
    if part:
        shown.append(part)
    if not shown:
        needed = count_tokens(build_messages(question, _beginnings(hits[0])[:1]))
        raise ModelError(
            f"the prompt needs at least {needed} tokens, but the model's context leaves {room} beside the answer; "
            "raise answer.context_tokens or lower answer.max_new_tokens"
        )
    return FittedPrompt(build_messages(question, shown), tuple(shown), len(hits) - len(shown), part is not None)


def build_messages(question: Question, hits: Sequence[Hit]) -> tuple[Message, ...]:
    """One user message: some chat templates know no system role."""
    language = question.language
    block = read_prompt("passage", PROMPT_VERSION, language)
    blocks = [
        block.render(
            number=str(number),
            title=_line(hit.article.display_title) or _UNKNOWN[language],
            source=_line(hit.article.source) or _UNKNOWN[language],
            date=hit.article.date.isoformat() if hit.article.date else _UNKNOWN[language],
            text=neutralise(hit.passage.text),
        )
        for number, hit in enumerate(hits, start=1)
    ]
    content = read_prompt("answer", PROMPT_VERSION, language).render(
        today=question.as_of.isoformat(),
        passages="\n\n".join(blocks),
        question=_line(question.standalone),
        refusal=REFUSAL[language],
    )
    return (Message("user", content),)


def neutralise(text: str) -> str:
    """`text` without what could end its block, imitate a control token or hide instructions from a reader.

    `<`, `>`, `[` and `]` become full-width (no `</passage>`, `<|im_end|>`, `[INST]` or `[7]` of its own);
    control and format characters (zero width, bidirectional, tag characters) go; blank lines go.
    """
    spaced = re.sub(r"[^\S\n]", " ", text)
    visible = "".join(c for c in spaced if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})
    return re.sub(r"\n\s*\n", "\n", visible.translate(_FULL_WIDTH)).strip()


def _line(text: str) -> str:
    return " ".join(neutralise(text).split())


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest count from 1 to `most` that fits, 0 for none; fitting is monotone, so few are tried."""
    low, high = 0, most
    if high and fits(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def _beginnings(hit: Hit) -> list[Hit]:
    """`hit` with its passage ended after its first sentence, after its second, …, short of the whole."""
    passage = hit.passage
    ends = [end for _, end in sentence_spans(passage.text)]
    return [
        replace(hit, passage=replace(passage, end=passage.start + end, text=passage.text[:end]))
        for end in ends
        if end < len(passage.text.rstrip()) or len(ends) == 1
    ]
