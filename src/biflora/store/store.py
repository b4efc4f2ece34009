"""The store: reads, and acts. One act is one transaction with its audit entries; there is one writer at a time."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from biflora.dispensary.batch import Order
from biflora.errors import ClinicianMust, PharmacistMust
from biflora.profile.patient import Patient
from biflora.store import audit
from biflora.store.engine import open_engine, sqlite_url
from biflora.store.tables import order_steps, people, records
from biflora.values import Finding, Record

R = TypeVar("R", bound=Record)
DATABASE_VARIABLE = "BIFLORA_DATABASE"


def now() -> datetime:
    return datetime.now(UTC)


class Act:
    """One open transaction: what is kept in it is audited in it, or nothing of it happens."""

    def __init__(self, connection: Connection, who: str, what: str) -> None:
        self.connection = connection
        self.who = who
        self.what = what
        self.at = now()
        self._noted = 0

    def keep(self, record: Record, *, kind: str, patient_id: str | None) -> None:
        """Add a room's output. A record with the same content (so the same id) is kept once."""
        known = self.connection.execute(select(records.c.seq).where(records.c.id == record.id)).first()
        if known is None:
            self.connection.execute(
                records.insert().values(
                    id=record.id,
                    kind=kind,
                    patient_id=patient_id,
                    parent_ids=json.dumps(record.parent_ids),
                    knowledge_release=record.knowledge_release,
                    value=record.model_dump_json(),
                    created_at=self.at.isoformat(),
                )
            )
        self.note(f"{self.what}: {kind}", record.id)

    def admit(self, patient: Patient) -> None:
        """Add a person. Raises ClinicianMust when the number is taken."""
        try:
            self.connection.execute(
                people.insert().values(
                    patient_id=patient.patient_id, value=patient.model_dump_json(), created_at=self.at.isoformat()
                )
            )
        except IntegrityError:
            raise ClinicianMust("That patient number is taken; give this patient another one.") from None
        self.note(self.what, patient.patient_id)

    def keep_order(self, order: Order, *, patient_id: str) -> None:
        """Add the order's newest step. Raises PharmacistMust when somebody else took that step first."""
        try:
            self.connection.execute(
                order_steps.insert().values(
                    order_id=order.id,
                    step=len(order.steps),
                    patient_id=patient_id,
                    prescription_id=order.prescription_id,
                    state=order.state.value,
                    value=order.model_dump_json(),
                    at=order.steps[-1].at.isoformat(),
                )
            )
        except IntegrityError:
            raise PharmacistMust(
                "Somebody else moved this order a moment ago; open it again and look at its new state."
            ) from None
        self.note(f"{self.what}: {order.state.value}", order.id)

    def note(self, what: str, record_id: str) -> None:
        audit.append(self.connection, at=self.at, who=self.who, what=what, record_id=record_id)
        self._noted += 1

    def close(self) -> None:
        if not self._noted:
            self.note(self.what, "")


