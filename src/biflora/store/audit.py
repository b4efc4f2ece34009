"""The audit chain: who did what to which record and when, each entry sealed with the hash of the one before.

It names records and usernames only, never what stood in a record. A chain alone shows a changed, removed,
inserted or reordered entry; that its end was cut off shows only against a head that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import Connection, select

from biflora.store.tables import audit
from biflora.values import Finding, Value, Who, canonical_json

START = "0" * 64


class AuditEntry(Value):
    seq: int
    at: str
    who: str
    what: str
    record_id: str
    previous: str
    hash: str


def seal(seq: int, at: str, who: str, what: str, record_id: str, previous: str) -> str:
    """SHA-256 over the entry's canonical JSON, the previous hash included."""
    return hashlib.sha256(canonical_json([seq, at, who, what, record_id, previous]).encode()).hexdigest()


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash of the last entry; (0, zeros) for an empty chain."""
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).first()
    return (0, START) if row is None else (row.seq, row.hash)


def append(connection: Connection, *, at: datetime, who: str, what: str, record_id: str) -> None:
    """Add one entry in the caller's transaction."""
    last, previous = head(connection)
    entry = (last + 1, at.isoformat(), who, what, record_id, previous)
    columns = dict(zip(("seq", "at", "who", "what", "record_id", "previous"), entry, strict=True))
    connection.execute(audit.insert().values(**columns, hash=seal(*entry)))


def entries(connection: Connection, *, after: int = 0) -> list[AuditEntry]:
    rows = connection.execute(select(audit).where(audit.c.seq > after).order_by(audit.c.seq))
    return [AuditEntry.model_validate(dict(row._mapping)) for row in rows]


def verify(connection: Connection, *, anchor: tuple[int, str] | None = None) -> tuple[Finding, ...]:
    """What is wrong with the chain; empty when it is whole.

    `anchor` is a head (number, hash) noted earlier in another place: with it a cut or rewritten end shows too.
    """
    expected, previous = 1, START
    noted: str | None = None
    for entry in entries(connection):
        body = (entry.seq, entry.at, entry.who, entry.what, entry.record_id, entry.previous)
        if entry.seq != expected or entry.previous != previous or entry.hash != seal(*body):
            return (_broken(f"the audit chain breaks at entry {expected}"),)
        if anchor is not None and entry.seq == anchor[0]:
            noted = entry.hash
        expected, previous = expected + 1, entry.hash
    if anchor is not None and anchor[0] > 0 and noted != anchor[1]:
        return (_broken(f"entry {anchor[0]} is not the one that was noted"),)
    return ()


def _broken(what: str) -> Finding:
    return Finding(
        level="stop",
        rule="audit_chain",
        subject="audit",
        message=f"Somebody changed the database behind biflora's back: {what}. Keep the file as it is, restore "
        "the last backup, and tell the person in charge of privacy.",
        who=Who.LAW,
        source="hash chain",
    )
