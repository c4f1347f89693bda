"""What wraps articles is refused by name; text that only looks a little like it is read."""

import base64

import pytest

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.sources import read_source

STORY = "云陵市的新桥昨天通车，全长420米。市民可以步行过河，公交车也将改道。\n"


ENCODED = base64.encodebytes((STORY * 30).encode()).decode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ENCODED, "encoded data (base64)"),
        ("附件如下\n\n" + ENCODED, "encoded data (base64)"),
        (f"<news>\n<item><title>新桥</title><body>{STORY}</body></item>\n</news>\n", "XML (news)"),
        ("-----BEGIN PGP MESSAGE-----\n\nabcdefgh\n-----END PGP MESSAGE-----\n", "an encoded or encrypted block"),
        ("BEGIN:VCALENDAR\nSUMMARY:Bridge opens\nEND:VCALENDAR\n", "a calendar"),
    ],
)
def test_containers_are_refused_by_name(tmp_path, content, said):
    (tmp_path / "a.txt").write_text(content, "utf-8")
    with pytest.raises(SourceError) as caught:
        read_source(tmp_path / "a.txt", SourceSettings())
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "Subject: the new bridge\n\n" + STORY,
        "From: Ann\nTo: Bob\nDate: Monday\n\nDear Bob, the bridge is open.\n",
        "标题，正文和日期都要写清楚\n" + STORY,
        "Title, text, and date: what every story needs\n\nA story has a title, a text and a date.\n",
        STORY + "校验码 " + "QUJD" * 20 + "\n" + STORY,
        "<编者按> 新桥通车了。\n" + STORY,
    ],
)
def test_text_stays_text(tmp_path, content):
    (tmp_path / "a.txt").write_text(content, "utf-8")
    assert read_source(tmp_path / "a.txt", SourceSettings()).format in ("text", "newspaper")