class Store:
    """The clinic's database."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url)
        self._writer = threading.Lock()

    @classmethod
    def in_folder(cls, folder: Path) -> Store:
        """The database that BIFLORA_DATABASE names, else SQLite in `folder` (made if absent)."""
        url = os.environ.get(DATABASE_VARIABLE)
        if not url:
            folder.mkdir(parents=True, exist_ok=True)
            url = sqlite_url(folder)
        return cls(url)

    @contextmanager
    def act(self, who: str, what: str) -> Iterator[Act]:
        """One act by `who`: committed as a whole at the end, or not at all."""
        with self.writing() as connection:
            act = Act(connection, who, what)
            yield act
            act.close()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction without an audit entry, for what is not a clinical act (a session seen again)."""
        with self._writer, self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    # --- people

    def is_empty(self) -> bool:
        with self.reading() as connection:
            return connection.execute(select(func.count()).select_from(people)).scalar_one() == 0

    def patients(self) -> list[Patient]:
        """Everybody, in the order of admission."""
        with self.reading() as connection:
            rows = connection.execute(select(people.c.value).order_by(people.c.created_at, people.c.patient_id))
            return [Patient.model_validate_json(row.value) for row in rows]

    def patient(self, patient_id: str) -> Patient | None:
        with self.reading() as connection:
            row = connection.execute(select(people.c.value).where(people.c.patient_id == patient_id)).first()
        return None if row is None else Patient.model_validate_json(row.value)

    # --- records

    def record(self, record_id: str, cls: type[R], *, kind: str) -> R | None:
        """The record of that id and kind, or None when there is none."""
        with self.reading() as connection:
            row = connection.execute(
                select(records.c.value).where(records.c.id == record_id, records.c.kind == kind)
            ).first()
        return None if row is None else cls.model_validate_json(row.value)

    def records_of(self, patient_id: str, cls: type[R], *, kind: str) -> list[R]:
        """A patient's records of one kind, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(
                select(records.c.value)
                .where(records.c.patient_id == patient_id, records.c.kind == kind)
                .order_by(records.c.seq)
            )
            return [cls.model_validate_json(row.value) for row in rows]

    def latest(self, patient_id: str, cls: type[R], *, kind: str) -> R | None:
        with self.reading() as connection:
            row = connection.execute(
                select(records.c.value)
                .where(records.c.patient_id == patient_id, records.c.kind == kind)
                .order_by(records.c.seq.desc())
                .limit(1)
            ).first()
        return None if row is None else cls.model_validate_json(row.value)

    def records_without_patient(self, cls: type[R], *, kind: str) -> list[R]:
        """Records of the house itself, e.g. evidence, oldest first."""
        with self.reading() as connection:
            rows = connection.execute(
                select(records.c.value)
                .where(records.c.patient_id.is_(None), records.c.kind == kind)
                .order_by(records.c.seq)
            )
            return [cls.model_validate_json(row.value) for row in rows]

    def owner_of(self, record_id: str) -> str | None:
        """Number of the patient whom the record or order is about, or None."""
        with self.reading() as connection:
            row = connection.execute(select(records.c.patient_id).where(records.c.id == record_id)).first()
            if row is None:
                row = connection.execute(
                    select(order_steps.c.patient_id).where(order_steps.c.order_id == record_id).limit(1)
                ).first()
        return None if row is None else row.patient_id

    def kinds_by_patient(self) -> dict[str, dict[str, int]]:
        """How many records of each kind each patient has, for the worklist."""
        counts: dict[str, dict[str, int]] = {}
        with self.reading() as connection:
            rows = connection.execute(
                select(records.c.patient_id, records.c.kind, func.count().label("number"))
                .where(records.c.patient_id.is_not(None))
                .group_by(records.c.patient_id, records.c.kind)
            ).all()
        for row in rows:
            counts.setdefault(row.patient_id, {})[row.kind] = row.number
        return counts

    # --- orders

    def orders(self, *, patient_id: str | None = None) -> list[tuple[str, Order]]:
        """(patient number, order as it stands now), in the order in which they came in."""
        last = select(func.max(order_steps.c.seq)).group_by(order_steps.c.order_id)
        query = select(order_steps.c.patient_id, order_steps.c.value).where(order_steps.c.seq.in_(last))
        if patient_id is not None:
            query = query.where(order_steps.c.patient_id == patient_id)
        with self.reading() as connection:
            rows = connection.execute(query).all()
        found = [(row.patient_id, Order.model_validate_json(row.value)) for row in rows]
        return sorted(found, key=lambda pair: (pair[1].steps[0].at, pair[1].id))

    def order(self, order_id: str) -> tuple[str, Order] | None:
        """The patient's number and the order as it stands now, or None when there is none."""
        with self.reading() as connection:
            row = connection.execute(
                select(order_steps.c.patient_id, order_steps.c.value)
                .where(order_steps.c.order_id == order_id)
                .order_by(order_steps.c.step.desc())
                .limit(1)
            ).first()
        return None if row is None else (row.patient_id, Order.model_validate_json(row.value))

    # --- audit

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the last entry: note it elsewhere, and a cut end will show."""
        with self.reading() as connection:
            return audit.head(connection)

    def audit_entries(self, *, after: int = 0) -> list[audit.AuditEntry]:
        with self.reading() as connection:
            return audit.entries(connection, after=after)

    def verify_audit(self, *, anchor: tuple[int, str] | None = None) -> tuple[Finding, ...]:
        """What is wrong with the audit chain; empty when it is whole."""
        with self.reading() as connection:
            return audit.verify(connection, anchor=anchor)
