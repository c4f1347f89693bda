"""The tables of an index: the on-disk format that indexes/README.md documents."""

from __future__ import annotations

APPLICATION_ID = 0x4A574E31
"""`JWN1`, in the header of the SQLite file."""
FORMAT = 2
"""Bump when the tables change, and add the step to rag/store/migration.py; a newer format is refused."""

SCHEMA = """
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    crc   INTEGER NOT NULL          -- CRC-32 of the other columns, here and below: see rag/store/checksums.py
) WITHOUT ROWID;

CREATE TABLE changes (              -- one row per transaction; caches name the row that they stand at
    counter INTEGER PRIMARY KEY,
    token   TEXT NOT NULL,          -- random: tells a restored backup from the index it forked off
    at      TEXT NOT NULL,
    crc     INTEGER NOT NULL
);

CREATE TABLE files (
    key              INTEGER PRIMARY KEY,
    identity         TEXT NOT NULL UNIQUE,
    path             TEXT NOT NULL,
    size             INTEGER NOT NULL,
    sha256           TEXT NOT NULL,
    recipe           TEXT NOT NULL,
    state            TEXT NOT NULL,
    error            TEXT,
    format           TEXT,
    encoding         TEXT,
    encoding_guessed INTEGER NOT NULL,
    stale            INTEGER NOT NULL DEFAULT 0,
    ingested_at      TEXT NOT NULL,
    crc              INTEGER NOT NULL
);

CREATE TABLE articles (
    key        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    file       INTEGER NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    position   INTEGER NOT NULL,    -- in the file, from 0; negative: not yet seen by a reading in slices
    title      TEXT NOT NULL,
    text       TEXT NOT NULL,
    source     TEXT NOT NULL,
    date       TEXT,                -- ISO 8601
    url        TEXT,
    byline     TEXT,
    subtitle   TEXT,
    kind       TEXT NOT NULL,
    spans      TEXT NOT NULL,       -- JSON list of [start, end]
    body_start INTEGER NOT NULL,
    content    BLOB NOT NULL,       -- SHA-256 of what a reader sees: finds duplicates
    digest     BLOB NOT NULL,       -- SHA-256 of the columns from id to body_start but file and position
    crc        INTEGER NOT NULL     -- CRC-32 of key, file, position, content and digest
);
CREATE INDEX articles_by_file ON articles (file, position);
CREATE INDEX articles_by_content ON articles (content);
CREATE INDEX articles_by_date ON articles (date, source);

CREATE TABLE passages (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: caches tell what changed by ids alone
    article INTEGER NOT NULL REFERENCES articles (key) ON DELETE CASCADE,
    start   INTEGER NOT NULL,                   -- characters (code points) of the article's text
    end     INTEGER NOT NULL,
    vector  BLOB NOT NULL,                      -- float16, little-endian
    crc     INTEGER NOT NULL                    -- CRC-32 of id, article, start, end (int64 LE) and vector
);
CREATE INDEX passages_by_article ON passages (article);

CREATE TABLE duplicates (           -- stories left out because another file has the very same one
    file    INTEGER NOT NULL REFERENCES files (key) ON DELETE CASCADE,
    content BLOB NOT NULL,
    crc     INTEGER NOT NULL,
    PRIMARY KEY (file, content)
) WITHOUT ROWID;
CREATE INDEX duplicates_by_content ON duplicates (content);
"""
