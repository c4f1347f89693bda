"""The words by which newspapers mark where a story begins or ends, as regular expressions.

Kept apart from what is done with them (`newspaper_lines`), so that a paper of another town with another habit is one
more alternative here. Each pattern is matched against one line without its outer white space.
"""

from __future__ import annotations

import re

_NAME = r"(?:[一-鿿]{1,3}[·•][一-鿿]{1,6}|[一-鿿]{2,4}|[一-鿿] [一-鿿](?![一-鿿]))"
_OUTLET = r"(?:本报|本刊|本网|本台|[一-鿿]{2,6}(?:社|报|网|台|融媒体?))"
_WRITER = (
    rf"(?:{_OUTLET}?(?:首席|特约|特派|实习|见习|驻[一-鿿]{{2,4}})?(?:全媒体|融媒体?)?"
    r"(?:记者|通讯员|作者|撰文|撰稿|编译|评论员))"
)
# What follows 记者 or 作者 without being a name: labels and the openings of sentences.
_NO_NAME = (
    r"(?!手记|观察|调查|探访|走访|感言|简介|笔记|提问|见面|评论|视点|从|在|了解|获悉|采访|发现|看到|注意|来到"
    r"|节|会|站|团|证|协会|说|问|记者|通讯员)"
)
# The commonest surnames; only where nothing but the name itself says that it is one.
_SURNAME = (
    "[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕张孔曹严华金魏陶姜戚谢邹喻苏潘葛范彭郎鲁韦马苗方俞任袁柳史唐费廉岑薛"
    "雷贺倪汤滕殷罗毕郝邬安常乐于傅卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄米贝明臧计伏成戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路"
    "江童颜郭梅林钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房丁邓洪包左石崔吉龚程邢裴陆荣翁段侯武刘景龙叶司黎白赖卓池乔闻党翟"
    "谭冉桑牛边燕尚温庄晏柴阎连茹习关师曾沙丰巢蒯游肖聂辛佟]"
)
_BARE = rf"{_SURNAME}[一-鿿]{{1,2}}(?:[\s、]+{_SURNAME}[一-鿿]{{1,2}}){{0,5}}"
_NAMES = rf"{_NO_NAME}{_NAME}(?:[\s、,，/]+(?:{_WRITER}[\s:：]{{0,9}})?{_NAME}){{0,9}}"
BULLETS = "■□●○◆◇▲△▶►★☆◎※•·▪"
_BULLET = f"[{BULLETS}]"
_AGENCY = r"(?:新华社|中新社|新华网|中新网|人民网|央视|[一-鿿]{2,6}(?:社|网|报))"
_PAGE = r"(?:第)?\s{0,9}[\dA-Za-z一二三四五六七八九十０-９]{1,4}\s{0,9}版"

LEAD = re.compile(
    rf"{_BULLET}?\s{{0,9}}(?:"
    r"[【〔\[(（]?\s{0,9}(?:本报|本刊|本网|本台|晚报|日报|早报)[一-鿿0-9]{0,8}(?:综合)?(?:消息|讯|电)(?![一-鿿]{0,2}[号码])"
    rf"|[一-鿿]{{2,8}}讯\s{{0,9}}[(（]\s{{0,9}}{_WRITER}|(?:据)?{_AGENCY}[一-鿿/、()（）]{{0,16}}\s{{0,9}}(?:\d{{1,2}}月)?\d{{1,2}}日\s{{0,9}}(?:综合|专|体育)?(?:电|讯|消息)"
    rf"|[(（]\s{{0,9}}{_WRITER}[\s:：]{{0,9}}{_NAMES}[^()（）。]{{0,20}}[)）]\s{{0,9}}[一-鿿“‘《0-9]"
    r")"
)
"""Opens a body: 本报讯(记者 …), 新华社…电, (记者 …)…."""

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*"
LATIN_LEAD = re.compile(
    rf"[A-Z][A-Z.' -]{{2,30}}(?:, [A-Za-z. ]{{2,25}})?(?:,? {_MONTH}\.? \d{{1,2}})?"
    r"\s{0,9}(?:\([A-Za-z .]{2,20}\)\s{0,9})?(?:--|[—–]|-\s)\s{0,9}[\"“A-Z]"
)
"""Opens a body: BEIJING, Jan. 5 (Xinhua) -- ."""

