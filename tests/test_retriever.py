import dataclasses
import datetime as dt

import pytest
from library_toys import TopicEncoder, fill

from rag.config import RetrievalSettings, Settings
from rag.fusion import FittedFusion
from rag.retriever import Retriever
from rag.store import LocalStore
from rag.types import Article, Filters, Hit


def retriever(store: LocalStore, encoder: TopicEncoder, **settings: int) -> Retriever:
    return Retriever(store, encoder, RetrievalSettings(**settings))


def titles(hits: list[Hit]) -> list[str]:
    return [hit.article.display_title for hit in hits]


def test_a_hit_tells_its_rank_and_score_in_both_legs(store: LocalStore, encoder: TopicEncoder) -> None:
    best, second, *_ = retriever(store, encoder).retrieve("大桥 bridge and one ship")
    assert (best.rank, best.article.id, best.passage.text) == (
        1,
        "海湾日报/3",
        "跨海大桥昨日合龙。大桥全长七公里，桥面双向六车道，预计年底通车。",
    )
    assert best.article.text[best.passage.start : best.passage.end] == best.passage.text
    assert (best.dense_rank, best.dense_score) == (1, pytest.approx(2 / 5**0.5, abs=1e-3))
    assert best.lexical_rank == 1 and best.lexical_score is not None and best.lexical_score > 0
    assert best.score == 1 / 61 + 1 / 61
    assert (second.rank, second.article.title) == (2, "新港区开港")
    assert (second.dense_rank, second.lexical_rank, second.lexical_score) == (2, None, None)
    assert second.score == 1 / 62


def test_what_only_one_leg_finds_is_found(store: LocalStore, encoder: TopicEncoder) -> None:
    words_only = retriever(store, encoder).retrieve("林一舟")
    assert [(h.article.title, h.dense_rank, h.lexical_rank) for h in words_only] == [("新港区开港", None, 1)]
    meaning_only = retriever(store, encoder).retrieve("fish", k=1)
    assert [(h.article.title, h.dense_rank, h.lexical_rank) for h in meaning_only] == [("渔民今春收成好", 1, None)]


