"""History + question -> a question that stands alone, without a language model.

A follow-up such as “那它什么时候通车？” lacks its subject. When a question refers back (pronoun, “其中”, “…呢？”,
"what about") or is too short to name anything, the topic of the last question and the names in the last
answer are put before it. A question that names its own subject is left as it is: the subject has changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.tokens import is_chinese, tokenize
from rag.types import Turn

_MAX_TURNS = 6
"""Earlier user questions that may be followed back; older ones no longer say what is being talked about."""
_SHORT_ZH, _SHORT_EN = 14, 6
"""Longest question, in characters and in words, that may leave its subject out."""
_EARLY_ZH = 5
"""A pronoun before this offset has nothing in the question to refer to."""
_MAX_NAMES = 3

_MEASURE = "个家条项次些位座所批款种届场部天年月笔份组"
_BACK_ZH = re.compile(
    r"^(?:那么?|然后|还有|其中|此外|另外|以及)"
    r"|它|他们|她们|(?<!其)[他她](?!们|国|人|山)|其中|上述|前者|后者|刚才|前面(?:说|提)"
    rf"|[这那该][{_MEASURE}]|该[一-鿿]{{2}}|这里|那里|此[事案项]"
    r"|其(?!他|它|中|实|余|次)|呢[？?。]?$"
)
_BACK_EN = re.compile(
    r"\b(?:it|its|they|their|them|he|she|his|her|him|those|these|there|the former|the latter|the same)\b"
    r"|\b(?:that|this)\s+(?:one|company|project|line|plan|event|figure|number|year|day|case|person)\b"
    r"|^(?:and|what about|how about|then|so|also|but)\b|^(?:that|this)\b",
    re.I,
)
_ASKING_ZH = re.compile(
    r"请问|有?多(?:长|高|大|久|远|重|深|宽|快)|是什么|是谁|为什么|怎么样了?|怎样|如何|多少[个家件人名项次台辆米元天年]?|"
    rf"几[{_MEASURE}]|哪[{_MEASURE}里儿]?|什么|谁|何时|吗|呢|[？?。！!，,、；;：:]+"
)
_ASKING_EN = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|many|much|long|far|did|does|do|is|are|was|were|has|have|had|"
    r"please|tell|me|about|the|a|an|of|in|on|at|to|for|by|and)\b|[?.,;:!]+",
    re.I,
)
_QUOTED = re.compile(r"[“《「『]([^”》」』]{2,30})[”》」』]")
_ORGANISATION = re.compile(
    r"[一-鿿A-Za-z0-9]{2,16}?(?:股份有限公司|有限责任公司|有限公司|集团|公司|科技|大学|学院|医院|中心|联盟|联合体|"
    r"研究院|研究所|委员会|园区|项目|工程|高铁|铁路|号线|大桥|机场|码头|开发区|新区|行动方案|平台|论坛|大会)"
)
_LATIN_NAME = re.compile(r"\b[A-Z][\w.&'-]*(?:\s+[A-Z][\w.&'-]*)*")
_ORDINAL = re.compile(r"第[一二三四五六七八九十\d]{1,4}[批届期次号轮]")
_LEADING_NOISE = re.compile(r"^(?:此次|目前|近日|昨日|今年|据悉|其中|由|在|与|和|的|是|为|被|从|对|以及|已)+")


def standalone_question(question: str, history: Sequence[Turn]) -> str:
    """`question` with what `history` was about put before it when it cannot stand alone; else unchanged.

    Carried over are the topic of the last question that named its own subject, the names in the questions
    since, and the names in the last answer.
    """
    asked = [i for i, turn in enumerate(history) if turn.role == "user" and turn.text.strip()][-_MAX_TURNS:]
    if not asked or not refers_back(question):
        return question
    root = next((i for i in reversed(asked) if not refers_back(history[i].text)), asked[0])
    topic = _topic(history[root].text)
    since = " ".join(history[i].text for i in asked if i > root)
    replies = " ".join(turn.text for turn in history[asked[-1] + 1 :] if turn.role == "assistant")
    names = [name for name in [*_names(since), *_names(replies)] if name not in topic and name not in question]
    carried = " ".join([*names[-_MAX_NAMES:], topic]).strip()
    return f"{carried} {question}" if carried else question


def complete(question: str, earlier: str) -> str:
    """`question` with the topic of an `earlier` question before it when it cannot stand alone."""
    return standalone_question(question, (Turn("user", earlier),))


def refers_back(question: str) -> bool:
    """Whether `question` needs what was said before to be understood.

    A pronoun that comes late in a long question (“那家老单位搬来天津，它多少年了”) means something named in
    the question itself.
    """
    text = question.strip()
    if is_chinese(text):
        match = _BACK_ZH.search(text)
        if match:
            return match.start() < _EARLY_ZH or len(text) <= _SHORT_ZH
        return len(text) <= _SHORT_ZH and not _names(text)
    words = text.split()
    match = _BACK_EN.search(text)
    if match:
        before = text[: match.start()].split()
        return len(words) <= 2 * _SHORT_EN and not _LATIN_NAME.search(" ".join(before[1:]))
    return len(words) <= _SHORT_EN and not _LATIN_NAME.search(" ".join(words[1:]))


def _topic(question: str) -> str:
    """`question` without its question words and punctuation."""
    pattern = _ASKING_ZH if is_chinese(question) else _ASKING_EN
    topic = " ".join(pattern.sub(" ", question).split())
    return topic if tokenize(topic) else ""


def _names(text: str) -> list[str]:
    """Names in `text`, in order: quoted titles, organisations, ordinals such as 第二十批, Latin names."""
    found: list[tuple[int, str]] = []
    for pattern in (_QUOTED, _ORGANISATION, _ORDINAL, _LATIN_NAME):
        for match in pattern.finditer(text):
            name = _LEADING_NOISE.sub("", match.group(match.lastindex or 0)).strip()
            if len(name) >= 2:
                found.append((match.start(), name))
    return list(dict.fromkeys(name for _, name in sorted(found)))
