"""Files, side-cars, encodings, and what is refused."""

import datetime as dt
import os
import zipfile
from pathlib import Path

import pytest

from rag.config import SourceSettings
from rag.errors import SourceError
from rag.sources import Problem, find_files, read_decoded, read_source
from rag.sources.cleaning import clean, kept_spans, unify
from rag.sources.encoding import decode

STORY = "新桥昨天通车\n\n" + "云陵市的新桥昨天正式通车，市民可以步行过河，公交车也将改道。" * 3 + "\n"
TRADITIONAL = "新橋昨天通車\n\n" + "雲陵市的新橋昨天正式通車，市民可以步行過河，公車也將改道。「很方便。」" * 3 + "\n"


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, **settings):
    return read_source(path, SourceSettings(**settings))


def refused(path: Path, **settings) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, **settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("data", "encoding", "guessed"),
    [
        (STORY.encode(), "utf-8", False),
        (STORY.encode("utf-8-sig"), "utf-8", False),
        (STORY.encode("utf-16"), "utf-16", False),
        (STORY.encode("utf-16-le"), "utf-16-le", True),
        (STORY.encode("utf-16-be"), "utf-16-be", True),
        ("Plain English.\nTwo lines.\n".encode("utf-16-le"), "utf-16-le", True),
        (STORY.encode("gb18030"), "gb18030", True),
        (TRADITIONAL.encode("big5"), "big5", True),
    ],
)
def test_encodings(tmp_path, data, encoding, guessed):
    reading = read(write(tmp_path, "a.txt", data))
    assert (reading.encoding, reading.encoding_guessed, reading.format) == (encoding, guessed, "text")
    assert "\ufeff" not in reading.articles[0].text
    assert reading.articles[0].title in ("新桥昨天通车", "新橋昨天通車", "Plain English.", "a")


KOREAN = "서울시는 어제 새 다리를 개통했다. 시민들은 걸어서 강을 건널 수 있다. 길이는 420미터이다.\n"
JAPANESE = "新しい橋は昨日開通した。市民は歩いて川を渡ることができる。長さは420メートルである。\n"


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (KOREAN, "euc_kr", "euc_kr"),
        (JAPANESE, "shift_jis", "shift_jis"),
        (JAPANESE, "euc_jp", "euc_jp"),
        (TRADITIONAL, "gbk", "gb18030"),
        ("The café — “reopened” — is €4 dearer in Zürich.\n", "cp1252", "cp1252"),
        ("啊八百北本边表不长车出吃大当到的地点东都对多儿发放分风高个工", "gbk", "gb18030"),  # looks like hangul
    ],
)
def test_neighbours_encodings_are_told_apart(text, encoding, name):
    decoded = decode(text.encode(encoding))
    assert (decoded.encoding, decoded.guessed, decoded.text) == (name, True, text)


def test_a_text_that_becomes_binary_half_way_is_noticed():
    with pytest.raises(SourceError, match="binary file.*text only up to byte 600000"):
        decode(b"plain line\n" * 60_000 + bytes(range(1, 32)) * 9_000)
    with pytest.raises(SourceError, match="binary file"):
        decode(b"plain line\n" * 60_000 + b"\0")


def test_a_text_about_pdf_is_text(tmp_path):
    prose = "A file that begins with\n%PDF-1.4 is a PDF file.\n" * 3
    assert read(write(tmp_path, "a.txt", prose)).format == "text"
    assert read(write(tmp_path, "b.txt", "%PDF-1.7 is what such a file begins with.\n")).format == "text"


def test_a_name_as_long_as_the_system_allows_is_read(tmp_path):
    path = write(tmp_path, "桥" * 83 + ".txt", STORY)
    assert read(path).articles[0].title == "新桥昨天通车"


def test_encoding_can_be_set(tmp_path):
    path = write(tmp_path, "a.txt", TRADITIONAL.encode("big5"))
    reading = read(path, encoding="big5")
    assert (reading.encoding, reading.encoding_guessed, reading.articles[0].title) == ("big5", False, "新橋昨天通車")
    assert "not valid utf-8" in refused(path, encoding="utf-8")
    assert "unknown encoding 'klingon'" in refused(path, encoding="klingon")


def test_invalid_bytes_name_the_place():
    with pytest.raises(SourceError, match="invalid byte 0xff at byte 5"):
        decode(b"good \xff\xfe\xfd bad\x80\x80")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "empty file"),
        ("a.txt", b" \n\t ", "empty file"),
        ("a.txt", "\u200b\u200b".encode(), "no text in it"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0", "binary file"),
        ("a.txt", b"text with a \0 in it", "binary file"),
        ("a.pdf", b"\x7fELF....", "binary file"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old (.doc) or password-protected"),
        ("a.txt", b"<?xml version='1.0'?><news>x</news>", "XML (news) that is not HTML"),
        ("a.txt", b"<?xml version='1.0'?><rss/>", "feed without entries"),
        ("a.txt", b'[{"title": "x"}]', "no article in it (record 1: no text"),
    ],
)
def test_refused_files(tmp_path, name, data, message):
    assert message in refused(write(tmp_path, name, data))


