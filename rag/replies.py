"""What was typed that is no question to the articles: a short fitting reply, and questions that work here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rag.types import Answer, Intent, Question

MODE: Final = "reply"

_TEXTS: Final[dict[Intent, dict[str, str]]] = {
    Intent.SMALLTALK: {
        "zh": "你好，我是津问：在已收录的文章里找答案，每句话都注明出处。",
        "en": "Hello, I am Jinwen: I find answers in the articles kept here, and every sentence names its source.",
    },
    Intent.HELP: {
        "zh": "我只根据已收录的文章回答：请直接输入一个问题；在“资料库”里可以添加文件。没有依据的，我会明说。",
        "en": "I answer from the articles kept here only: type a question; files are added under Library. What the "
        "articles do not say, I say so.",
    },
    Intent.COMPUTE: {
        "zh": "这个我不算也不查：我只回答文章里写到的内容。",
        "en": "That is nothing I look up or work out: I answer only what the articles tell.",
    },
    Intent.WRITE: {
        "zh": "我不代写，只摘录文章原句并注明出处；您可以问其中的事实，再把带脚注的回答复制到稿子里。",
        "en": "I do not write texts, I quote the articles with their sources; ask for the facts and copy the answers "
        "with their footnotes into your draft.",
    },
    Intent.GIBBERISH: {
        "zh": "没有看懂这句话，请换个说法问一遍。",
        "en": "I could not make sense of that; please ask in other words.",
    },
}
_FOR_EXAMPLE: Final = {"zh": "可以这样问：", "en": "You can ask, for example:"}


def reply(question: Question, examples: Sequence[str]) -> Answer:
    """The reply to what is no question to the articles, with `examples` of what is.

    :raises KeyError: its intent is one that the articles are searched for.
    """
    lines = [_TEXTS[question.intent][question.language]]
    if examples:
        lines += [_FOR_EXAMPLE[question.language], *(f"· {example}" for example in examples)]
    # Nothing is answered from the articles: a refusal for whoever counts, whatever the page makes of it.
    return Answer(question.text, "\n".join(lines), refused=True, mode=MODE, language=question.language)