def test_at_most_so_many_passages_of_one_story(
    empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    long = Article(
        id="long#1", title="桥", file="a.txt", text="".join(f"第{i}座桥在第{i}条河上，桥长{i}百米。" for i in range(40))
    )
    short = Article(id="short#1", title="小桥", file="a.txt", text="小桥流水，桥边有船。")
    fill(empty_store, [long, short], encoder, settings)
    for most in (1, 2, 3):
        hits = retriever(empty_store, encoder, per_article=most).retrieve("桥", k=10)
        assert sorted(titles(hits)) == ["小桥"] + ["桥"] * most
        assert [hit.rank for hit in hits] == list(range(1, most + 2))


def test_a_story_printed_twice_does_not_fill_the_list(
    store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings
) -> None:
    reprint = dataclasses.replace(
        articles[2],
        id="r#1",
        file="r.txt",
        source="晚报",
        title="大桥合龙了",
        text="跨海大桥昨日合龙。大桥全长七公里,桥面双向六车道,预计年底通车。",
    )
    correction = dataclasses.replace(reprint, id="c#1", file="c.txt", text=reprint.text.replace("七公里", "八公里"))
    fill(store, [reprint, correction], encoder, settings)
    hits = retriever(store, encoder).retrieve("大桥 全长", k=3)
    assert len([h for h in hits if "七公里" in h.passage.text]) == 1
    assert len([h for h in hits if "八公里" in h.passage.text]) == 1  # it says something else: both are shown


def test_k_and_filters(store: LocalStore, encoder: TopicEncoder) -> None:
    find = retriever(store, encoder, top_k=2)
    assert len(find.retrieve("船鱼桥茶雪书")) == 2
    assert len(find.retrieve("船鱼桥茶雪书", k=50)) == 7
    assert find.retrieve("船鱼桥茶雪书", k=0) == []
    spring = Filters(date_from=dt.date(2025, 4, 1), date_to=dt.date(2025, 5, 5))
    assert sorted(titles(find.retrieve("船鱼桥茶雪书", k=50, filters=spring))) == [
        "A library by the sea",
        "A library by the sea",
        "渔民今春收成好",
    ]
    assert titles(find.retrieve("大桥", k=50, filters=Filters(sources=("山城晚报",)))) == [
        "春茶开采",
        "图为山城昨夜大雪，道班工人清扫积雪。",
    ]


@pytest.mark.parametrize("query", ["", "？？！", "🚢", "\0", "' OR ''='; --", "鱼" * 20_000])
def test_odd_queries_find_something_or_nothing(store: LocalStore, encoder: TopicEncoder, query: str) -> None:
    hits = retriever(store, encoder).retrieve(query)
    assert (len(hits) > 0) == ("鱼" in query)


def test_an_empty_index_finds_nothing(empty_store: LocalStore, encoder: TopicEncoder) -> None:
    assert retriever(empty_store, encoder).retrieve("鱼") == []


def test_the_same_index_gives_the_same_list(store: LocalStore, encoder: TopicEncoder) -> None:
    def found(store: LocalStore) -> list[tuple[str, int, float]]:
        hits = retriever(store, encoder).retrieve("海湾 大桥 library 2025年", k=7)
        return [(hit.article.id, hit.passage.start, hit.score) for hit in hits]

    expected = found(store)
    assert len(expected) == 7
    for _ in range(3):
        with LocalStore.open(store.folder) as again:
            assert found(again) == expected


def test_a_passage_deleted_after_the_search_is_left_out(store: LocalStore, encoder: TopicEncoder) -> None:
    find = retriever(store, encoder)
    search = store.search_lexical

    def search_then_delete(*args: object) -> object:
        found = search(*args)  # type: ignore[arg-type]
        store.remove_article("海湾日报/3")
        return found

    store.search_lexical = search_then_delete  # type: ignore[method-assign, assignment]
    assert "跨海大桥合龙" not in titles(find.retrieve("大桥"))
    assert store.article("海湾日报/3") is None


def test_fitted_weights_replace_reciprocal_ranks(store: LocalStore, encoder: TopicEncoder) -> None:
    by_cosine = FittedFusion(1, 0, 0, 0, 0, 0, 1, 0)
    hits = Retriever(store, encoder, RetrievalSettings(), by_cosine).retrieve("bridge 鱼鱼鱼", k=2)
    assert titles(hits) == ["渔民今春收成好", "跨海大桥合龙"]
    assert [hit.score for hit in hits] == [
        pytest.approx(3 / 10**0.5, abs=1e-3), pytest.approx(1 / 10**0.5, abs=1e-3),
    ]  # fmt: skip
    by_words = FittedFusion(0, 1, 0, 0, 0, 0, 0, 1)
    best = Retriever(store, encoder, RetrievalSettings(), by_words).retrieve("昨日合龙", k=1)[0]
    assert best.article.title == "跨海大桥合龙" and 0.3 < best.score < 1


def test_the_passages_of_one_article_as_the_index_cuts_them(
    empty_store: LocalStore, encoder: TopicEncoder, settings: Settings
) -> None:
    text = "".join(f"第{i}座桥在第{i}条河上，桥长{i}百米。" for i in range(40))
    long = Article(id="long#1", title="桥", file="a.txt", text=text)
    fill(empty_store, [long], encoder, settings)
    found = retriever(empty_store, encoder)
    best, *others = found.within(long, "第39座桥多长", 2)
    assert "第39座桥" in best.passage.text and len(others) == 1 and best.score >= others[0].score
    indexed = {(hit.passage.start, hit.passage.end) for hit in found.retrieve("桥", k=50)}
    assert {(hit.passage.start, hit.passage.end) for hit in (best, *others)} & indexed
