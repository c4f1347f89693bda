"""Question -> what it is about, and what it asks of that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rag.answering.question_type import AnswerType, QuestionProfile, profile
from rag.naming import LATIN_NAME
from rag.tokens import detect_language, tokenize

_LEAST_SUBJECT: Final = 3
_LEAST_HEAD: Final = 4
"""Shortest text before 在 or 从 that is a subject without what follows."""
_LONGEST_SUBJECT: Final = 40
_LONGEST_ATTRIBUTE: Final = 6
_SHORTEST_THING: Final = 2
_LONGEST_BARE: Final = 4
"""Longest attribute that says nothing of what it belongs to (总投资额)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question is about."""

    text: str = ""
    is_phrase: bool = False
    """Whether it can stand where a pronoun stands; otherwise it is a clause or a few words."""
    things: str = ""
    """What the question counts or lists of it (培育了几家工厂: 培育的工厂): they, these, some of them."""


def subject_of(question: str) -> Subject:
    """What `question` is about, without what it asks.

    >>> subject_of("青石大桥什么时候通车？").text, subject_of("When does the north bridge open?").text
    ('青石大桥', 'the north bridge')
    """
    text = _NOISE_ZH.sub("", question.strip())
    subject = _subject_en(text) if detect_language(question) == "en" else _subject_zh(text)
    if not tokenize(subject.text):
        return Subject()
    return Subject(subject.text[:_LONGEST_SUBJECT], subject.is_phrase, subject.things)


def asks_attribute(question: str) -> bool:
    """Whether `question` names only what is asked of something: 票价多少, not the thing itself."""
    named = _WHEN_ZH.sub("", _subject_zh(question).text)
    return len(named) <= _LONGEST_BARE and _ABSTRACT_ZH.search(named) is not None


def predicate(question: str) -> str:
    """What `question` asks of its subject."""
    if detect_language(question) == "en":
        return re.sub(LATIN_NAME, " ", question[:1].lower() + question[1:]).strip()
    asking = profile(question).asking
    before = question[: asking[0][0]] if asking else ""
    subject = _subject_zh(question).text
    return question[len(subject) :] if subject and before.startswith(subject) else question[len(before) :]


_NOISE_ZH = re.compile(r"^(?:请问|那么?|然后|还有|再问一下|我想知道|顺便问一下|你知道)+[，,]?")
_COPULA_ZH = re.compile(r"(?:[是叫在由]|位于|来自)$")
_LINK_ZH = re.compile(r"(?:一共|总共|目前|现在|最近|大概|大约|到底|究竟|具体|[都是叫在由有了将被])+$")
_EARLIER_ZH = re.compile(r"^(?:最近|近日|日前|目前|现在|昨[天日]|今天)")
_HEAD_ZH = (
    r"(?:[心司团院校局厅委部会坛展赛园区港桥线路站馆楼厂店村镇市县省街件卡机器船车号次届批岛湖河]|项目|工程|系统|平台|计划|方案"
    r"|行动|活动|产业|企业|联盟|基地|工作|制度|品牌|技术|产品|科技|股份|集团|银行|汽车|医疗|智能|高铁|地铁|电影|展览|节目|比赛|家庭)"
)
"""How nouns end after which a bare verb may stand."""
_VERB_LEFT_ZH = re.compile(r"[一-鿿]{2}[到得过成出进入]$")
_ENDS_AS_NOUN = re.compile(_HEAD_ZH + r"$")
_COVERB_ZH = re.compile(
    r"(?<![现存所潜正内实好自])(?:在(?!线|建|职|校|册|京|津)|被|从(?!事|业)|把(?!手|关)|将(?![军来领]))"
)
_ABSTRACT_ZH = re.compile(
    r"(?:[量率额数费价度长宽高积重距期址题资值]|时间|地点|名称|名字|主题|规模|比例|票价|范围|原因|目标)$"
)
"""What is asked of a thing, not the thing itself."""
_WHEN_ZH = re.compile(r"^(?:[去今明前]年|[本上下]月|(?:19|20)\d\d年)的?")
_OF_A_PART = frozenset({AnswerType.NUMBER, AnswerType.DURATION, AnswerType.PERSON, AnswerType.OTHER})


def _subject_zh(text: str) -> Subject:
    """The words before the first asking one, without an attribute (的面积) and without a verb that is left over."""
    asked = profile(text)
    things = _things_zh(text, asked)
    if not asked.asking:
        return Subject(_trimmed(text), True, things)
    raw = text[: asked.asking[0][0]]
    before = _EARLIER_ZH.sub("", _trimmed(raw)) or _trimmed(raw)
    owner = _owner_zh(before, asked, things)
    if owner:
        return Subject(owner, True, things)
    if before.endswith("的") and things:  # 在青石镇试飞的是哪家公司
        return Subject(things, True)
    if len(before) >= _LEAST_SUBJECT:
        head = _without_verb(before)
        is_phrase = head != before or _COPULA_ZH.search(raw) is not None or _measures(text, asked)
        return Subject(head, is_phrase or bool(_ENDS_AS_NOUN.search(head)), things)
    if len(before) > 1 and _measures(text, asked):
        return Subject(before, True, things)
    for start, end in reversed(asked.asking):
        text = f"{text[:start]} {text[end:]}"
    return _behind(_trimmed(" ".join(text.split())), asked, things)


_DONE_ZH = re.compile(r"^[一-鿿]{1,5}[了过](?P<thing>[^，,]{3,})$")


def _behind(rest: str, asked: QuestionProfile, things: str) -> Subject:
    """The subject of a question that begins by asking: 谁设计了青石大桥, 谁是青石集团的董事长."""
    done = _DONE_ZH.match(rest)
    if done and asked.types[0] in {AnswerType.PERSON, AnswerType.ORGANISATION}:
        return Subject(done["thing"], True, things)
    if rest.startswith("是"):
        rest = rest[1:]
        return Subject(_owner_zh(rest, asked, "") or rest, True, things)
    return Subject(rest, False, things)


def _owner_zh(before: str, asked: QuestionProfile, things: str) -> str:
    """青石大桥 of 青石大桥的主跨 where the span is measured; empty where the thing itself is asked about."""
    owner, _, attribute = before.rpartition("的")
    if len(owner) < _LEAST_SUBJECT or len(attribute) > _LONGEST_ATTRIBUTE or re.search(r"\d|第", attribute):
        return ""
    kind = asked.types[0]
    if _ABSTRACT_ZH.search(attribute) or (kind in _OF_A_PART and not things and attribute):
        return _without_verb(_trimmed(owner))
    return ""


def _measures(text: str, asked: QuestionProfile) -> bool:
    """Whether a quality is asked for (多长, 什么时候), which follows its subject without a verb."""
    return re.match(r"多[长高大宽深重远久]|有|什么时候|何时", text[asked.asking[0][0] :]) is not None


_VERBS_ZH = (
    "完成|提出|开通|成立|建成|举办|召开|举行|发布|实现|达到|增长|吸引|新增|建设|培育|设立|拥有|覆盖|推出|获得|入选|启动|开展|签署|计划|要求"
    "|责令|整改|查处|引进|参加|参与|生产|销售|出口|进口|投入|使用|安排|提供|支持|发放|预计|邀请|接待|入驻|运营|新建|改造|改建|投资|开放|服务"
    "|出动|组织|包括|包含|涉及|收到|种植|修建|采购|招聘|招收|培训|来自|位于|属于|开工|开业|开馆|开园|通车|投用|上市|落户|占地|申请|竞争|报名|出台|公布|印发|揭牌|亮相"
)
"""Verbs that news questions often put between a subject and its asking word."""
_ENDS_AS_VERB = re.compile(rf"(?:{_VERBS_ZH})$")


_VERB_AFTER_NOUN = re.compile(rf"(?<=[一-鿿]{{2}}){_HEAD_ZH}[建设开办造修装放卖送发签用花投来去]$")


def _without_verb(text: str) -> str:
    """`text` up to what happened there (论坛在…来, 中心盖到), unless that belongs to the noun (在…设的平台)."""
    for match in _COVERB_ZH.finditer(text):
        if match.start() >= _LEAST_HEAD and "的" not in text[match.end() :]:
            text = _trimmed(text[: match.start()])
            break
    left = _VERB_LEFT_ZH.search(text)
    for size in (2, 3) if left else ():
        if len(text) - size >= _LEAST_HEAD and _ENDS_AS_NOUN.search(text[:-size]):
            return text[:-size]
    if _VERB_AFTER_NOUN.search(text):
        return text[:-1]
    head = text
    while _ENDS_AS_VERB.search(head) and len(head) > _LEAST_HEAD:
        head = _trimmed(head[:-2])
        if _ENDS_AS_NOUN.search(head):
            return head
    return text


_COUNTED_ZH = re.compile(
    r"(?:多少|几|哪[几些一两三四五六七八九十\d]*)(?:余|多)?[个家条项次些位座所批款种届场部份组台辆艘架套处类支只件名]?"
    r"(?P<things>[一-鿿A-Za-z]{2,12})[？?。]?$"
)


def _things_zh(text: str, asked: QuestionProfile) -> str:
    """智能工厂 of 培育了多少家智能工厂; empty where no things are counted or listed."""
    match = _COUNTED_ZH.search(text)
    if not match or not asked.asking or match.start() > asked.asking[-1][1]:
        return ""
    things = _ENDS_AS_VERB.sub("", match["things"])
    if len(things) < _SHORTEST_THING or re.search(r"^(?:已|正|将|被|不|还|没|能|可|会)|[了过吗呢的]|[是有]$", things):
        return ""
    clause = _trimmed(text[: match.start()]).removesuffix("的")
    return f"{clause}的{things}" if len(clause) >= _LEAST_SUBJECT else things


def _trimmed(text: str) -> str:
    return _LINK_ZH.sub("", text.strip(" ，,。？?！!：:"))


_FUNCTION_WORDS_EN = (
    "what which who whom whose when where why how many much long far old often did does do is are was were has have "
    "had will would can could should may please tell me about the a an of in on at to for by and or with from as that "
    "this there it its he she they his them their her any some"
)
_STOP_EN = frozenset(_FUNCTION_WORDS_EN.split())
_AUXILIARY_EN = re.compile(r"\b(?:do|does|did|will|can|could|would)\b", re.IGNORECASE)
_PHRASE_EN = re.compile(r"(?:\b(?:the|a|an)\s+|\b(?=[A-Z]))[^,?]+$")
_AFTER_EN = re.compile(r"\b(?:do|does|did|will|can|could|would|is|are|was|were|has|have|had)\s+(?=the\s|an?\s|[A-Z])")
_VERB_EN = re.compile(r"(?:\w+(?:ed|ing)|built|held|made|found|set|won|run|open|opened|start|begin|cost|called|take)$")
_ATTRIBUTE_EN = re.compile(r"^(?:the|an?)\s+[a-z]+(?:\s[a-z]+)?\s+of\s+(?=the\s|[A-Z])")
_NAMED_EN = re.compile(r"\b(?:the\s+)?[A-Z][\w'’-]*(?:\s+[\w'’-]+)*$|\b(?:the\s+)[A-Z][^,?]*$")
_INDEFINITE_EN = re.compile(r"\ban?\s+$")
_PLACED_EN = re.compile(r"\b(?:in|on|at|near)\s+$")
_WHERE_EN = re.compile(r"\s(?:in|on|at|by|during|from|to|for|per)\s.*$")


def _subject_en(text: str) -> Subject:
    """The noun phrase behind the auxiliary or at the end; the telling words where there is none."""
    phrase = _phrase_en(text.strip(" ?."))
    if phrase:
        return Subject(phrase, True)
    words = re.findall(r"[\w'’.-]*\w", text)
    if _AUXILIARY_EN.search(text) and len(words) > 4 and words[-1].islower():
        words = words[:-1]  # when does the bridge open
    return Subject(" ".join(word for word in words if word.lower() not in _STOP_EN))


def _phrase_en(text: str) -> str:
    """`the north bridge` of "When does the north bridge open"; empty when its end cannot be told."""
    auxiliary = list(_AFTER_EN.finditer(text))
    phrase = _until_verb_en(text[auxiliary[0].end() :], auxiliary[0].group()) if auxiliary else ""
    if not any(word[0].isupper() for word in phrase.split()):  # the price of power from the Reef wind farm
        named = _NAMED_EN.search(text, 1)
        if _INDEFINITE_EN.search(text[: named.start()] if named else ""):  # who filed for a Qing Bay listing
            return ""
        if named and not _PLACED_EN.search(text[: named.start()]):
            phrase = _until_verb_en(named.group(), "")
    behind = None if phrase else _PHRASE_EN.search(text, 1)
    if not behind or _PLACED_EN.search(text[: behind.start()]):
        return phrase
    return _WHERE_EN.sub("", behind.group()).strip()


def _until_verb_en(rest: str, auxiliary: str) -> str:
    """`rest` without the verb that ends it and without where or when it happens."""
    does = _AUXILIARY_EN.search(auxiliary) is not None
    words = rest.split()
    if does and len(words) > 2 and words[-1].islower() and words[-2][0].isupper():  # the flight to Port Qing start
        return " ".join(words[:-1])
    words = _ATTRIBUTE_EN.sub("", _WHERE_EN.sub("", rest).strip()).split()
    if len(words) > 1 and words[-1].islower() and (does or _VERB_EN.fullmatch(words[-1])):
        words = words[:-1]
    lower = [i for i, word in enumerate(words) if word.islower() and word not in {"the", "of", "a", "an", "and"}]
    named = [i for i, word in enumerate(words) if word[0].isupper()]
    if does and named and len([i for i in lower if i > named[-1]]) > 2:  # a verb and its object among them
        return " ".join(words[: named[-1] + 1])
    return " ".join(words)
