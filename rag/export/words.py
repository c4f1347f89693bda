"""The few words that an exported file adds of its own, in Chinese and English."""

from __future__ import annotations

from typing import Final

_ZH: Final = {
    "conversation": "对话：{question}",
    "untitled": "（无题）",
    "no_date": "日期不详",
    "partial": "部分有据",
    "unsupported": "未见依据",
    "problems": "引文中没有：{items}",
    "notice": "提示：",
    "near": "相关报道，并非答案：",
    "extractive": "原文摘句",
    "generative": "模型撰写",
    "made": "津问 Jinwen 导出于 {date}",
    "searched": "实际检索：{question}",
    "no_sources": "没有引用任何报道。",
}
_EN: Final = {
    "conversation": "Conversation: {question}",
    "untitled": "(untitled)",
    "no_date": "undated",
    "partial": "partly supported",
    "unsupported": "not supported",
    "problems": "not in the cited text: {items}",
    "notice": "Note: ",
    "near": "Related articles, not an answer:",
    "extractive": "Quoted sentences",
    "generative": "Written by a model",
    "made": "Exported from Jinwen 津问 on {date}",
    "searched": "Searched for: {question}",
    "no_sources": "No article is cited.",
}


def word(language: str, key: str, **values: object) -> str:
    """The words `key` in `language` (`zh`, else English), their `{placeholders}` filled with `values`."""
    return (_ZH if language == "zh" else _EN)[key].format(**values)
