"""History + question -> a question that stands alone, without a language model.

A conversation is followed turn by turn. A question that refers back (它, 其中, "how long is it") gets the subject of
the talk before it, with the name that the last answer gave where one was asked for; 那第三批呢 asks the last question
of another thing; a question that names its own subject changes the subject.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rag.answering.facts import SURNAMES
from rag.answering.question_type import AnswerType, profile
from rag.answering.reader_spans import typed_spans
from rag.answering.reader_text import fold_keep
from rag.tokens import detect_language, is_chinese, tokenize
from rag.types import Turn

Stays = Callable[[str, str], bool]
"""Whether a short question (second) is still about the subject (first), as far as the articles tell."""


class Reference(Enum):
    """How a question stands to what was said before."""

    NONE = "none"
    """It names its own subject."""
    CLEAR = "clear"
    """A pronoun or a linking word says so."""
    SHORT = "short"
    """It is too short to tell: it may leave its subject out."""


_MAX_TURNS: Final = 8
"""Earlier user questions that are followed; older ones no longer say what is being talked about."""
_SHORT_ZH, _SHORT_EN = 14, 6
"""Longest question, in characters and in words, that may leave its subject out."""
_EARLY_ZH: Final = 5
"""A pronoun before this offset has nothing in the question to refer to."""
_MOST_NAMES: Final = 2
_LEAST_SUBJECT: Final = 3
_LONGEST_SUBJECT: Final = 40

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
_LATIN_NAME = re.compile(r"\b[A-Z][\w.&'-]*(?:\s+(?:of\s+|the\s+)?[A-Z][\w.&'-]*)*")
_ORGANISATION = re.compile(
    r"[一-鿿A-Za-z0-9]{2,16}?(?:股份有限公司|有限责任公司|有限公司|集团|公司|科技|大学|学院|医院|中心|联盟|联合体|"
    r"研究院|研究所|委员会|园区|项目|工程|高铁|铁路|号线|大桥|机场|码头|开发区|新区|行动方案|平台|论坛|大会)"
)
_QUOTED = re.compile(r"[“《「『]([^”》」』]{2,30})[”》」』]")
_ORDINAL = re.compile(r"第[一二三四五六七八九十\d]{1,4}[批届期次号轮]")


@dataclass(frozen=True, slots=True)
class _Talk:
    """What a conversation is about after some turns."""

    subject: str = ""
    standalone: str = ""
    """The last question, complete."""
    reply: str = ""


def standalone_question(question: str, history: Sequence[Turn], stays: Stays = lambda subject, bare: True) -> str:
    """`question` made complete from `history`; unchanged when it stands alone or there is nothing to add."""
    turns = [turn for turn in history if turn.text.strip()]
    first = [i for i, turn in enumerate(turns) if turn.role == "user"][-_MAX_TURNS:][:1]
    talk = _Talk()
    for turn in turns[first[0] :] if first else ():
        if turn.role == "user":
            talk = _follow(talk, turn.text.strip(), stays)
        else:
            talk = _Talk(talk.subject, talk.standalone, spoken(turn.text))
    return _follow(talk, question, stays).standalone


def complete(question: str, earlier: str) -> str:
    """`question` with the topic of an `earlier` question before it when it cannot stand alone."""
    return standalone_question(question, (Turn("user", earlier),))


def _follow(talk: _Talk, question: str, stays: Stays) -> _Talk:
    """The talk after one more question."""
    if not talk.subject:
        return _Talk(subject_of(question), question)
    other = _other_thing(question)
    if other is not None:
        return _of_another(talk, question, *other, stays)
    reference = refers_back(question)
    if reference is Reference.SHORT and not stays(talk.subject, question):
        reference = Reference.NONE
    if reference is Reference.NONE:
        return _Talk(subject_of(question), question)
    names = [name for name in _named(talk, question) if name not in talk.subject and name not in question]
    subject = " ".join([*names[:_MOST_NAMES], talk.subject])
    return _Talk(subject, f"{subject} {question}")


def refers_back(question: str) -> Reference:
    """Whether `question` needs what was said before to be understood.

    A pronoun that comes late in a long question (“那家老单位搬来天津，它多少年了”) means something named in
    the question itself.
    """
    text = question.strip()
    if is_chinese(text):
        match = _BACK_ZH.search(text)
        if match and (match.start() < _EARLY_ZH or len(text) <= _SHORT_ZH):
            return Reference.CLEAR
        short = len(text) <= _SHORT_ZH and not match and not _proper_names(text)
        return Reference.SHORT if short else Reference.NONE
    words = text.split()
    match = _BACK_EN.search(text)
    if match:
        before = " ".join(text[: match.start()].split()[1:])
        clear = len(words) <= 2 * _SHORT_EN and not _LATIN_NAME.search(before)
        return Reference.CLEAR if clear else Reference.NONE
    short = len(words) <= _SHORT_EN and not _LATIN_NAME.search(" ".join(words[1:]))
    return Reference.SHORT if short else Reference.NONE


_OTHER_ZH = re.compile(r"^(?:那么?|然后|还有)?(?P<thing>[^，,？?]{2,24}?)(?:又|又是)?呢(?:[，,？?。\s]+(?P<rest>.*))?$")
_OTHER_EN = re.compile(
    r"^(?:and |but |so )?(?:what|how) about (?P<thing>[^,?]{2,60})(?:[,?]\s*(?P<rest>.*))?$", re.IGNORECASE
)


def _other_thing(question: str) -> tuple[str, str] | None:
    """The thing of 那第三批呢 or "what about the ferry", and what is asked of it in so many words."""
    match = (_OTHER_ZH if is_chinese(question) else _OTHER_EN).match(question.strip())
    if not match or re.fullmatch(r"[它他她]们?|其中.*|(?:it|they|them|he|she)", match["thing"].strip(), re.IGNORECASE):
        return None
    return match["thing"].strip(), (match["rest"] or "").strip()


def _of_another(talk: _Talk, question: str, thing: str, rest: str, stays: Stays) -> _Talk:
    """The talk after a question for another thing or for another attribute of the same thing."""
    if rest and profile(rest).asking:
        return _Talk(thing, f"{thing} {rest}")
    alike = _alike(thing, talk.standalone)
    if alike:
        asked = talk.standalone.replace(alike, thing)
        return _Talk(talk.subject.replace(alike, thing), asked)
    if not _proper_names(thing) and stays(talk.subject, thing):
        return _Talk(talk.subject, f"{talk.subject} {question}")
    return _Talk(thing, f"{thing} {_predicate(talk.standalone)}")


_KINDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"第[〇零一二三四五六七八九十百\d]+[一-鿿]",
        r"(?:(?:19|20)\d\d年)?\d{1,2}月(?:\d{1,2}[日号])?(?:底|初)?",
        r"(?:19|20)\d\d年?|[去今明前]年",
        r"\d+号线(?:[一二三]期)?",
        r"[一-鿿]{2,3}?[区县市镇省]",
        r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b",
        r"\b(?:19|20)\d\d\b",
    )
)


def _alike(thing: str, text: str) -> str:
    """What in `text` is named like `thing` (第四批 like 第三批); empty when nothing is."""
    for kind in _KINDS:
        if kind.fullmatch(thing):
            found = kind.search(text)
            return found.group() if found and found.group() != thing else ""
    return ""


_NOISE_ZH = re.compile(r"^(?:请问|那么?|然后|还有|再问一下|我想知道|顺便问一下|你知道)+[，,]?")
_LINK_ZH = re.compile(r"(?:一共|总共|目前|现在|大概|大约|到底|究竟|具体|[都是在有的了将被])+$")
_FUNCTION_WORDS_EN = (
    "what which who whom whose when where why how many much long far old often did does do is are was were has have "
    "had will would can could should may please tell me about the a an of in on at to for by and or with from as that "
    "this there it its he she they them his her their any some"
)
_STOP_EN = frozenset(_FUNCTION_WORDS_EN.split())

_AUXILIARY_EN = re.compile(r"\b(?:do|does|did|will|can|could|would)\b", re.IGNORECASE)


def subject_of(question: str) -> str:
    """What `question` is about, without what it asks.

    >>> subject_of("青石大桥什么时候通车？"), subject_of("When does the north bridge open?")
    ('青石大桥', 'north bridge')
    """
    text = _NOISE_ZH.sub("", question.strip())
    if detect_language(question) == "en":
        words = re.findall(r"[\w'’.-]*\w", text)
        if _AUXILIARY_EN.search(text) and len(words) > 4 and words[-1].islower():
            words = words[:-1]  # when does the bridge open
        subject = " ".join(word for word in words if word.lower() not in _STOP_EN)
    else:
        subject = _subject_zh(text)
    return subject[:_LONGEST_SUBJECT] if tokenize(subject) else ""


def _subject_zh(text: str) -> str:
    """The words before the first asking one, without an attribute (的面积); all but the asking ones if they are few."""
    asking = profile(text).asking
    if not asking:
        return _trimmed(text)
    before = _trimmed(text[: asking[0][0]])
    owner, _, attribute = before.rpartition("的")
    if len(owner) >= _LEAST_SUBJECT and len(attribute) <= 6 and not re.search(r"\d|第", attribute):
        return _trimmed(owner)
    if len(before) >= _LEAST_SUBJECT:
        return before
    for start, end in reversed(asking):
        text = f"{text[:start]} {text[end:]}"
    return _trimmed(" ".join(text.split()))


def _trimmed(text: str) -> str:
    return _LINK_ZH.sub("", text.strip(" ，,。？?！!：:"))


def _predicate(question: str) -> str:
    """What `question` asks of its subject."""
    if detect_language(question) == "en":
        return re.sub(_LATIN_NAME, " ", question[:1].lower() + question[1:]).strip()
    asking = profile(question).asking
    before = question[: asking[0][0]] if asking else ""
    subject = _subject_zh(question)
    return question[len(subject) :] if subject and before.startswith(subject) else question[len(before) :]


_PERSONAL = re.compile(r"[他她](?!们)|\b(?:he|she|his|her|him)\b", re.IGNORECASE)
_THAT_NOUN = re.compile(rf"(?:该|[这那](?:[{_MEASURE}]))([一-鿿]{{2}})")
_NAMING = (AnswerType.ORGANISATION, AnswerType.NAME, AnswerType.PLACE)
_WITHIN = re.compile(r"^.*(?:由|与|向|被|赴|来自)(?=[一-鿿A-Za-z0-9]{3})")


def _named(talk: _Talk, question: str) -> list[str]:
    """Names of the last reply that `question` may mean: the one that was asked for, a person, 该集团."""
    noun = _THAT_NOUN.search(question)
    if noun:
        return [_WITHIN.sub("", name) for name in _proper_names(talk.reply) if name.endswith(noun[1])]
    if _PERSONAL.search(question):
        return _of_kind(talk.reply, AnswerType.PERSON)[:1]
    kinds = [kind for kind in profile(talk.standalone).types if kind in _NAMING]
    return [
        form for kind in kinds for name in _of_kind(talk.reply, kind)[:1] for form in (name, *_short(name, talk.reply))
    ]


def _short(name: str, reply: str) -> list[str]:
    """The short form that stands in brackets behind a name: 海风智能装备公司（以下简称海风智能）."""
    behind = re.match(r"[（(](?:以下)?(?:简称|称)?[“\"]?([一-鿿A-Za-z0-9]{2,12})[”\"]?[）)]", reply.partition(name)[2])
    return [behind[1]] if behind else []


def _of_kind(reply: str, kind: AnswerType) -> list[str]:
    if is_chinese(reply):
        folded = fold_keep(reply)
        names = [reply[start:end] for start, end in typed_spans(folded, kind)]
        if kind is AnswerType.PERSON:
            return [name for name in names if name[0] in SURNAMES]
        return [_WITHIN.sub("", _LEADING.sub("", name)) for name in names]
    names = [m.group() for m in _LATIN_NAME.finditer(reply)]
    return [name for name in names if " " in name or name.lower() not in _NO_NAMES]


_LEADING = re.compile(
    r"^(?:此次|目前|近日|昨[日天]|今[日天年]|据悉|其中|[，,、]|由|在|与|和|的|是|为|被|从|对|以及|已|成为)+"
)
_CAPITALISED_EN = (  # for another reason than being a name
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday first more direct all no not but if after before while since"
)
_NO_NAMES = _STOP_EN | frozenset(_CAPITALISED_EN.split())


def _proper_names(text: str) -> list[str]:
    """Names in `text`, in order: quoted titles, organisations, ordinals such as 第二十批, Latin names."""
    found: list[tuple[int, str]] = []
    for pattern in (_QUOTED, _ORGANISATION, _ORDINAL, _LATIN_NAME):
        for match in pattern.finditer(text):
            name = _LEADING.sub("", match.group(match.lastindex or 0)).strip()
            if len(name) >= 2:
                found.append((match.start(), name))
    return list(dict.fromkeys(name for _, name in sorted(found)))


_BESIDE = re.compile(
    r"\[\d+\]|\(in English:[^)]*\)|“[^”]*”(?:即[^。]*|无法换算|is [^.]*)[。.]|文章未注明日期，"
    r"|(?m:^[^:：\n]{2,60}, (?:\d{1,2} \w+ \d{4}|undated): )|(?m:^(?:\d{4}年\d{1,2}月\d{1,2}日|日期不明)：)"
)


def spoken(reply: str) -> str:
    """An answer without its markers and what stands beside its quotes."""
    return " ".join(_BESIDE.sub(" ", reply).split())
