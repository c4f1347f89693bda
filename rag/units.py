"""Units of measure and money as Chinese and English texts write them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """How one unit is written: `zh` and `en` are regular expressions of its forms."""

    name: str
    plural: str
    zh: str
    en: str = ""


UNITS = (
    Unit("percent", "%", "%", r"percent\b|per cent\b|pct\b"),
    Unit("percentage point", "percentage points", "个?百分点", r"percentage points?\b"),
    Unit("yuan", "yuan", "元(?![旦宵素件器])|块钱", r"yuan\b|RMB\b|renminbi\b|CNY\b"),
    Unit("US dollar", "US dollars", "美元", r"(?:US )?dollars?\b|USD\b"),
    Unit("Hong Kong dollar", "Hong Kong dollars", "港元|港币", r"Hong Kong dollars?\b|HKD\b"),
    Unit("euro", "euros", "欧元", r"euros?\b|EUR\b"),
    Unit("yen", "yen", "日元", r"yen\b|JPY\b"),
    Unit("pound", "pounds", "英镑", r"pounds?\b|GBP\b"),
    Unit("square metre", "square metres", "平方米|平米|㎡", r"square met(?:re|er)s?\b|sq\.? ?m\b|m²|m2\b"),
    Unit("square kilometre", "square kilometres", "平方公里|平方千米", r"square kilomet(?:re|er)s?\b|km²|km2\b"),
    Unit("cubic metre", "cubic metres", "立方米", r"cubic met(?:re|er)s?\b|m³|m3\b"),
    Unit("kilometre", "kilometres", "公里|千米", r"kilomet(?:re|er)s?\b|km\b"),
    Unit("centimetre", "centimetres", "厘米", r"centimet(?:re|er)s?\b|cm\b"),
    Unit("millimetre", "millimetres", "毫米", r"millimet(?:re|er)s?\b|mm\b"),
    Unit("micrometre", "micrometres", "微米", r"micromet(?:re|er)s?\b|μm"),
    Unit("nanometre", "nanometres", "纳米", r"nanomet(?:re|er)s?\b|nm\b"),
    Unit("metre", "metres", "米", r"met(?:re|er)s?\b|m\b"),
    Unit("hectare", "hectares", "公顷", r"hectares?\b|ha\b"),
    Unit("mu", "mu", "亩", r"mu\b"),
    Unit("tonne", "tonnes", "吨级?", r"(?:metric )?tons?\b|tonnes?\b"),
    Unit("kilogram", "kilograms", "公斤|千克", r"kilogram(?:me)?s?\b|kilos?\b|kg\b"),
    Unit("gram", "grams", "克(?!服)", r"grams?\b|g\b"),
    Unit("kilowatt-hour", "kilowatt-hours", "千瓦时|度电", r"kilowatt[- ]hours?\b|kWh\b"),
    Unit("kilowatt", "kilowatts", "千瓦", r"kilowatts?\b|kW\b"),
    Unit("megawatt", "megawatts", "兆瓦", r"megawatts?\b|MW\b"),
    Unit("gigawatt", "gigawatts", "吉瓦", r"gigawatts?\b|GW\b"),
    Unit("degree Celsius", "degrees Celsius", "摄氏度|℃|度(?![过假])", r"degrees?(?: Celsius)?\b|°C"),
    Unit("person-time", "person-times", "人次", r"person-times?\b|visits?\b"),
    Unit("person", "people", "人(?![工才民均大])", r"people\b|persons?\b"),
    Unit("household", "households", "户", r"households?\b"),
    Unit("container (TEU)", "containers (TEU)", "标准箱|标箱|TEU", r"TEUs?\b"),
    Unit("P of computing power", "P of computing power", "P(?![A-Za-z])", r"P\b"),
    Unit("year old", "years old", "周?岁", r"years? old\b|years? of age\b"),
    Unit("year", "years", "周年|年(?![级轮度])", r"years?\b"),
    Unit("month", "months", "个月", r"months?\b"),
    Unit("week", "weeks", "周(?![年岁])|个?星期", r"weeks?\b"),
    Unit("day", "days", "天(?!津)", r"days?\b"),
    Unit("hour", "hours", "个?小时", r"hours?\b"),
    Unit("minute", "minutes", "分钟", r"minutes?\b"),
    Unit("second", "seconds", "秒钟?", r"seconds?\b"),
    Unit("times", "times", "倍", r"-?fold\b"),
)
PLURALS = {unit.name: unit.plural for unit in UNITS}
NAMED_UNITS = tuple((unit.name, re.compile(rf"(?:{unit.zh})")) for unit in UNITS) + tuple(
    (unit.name, re.compile(rf"[ -]?(?:{unit.en})", re.ASCII)) for unit in UNITS if unit.en
)
COUNTER = re.compile(
    r"[个家项件条台架辆套座处次届期层栋间张班例支只枚颗篇本款株棵头桶箱集门级票对列站起宗笔所场种类批部艘轮趟节组片页名位号把]"
)
TENTHS = re.compile(r"成(?![员立为功果熟长就型本都绩效份分])")
CURRENCIES = {"US$": "US dollar", "HK$": "Hong Kong dollar", "$": "US dollar", "€": "euro", "£": "pound"}
