# /// script
# requires-python = ">=3.11"
# dependencies = ["python-docx>=1.1", "reportlab>=4.2"]
# ///
"""Write the PDF and DOCX files of the sample library.

The other formats are edited as they lie in `library/`; these six are made here, because neither format
can be edited as text. Run again after changing a text below:

    pip install reportlab python-docx
    python examples/make_documents.py
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent / "library"


@dataclass(frozen=True)
class Document:
    """One article; the suffix of `path` chooses the format, the file name starts with the date."""

    path: str
    title: str
    author: str
    paragraphs: tuple[str, ...]

    @property
    def date(self) -> dt.datetime:
        """The day of the file name, at noon UTC, so that no time zone shifts it."""
        day = dt.date.fromisoformat(Path(self.path).name[:10])
        return dt.datetime.combine(day, dt.time(12), dt.UTC)


DOCUMENTS = (
    Document(
        "2025-11-21-desalination.pdf",
        "霁湾第二海水淡化厂通水",
        "贺知秋",
        (
            "11月20日，霁湾第二海水淡化厂正式通水，日产淡水20万吨，可以满足约90万居民的日常用水。"
            "加上2018年投产的第一海水淡化厂，全市海水淡化能力达到每天32万吨，占城市供水量的三成以上。",
            "新厂位于云埠区，采用反渗透技术，每生产一吨淡水耗电2.9千瓦时，比第一厂低了两成。"
            "厂长谢临渊介绍，淡化后剩下的浓盐水不排回大海，全部送往隔壁的盐化工企业，每年可提取工业盐56万吨。",
            "市民最关心口味。通水前，水厂在望潮区请了500位居民盲测，结果有412人分不出淡化水和水库水。",
            "今后，居民水价不因海水淡化而调整。水厂还设了科普馆，每周三、周六接受团体预约参观。",
        ),
    ),
    Document(
        "2025-12-08-methanol-ship.docx",
        "霁湾造船厂交付首艘甲醇双燃料集装箱船",
        "裴小满",
        (
            "昨日上午，霁湾造船厂为船东“远岬航运”建造的1.6万箱甲醇双燃料集装箱船“远岬晨星”号命名交付，"
            "这是霁湾建造的第一艘同类船舶。",
            "“远岬晨星”号总长366米，型宽51米，能装下1.6万个标准箱。"
            "使用绿色甲醇时，每个航次可以减少二氧化碳排放约1.1万吨。",
            "造船厂总建造师鲁定波说，最大的难关是甲醇舱的特种涂装，涂层厚薄差一根头发丝都不行。"
            "工人们先在模型舱里练了三个月，才敢上真船。",
            "目前，造船厂手持订单43艘，生产计划已经排到2029年，其中一半以上是新能源船舶。"
            "为了赶上交船进度，厂里今年招了620名青年技工，并和市海事技工学校开设了“焊花班”。",
        ),
    ),
    Document(
        "courier/2025-12-05-offshore-wind.pdf",
        "First turbine of Jiwan's deep-water wind farm turns",
        "Tobias Renn",
        (
            "The first of 34 floating turbines at the Blackreef wind farm, 58 kilometres off Jiwan, sent power "
            "to the grid last week, the developer said on Thursday.",
            "Each turbine is rated at 16 megawatts and stands on a triangular steel float that is held by nine "
            "anchor lines in 70 metres of water. When all of them are running in late 2026, the farm should "
            "produce 1.9 billion kilowatt-hours a year, about one tenth of what the city uses.",
            "The floats were welded at the Jiwan shipyard, which had to widen its dock by 14 metres. Project "
            "director Isabel Thorne said the yard had saved the project two months: \"They build ships, so they "
            "know what the sea does to a weld.\"",
            "A cable as thick as a dinner plate brings the power ashore at Yunbu. The city will buy the "
            "electricity at 0.39 yuan per kilowatt-hour under a contract that runs for 20 years.",
            "Fishing inside the farm is forbidden, but the developer will place 600 artificial reefs around it.",
        ),
    ),
    Document(
        "courier/2025-11-28-air-route.pdf",
        "Direct flights to Port Calder start on 18 December",
        "Marta Ellison",
        (
            "Jiwan will get its first non-stop flight to another continent on 18 December, when Halcyon Air opens "
            "a route to Port Calder, the airport announced yesterday.",
            "The flights will leave Jiwan on Tuesdays, Thursdays and Saturdays at 1.20 p.m. and take 11 hours "
            "and 40 minutes. Return fares start at 3,980 yuan including tax.",
            "Passengers now have to change planes twice and need at least 22 hours for the trip. About 6,500 "
            "people from the region study or work in Port Calder, and exporters of seafood have asked for a "
            "direct service for years. A third of the hold has been reserved for live crab and abalone.",
            "Jiwan airport expects 8.7 million passengers this year, six percent more than last year. A second "
            "terminal is being planned; the airport's general manager, Fang Jinghong, said that building would "
            "not begin before 2027.",
        ),
    ),
    Document(
        "courier/2025-11-10-school-robots.docx",
        "Island pupils win robot contest with a litter-picking crab",
        "Marta Ellison",
        (
            "Four pupils from Dengchuan Island Primary School beat 86 teams to win the city's school robot contest "
            "on Saturday. Their machine, a six-legged crab called Pincer, walks over wet sand and sorts bottle caps "
            "from shells.",
            "The school has only 57 pupils and no workshop. The children built the crab in the ferry waiting room, "
            "where there was a heater and a long table, with motors taken from three broken fans.",
            "\"It fell over two hundred times,\" said Ruan Xiaoyu, who is eleven. \"Then we watched a real crab.\"",
            "Second place went to Jiwan No. 8 Middle School for a gripper that opens jars for people with weak "
            "hands. The jury, led by Professor Yan Huaichuan of Jiwan University of Technology, praised both teams "
            "for asking their neighbours first what they needed.",
            "The winners receive 5,000 yuan for their school and a week in the laboratory of a hull-robot maker.",
        ),
    ),
    Document(
        "courier/2025-10-09-holiday-visitors.docx",
        "Jiwan counts 3.2 million holiday visitors",
        "Tobias Renn",
        (
            "Jiwan received 3.2 million visitors during the eight-day National Day and Mid-Autumn holiday that ended "
            "yesterday, 12 percent more than in the same days of last year, the tourism bureau said. They spent "
            "2.64 billion yuan.",
            "The seafront fireworks on 3 October alone drew 260,000 people. The most visited sight was the Lantern "
            "Market in Wangchao District, followed by the Man River promenade and Dengchuan Island.",
            "Hotels were 91 percent full, and a room cost 412 yuan a night on average. Foreign visitors numbered "
            "38,000, twice as many as a year ago.",
            "Not everyone was pleased. The bureau registered 214 complaints, most of them about parking, and fined "
            "three seafood restaurants that had charged more than the price on the menu.",
            "To spread the crowds, the city will open the restored lighthouse on Dengchuan Island later this month "
            "and run free shuttle buses to the wetland at Tingchao every weekend until the end of November.",
        ),
    ),
)  # fmt: skip


def write_pdf(document: Document, target: Path) -> None:
    """One A4 page or more; Chinese uses a standard font that PDF readers bring along, so none is embedded."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    os.environ["SOURCE_DATE_EPOCH"] = str(int(document.date.timestamp()))  # reportlab's creation date
    font, wrap = "Times-Roman", None
    if not document.title.isascii():
        font, wrap = "STSong-Light", "CJK"
        pdfmetrics.registerFont(UnicodeCIDFont(font))
    body = ParagraphStyle("body", fontName=font, wordWrap=wrap, fontSize=11.5, leading=18, spaceAfter=8)
    heading = ParagraphStyle("heading", parent=body, fontSize=17, leading=24)
    page = SimpleDocTemplate(str(target), title=document.title, author=document.author)
    page.build([Paragraph(document.title, heading), *(Paragraph(text, body) for text in document.paragraphs)])


def write_docx(document: Document, target: Path) -> None:
    """A heading and paragraphs, with title, author and date as document properties."""
    import docx

    word = docx.Document()
    properties = word.core_properties
    properties.title, properties.author = document.title, document.author
    properties.comments = ""
    properties.created = properties.modified = document.date.replace(tzinfo=None)
    word.add_heading(document.title, level=1)
    for paragraph in document.paragraphs:
        word.add_paragraph(paragraph)
    word.save(str(target))


def main() -> None:
    """Write every document under `library/`."""
    for document in DOCUMENTS:
        target = LIBRARY / document.path
        if target.suffix == ".pdf":
            write_pdf(document, target)
        else:
            write_docx(document, target)


if __name__ == "__main__":
    main()
