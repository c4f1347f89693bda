import dataclasses
import datetime as dt
import logging
from pathlib import Path

import numpy as np
import pytest
from library_toys import TopicEncoder, encoded, fill, record

from rag.config import PassageSettings, Settings
from rag.errors import IndexMismatchError, IndexMissingError, StoreError
from rag.store import Counts, EncodedArticle, FileArticles, FileState, LocalStore
from rag.types import Article, Filters


def titles(store: LocalStore, found: list[tuple[int, float]]) -> list[str]:
    stored = store.passages([passage_id for passage_id, _ in found])
    return [stored[passage_id].article.display_title for passage_id, _ in found]


def query(encoder: TopicEncoder, text: str) -> np.ndarray:
    return encoder.encode_queries([text])[0]


# -- what goes in comes out ------------------------------------------------------------------------------------


def test_articles_come_back_as_they_went_in_by_file_and_position(store: LocalStore, articles: list[Article]) -> None:
    assert store.articles() == articles
    assert store.article("山城晚报/1") == articles[3]
    assert store.article("nowhere") is None
    assert store.counts() == Counts(files=3, articles=6, passages=7)


def test_every_field_survives(empty_store: LocalStore, encoder: TopicEncoder, settings: Settings) -> None:
    story = Article(
        id="f.txt#1", title="标题\u0488", text="甲\0乙🚢。\r", file="f.txt", spans=((3, 5), (9, 12)), body_start=2,
        byline="", subtitle=None, url="https://example.org/?a=1&b='2'",
    )  # fmt: skip
    fill(empty_store, [story], encoder, settings)
    assert empty_store.articles() == [story]
    (stored,) = empty_store.passages([1]).values()
    assert stored.passage.text == "甲\0乙🚢。" == story.text[stored.passage.start : stored.passage.end]


def test_passages_come_with_their_article_and_unknown_ids_are_left_out(store: LocalStore) -> None:
    found = store.passages([6, 999, -1])
    assert list(found) == [6]
    assert found[6].article.id == "letter.txt#1"
    assert found[6].passage.text == "The town opened its first public library on Monday."


def test_files_say_what_was_read(store: LocalStore) -> None:
    assert [(f.path, f.articles, f.state) for f in store.files()] == [
        ("gulf.json", 3, FileState.INGESTED),
        ("hill.json", 2, FileState.INGESTED),
        ("letter.txt", 1, FileState.INGESTED),
    ]


# -- search ----------------------------------------------------------------------------------------------------


def test_dense_search_gives_the_inner_products_best_first(store: LocalStore, encoder: TopicEncoder) -> None:
    found = store.search_dense(query(encoder, "ships and one bridge"), 3)
    # 1/sqrt(2) with the passages that are all port or all bridge; the third is a tie at 0, by lowest id.
    assert titles(store, found)[:2] == ["新港区开港", "跨海大桥合龙"]
    assert [round(score, 3) for _, score in found] == [0.707, 0.707, 0.0]
    assert [passage_id for passage_id, _ in found] == [1, 3, 2]


