"""Rows of users and sessions. Who may do what is decided in `clinic/access.py`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from biflora.store.tables import sessions, users
from biflora.values import Value


class UserRow(Value):
    username: str
    display_name: str
    role: str
    password_hash: str
    patient_id: str | None = None
    licence_number: str = ""
    licence_state: str = ""
    demo: bool = False


class SessionRow(Value):
    token_sha256: str
    username: str
    begun_at: datetime
    seen_at: datetime


def add_user(connection: Connection, user: UserRow) -> None:
    connection.execute(users.insert().values(**{**user.model_dump(), "demo": int(user.demo)}))


def all_users(connection: Connection) -> list[UserRow]:
    rows = connection.execute(select(users).order_by(users.c.username))
    return [UserRow.model_validate(dict(row._mapping)) for row in rows]


def user(connection: Connection, username: str) -> UserRow | None:
    row = connection.execute(select(users).where(users.c.username == username)).first()
    return None if row is None else UserRow.model_validate(dict(row._mapping))


def begin_session(connection: Connection, session: SessionRow) -> None:
    row = session.model_dump(mode="json")
    connection.execute(sessions.insert().values(**row))


def session(connection: Connection, token_sha256: str) -> SessionRow | None:
    row = connection.execute(select(sessions).where(sessions.c.token_sha256 == token_sha256)).first()
    return None if row is None else SessionRow.model_validate(dict(row._mapping))


def touch_session(connection: Connection, token_sha256: str, at: datetime) -> None:
    connection.execute(
        update(sessions).where(sessions.c.token_sha256 == token_sha256).values(seen_at=at.isoformat())
    )


def end_session(connection: Connection, token_sha256: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256))


def end_sessions_begun_before(connection: Connection, at: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.begun_at < at.isoformat()))
