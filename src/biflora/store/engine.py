"""Opening the database: its settings are asserted, not hoped for, and its tables brought up to date."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from biflora.errors import OperatorMust

BUSY_TIMEOUT_MS = 10_000

# What a commit must survive: see `settings`. 2 is FULL: every commit is on the disk before it is answered.
REQUIRED_SQLITE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'biflora.sqlite'}"


def open_engine(url: str) -> Engine:
    """Connect, set and check the settings, run the migrations. Raises OperatorMust when one of them fails."""
    try:
        database = make_url(url)
        engine = create_engine(database)
    except (SQLAlchemyError, ImportError):
        raise OperatorMust(
            "BIFLORA_DATABASE does not name a database that this installation can open; use "
            "sqlite:///path/to/biflora.sqlite, or install the driver that the address names."
        ) from None
    if database.get_backend_name() == "sqlite":
        if database.database in (None, "", ":memory:"):
            raise OperatorMust("biflora keeps its values on disk; name a file: sqlite:///path/to/biflora.sqlite")
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with engine.connect() as connection:
            _assert_settings(connection)
        with engine.begin() as connection:
            migrate(connection)
    except SQLAlchemyError as problem:
        raise OperatorMust(
            f"The database cannot be opened ({type(problem).__name__}); see that its folder exists, can be "
            "written, and that the file is a biflora database."
        ) from None
    return engine


def settings(connection: Connection) -> dict[str, Any]:
    """The SQLite settings as they are now."""
    wanted = (*REQUIRED_SQLITE, "busy_timeout")
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}


def _set_up_sqlite(connection: Any, record: object) -> None:
    # SQLAlchemy, not the driver, says when a transaction begins: see `_begin_sqlite`.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that became a writer half-way could fail with "busy".
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _assert_settings(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT 1"))
        return
    found = settings(connection)
    wrong = [name for name, value in REQUIRED_SQLITE.items() if found[name] != value]
    if found["busy_timeout"] < 5000:
        wrong.append("busy_timeout")
    if wrong:
        raise OperatorMust(
            f"SQLite does not take the setting(s) {', '.join(wrong)} here, so a written value could be lost; "
            "put the data folder on a local disk (not a network share)."
        )


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest form; does nothing when they are."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("biflora.store") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