@pytest.mark.parametrize("dim", [24, 128])  # FAISS has code of its own for multiples of 64
def test_dense_search_is_exact_on_the_stored_vectors(tmp_path: Path, settings: Settings, dim: int) -> None:
    rng = np.random.default_rng(7)
    encoder = TopicEncoder()
    encoder.dim = dim
    articles = [Article(id=f"a#{i}", title="", text=f"第{i}条。", file="a.txt") for i in range(300)]
    vectors = rng.standard_normal((300, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with LocalStore.open(tmp_path / "i", create=True, encoder=encoder, passages=settings.passages) as store:
        entries = [
            EncodedArticle(e.article, e.passages, vectors[i : i + 1])
            for i, e in enumerate(encoded(articles, TopicEncoder(), settings))
        ]
        store.replace_file(record("a.txt"), entries)
        asked = rng.standard_normal(dim).astype(np.float32)
        scores = vectors.astype(np.float16).astype(np.float32) @ asked
        best = np.argsort(-scores)[:10]
        found = store.search_dense(asked, 10)
        assert [passage_id - 1 for passage_id, _ in found] == best.tolist()
        assert [score for _, score in found] == pytest.approx(scores[best].tolist(), rel=1e-5)


def test_lexical_search_finds_words_of_both_languages_widths_and_scripts(store: LocalStore) -> None:
    assert titles(store, store.search_lexical("大橋全長", 5)) == ["跨海大桥合龙"]
    assert titles(store, store.search_lexical("LIBRARY ２０，０００", 5))[0] == "A library by the sea"
    assert titles(store, store.search_lexical("2025年3月2日", 1)) == ["新港区开港"]  # the date line is searched too


def test_lexical_scores_are_bm25(store: LocalStore) -> None:
    (hit,) = store.search_lexical("休渔", 5)
    # One of 7 passages holds the bigram: idf = ln(1 + (7 - 1 + .5) / (1 + .5)), times a length factor near 1.
    idf = np.log(1 + 6.5 / 1.5)
    assert 0.7 * idf < hit.score < 1.3 * idf


@pytest.mark.parametrize("text", ['"', "body:鱼 AND *", "(((", "大桥) OR id:1", "+-!^~", "/.*/", "鱼" * 100_000])
def test_nothing_in_a_query_is_syntax(store: LocalStore, text: str) -> None:
    found = store.search_lexical(text, 5)
    assert all(score > 0 for _, score in found)
    assert ("桥" in text) == (titles(store, found)[:1] == ["跨海大桥合龙"])


def test_filters_hold_in_both_searches(store: LocalStore, encoder: TopicEncoder) -> None:
    march = Filters(date_from=dt.date(2025, 3, 1), date_to=dt.date(2025, 3, 31))
    until_march = Filters(date_to=dt.date(2025, 3, 31))
    gulf = Filters(sources=("海湾日报", "no such"))
    everything = query(encoder, "船鱼桥茶雪书")
    text = "船 鱼 大桥 春茶 大雪 海湾 积雪 library"

    def dense(filters: Filters) -> list[str]:
        return sorted(set(titles(store, store.search_dense(everything, 50, filters))))

    def lexical(filters: Filters) -> list[str]:
        return sorted(set(titles(store, store.search_lexical(text, 50, filters))))

    assert dense(march) == lexical(Filters(march.date_from, march.date_to)) == ["新港区开港", "春茶开采"]
    # A story without a date fails a date filter, also one that is open to the past.
    assert dense(until_march) == lexical(until_march) == ["新港区开港", "春茶开采"]
    assert dense(gulf) == lexical(gulf) == ["新港区开港", "渔民今春收成好", "跨海大桥合龙"]
    assert dense(Filters(date_from=dt.date(2030, 1, 1))) == lexical(Filters(date_from=dt.date(2030, 1, 1))) == []
    assert dense(dataclasses.replace(gulf, date_from=dt.date(2025, 6, 1))) == ["跨海大桥合龙"]


def test_a_filter_does_not_change_scores(store: LocalStore) -> None:
    free = dict(store.search_lexical("海湾 大桥", 50))
    filtered = dict(store.search_lexical("海湾 大桥", 50, Filters(sources=("海湾日报",))))
    assert filtered and all(free[passage_id] == score for passage_id, score in filtered.items())


@pytest.mark.parametrize("k", [0, -1])
def test_asking_for_nothing_gives_nothing(store: LocalStore, encoder: TopicEncoder, k: int) -> None:
    assert store.search_dense(query(encoder, "鱼"), k) == []
    assert store.search_lexical("鱼 捕鱼", k) == []


def test_asking_for_more_than_there_is_gives_what_there_is(store: LocalStore, encoder: TopicEncoder) -> None:
    assert sorted(i for i, _ in store.search_dense(query(encoder, "鱼"), 1000)) == [1, 2, 3, 4, 5, 6, 7]
    assert len(store.search_lexical("海湾", 1000)) == 2


def test_a_query_that_says_nothing_finds_nothing(store: LocalStore, encoder: TopicEncoder) -> None:
    assert store.search_dense(query(encoder, "???"), 5) == []
    assert store.search_dense(np.full(8, np.nan, np.float32), 5) == []
    assert store.search_lexical("？！", 5) == []
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(8,\)"):
        store.search_dense(np.ones(3, np.float32), 5)


def test_an_empty_index_answers(empty_store: LocalStore, encoder: TopicEncoder) -> None:
    assert empty_store.search_dense(query(encoder, "鱼"), 5) == []
    assert empty_store.search_lexical("鱼", 5) == []
    assert empty_store.articles() == []


# -- changes ---------------------------------------------------------------------------------------------------


def test_changes_are_found_and_what_is_gone_is_not(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    assert titles(store, store.search_lexical("捕鱼", 5)) == ["渔民今春收成好"]
    changed = dataclasses.replace(articles[1], text="渔船全部回港，五月休渔开始。")
    written = store.replace_file(record("gulf.json"), encoded([articles[0], changed], encoder, settings))
    assert (written.articles, written.kept, written.removed) == (1, 1, 1)
    assert store.search_lexical("捕鱼", 5) == []
    assert titles(store, store.search_lexical("休渔 回港", 5)) == ["渔民今春收成好"]
    assert store.search_lexical("大桥", 5) == []
    assert titles(store, store.search_dense(query(encoder, "鱼"), 1)) == ["渔民今春收成好"]
    assert [a.id for a in store.articles()] == ["海湾日报/1", "海湾日报/2", "山城晚报/1", "山城晚报/2", "letter.txt#1"]


def test_the_caches_equal_fresh_ones_after_many_changes(
    tmp_path: Path, empty_store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    for round_ in range(4):
        part = articles[round_ : round_ + 3]
        fill(empty_store, [dataclasses.replace(a, file="one.json") for a in part], encoder, settings)
        empty_store.search_lexical("鱼", 1)
        empty_store.search_dense(query(encoder, "鱼"), 1)
    final = [dataclasses.replace(a, file="one.json") for a in articles[3:6]]
    with LocalStore.open(tmp_path / "fresh", create=True, encoder=encoder, passages=settings.passages) as fresh:
        fill(fresh, final, encoder, settings)
        for text in ("茶", "library", "雪", "海湾 桥"):
            ours, theirs = (s.search_dense(query(encoder, text), 9) for s in (empty_store, fresh))
            assert titles(empty_store, ours) == titles(fresh, theirs)
            assert [s for _, s in ours] == [s for _, s in theirs]
            assert titles(empty_store, empty_store.search_lexical(text, 9)) == titles(
                fresh, fresh.search_lexical(text, 9)
            )
        assert empty_store.fingerprint == fresh.fingerprint


def test_removing(store: LocalStore, encoder: TopicEncoder) -> None:
    assert store.remove_article("海湾日报/3") is True
    assert store.remove_article("海湾日报/3") is False
    assert store.remove_file("/library/hill.json") == 2
    assert store.remove_file("/library/hill.json") == 0
    assert [a.id for a in store.articles()] == ["海湾日报/1", "海湾日报/2", "letter.txt#1"]
    assert store.search_lexical("大桥 茶", 5) == []
    assert len(store.search_dense(query(encoder, "桥"), 50)) == 4
    assert [f.path for f in store.files()] == ["gulf.json", "letter.txt"]


def test_passage_ids_are_never_used_again(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    store.remove_file("/library/letter.txt")
    fill(store, articles[5:], encoder, settings)
    assert {i for i, _ in store.search_lexical("library", 5)} == {8, 9}


def test_unchanged_articles_are_not_encoded_again(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    asked: list[str] = []

    def encode(new: list[Article]) -> list[EncodedArticle]:
        asked.extend(article.id for article in new)
        return encoded(new, encoder, settings)

    extra = dataclasses.replace(articles[0], id="海湾日报/9", text="新船下水。")
    store.replace_files([FileArticles(record("gulf.json"), [*articles[:3], extra])], encode)  # type: ignore[arg-type]
    assert asked == ["海湾日报/9"]


def test_the_very_same_story_of_another_file_is_kept_once(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    copy = dataclasses.replace(articles[0], id="copy.json/1", file="copy.json")
    written = store.replace_file(record("copy.json"), encoded([copy], encoder, settings))
    assert [tuple(d) for d in written.duplicates] == [("copy.json", "copy.json/1", "海湾日报/1", "gulf.json")]
    assert (written.articles, store.article("copy.json/1")) == (0, None)
    # When the file that had it loses it, the other must be read again.
    assert [f.path for f in store.files() if f.stale] == []
    store.replace_file(record("gulf.json"), encoded(articles[1:3], encoder, settings))
    assert [f.path for f in store.files() if f.stale] == ["copy.json"]
    store.replace_file(record("copy.json"), encoded([copy], encoder, settings))
    assert store.article("copy.json/1") == copy
    assert [f.path for f in store.files() if f.stale] == []


def test_an_id_that_another_story_has_gets_a_suffix(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    other = dataclasses.replace(articles[5], text="Another letter about fish.", file="old/letter.txt")
    for _ in range(2):  # the second time it is found unchanged under its new name
        written = store.replace_file(record("old/letter.txt"), encoded([other], encoder, settings))
        assert written.renamed == (("letter.txt#1", "letter.txt#1~2"),)
    assert (written.articles, written.kept) == (0, 1)
    assert store.article("letter.txt#1") == articles[5]
    assert store.article("letter.txt#1~2") == dataclasses.replace(other, id="letter.txt#1~2")


def test_a_failing_encoder_changes_nothing(store: LocalStore, articles: list[Article], encoder: TopicEncoder) -> None:
    before = store.articles()
    broken = [EncodedArticle(dataclasses.replace(articles[0], text="新。"), [], np.zeros((2, 8), np.float32))]
    with pytest.raises(StoreError, match=r"gave vectors \(2, 8\), expected \(0, 8\)"):
        store.replace_file(record("gulf.json"), broken)
    assert store.articles() == before
    assert titles(store, store.search_dense(query(encoder, "桥"), 1)) == ["跨海大桥合龙"]


def test_fingerprint_follows_content_encoder_and_passages_not_place_and_time(
    tmp_path: Path, store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    def built(name: str, stories: list[Article], encoder: TopicEncoder, settings: Settings) -> str:
        with LocalStore.open(tmp_path / name, create=True, encoder=encoder, passages=settings.passages) as other:
            fill(other, stories, encoder, settings)
            return other.fingerprint

    moved = [dataclasses.replace(a, file=f"elsewhere/{a.file}") for a in reversed(articles)]
    assert built("same", moved, encoder, settings) == store.fingerprint
    assert built("fewer", articles[1:], encoder, settings) != store.fingerprint
    assert built("encoder", articles, TopicEncoder(fingerprint="topics-2"), settings) != store.fingerprint
    other = Settings(passages=PassageSettings(size=61, overlap=1))
    assert built("passages", articles, encoder, other) != store.fingerprint


# -- opening ---------------------------------------------------------------------------------------------------


def test_there_must_be_an_index(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match=r"there is no index in .*; make one with: jinwen index PATH"):
        LocalStore.open(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_another_encoder_is_refused_with_both_names_and_the_cure(store: LocalStore, settings: Settings) -> None:
    other = TopicEncoder("themes", "themes-1")
    with pytest.raises(IndexMismatchError) as caught:
        LocalStore.open(store.folder, encoder=other, passages=settings.passages)
    assert str(caught.value) == (
        f"index {store.folder} was built with encoder topics (topics-1, 8 dimensions), not with themes (themes-1, 8); "
        "set it back, or rebuild the index with: jinwen index --rebuild PATH..."
    )
    with LocalStore.open(store.folder) as any_encoder:
        assert any_encoder.encoder_name == "topics"


def test_other_passage_settings_are_refused(store: LocalStore, encoder: TopicEncoder) -> None:
    with pytest.raises(IndexMismatchError, match="passages of 60 characters and 1 sentences overlap, not 350 and 1"):
        LocalStore.open(store.folder, encoder=encoder, passages=PassageSettings())


def test_a_reader_sees_what_another_store_writes(
    store: LocalStore, encoder: TopicEncoder, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with LocalStore.open(store.folder, encoder=encoder, read_only=True) as reader:
        assert titles(reader, reader.search_lexical("大桥", 5)) == ["跨海大桥合龙"]
        story = Article(id="n#1", title="", text="灯塔大桥今晨点灯。", file="n.txt")
        fill(store, [story], encoder, settings)
        with caplog.at_level(logging.INFO):
            assert set(titles(reader, reader.search_lexical("大桥", 5))) == {"跨海大桥合龙", "灯塔大桥今晨点灯。"}
        assert len(reader.search_dense(query(encoder, "桥"), 50)) == 8
        with pytest.raises(StoreError, match="was opened for reading only"):
            reader.remove_article("n#1")


def test_a_closed_store_says_so(store: LocalStore) -> None:
    store.close()
    with pytest.raises(StoreError, match="was closed; open it again"):
        store.articles()


def test_the_reader_of_the_documentation_works(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parent.parent / "indexes" / "README.md").read_text("utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    monkeypatch.chdir(store.folder.parent)
    exec(compile(code.replace("indexes/default", "index"), "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[2] == "海湾日报/3 跨海大桥合龙 跨海大桥昨日合龙。大桥全长七公里，桥面双向六车道，预计年底通车。 1.0"
