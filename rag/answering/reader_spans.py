"""Spans of a sentence that could be the answer itself, found by rule for each kind of answer.

These are candidates, not decisions: the reader weighs them by what stands near them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.answering.question_type import AnswerType

Span = tuple[int, int]

_AMOUNT = r"\d+(?:[.,]\d+)*(?:[万亿千百兆]+)?[余多来]?(?:万亿|[万亿千百])?"
_CN_AMOUNT = r"[〇零一二三四五六七八九十百千万亿两]+[余多来]?"
_UNIT = (
    r"(?:平方公里|平方米|立方米|个百分点|千瓦时|亿?美元|人次|公里|千米|毫米|厘米|公顷|小时|分钟|周年|个月|公斤|千克|兆瓦|千瓦"
    r"|[亿万]?元|℃|%|p|[年月日天周岁秒米吨亩度里斤克家个项名人件次所条台辆套座处户场种类批部架艘届轮期层栋间张位趟班例支只枚颗篇本款"
    r"株棵头桶箱集门级分票对列节站起宗笔成倍线块]|多个|余个)"
)
_NUMBER = re.compile(
    rf"{_AMOUNT}{_UNIT}?以?[上下]?|{_CN_AMOUNT}{_UNIT}|[两三四五六七八九十]+大(?=[一-鿿])|百分之[〇零一二三四五六七八九十百点\d.]+|半数|一半"
)
_DATE = re.compile(
    r"(?:(?:(?:19|20)\d{2}年)?\d{1,2}月(?:\d{1,2}[日号])?(?:上旬|中旬|下旬|初|底|末)?(?:[至-]\d{1,2}[日号])?"
    r"|(?:19|20)\d{2}年(?:初|底|末|春|夏|秋|冬|上半年|下半年)?|(?<!\d)\d{1,2}[日号](?!线)"
    r"|(?:19|20)\d{2}-\d{1,2}-\d{1,2}|昨[日天晚]|今[日天晚年]|明[日天年]|前[日天年]|去年|日前|近日|本周[一二三四五六日末]?"
    r"|本月(?:初|底|末)?|上[周月]|下[周月]|当[日天年]|周[一二三四五六日末]|[元国]庆?旦|春节|(?:上午|下午|凌晨|晚上?)?\d{1,2}(?:时|点|:\d{2}))"
    r"(?:\d{1,2}(?:时|点))?"
)
_DURATION = re.compile(
    r"(?:\d+(?:\.\d+)?|[一二三四五六七八九十两半数百]+)[余多来]?个?(?:年|月|天|日|周|星期|小时|分钟|秒|季度|载|岁)(?:半|多|以上|时间)?"
)
_CALENDAR = re.compile(r"\d+[月日]|(?:19|20)\d{2}年")
"""A day, a month or a year of the calendar, not how long something takes."""
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛范彭郎鲁韦马苗凤花方俞任袁柳鲍史唐费廉"
    "岑薛雷贺倪汤滕殷罗毕郝安常乐于时傅皮齐康伍余顾孟平黄和穆萧尹姚邵湛汪祁毛狄米贝明臧计伏成戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵"
    "席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀惠甄"
    "曲封储靳段富巫乌焦巴牧谷车侯宓蓬全班仰秋仲伊宫宁仇栾甘厉祖武符刘景詹束龙叶幸司黎薄印宿白怀蒲台从鄂索咸赖卓蔺屠蒙池乔阴"
    "闻党翟谭贡劳姬申扶堵冉宰桑桂牛寿通边扈燕冀浦尚农温庄晏柴瞿阎充慕连茹习艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广禄东欧"
    "殳沃利蔚越隆师巩聂晁勾敖融冷辛阚那简饶空曾母沙养鞠须丰关蒯相查后荆红游竺权盖益桓公佟岳"
)
_PERSON_CUE = (
    r"(?:表示|介绍|说|告诉|指出|强调|认为|主持|出席|透露|坦言|谈到|讲述|感慨|回忆|解释|直言|参加|会见|致辞|讲话|同志|先生|女士|教授|博士|老师"
    r"|院士|主任|医生|涉嫌|带领|率|担任|当选|获|[,，、。:：)(]|的)"
)
_ROLE = (
    r"(?:书记|主任|市长|部长|局长|院长|校长|会长|主席|总裁|董事长|总经理|经理|负责人|处长|科长|所长|社长|行长|站长|队长|教练|教授|院士|专家"
    r"|博士|研究员|工程师|医生|医师|护士|记者|代表|委员|检察长|秘书长|馆长|厂长|镇长|区长|县长|省长|总理|总统|首相|部|员|家|者|人|长|师|手|民|工"
    r"|司机|农民|市民|居民|村民|选手|运动员|同学|学生|老人|女士|创始人|作家|诗人|皇帝|国王|将军|导演|演员|歌手)"
)
_PERSON = re.compile(rf"(?:(?<=[、,，。:：“”《》( ])|^)[{_SURNAMES}][一-鿿]{{1,2}}(?={_PERSON_CUE})")
_PERSON_AFTER_ROLE = re.compile(
    rf"(?P<role>{_ROLE})(?P<name>[{_SURNAMES}][一-鿿]{{1,2}})(?=[一-鿿,，、。:：;；!？?)(]|$)"
)
_FOREIGN_NAME = re.compile(r"[一-鿿]{2,6}(?:[·•・‧.][一-鿿]{1,8})+|[a-z]+ [a-z]+")
_PLACE = re.compile(
    r"[一-鿿]{1,8}?(?:自治区|开发区|保税区|街道|广场|公园|码头|水库|机场|大厦|高新区|经开区|[省市区县镇乡村街路港园国州岛山河湖海江楼馆站桥洲湾城府寺宫殿庙里场厅])"
)
_ORGANISATION = re.compile(
    r"[一-鿿a-z（）()]{2,20}?(?:有限责任公司|有限公司|公司|集团|大学|学院|医院|银行|出版社|研究院|研究所|实验室|设计院|委员会|联合会|基金会|法院"
    r"|检察院|协会|学会|商会|联盟|论坛|中心|中学|小学|工厂|俱乐部|交易所|[局厅委部署社院所厂校会])"
)
_QUOTED = re.compile(r"[“「『《\"][^”」』》\"]{1,40}[”」』》\"]")
_ENUMERATION = re.compile(r"[^,，;；。、:：]{1,24}(?:、[^,，;；。、:：]{1,30})+")

_RULES: dict[AnswerType, tuple[re.Pattern[str], ...]] = {
    AnswerType.NUMBER: (_NUMBER,),
    AnswerType.DATE: (_DATE,),
    AnswerType.DURATION: (_DURATION,),
    AnswerType.PERSON: (_PERSON_AFTER_ROLE, _PERSON, _FOREIGN_NAME),
    AnswerType.PLACE: (_PLACE,),
    AnswerType.ORGANISATION: (_ORGANISATION,),
    AnswerType.NAME: (_QUOTED,),
    AnswerType.LIST: (_ENUMERATION,),
}


@lru_cache(maxsize=8192)
def typed_spans(folded: str, kind: AnswerType) -> tuple[Span, ...]:
    """Spans of `folded` that could name an answer of this kind, in order; empty for `OTHER`."""
    spans: set[Span] = set()
    for pattern in _RULES.get(kind, ()):
        for match in pattern.finditer(folded):
            if kind is AnswerType.NUMBER and _is_ordinal_or_date(folded, *match.span()):
                continue
            if kind is AnswerType.DURATION and _CALENDAR.fullmatch(match.group()):
                continue
            spans.add(match.span("name") if "name" in pattern.groupindex else match.span())
    return tuple(sorted(spans))


def _is_ordinal_or_date(text: str, start: int, end: int) -> bool:
    """第13届, 7月, 2025年 count nothing."""
    if text[start - 1 : start] == "第" or (text[end - 1] in "月日号" and text[end - 2] != "个"):
        return True
    return text[end - 1] == "年" and text[start : end - 1].isdigit() and end - start == 5


def has_unit(answer: str, units: tuple[str, ...]) -> bool:
    """Whether the number `answer` ends in one of `units` (or in a longer unit made of them)."""
    tail = answer.lstrip("0123456789.,万亿千百兆余多来〇零一二三四五六七八九十两")
    return any(unit in tail or unit in answer[-3:] for unit in units)
