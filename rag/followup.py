"""History + question -> a question that stands alone, without a language model.

A conversation is followed turn by turn. A pronoun gives way to what it stands for (它: the thing talked about or the
name that the last answer gave; 他: the person it named; 这两台: the two it named); a question that leaves its subject
out gets the subject of the talk before it; 那第三批呢 asks the last question of another thing; a question that names
its own subject changes the subject. Where the words do not tell, the articles do (`Stays`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rag.answering.question_type import AnswerType, profile
from rag.naming import answered, named_like, person, proper_names, several
from rag.references import Mention, Reference, Stands, mention, refers_back, without_link
from rag.subjects import Subject, asks_attribute, predicate, subject_of
from rag.tokens import is_chinese
from rag.types import Turn

Stays = Callable[[str, str, Reference], bool]
"""Whether a question (second) goes on about what was said (first), as far as the articles tell."""

_MAX_TURNS: Final = 8
"""Earlier user questions that are followed; older ones no longer say what is being talked about."""
_REPLY_CHARS: Final = 300
"""How much of an answer counts as said."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question in its conversation."""

    standalone: str
    """The question, complete; as asked where nothing was missing."""
    said: str = ""
    """The last question, complete, and its answer, where this question goes on about them; else empty."""


@dataclass(frozen=True, slots=True)
class _Talk:
    """What a conversation is about after some turns."""

    subject: Subject = Subject()
    people: str = ""
    """The person named last."""
    organisation: str = ""
    """The organisation that the last answer named beside the subject."""
    question: str = ""
    """The last question, as asked."""
    standalone: str = ""
    """The last question, complete."""
    reply: str = ""
    goes_on: bool = False
    """Whether the last question went on about what was said before it."""

    @property
    def said(self) -> str:
        """What was said last."""
        return f"{self.standalone} {self.reply[:_REPLY_CHARS]}"


def _words_tell(said: str, question: str, reference: Reference) -> bool:
    """`Stays` without articles: a short question leaves its subject out."""
    return reference is Reference.SHORT


def follow(question: str, history: Sequence[Turn], stays: Stays = _words_tell) -> FollowUp:
    """`question` in the light of `history`."""
    turns = [turn for turn in history if turn.text.strip()]
    first = [i for i, turn in enumerate(turns) if turn.role == "user"][-_MAX_TURNS:][:1]
    talk = _Talk()
    for turn in turns[first[0] :] if first else ():
        talk = _ask(talk, turn.text.strip(), stays) if turn.role == "user" else _hear(talk, spoken(turn.text))
    now = _ask(talk, question, stays)
    return FollowUp(now.standalone, talk.said if now.goes_on else "")


def standalone_question(question: str, history: Sequence[Turn], stays: Stays = _words_tell) -> str:
    """`question` made complete from `history`; unchanged when it stands alone or there is nothing to add."""
    return follow(question, history, stays).standalone


def complete(question: str, earlier: str) -> str:
    """`question` with the topic of an `earlier` question when it cannot stand alone."""
    return standalone_question(question, (Turn("user", earlier),))


def _ask(talk: _Talk, question: str, stays: Stays) -> _Talk:
    """The talk after one more question."""
    if not talk.subject.text:
        return _fresh(question)
    other = _other_thing(question)
    if other is not None:
        return _of_another(talk, question, *other, stays)
    return _carried(talk, question) if _goes_on(talk, question, stays) else _fresh(question)


def _goes_on(talk: _Talk, question: str, stays: Stays) -> bool:
    """Whether `question` goes on about what was said before it."""
    reference = refers_back(question)
    if reference in {Reference.CLEAR, Reference.NONE}:
        return reference is Reference.CLEAR
    bare = without_link(question)
    found = mention(bare)
    if found and found.stands in {Stands.SEVERAL, Stands.NAMED} and _meant(talk, found):
        return True
    return stays(talk.said, bare, reference)


def _fresh(question: str) -> _Talk:
    """The talk after a question that stands alone."""
    return _Talk(subject_of(question), question=question, standalone=question)


def _carried(talk: _Talk, question: str) -> _Talk:
    """The talk after a question that goes on about its subject."""
    bare = without_link(question)
    found = mention(bare)
    name = _meant(talk, found) if found else ""
    standalone = _put(bare, found, name) if found and name else _before(talk.subject.text, bare)
    subject = talk.subject
    if found and name and found.stands in {Stands.THING, Stands.NAMED, Stands.THINGS}:
        subject = Subject(name, True)
    things = subject_of(standalone).things
    if things:
        subject = replace(subject, things=things)
    return replace(talk, subject=subject, question=bare, standalone=standalone, reply="", goes_on=True)


def _before(subject: str, question: str) -> str:
    """`question` with its subject before it, unless it names that itself."""
    if subject in question:
        return question
    return f"{subject} {question}" if is_chinese(question) else f"{subject}: {question}"


