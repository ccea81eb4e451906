"""The tables of the embedded store, and how older files become new ones."""

from __future__ import annotations

import sqlite3
from typing import Final

from catalog.errors import StoreError

# What version 2 keeps of each item beside the document. It must be told from QUERYABLES: those may grow, and then
# a version 3 adds the rest.
_DECLARED_2: Final = (
    "landscape:id",
    "landscape:layer",
    "landscape:product",
    "landscape:synthetic",
    "scenario:id",
    "scenario:run",
    "scenario:parent",
    "scenario:horizon_years",
    "gsd",
    "proj:code",
    "version",
    "deprecated",
    "created",
    "updated",
    "eo:cloud_cover",
)
_FILL_2: Final = ", ".join(f"\"{name}\" = queryable_of(document, '{name}')" for name in _DECLARED_2)

# One tuple of statements a version; PRAGMA user_version says how many a file has seen. Never edit one
# that was released: add the next.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE collections (id TEXT PRIMARY KEY, access TEXT NOT NULL, document TEXT NOT NULL)",
        """CREATE TABLE items (
            key INTEGER PRIMARY KEY,
            collection TEXT NOT NULL REFERENCES collections (id),
            id TEXT NOT NULL,
            access TEXT NOT NULL,
            sorted_at INTEGER NOT NULL,
            starts INTEGER NOT NULL,
            ends INTEGER NOT NULL,
            west REAL, south REAL, east REAL, north REAL,
            document TEXT NOT NULL,
            UNIQUE (collection, id)
        )""",
        "CREATE INDEX items_by_time ON items (sorted_at DESC, id, collection)",
        "CREATE INDEX items_by_collection_and_time ON items (collection, sorted_at DESC, id)",
        "CREATE INDEX items_by_id ON items (id)",
        # An item has the keys 2k and, where it crosses the antimeridian, 2k + 1.
        "CREATE VIRTUAL TABLE footprints USING rtree (key, west, east, south, north)",
    ),
    (
        *(f'ALTER TABLE items ADD COLUMN "{name}"' for name in _DECLARED_2),
        f"UPDATE items SET {_FILL_2}",  # noqa: S608  (names of our own)
        "DROP INDEX items_by_id",
        "CREATE INDEX items_by_id ON items (id, collection)",
        # Ends in the order of a search without one, so that the items of one value come in it.
        *(
            f'CREATE INDEX "items_by_{name}" ON items ("{name}", sorted_at DESC, id, collection) '
            f'WHERE "{name}" IS NOT NULL'
            for name in _DECLARED_2
        ),
        """CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "unicode61 remove_diacritics 2")""",
        "INSERT INTO words (rowid, text) SELECT key, words_of(document) FROM items",
    ),
    (
        # What each item was derived from, which may not be lost under it.
        """CREATE TABLE sources (
            collection TEXT NOT NULL, id TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (collection, id, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX sources_by_key ON sources (key)",
        """INSERT INTO sources
            SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), items.key
            FROM items, json_each(sources_of(items.document))""",
    ),
)


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a file up to date, in the transaction that is open.

    Parameters
    ----------
    connection : Connection
        It has the functions of `catalog.functions`.
    name : str
        Of the file, for messages.

    Raises
    ------
    StoreError
        Where a newer program wrote it.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The catalog {name} is of version {version} and this program knows up to {len(MIGRATIONS)}: "
            "update datacommons."
        )
    for statement in (statement for step in MIGRATIONS[version:] for statement in step):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
