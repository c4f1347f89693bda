"""What a question asks for: the kinds of answer it expects, its unit, its parts, its binding details.

Everything here is read off the question's own words by rule, in Chinese and English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rag.answering.reader_text import fold_keep
from rag.numerals import whole_number
from rag.tokens import detect_language

Span = tuple[int, int]


class AnswerType(StrEnum):
    """The kind of thing that an answer must name."""

    NUMBER = "number"
    DATE = "date"
    DURATION = "duration"
    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    NAME = "name"
    """What something is called: a title, a programme, an award."""
    LIST = "list"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class QuestionProfile:
    """A question as the reader sees it."""

    text: str
    """Width, case and script folded, as long as the question asked."""
    language: str
    types: tuple[AnswerType, ...]
    """At least one, in the order of the asking words."""
    units: tuple[str, ...]
    """Chinese units that a number in the answer may carry; empty when any may."""
    asking: tuple[Span, ...]
    """Spans of `text` that ask (多少家, which year): they need no match in an article."""
    attribute: tuple[Span, ...]
    """Spans of `text` beside the asking words: they name what is asked of the thing (总投资, prize money)."""
    years: tuple[str, ...]
    """Four-digit years that the question names."""
    ordinals: tuple[int, ...]
    """Values of ordinals that the question names (第二十七批, the 13th awards)."""


# Units that say the same thing; a question for one accepts the others.
_UNIT_CLASSES: tuple[tuple[str, ...], ...] = (
    ("人", "名", "位", "人次", "户", "口", "个"),
    ("家", "个", "户", "所"),
    ("亿元", "万元", "元", "美元", "欧元"),
    ("平方米", "平方公里", "亩", "公顷", "㎡"),
    ("公里", "千米", "米", "毫米", "厘米", "里"),
    ("%", "成", "倍", "个百分点"),
    ("吨", "公斤", "千克", "克", "斤"),
    ("天", "日"),
    ("个月", "月"),
    ("年", "周年", "载"),
    ("小时", "分钟", "秒", "天", "个月", "年", "周"),
    ("台", "部", "辆", "套", "架", "艘"),
    ("次", "轮", "趟", "届", "回", "场"),
    ("项", "个", "条", "件", "种", "类", "批"),
    ("岁", "周岁"),
    ("℃", "度"),
    ("千瓦", "兆瓦", "度", "千瓦时"),
)  # fmt: skip
_UNITS = sorted({u for group in _UNIT_CLASSES for u in group} | {
    "座", "处", "层", "栋", "间", "张", "班", "例", "支", "只", "枚", "颗", "期", "篇", "本", "款", "株", "棵",
    "头", "桶", "箱", "万", "亿", "p", "集", "门", "级", "分", "票", "对", "列", "节", "站", "起", "宗", "笔",
}, key=len, reverse=True)  # fmt: skip
_UNIT_ALTERNATIVES = "|".join(map(re.escape, _UNITS))

# What a bare "多少" measures, told by a noun of the question -> units.
_MEASURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"百分之(?:几|多少)|几成|占比|比例|\bpercentage\b|\bwhat (?:percent|proportion|share)\b", ("%", "成")),
    (r"面积|多大地|square met|hectare|\bm2\b|floor space|\barea\b", ("平方米", "平方公里", "亩", "公顷")),
    (
        r"多少钱|投资|产值|收入|营收|销售额|金额|合同额|补贴|贷款|资金|税|利润|价|费用|总额|成本|市场规模"
        r"|money|invest|revenue|cost|value|sales?\b|sell|worth|price|fund|budget|yuan|profit|spend|spent|paid",
        ("亿元", "万元", "元", "美元"),
    ),
    (r"比例|占比|比重|几成|增长率|增速|百分|涨幅|降幅|同比|率|percent|proportion|share|\brate\b", ("%", "成")),
    (r"多长时间|多久|how long did|how long does|how often|duration", ("年", "个月", "天", "小时", "分钟", "秒", "周")),
    (r"多长|全长|里程|长度|多远|how long|how far|length|distance|kilomet", ("公里", "千米", "米", "毫米", "厘米")),
    (r"多高|高度|多宽|多深|how tall|how high|how deep|how wide", ("米", "毫米", "厘米")),
    (r"多重|载重|重量|how heavy|weigh|tonne|payload", ("吨", "公斤", "万吨", "亿吨", "千克", "克", "斤")),
    (r"多大年纪|年龄|多少岁|几岁|how old", ("岁", "年")),
    (r"气温|温度|几度|temperature", ("℃", "度")),
)

_COUNTED_EN = tuple(
    (re.compile(rf"\bhow many (?:\w+[ -]){{0,3}}?(?:{nouns})\b"), units)
    for nouns, units in (
        (
            "people|persons|passengers|visitors|guests|tourists|residents|students|pupils|teachers|engineers|workers"
            "|employees|staff|doctors|nurses|athletes|participants|representatives|delegates|experts|members|volunteers"
            "|officials|managers|children|adults|men|women|households|families|spectators|journalists",
            ("人", "名", "位", "人次", "户", "口", "个"),
        ),
        (
            "compan(?:y|ies)|firms?|enterprises?|factor(?:y|ies)|hospitals?|schools?|shops?|banks?",
            ("家", "个", "户", "所"),
        ),
        ("tonnes?|tons?|kilogram(?:me)?s?|kilos?|grams?", ("吨", "公斤", "千克", "克", "斤")),
        ("square (?:kilo)?met(?:er|re)s|hectares|acres|mu", ("平方米", "平方公里", "亩", "公顷", "㎡")),
        ("kilomet(?:er|re)s|met(?:er|re)s|miles|km", ("公里", "千米", "米", "里")),
        ("yuan|dollars?|euros?|rmb", ("亿元", "万元", "元", "美元", "欧元", "亿", "万")),
        ("cars|vehicles|buses|trucks|lorries|trains", ("辆", "台", "部", "列", "套", "个")),
        ("percent(?:age points)?|per cent", ("%", "成", "倍", "个百分点")),
    )
)
"""Units of what "how many" counts."""
MEASURE_UNITS = frozenset(units for _, units in _MEASURES)
"""Units of the measures that a question can name without a unit (面积, how much money)."""

_ZH_ASKING: tuple[tuple[str, AnswerType], ...] = (
    (r"几月几[号日]|哪[一]?天|几[号日]|哪[一]?年(?!级)|何年|何月|哪个月|几月份?|什么时候|啥时候|何时|什么时间|几时"
     r"|几点|哪[一]?日|什么日子|(?:星期|礼拜|周)几", AnswerType.DATE),
    (r"多长时间|多久|几个(?:月|小时|星期)|几(?:天|年|周|小时|分钟)|多少(?:天|年|个月|小时|分钟|秒|个年头)",
     AnswerType.DURATION),
    (r"谁|何人|哪位|哪[一几]?(?:名|个人)|什么人|叫什么名字|姓什么|名叫什么"
     r"|(?<=[者员长师记任授士事手家官])的?(?:名字)?(?:叫|是)(?:什么|啥)(?![样么的])"
     r"|(?<=[责始办法评起投选发创持继]人)的?(?:名字)?(?:叫|是)(?:什么|啥)(?![样么的])", AnswerType.PERSON),
    (r"哪[一几两三四五六]?(?:家|所|个(?:单位|部门|机构|公司|企业|集团|团队|大学|学校|医院))|什么(?:单位|部门|机构|公司|企业)"
     r"|哪些(?:单位|部门|机构|公司|企业|大学|高校|医院)", AnswerType.ORGANISATION),
    (r"哪里|哪儿|何处|何地|什么地方|哪个(?:地方|城市|区|县|镇|村|国家|省|街道|地区|省份)"
     r"|哪[几些](?:个)?(?:地方|城市|区|县|国家|省份?|地区)|哪[国省市区县镇村]"
     r"|哪一?条(?:路|街|大街|大道|马路|河)", AnswerType.PLACE),
    (rf"多少(?:余|多)?(?:{_UNIT_ALTERNATIVES})?|(?<![哪第])几(?!乎|何|经|番)(?:{_UNIT_ALTERNATIVES})?|多大|多高|多长|多重|多远|多宽|多深|多快|多厚",
     AnswerType.NUMBER),
    (r"叫什么|叫啥|什么名[字称]?|名[字称](?:是|叫)?(?:什么|啥)|什么(?:奖|称号|主题|项目|技术|名目|颜色)|哪(?:一)?(?:项|部|本|款|条|趟|种|份|座)",
     AnswerType.NAME),
    (r"哪些|哪几|分别是|各是|包括什么", AnswerType.LIST),
    (r"第几[一-鿿]?|什么|啥|怎么样|怎样|怎么|如何|为何|为什么|哪个?|吗|呢", AnswerType.OTHER),
)  # fmt: skip
_EN_ASKING: tuple[tuple[str, AnswerType], ...] = (
    (r"\b(?:on|in|by|from|until)?\s*(?:what|which) (?:date|day|year|month|time)\b|\bwhen\b", AnswerType.DATE),
    (r"\bhow long (?:did|does|has|have|will|was)\b|\bhow many (?:years|months|days|hours|minutes|seconds|weeks)\b"
     r"|\bhow often\b|\bhow old\b", AnswerType.DURATION),
    (r"\bwhom?\b|\bwhose\b|\b(?:which|what) (?:former |senior |new |chief )*(?:person|official|leader|mayor|secretary"
     r"|director|minister|coach|doctor|professor|scientist|president|chairman|name of the (?:person|man|woman))\b",
     AnswerType.PERSON),
    (r"\b(?:which|what) (?:\w+ )?(?:compan(?:y|ies)|institutions?|organi[sz]ations?|universit(?:y|ies)|hospitals?"
     r"|ban(?:k|ks)|firms?|agenc(?:y|ies)|departments?|groups?|bureaus?|committees?|enterprises?)\b",
     AnswerType.ORGANISATION),
    (r"\bwhere\b|\b(?:which|what) (?:\w+ )?(?:cit(?:y|ies)|countr(?:y|ies)|districts?|towns?|provinces?|places?"
     r"|regions?|rivers?|lakes?|reservoirs?|stations?|streets?|villages?|ports?|ha(?:ll|lls)|venues?)\b",
     AnswerType.PLACE),
    (r"\bhow (?:many|much|large|big|tall|high|deep|wide|far|heavy|long|fast)\b"
     r"|\bwhat (?:\w+ ){0,4}?(?:percentage|percent|proportion|share|rate|amount|number|total"
     r"|size|area|length|value|temperature)\b", AnswerType.NUMBER),
    (r"\bwhat (?:is|was|are|were) (?:the name|the title|\w+ called)\b"
     r"|\bwhat (?:name|title|nickname|award|prize|theme)\b",
     AnswerType.NAME),
    (r"\b(?:what|which) (?:two|three|four|five|six|seven|eight|nine|ten|several|\w+s)\b", AnswerType.LIST),
    (r"\bwhat\b|\bwhich\b|\bwhy\b|\bhow\b", AnswerType.OTHER),
)  # fmt: skip
_ASKING = {
    language: tuple((re.compile(pattern), kind) for pattern, kind in rules)
    for language, rules in (("zh", _ZH_ASKING), ("en", _EN_ASKING))
}
_UNIT_AFTER_ASKING = re.compile(rf"(?:多少|几)(?:余|多)?({_UNIT_ALTERNATIVES})")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d|[.,]\d)")
_ZH_ORDINAL = re.compile(r"第([〇零一二三四五六七八九十百\d]+)")
_EN_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_EN_ORDINAL_WORDS = {
    word: value
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth",
        ),
        start=1,
    )
}

_EN_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_EN_ORDINAL_IN_WORDS = re.compile(rf"(?:\b({'|'.join(_EN_TENS)})[- ])?\b([a-z]+)\b")


def profile(question: str) -> QuestionProfile:
    """What `question` asks for."""
    text = fold_keep(question)
    language = detect_language(question)
    types, asking = _asking(text, language)
    return QuestionProfile(
        text=text,
        language=language,
        types=types or (AnswerType.OTHER,),
        units=_units(text),
        asking=asking,
        attribute=tuple(_beside(text, span, language) for span in asking),
        years=tuple(dict.fromkeys(_YEAR.findall(text))),
        ordinals=ordinals(text),
    )


def _asking(text: str, language: str) -> tuple[tuple[AnswerType, ...], tuple[Span, ...]]:
    """Types and spans of the asking words, left to right; a more telling rule goes before a vaguer one."""
    taken = [False] * len(text)
    found: list[tuple[int, int, AnswerType]] = []
    for pattern, kind in _ASKING[language]:
        for match in pattern.finditer(text):
            if match.start() < match.end() and not any(taken[match.start() : match.end()]):
                taken[match.start() : match.end()] = [True] * (match.end() - match.start())
                found.append((match.start(), match.end(), kind))
    found.sort()
    telling = [kind for _, _, kind in found if kind is not AnswerType.OTHER]
    return tuple(dict.fromkeys(telling)), tuple((start, end) for start, end, _ in found)


def has_asking(text: str, language: str) -> bool:
    """Whether `text` holds a word that asks."""
    folded = fold_keep(text)
    return any(pattern.search(folded) for pattern, _ in _ASKING[language])


_BREAK = re.compile(r"[,，.。;；:：?？!！]")


def _beside(text: str, asking: Span, language: str) -> Span:
    """The words around an asking word, as far as the next punctuation."""
    before, after = (7, 5) if language == "zh" else (0, 28)
    first, last = max(0, asking[0] - before), min(len(text), asking[1] + after)
    stops = [m.end() for m in _BREAK.finditer(text, first, asking[0])]
    stop = _BREAK.search(text, asking[1], last)
    return stops[-1] if stops else first, stop.start() if stop else last


def _units(text: str) -> tuple[str, ...]:
    """Units that fit: those named with the asking word and their equals, else those of the measured noun."""
    named = _UNIT_AFTER_ASKING.findall(text)
    if named:
        units = list(dict.fromkeys(named))
        for unit in named:
            units += [other for group in _UNIT_CLASSES if group[0] == unit or unit in group[:2] for other in group]
        return tuple(dict.fromkeys(units))
    if re.search(r"\bhow many\b", text):
        return next((units for pattern, units in _COUNTED_EN if pattern.search(text)), ())
    for pattern, units_of_measure in _MEASURES:
        if re.search(pattern, text):
            return units_of_measure
    return ()


def ordinals(text: str) -> tuple[int, ...]:
    """Values of the ordinals in `text` (folded), in order, without repetition."""
    values = [whole_number(m.group(1)) for m in _ZH_ORDINAL.finditer(text)]
    values += [int(m.group(1)) for m in _EN_ORDINAL.finditer(text)]
    for tens, word in _EN_ORDINAL_IN_WORDS.findall(text):
        if word in _EN_ORDINAL_WORDS and (tens or word != "second"):
            values.append(_EN_TENS.get(tens, 0) + _EN_ORDINAL_WORDS[word])
    return tuple(dict.fromkeys(v for v in values if v is not None))