def _meant(talk: _Talk, found: Mention) -> str:
    """What a referring word stands for; empty where it cannot be replaced."""
    subject = talk.subject
    thing = subject.text if subject.is_phrase else ""
    match found.stands:
        case Stands.PERSON:
            return talk.people
        case Stands.THINGS | Stands.WITHIN:
            group = talk.organisation if found.stands is Stands.THINGS else ""
            return group or subject.things or thing
        case Stands.SEVERAL:
            return several(talk.reply, found.detail)
        case Stands.NAMED:
            return named_like(talk.reply, found.detail) or talk.organisation or thing
        case Stands.THING:
            return thing
        case Stands.TALK:
            return ""


def _put(question: str, found: Mention, name: str) -> str:
    """`question` with `name` in the place of a referring word."""
    chinese = is_chinese(question)
    owner = ("的" if chinese else "'s") if found.owns else ""
    gap = " " if chinese and question[found.end : found.end + 1].isascii() and name[-1:].isascii() else ""
    put = f"{question[: found.start]}{name}{owner}{gap}{question[found.end :]}"
    return put[:1].upper() + put[1:]


_OTHER_ZH = re.compile(r"^(?:那么?|然后|还有)?(?P<thing>[^，,？?]{2,24}?)(?:又|又是)?呢(?:[，,？?。\s]+(?P<rest>.*))?$")
_OTHER_EN = re.compile(
    r"^(?:and |but |so )?(?:what|how) about (?P<thing>[^,?]{2,60})(?:[,?]\s*(?P<rest>.*))?$", re.IGNORECASE
)
_NO_THING = re.compile(r"[它他她]|^(?:其中|里面|当中|其余|剩下)|^(?:it|they|them|he|she)$", re.IGNORECASE)


def _other_thing(question: str) -> tuple[str, str] | None:
    """The thing of 那第三批呢 or "what about the ferry", and what is asked of it in so many words."""
    match = (_OTHER_ZH if is_chinese(question) else _OTHER_EN).match(question.strip())
    if not match or _NO_THING.search(match["thing"].strip()):
        return None
    return match["thing"].strip(), (match["rest"] or "").strip()


def _of_another(talk: _Talk, question: str, thing: str, rest: str, stays: Stays) -> _Talk:
    """The talk after a question for another thing or for another attribute of the same thing."""
    if rest and profile(rest).asking:
        return _Talk(Subject(thing, True), question=rest, standalone=_before(thing, rest))
    alike = _alike(thing, talk.standalone)
    if alike:
        asked = talk.standalone.replace(alike, thing)
        subject = replace(talk.subject, text=talk.subject.text.replace(alike, thing))
        return _Talk(subject, question=asked, standalone=asked, goes_on=True)
    if not proper_names(thing) and (asks_attribute(thing) or stays(talk.said, thing, Reference.SHORT)):
        return _carried(talk, question)
    asked = f"{thing} {predicate(talk.standalone)}"
    return _Talk(Subject(thing, True), question=asked, standalone=asked)


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


_IDENTIFIES = re.compile(
    r"(?:是|叫|为)(?:哪|谁|什么)[一-鿿A-Za-z]{0,12}[？?。]?$|叫什么|名字是|^.{0,2}哪[一几]?[家所款项个部座](?!.*[了过][一-鿿]{3})"
    r"|^(?:which|what) (?!(?:\w+ of|did|do|does|is|are|was|were|will|would|can|could|has|have|had|time|year|day)\b)",
    re.IGNORECASE,
)
"""Questions for the name of the thing that they describe; its name is what is talked about then."""
_NAMING = (AnswerType.ORGANISATION, AnswerType.NAME)
_NO_ANSWER = re.compile(r"^(?:抱歉|没有找到|未找到|不知道|在已收录的文章中没有|Sorry|I don't know|The articles do not)")


def _hear(talk: _Talk, reply: str) -> _Talk:
    """The talk after an answer: the names that it gave can be meant by the next question."""
    talk = replace(talk, reply=reply)
    if _NO_ANSWER.match(reply):
        return talk
    types = profile(talk.question).types
    talk = replace(talk, people=person(reply, talk.question) or talk.people)
    kinds = [kind for kind in (*types, AnswerType.NAME) if kind in _NAMING]
    identifies = _IDENTIFIES.search(talk.question) is not None and AnswerType.PERSON not in types
    if len(kinds) < 2 and not identifies:
        return talk
    name, sure = answered(reply, kinds[0])
    if not name or (not sure and kinds[0] is AnswerType.NAME):
        return talk
    if identifies and not sure and talk.subject.is_phrase and not is_chinese(talk.question):
        return replace(talk, organisation=name)  # which school won the contest: the contest is talked about
    if identifies:
        text = name if sure else f"{name} {talk.subject.text}"
        return replace(talk, subject=Subject(text, sure), organisation="")
    return replace(talk, organisation=name)


_BESIDE = re.compile(
    r"\[\d+\]|\(in English:[^)]*\)|“[^”]*”(?:即[^。]*|无法换算|is [^.]*)[。.]|文章未注明日期，"
    r"|(?m:^[^:：\n]{2,60}, (?:\d{1,2} \w+ \d{4}|undated): )|(?m:^(?:\d{4}年\d{1,2}月\d{1,2}日|日期不明)：)"
)


def spoken(reply: str) -> str:
    """An answer without its markers and what stands beside its quotes."""
    return " ".join(_BESIDE.sub(" ", reply).split())
