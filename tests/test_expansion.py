from rag.expansion import QueryExpander, spelled
from rag.lexicon import Lexicon

EXPANDER = QueryExpander(
    Lexicon(translations={"reservoir": [("水库", 1.0), ("库", 0.5)], "the": [("这", 1.0)], "a": [("一", 1.0)]})
)


def test_translations_with_their_weights() -> None:
    assert EXPANDER.expand("Where is the reservoir?") == {"水库": 1.0, "库": 0.5}
    assert EXPANDER.expand("reservoirs")["水库"] == 1.0


def test_a_name_gives_the_characters_that_it_may_spell() -> None:
    found = EXPANDER.expand("Who runs Wenlan Robot?")
    assert found["文岚"] == found["温兰"] == 0.7
    assert spelled("Jianning")["建宁"] == 0.7
    assert spelled("Zhangjiakou")["张家"] == spelled("Zhangjiakou")["家口"] == 0.35


def test_what_is_no_name() -> None:
    assert spelled("wenlan") == {}
    assert spelled("Li") == {}
    assert spelled("Robot") == {}


def test_a_chinese_query_is_left_alone() -> None:
    assert EXPANDER.expand("水库在哪里？") == {}