_JOB = r"(?:\s{0,9}(?:综合报道|摄影报道|报道|文并?摄|文/图|图/文|文/摄|/?文|图))*"
MARKED_BYLINE = re.compile(
    rf"{_BULLET}\s{{0,9}}(?:图文|文图|文|图)?[/\s]{{0,9}}(?:(?:{_BARE}\s+)?{_WRITER}[\s:：]{{0,9}}{_NAMES}|{_BARE}){_JOB}"
)
"""Names after a bullet, printed above a body: ■ 记者 …."""

PLAIN_BYLINE = re.compile(
    rf"[(（【]?\s{{0,9}}(?:图文|文字|文)?[/\s]{{0,9}}{_WRITER}[\s:：]{{0,9}}{_NAMES}{_JOB}\s{{0,9}}[)）】]?"
)
"""Names without a bullet, above or below a body: 记者 …."""

LATIN_BYLINE = re.compile(r"(?:By|BY) (?:[A-Z][\w.'’-]{0,30}[ ,]{0,3}(?:and |de |van |von |bin )?){1,8}")

CONTINUED = re.compile(
    rf"[(（【]?\s{{0,9}}[▲◀←]?\s{{0,9}}(?:紧?上接|接)\s{{0,9}}{_PAGE}.{{0,12}}|\(?Continued from page \w+\)?", re.I
)
"""What follows began on another page: (上接第1版)."""

JUMP = re.compile(rf"[(（【]?\s{{0,9}}(?:下转|转)\s{{0,9}}{_PAGE}.{{0,12}}|\(?Continued on page \w+\)?", re.I)
"""The story goes on elsewhere: (下转第3版)."""

JUMP_END = re.compile(rf"[(（【]\s{{0,9}}下转\s{{0,9}}{_PAGE}[^()（）]{{0,8}}[)）】]$")

PHOTO = re.compile(
    rf"[(（]?\s{{0,9}}{_BULLET}?\s{{0,9}}(?:(?:新华社发|图片?|摄影|图为)[\s:：/]{{0,9}})?"
    rf"(?:{_WRITER}[\s:：]{{0,9}}{_NAMES}\s{{0,9}}(?:/?\s{{0,9}}摄影?|[\s/]图)|{_BARE}\s{{0,9}}/?\s{{0,9}}摄影?|{_NAMES}[\s/]+摄影?"
    rf"|摄影[\s:：/]+(?:{_WRITER})?[\s:：]{{0,9}}{_NAMES})\s{{0,9}}[)）]?"
    r"|(?:Photo(?:graph)?|Picture|Image)s?(?: by|:) [A-Z][\w .'/’-]{2,40}"
)
"""Only a photographer's credit: 记者 … 摄."""

CAPTION_END = re.compile(
    r"[。！？”」』）)\s(（]\s{0,9}(?:新华社发|图片?)?\s{0,9}"
    rf"[(（]?(?:{_WRITER}[\s:：]{{0,9}}{_NAMES}\s{{0,9}}/?\s{{0,9}}摄影?|{_NAME}\s{{0,9}}/?摄影?)\s{{0,9}}[)）]{{0,2}}$"
)
"""A photographer's credit at the end of a paragraph."""

CREDIT = re.compile(
    r"[(（]?(?:(?:本[版文报稿])?(?:除署名外)?"
    r"(?:图片|照片|配图|题图|供图|制图|绘图|图表|摄影|视频|文图|图文|漫画|稿件)(?:[^。]{0,24}(?:提供|供图|来源)|\s{0,9}[:：]).{0,30}"
    r"|(?:来源|据|综合|原载|供稿)[:：].{1,40}|.{2,24}(?:供图|供稿|制图)|据[《“]?[一-鿿]{2,12}[》”]?(?:报道)?)[)）]?"
)
"""Who provided pictures or text."""