def test_size_limit(tmp_path):
    path = write(tmp_path, "a.txt", "x" * 2_000_001)
    assert refused(path, max_file_mb=2) == "2.0 MB; the limit is 2 MB (sources.max_file_mb)"
    assert refused(tmp_path / "missing.txt") == "cannot be read: no such file or folder"
    assert "directory" in refused(tmp_path)


def test_find_files(tmp_path):
    library = tmp_path / "library"
    (library / "b").mkdir(parents=True)
    (library / ".git").mkdir()
    for name in ("2.txt", "1.txt", "b/3.txt", ".hidden", "1.txt.meta.toml", "meta.toml", ".git/config"):
        write(library, name, "x")
    outside = write(tmp_path, "secret.txt", "x")
    (library / "inside.txt").symlink_to(library / "1.txt")
    (library / "outside.txt").symlink_to(outside)
    (library / "loop").symlink_to(library)
    (library / "self").symlink_to(library / "self")
    os.mkfifo(library / "pipe")
    files, problems = find_files([library, library / "1.txt", tmp_path / "missing"])
    assert [str(f.relative_to(library)) for f in files] == ["1.txt", "2.txt", "inside.txt", "b/3.txt"]
    assert sorted((Path(p.file).name, p.cause) for p in problems) == [
        ("loop", "link to a folder; name that folder itself"),
        ("missing", "no such file or folder"),
        ("outside.txt", "link that leaves the folder"),
        ("pipe", "named pipe; expected a regular file"),
        ("self", "loop of links"),
    ]
    assert "named pipe" in refused(library / "pipe")


def test_side_cars_and_names_give_date_and_source(tmp_path):
    write(tmp_path, "meta.toml", 'source = "云陵晨报"\ndate = 2025-01-01\n')
    a, b = write(tmp_path, "a.txt", STORY), write(tmp_path, "2025-02-02.txt", STORY)
    c = write(tmp_path, "c.txt", STORY)
    write(tmp_path, "c.txt.meta.toml", 'date = "2025-03-03"\nsource = "晚报"\n')
    found = [(x.articles[0].source, str(x.articles[0].date), x.problems) for x in map(read, (a, b, c))]
    assert found == [("云陵晨报", "2025-01-01", ()), ("云陵晨报", "2025-02-02", ()), ("晚报", "2025-03-03", ())]


def test_a_broken_side_car_is_a_problem_and_the_setting_is_last(tmp_path):
    path = write(tmp_path, "a.txt", STORY)
    write(tmp_path, "a.txt.meta.toml", "date = tomorrow")
    reading = read(path, date="2025-04-04")
    assert reading.articles[0].date == dt.date(2025, 4, 4)
    assert [p.cause.split(":")[0] for p in reading.problems] == ["side-car ignored, not readable as TOML"]
    write(tmp_path, "a.txt.meta.toml", "date = 5\nsource = 7\nauthor = 'x'\n")
    assert [p.cause.split(";")[0] for p in read(path).problems] == [
        "unknown key 'author'",
        "date is 5",
        "source is 7",
    ]
    assert read(path, date="soon").problems[-1].cause.startswith("setting sources.date is 'soon'")


def test_problem_is_one_safe_line():
    problem = Problem("a\u202etxt\n.exe", "record 2", "bad \x1b[31m")
    assert str(problem) == "a\\u202etxt\\n.exe, record 2: bad \\x1b[31m"
    assert str(Problem("a.txt", None, "empty file")) == "a.txt: empty file"


def test_plain_text_spans_and_title(tmp_path):
    path = write(
        tmp_path,
        "a.txt",
        "\ufeff\r\n新桥通车\r\n\r\n\r\n\r\n市民\u200b步行过河。\r\n★★★\r\n来源：云陵晨报\r\n2024年3月5日\r\n",
    )
    article = read(path).articles[0]
    assert article.text == "新桥通车\n\n市民步行过河。\n来源：云陵晨报\n2024年3月5日"
    page = read_decoded(path, SourceSettings()).text
    assert "".join(page[s:e] for s, e in article.spans) == article.text
    assert (article.id, article.title, article.source, str(article.date)) == (
        "a.txt#1",
        "新桥通车",
        "云陵晨报",
        "2024-03-05",
    )
    assert article.text[article.body_start :].startswith("市民")


def test_text_without_a_title_is_named_after_its_file(tmp_path):
    article = read(write(tmp_path, "note.txt", "一句话，没有标题。\n第二句话。")).articles[0]
    assert (article.title, article.body_start, article.date) == ("note", 0, None)
    assert read(write(tmp_path, "e.txt", "Tom&nbsp;&amp; Ann\n\nBody here.\n")).articles[0].spans == ()


