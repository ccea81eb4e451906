"""A PostgreSQL database made ready to hold a catalog: pgSTAC by pypgstac, and what is ours beside it."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from catalog.errors import StoreError
from catalog.pgstac.conditions import declare, read_label
from catalog.pgstac.sources import gather_sources
from catalog.query.queryables import QUERYABLES

if TYPE_CHECKING:
    from psycopg import Connection

VERSION: Final = 2
"""Of what is ours; one more with every change of `schema.sql` or of the declared properties."""

_MEND: Final = "Run `datacommons catalog migrate`."


def migrate(address: str) -> str:
    """Install pgSTAC and our functions in a database, or bring them up to date.

    Parameters
    ----------
    address : str
        As ``postgresql://user@host/database``. The user may create extensions and roles, or an administrator has
        created the extensions postgis and btree_gist and the roles of pgSTAC before.

    Returns
    -------
    str
        The version of pgSTAC.

    Raises
    ------
    StoreError
        Where the database cannot be reached, or lacks PostGIS, or may not be changed.
    """
    from catalog.pgstac.store import name_database

    name = name_database(address)
    try:
        import psycopg
        from pypgstac.db import PgstacDB
        from pypgstac.migrate import Migrate
    except ImportError as error:
        raise StoreError(
            f"{name} needs what is not installed ({error.name}): pip install 'datacommons[postgresql]'."
        ) from error
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            for extension in ("postgis", "btree_gist"):
                connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            version = str(Migrate(PgstacDB(connection=connection)).run_migration())
            connection.commit()
        # The migration took on the roles of pgSTAC: another connection has the user's own again.
        with psycopg.connect(address, autocommit=True) as connection:
            _install(connection)
    except psycopg.Error as error:
        raise StoreError(
            f"{name} cannot be made ready: {str(error).strip()}. pgSTAC needs PostgreSQL 13 or later with PostGIS, "
            "and a user who may create extensions and roles."
        ) from error
    return version


def check_version(connection: Connection[Any], name: str) -> None:
    """Raise StoreError where a database is not ready."""
    row = connection.execute("SELECT to_regclass('datacommons.version'), to_regclass('pgstac.items')").fetchone()
    if row is None or None in row:
        raise StoreError(f"The database {name} is no catalog yet. {_MEND}")
    (found,) = connection.execute("SELECT max(version) FROM datacommons.version").fetchone() or (None,)
    if found != VERSION:
        mend = "Update datacommons." if found and found > VERSION else _MEND
        raise StoreError(f"The catalog {name} is of version {found} and this program needs {VERSION}. {mend}")


def _install(connection: Connection[Any]) -> None:
    schema = (files("catalog.pgstac") / "schema.sql").read_text("utf-8")
    with connection.transaction():
        connection.execute("SET LOCAL search_path = pgstac, public")
        connection.execute(schema, prepare=False)
        # Few are hidden, and the planner has to know it: it looks into indices only.
        label = read_label("content -> 'properties'")
        connection.execute(f"CREATE INDEX IF NOT EXISTS datacommons_access ON pgstac.items (({label}))")
        for name in QUERYABLES:
            value = declare(name).replace("i.", "")
            # In the order of a search without one, so that the items of one value come in it.
            connection.execute(
                f'CREATE INDEX IF NOT EXISTS "datacommons_{name}" ON pgstac.items '
                f'(({value}), datetime DESC, id COLLATE "C", collection COLLATE "C") WHERE {value} IS NOT NULL'
            )
        gather_sources(connection)
        connection.execute("DELETE FROM datacommons.version")
        connection.execute("INSERT INTO datacommons.version VALUES (%s)", (VERSION,))