SERVICE = re.compile(
    r"(?:联系(?:人|方式|电话)|(?:值班|咨询|举报|报名|监督|热线|服务|投诉)?电话|邮\s?编|邮政(?:编码|信箱)|电子?邮箱|邮箱"
    r"|地址|网址|热线|微信号?|开户行|账号|E-?mail|Tel)\s{0,9}[:：]"
    r"|[(（]?(?:详情|更多|详见|全文|视频)[^。]{0,12}(?:扫|二维码|网站|客户端|APP)",
    re.I,
)
"""Telephone, address and the like."""

FURNITURE = re.compile(
    r"\d{1,4}|[A-Z]?\d{1,2}\s{0,9}版?|第?\s{0,9}[\dA-Z一二三四五六七八九十]{1,4}\s{0,9}版(?:\s{0,9}[一-鿿]{2,6})?"
    r"|(?:19|20)\d\d\s{0,9}年\s{0,9}\d{1,2}\s{0,9}月\s{0,9}\d{1,2}\s{0,9}日(?:\s.{0,30}|\s{0,9}(?:星期|农历|第|总第).{0,24})?|星期[一二三四五六日天](?:\s.{0,20})?"
    r"|(?:(?:本版)?(?:责任?编辑?|责编|编辑|美编|校对|版式|组版|值班(?:编委|主任)|视觉)[\s:：/]+.{1,60})"
    r"|(?:Page|PAGE) ?\w{1,4}"
)
"""Page number, masthead, editors."""

_HEAD_NAMES = re.compile(rf"[(（]\s{{0,9}}(?P<names>{_WRITER}[\s:：]{{0,9}}{_NAMES})[^()（）]{{0,20}}[)）]")
_TAIL_NAMES = re.compile(rf"[(（]\s{{0,9}}{_WRITER}[\s:：]{{0,9}}(?P<names>{_NAMES})\s{{0,9}}(?:报道)?\s{{0,9}}[)）]$")
_HEAD_WRITER = re.compile(rf"[^。,，]{{0,12}}[讯电]\s{{0,9}}{_WRITER}\s{{0,9}}(?P<name>{_NO_NAME}[一-鿿]{{2,3}}?)报道")
_HEAD_AGENCY = re.compile(r"(?:据)?(?P<agency>新华社|中新社|人民网|新华网|中新网|[一-鿿]{2,6}社)")
_NOT_NAMES = re.compile(
    rf"{_BULLET}|[()（）【】]|^(?:By|BY)\b"
    r"|(?:^|(?<=[\s/]))(?:摄影报道|综合报道|报道|文/摄|文并?摄|文/图|图/文|图文|文图|文|图|摄影|新华社发)(?=[\s/:：]|$)|[:：/、,，]"
)


def lead_names(line: str) -> str | None:
    """Writers named in the lead marker of `line`, or the agency; None when it names nobody."""
    match = _HEAD_NAMES.search(line[:80])
    if match:
        return names_of(match["names"])
    writer = _HEAD_WRITER.match(line[:80])
    if writer:
        return writer["name"]
    agency = _HEAD_AGENCY.match(line)
    return agency["agency"] if agency else None


def tail_names(line: str) -> str | None:
    """Writers named in brackets at the end of a body, as in `…。(记者 张三)`."""
    match = _TAIL_NAMES.search(line[-80:])
    return names_of(match["names"]) if match else None


def names_of(line: str) -> str:
    """The names of a byline, without titles and marks: `■ 本报记者 张三 通讯员 李四` -> `张三 李四`."""
    return " ".join(re.sub(_WRITER, " ", _NOT_NAMES.sub(" ", line)).split())
