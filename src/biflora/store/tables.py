"""The tables. Values are kept as JSON beside the columns that a list or a join needs.

Rows of `people`, `records`, `order_steps` and `audit` are only ever added; triggers made by the first
migration refuse every update and delete. A correction is a new row that names the old one.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("patient_id", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(60), nullable=False, unique=True),
    Column("kind", String(30), nullable=False),
    Column("patient_id", String(40), ForeignKey("people.patient_id"), nullable=True),
    Column("parent_ids", Text, nullable=False),
    Column("knowledge_release", String(20), nullable=False),
    Column("value", Text, nullable=False),
    Column("created_at", String(32), nullable=False),
    Index("records_of_patient", "patient_id", "kind", "seq"),
)

order_steps = Table(
    "order_steps",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("order_id", String(60), nullable=False),
    Column("step", Integer, nullable=False),
    Column("patient_id", String(40), ForeignKey("people.patient_id"), nullable=False),
    Column("prescription_id", String(60), nullable=False),
    Column("state", String(30), nullable=False),
    Column("value", Text, nullable=False),
    Column("at", String(32), nullable=False),
    # Two pharmacists who act on the same step: the second is refused instead of overwriting the first.
    UniqueConstraint("order_id", "step", name="one_next_step"),
)

users = Table(
    "users",
    metadata,
    Column("username", String(40), primary_key=True),
    Column("display_name", String(80), nullable=False),
    Column("role", String(20), nullable=False),
    Column("password_hash", String(200), nullable=False),
    Column("patient_id", String(40), ForeignKey("people.patient_id"), nullable=True),
    Column("licence_number", String(40), nullable=False, default=""),
    Column("licence_state", String(2), nullable=False, default=""),
    Column("demo", Integer, nullable=False, default=0),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("username", String(40), ForeignKey("users.username"), nullable=False),
    Column("begun_at", String(32), nullable=False),
    Column("seen_at", String(32), nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("who", String(40), nullable=False),
    Column("what", String(80), nullable=False),
    Column("record_id", String(60), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

NEVER_CHANGED = ("people", "records", "order_steps", "audit")
