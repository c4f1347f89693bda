"""A byte changed anywhere in an index is refused or told; an older format is brought up to date; folders come back."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from library_toys import TopicEncoder, encoded, fill, record

import rag.store.schema
from rag.config import Settings
from rag.errors import IndexDamagedError, IndexMissingError, IndexOutdatedError, StoreError
from rag.store import FileArticles, Level, LocalStore
from rag.store.checksums import row_crc
from rag.types import Article


@pytest.fixture
def index(store: LocalStore, encoder: TopicEncoder, settings: Settings, articles: list[Article]) -> Path:
    """A closed index in which every table has rows."""
    twin = FileArticles(record("twin.json"), [articles[0], Article("twin", "", "渔船出海。", "twin.json")])
    store.replace_files([twin], lambda new: encoded(new, encoder, settings))
    store.update_caches()
    store.close()
    assert errors(store.folder) == []
    return store.folder


def errors(folder: Path) -> list[str]:
    with LocalStore.open(folder, read_only=True) as store:
        return [finding.what for finding in store.check() if finding.level is Level.ERROR]


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "index.sqlite3")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def columns() -> Iterator[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(rag.store.schema.SCHEMA)
        for table in ("meta", "changes", "files", "articles", "passages", "duplicates"):
            for _, column, *_ in connection.execute(f"PRAGMA table_info({table})"):
                yield table, column


@pytest.mark.parametrize(("table", "column"), columns())
def test_every_column_of_every_row_is_covered(table: str, column: str, index: Path) -> None:
    """Changed as a flipped byte would: the value is another, and the row knows nothing of it."""
    key = {"meta": "name", "duplicates": "file"}.get(table, "rowid")
    other = f"CASE typeof({column}) WHEN 'integer' THEN {column} + 1000 WHEN 'blob' THEN {column} || x'00' "
    change(
        index,
        f"UPDATE {table} SET {column} = {other} WHEN 'null' THEN 'x' ELSE {column} || 'x' END "
        f"WHERE {key} = (SELECT min({key}) FROM {table})",
    )
    with contextlib.suppress(StoreError):  # refused at once
        assert errors(index) != []


def test_a_wrong_file_name_is_not_shown(index: Path) -> None:
    change(index, "UPDATE files SET path = 'gulg.json' WHERE path = 'gulf.json'")
    with LocalStore.open(index) as store:
        with pytest.raises(IndexDamagedError, match="the file of article '海湾日报/1' is damaged"):
            store.article("海湾日报/1")
        assert store.article("letter.txt#1") is not None
    assert "the row 'gulg.json' of files is not what was written" in errors(index)


def test_a_damaged_row_stays_recognisable_when_the_row_is_changed(
    index: Path, encoder: TopicEncoder, settings: Settings
) -> None:
    change(index, "UPDATE files SET path = 'twon.json' WHERE path = 'twin.json'")
    with LocalStore.open(index) as store:
        store.remove_article("海湾日报/1")  # twin.json left that story out, so its row is marked
    assert "the row 'twon.json' of files is not what was written" in errors(index)


def test_a_flipped_schema_and_a_lost_count_of_ids_are_told(index: Path) -> None:
    change(index, "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'passages'")
    assert "passage ids would be used again" in errors(index)[0]
    with closing(sqlite3.connect(index / "index.sqlite3")) as connection, connection:
        connection.execute("DROP INDEX articles_by_date")
    assert "the tables are not those of this format" in errors(index)


def test_values_do_not_run_into_each_other() -> None:
    rows = [("ab", "c"), ("a", "bc"), ("abc", None), (b"ab", "c"), (1, 11), (11, 1), ("1", 11), (1.5, 1), (None, "abc")]
    assert len({row_crc(*row) for row in rows}) == len(rows)  # type: ignore[arg-type]


# -- formats ---------------------------------------------------------------------------------------------------


@pytest.fixture
def old(index: Path, tmp_path: Path) -> Path:
    """The same index as format 1 had it: no checksums but those of articles and passages."""
    schema = rag.store.schema.SCHEMA.split("CREATE TABLE passages")
    tables = ("meta", "changes", "files", "articles", "duplicates")
    lines = [line for line in schema[0].splitlines() if not line.strip().startswith("crc ")]
    text = "\n".join(lines) + "\nCREATE TABLE passages" + schema[1].replace("    crc     INTEGER NOT NULL,\n", "")
    for before in ("value TEXT NOT NULL", "at      TEXT NOT NULL", "ingested_at      TEXT NOT NULL"):
        text = text.replace(f"{before},", before)
    text = text.replace("digest     BLOB NOT NULL, ", "digest     BLOB NOT NULL ")
    folder = tmp_path / "old"
    shutil.copytree(index, folder)
    (folder / "index.sqlite3").unlink()
    with closing(sqlite3.connect(folder / "index.sqlite3", isolation_level=None)) as connection:
        connection.executescript(text)
        connection.execute("ATTACH ? AS new", (str(index / "index.sqlite3"),))
        connection.create_function("crc_1", 4, crc_1)
        for table in tables:
            names = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"INSERT INTO {table} SELECT {names} FROM new.{table}")
        connection.execute(
            "INSERT INTO passages SELECT id, article, start, end, vector, crc_1(id, start, end, vector) "
            "FROM new.passages"
        )
        connection.execute("UPDATE sqlite_sequence SET seq = 99")
        connection.execute("PRAGMA user_version=1")
        connection.execute(f"PRAGMA application_id={rag.store.schema.APPLICATION_ID}")
    return folder


def crc_1(passage: int, start: int, end: int, vector: bytes) -> int:
    import struct
    import zlib

    return zlib.crc32(vector, zlib.crc32(struct.pack("<qqq", passage, start, end)))


def test_an_older_format_is_brought_up_to_date(
    old: Path, index: Path, encoder: TopicEncoder, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IndexOutdatedError, match="has format 1, this Jinwen reads 2; it is brought up to date by any"):
        LocalStore.open(old, read_only=True)
    with LocalStore.open(old) as store, LocalStore.open(index) as same:
        assert "from format 1 to 2" in caplog.text
        assert store.articles() == same.articles()
        assert store.fingerprint == same.fingerprint
        query = encoder.encode_queries(["船"])[0]
        assert store.search_dense(query, 9) == same.search_dense(query, 9)
        assert store.check() == []  # the caches are as good as before
        fill(store, [Article("n#1", "", "鱼市开张。", "n.txt")], encoder, settings)
        assert {hit.passage_id for hit in store.search_lexical("鱼市开张", 9)} & {100}  # ids are not used again
    assert sorted(path.name for path in old.glob("*.new-*")) == []


def test_damage_is_not_blessed_by_a_migration(old: Path) -> None:
    change(old, "UPDATE passages SET start = 1 WHERE id = 3")
    LocalStore.open(old).close()
    assert errors(old) == ["passage 3 is not what was written"]


def test_a_migration_that_fails_leaves_the_old_index(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("stopped")

    before = (old / "index.sqlite3").read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("rag.store.migration._STEPS", {1: failing})
        with pytest.raises(StoreError):
            LocalStore.open(old)
    assert (old / "index.sqlite3").read_bytes() == before
    assert list(old.glob("*.new-*")) == []
    LocalStore.open(old).close()


# -- a folder that goes and comes back -------------------------------------------------------------------------


def test_a_deleted_index_is_missed_and_works_again_when_it_is_back(index: Path, encoder: TopicEncoder) -> None:
    query = encoder.encode_queries(["船"])[0]
    with LocalStore.open(index) as store:
        before = store.articles(), store.search_lexical("大桥", 5), store.search_dense(query, 9)
        copy = shutil.copytree(index, index.with_name("copy"))
        shutil.rmtree(index)
        for ask in (store.articles, store.counts, lambda: store.search_lexical("大桥", 5), lambda: store.fingerprint):
            with pytest.raises(IndexMissingError, match="is gone"):
                ask()
        shutil.move(copy, index)
        assert (store.articles(), store.search_lexical("大桥", 5), store.search_dense(query, 9)) == before
        store.remove_article("海湾日报/1")
        assert store.article("海湾日报/1") is None


def test_an_index_made_anew_at_the_same_place_is_seen(index: Path, encoder: TopicEncoder, settings: Settings) -> None:
    with LocalStore.open(index) as store:
        assert len(store.search_lexical("大桥", 5)) == 1
        shutil.rmtree(index)
        with LocalStore.open(index, create=True, encoder=encoder, passages=settings.passages) as other:
            fill(other, [Article("n#1", "", "鱼市开张。", "n.txt")], encoder, settings)
        assert [article.id for article in store.articles()] == ["n#1"]
        assert store.search_lexical("大桥", 5) == []
        assert len(store.search_lexical("鱼市", 5)) == 1