def test_markdown(tmp_path):
    source = (
        '---\ntitle: "Bridge opens"\ndate: 2024-03-05\nauthor: Ann Lee\nsource: Post\nurl: https://p.example/1\n---\n'
        "# Bridge opens\n\n"
        "The **new** bridge, [see map](https://m.example/x), is *open*; 2 * 3 * 4 and snake_case stay.\n\n"
        "![photo](x.png)\n\n> Quote with `code`.\n\n```\nraw\n```\n"
    )
    reading = read(write(tmp_path, "a.md", source))
    article = reading.articles[0]
    assert reading.format == "markdown"
    assert article.text == (
        "Bridge opens\n\nThe new bridge, see map, is open; 2 * 3 * 4 and snake_case stay.\n\nQuote with code.\n\nraw"
    )
    assert "".join(source[s:e] for s, e in article.spans) == article.text
    assert (article.title, str(article.date), article.byline, article.source, article.url) == (
        "Bridge opens",
        "2024-03-05",
        "Ann Lee",
        "Post",
        "https://p.example/1",
    )


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        (
            'title: "新桥通车"\nsource: "https://www.post.example/1"\nauthor:\n  - "[[高远]]"\n  - 白露\n'
            "published: 2024-03-05\ncreated: 2024-05-01",
            ("新桥通车", "2024-03-05", "post.example", "高远 白露", "https://www.post.example/1"),
        ),
        (
            "标题: 新桥通车\n日期：2024年3月5日\n来源: 云陵晚报\n作者: 高远\n链接: https://p.example/2",
            ("新桥通车", "2024-03-05", "云陵晚报", "高远", "https://p.example/2"),
        ),
        (
            'title: 新桥通车\npublishDate: 2024-03-04T23:30:00Z\nlastmod: 2024-05-01\nauthors: ["高远", "白露"]',
            ("新桥通车", "2024-03-05", "", "高远 白露", None),
        ),
    ],
)
def test_front_matter(tmp_path, front, expected):
    article = read(write(tmp_path, "a.md", f"---\n{front}\n---\n\n{STORY}")).articles[0]
    assert (article.title, str(article.date), article.source, article.byline, article.url) == expected


def test_a_saved_post_is_dated_and_signed(tmp_path):
    head = "# 新桥通车\n\n原创 高远 [云陵发布](javascript:void\\(0\\);)\n\n_2024年03月05日 20:01_ _云陵_\n\n"
    article = read(write(tmp_path, "a.md", head + STORY)).articles[0]
    assert (str(article.date), article.source, article.byline) == ("2024-03-05", "云陵发布", "高远")


def test_the_side_car_of_a_file_goes_before_what_is_printed(tmp_path):
    path = write(tmp_path, "a.txt", f"新桥通车\n2024年3月5日\n{STORY}")
    assert str(read(path, date="2024-04-04").articles[0].date) == "2024-03-05"
    write(tmp_path, "a.txt.meta.toml", "date = 2024-03-06\n")
    assert str(read(path).articles[0].date) == "2024-03-06"


def test_detection_goes_by_content_not_name(tmp_path):
    page = "新桥通车\n\n本报讯(记者 高远)新桥昨天通车。\n\n公交改道\n\n本报讯(记者 白露)12路改道。\n"
    formats = {
        "page.json": (page, "newspaper"),
        "list.md": ('[{"title": "A", "text": "One."}]', "wechat"),
        "notes.pdf": ("[1] 脚注式的开头\n\n正文在这里。", "text"),
        "plain.html": ("# Heading\n\nText.\n", "markdown"),
    }
    for name, (content, expected) in formats.items():
        assert read(write(tmp_path, name, content)).format == expected


@pytest.mark.skipif(os.name == "nt", reason="names are bytes only on POSIX")
def test_file_name_that_is_not_utf8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))
    path.write_text("x", "utf-8")
    assert refused(path) == "file name is not valid UTF-8; rename the file"


def test_cleaning_is_bounded_and_verbatim():
    assert clean("　　a\u00a0b  c \r\n\r\n\r\n\r\n┏━┓\r……\rd") == "a b  c\n\nd"
    assert clean("e" + "\u0301" * 60_000) == "e" + "\u0301" * 30
    assert clean("x\ud800y &lt;b&gt; &copy=1 &#x4e2d;") == "x\ufffdy <b> &copy=1 中"
    assert kept_spans(unify(" \n" * 1000)) == ()


def test_radicals_and_ocr_spaces_are_read_as_what_they_mean(tmp_path):
    path = write(
        tmp_path,
        "a.txt",
        "⻘⼭⼤坝加⾼⼯程完⼯\n2025年11⽉9⽇\n坝 顶 加 高 3 . 6 米 ， 共 用 土 8 6 万 方 。\nA B C D E F G 等级\n",
    )
    article = read(path).articles[0]
    assert article.text == "青山大坝加高工程完工\n2025年11月9日\n坝顶加高3.6米，共用土86万方。\nA B C D E F G 等级"
    assert (str(article.date), article.title) == ("2025-11-09", "青山大坝加高工程完工")
    page = read_decoded(path, SourceSettings()).text
    assert "".join(page[s:e] for s, e in article.spans) == article.text


def test_zip_without_articles(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("photo.png", "x")
    assert "no article in it (picture files: 1 not read)" in refused(tmp_path / "a.zip")
