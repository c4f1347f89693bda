"""What a reader must know about how an answer came to be, in the question's language."""

from __future__ import annotations

from typing import Final, Literal

Notice = Literal[
    "fallback", "dropped", "shortened", "invented", "cut_length", "cut_time", "no_citation", "part_missing", "unasked"
]

_TEXTS: Final[dict[Notice, dict[str, str]]] = {
    "fallback": {
        "zh": "生成模型没有给出回答（{reason}），以下是从文章中摘录的回答。",
        "en": "The model gave no answer ({reason}); this answer is extracted from the articles instead.",
    },
    "unasked": {
        "zh": "文章里没有足以支持回答的句子，因此没有让模型作答。",
        "en": "No sentence of the articles supports an answer, so the model was not asked.",
    },
    "dropped": {
        "zh": "模型的上下文放不下全部内容，排在最后的 {count} 个段落没有交给它。",
        "en": "The model's context had no room for the last {count} of the passages found.",
    },
    "shortened": {
        "zh": "模型的上下文放不下全部内容，最后一个段落只交给它前面几句。",
        "en": "The model's context had room for only the first sentences of the last passage.",
    },
    "invented": {
        "zh": "模型标注了不存在的来源编号（{numbers}），已删去。",
        "en": "The model cited passages that do not exist ({numbers}); these markers were removed.",
    },
    "cut_length": {
        "zh": "回答达到 {limit} 个词元的上限，到此为止。",
        "en": "The answer ends here because it reached the limit of {limit} tokens.",
    },
    "cut_time": {
        "zh": "回答超过 {limit} 秒的时限，到此为止。",
        "en": "The answer ends here because it reached the limit of {limit} seconds.",
    },
    "part_missing": {
        "zh": "文章里没有找到这一部分的答案：{part}",
        "en": "The articles do not hold an answer to this part: {part}",
    },
    "no_citation": {
        "zh": "模型没有标注任何来源，请自行核对。",
        "en": "The model cited no source; check this answer yourself.",
    },
}


def notice(name: Notice, language: str, **values: object) -> str:
    """The notice `name` in `language` (`zh` or `en`) with its values filled in."""
    return _TEXTS[name][language].format(**values)
