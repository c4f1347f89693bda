"""What the fields of an article are called in exports, tables and feeds, in Chinese and English; the surest name first.

Names are compared without case, spaces, underscores, hyphens and what stands in brackets behind them, so that
`publish_time`, `publishTime` and `Publish Time` are one.
"""

from __future__ import annotations

import re
from typing import Any

ID = ("文章标识符aid", "aid", "id", "article_id", "文章标识符", "文章id", "编号", "msgid", "guid", "content_id",
      "note_id", "bid", "_id")  # fmt: skip
TITLE = ("标题title", "title", "标题", "文章标题", "题目", "新闻标题", "headline", "name", "subject", "msg_title",
         "主题")  # fmt: skip
URL = ("链接url", "url", "link", "链接", "文章链接", "原文链接", "网址", "原文", "content_url", "permalink", "href",
       "source_url", "external_url", "article_url", "note_url", "weblink", "canonical_url")  # fmt: skip
DATE = ("时间time", "date", "time", "时间", "日期", "发布时间", "发布日期", "发表时间", "刊发日期", "publish_time",
        "publish_date", "published_date", "pub_date", "pub_time", "published", "published_at", "date_published",
        "release_date", "posted_at", "post_time", "发帖时间", "发文时间", "推送时间", "created_at", "create_time",
        "created_time", "created", "创建时间", "timestamp", "datetime", "ctime", "date_unixtime", "update_time",
        "date_modified", "updated", "updated_at", "更新时间")  # fmt: skip
SOURCE = ("公众号名称", "_accountName", "公众号", "账号", "账号名称", "source", "来源", "稿源", "媒体", "出处",
          "account", "screen_name", "account_name", "nickname", "publisher", "site", "site_name", "media",
          "media_name", "newspaper", "outlet", "报纸", "channel", "mp_name", "biz_name", "source_name", "账户",
          "公号")  # fmt: skip
TEXT = ("finalContent", "content", "text", "正文", "内容", "文章内容", "文章正文", "正文内容", "全文", "新闻内容",
        "微博正文", "body", "article", "content_text", "full_text", "fulltext", "content_html", "html", "article_body",
        "text_raw", "markdown", "content_noencode", "page_content", "story", "message",
        "description", "desc")  # fmt: skip
BYLINE = ("作者", "author", "byline", "authors", "记者", "撰文", "author_name", "user_nickname", "creator", "writer",
          "reporter", "by")  # fmt: skip
LISTS = ("articles", "data", "items", "records", "list", "results", "docs", "documents", "messages", "posts", "entries",
         "weibo", "hits", "news", "rows", "文章")  # fmt: skip
OWNER = ("_accountName", "account_name", "screen_name", "nickname", "公众号", "公众号名称", "source", "publisher",
         "title", "name")  # fmt: skip
"""What the object around a list of articles calls the account or outlet that they are of."""
_OTHER = ("摘要", "summary", "digest", "封面", "cover", "阅读", "阅读量", "点赞", "序号", "栏目", "版面", "分类",
          "category", "tags", "标签", "关键词", "keywords")  # fmt: skip
_IN_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]{0,30}[)）\]】]$")


def key(name: object) -> str:
    """`name` as it is compared."""
    bare = _IN_BRACKETS.sub("", str(name).strip()[:80])
    return re.sub(r"[\s_\-:：]", "", bare).lower()


def keys(names: tuple[str, ...]) -> tuple[str, ...]:
    """`names` as they are compared, each once."""
    return tuple(dict.fromkeys(map(key, names)))


_TEXT_KEYS, _TITLE_KEYS = frozenset(keys(TEXT)), frozenset(keys(TITLE))
_COLUMNS = frozenset(keys((*ID, *TITLE, *URL, *DATE, *SOURCE, *TEXT, *BYLINE, *_OTHER)))


def is_column(name: object) -> bool:
    """Whether columns of articles are called so."""
    return key(name) in _COLUMNS


def is_head(cells: list[Any]) -> bool:
    """Whether the row `cells` names the columns of articles: a text, and one other field."""
    names = [key(cell) for cell in cells if isinstance(cell, str) and cell.strip()]
    return sum(name in _COLUMNS for name in names) >= 2 and any(name in _TEXT_KEYS for name in names)


class Fields(dict[str, Any]):
    """Fields of a record under the names that are compared; of two of one name the first that holds something."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__()
        self.spelled: dict[str, str] = {}
        """How the record itself spells them."""
        for name, value in fields.items():
            if self.get(key(name)) in (None, "", []):
                self[key(name)] = value
                self.spelled[key(name)] = str(name)


def has_text(fields: dict[str, Any]) -> bool:
    """Whether one of `fields` may be the text of an article."""
    return any(key(name) in _TEXT_KEYS and value not in (None, "", [], {}) for name, value in fields.items())
