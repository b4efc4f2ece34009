"""What is kept stays as it was kept, and a changed file shows."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from biflora.dispensary.batch import Order, OrderState, OrderStep
from biflora.errors import ClinicianMust, OperatorMust, PharmacistMust
from biflora.profile.patient import Condition, Patient
from biflora.profile.profile import Profile
from biflora.store.engine import settings
from biflora.store.store import Store

PERSON = Patient(patient_id="T1", age_years=30, condition=Condition.ACNE, synthetic=True)
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'clinic.sqlite'}")


def profile(person: Patient = PERSON) -> Profile:
    return Profile.make("profile", release="test", patient=person)


def admit(store: Store) -> Profile:
    kept = profile()
    with store.act("dr", "intake") as act:
        act.admit(PERSON)
        act.keep(kept, kind="profile", patient_id="T1")
    return kept


def test_the_settings_that_keep_an_answered_write(store: Store) -> None:
    """R2: WAL, FULL (2), foreign keys, and at least 5 s of patience."""
    with store.reading() as connection:
        found = settings(connection)
    assert (found["journal_mode"], found["synchronous"], found["foreign_keys"]) == ("wal", 2, 1)
    assert found["busy_timeout"] >= 5000


def test_a_record_comes_back_as_it_was_kept(store: Store) -> None:
    kept = admit(store)
    assert store.record(kept.id, Profile, kind="profile") == kept
    assert store.latest("T1", Profile, kind="profile") == kept
    assert store.owner_of(kept.id) == "T1"
    assert store.record("profile-none", Profile, kind="profile") is None


def test_an_act_that_fails_leaves_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.act("dr", "intake") as act:
            act.admit(PERSON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert store.is_empty()
    assert store.audit_entries() == []


def test_a_patient_number_is_given_once(store: Store) -> None:
    admit(store)
    with pytest.raises(ClinicianMust, match="number is taken"), store.act("dr", "intake") as act:
        act.admit(PERSON)


def test_a_record_of_an_unknown_patient_is_refused(store: Store) -> None:
    """foreign_keys=ON at work."""
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.act("dr", "intake") as act:
        act.keep(profile(), kind="profile", patient_id="nobody")


@pytest.mark.parametrize("table", ["people", "records", "audit"])
@pytest.mark.parametrize("act", ["DELETE FROM {0}", "UPDATE {0} SET rowid = rowid"])
def test_no_kept_row_can_be_changed_through_sql(store: Store, tmp_path: Path, table: str, act: str) -> None:
    admit(store)
    with sqlite3.connect(tmp_path / "clinic.sqlite") as raw, pytest.raises(sqlite3.Error, match="never changed"):
        raw.execute(act.format(table))


def _two_acts(store: Store) -> None:
    admit(store)
    with store.act("dr", "looked"):
        pass


def test_every_write_stands_in_the_audit_chain(store: Store) -> None:
    _two_acts(store)
    assert [(e.seq, e.who, e.what) for e in store.audit_entries()] == [
        (1, "dr", "intake"),
        (2, "dr", "intake: profile"),
        (3, "dr", "looked"),
    ]
    assert store.verify_audit() == ()


TAMPERINGS = {
    "edited": "UPDATE audit SET who = 'other' WHERE seq = 2",
    "removed": "DELETE FROM audit WHERE seq = 2",
    "first removed": "DELETE FROM audit WHERE seq = 1",
    "reordered": "UPDATE audit SET seq = CASE seq WHEN 1 THEN 12 ELSE 11 END WHERE seq < 3",
    "inserted": "INSERT INTO audit SELECT 4, at, who, what, record_id, hash, hash FROM audit WHERE seq = 3",
}


@pytest.mark.parametrize("how", sorted(TAMPERINGS))
def test_a_tampered_chain_shows(store: Store, tmp_path: Path, how: str) -> None:
    """The tamperer drops the triggers first, as one with the file in hands can."""
    _two_acts(store)
    with sqlite3.connect(tmp_path / "clinic.sqlite") as raw:
        raw.execute("DROP TRIGGER audit_no_update")
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute(TAMPERINGS[how])
    assert [f.rule for f in store.verify_audit()] == ["audit_chain"]


def test_a_cut_end_shows_against_a_head_noted_elsewhere(store: Store, tmp_path: Path) -> None:
    _two_acts(store)
    anchor = store.audit_head()
    with sqlite3.connect(tmp_path / "clinic.sqlite") as raw:
        raw.execute("DROP TRIGGER audit_no_delete")
        raw.execute("DELETE FROM audit WHERE seq = 3")
    assert store.verify_audit() == (), "a chain alone cannot know its own length"
    assert [f.level for f in store.verify_audit(anchor=anchor)] == ["stop"]


def test_two_pharmacists_cannot_take_the_same_step(store: Store) -> None:
    admit(store)
    first = OrderStep(state=OrderState.RECEIVED, at=AT, by="a")
    order = Order.make("order", release="test", prescription_id="rx", steps=(first,))
    review = order.model_copy(update={"steps": (first, OrderStep(state=OrderState.IN_REVIEW, at=AT, by="a"))})
    with store.act("a", "order") as act:
        act.keep_order(order, patient_id="T1")
        act.keep_order(review, patient_id="T1")
    with pytest.raises(PharmacistMust, match="Somebody else"), store.act("b", "order") as act:
        act.keep_order(review, patient_id="T1")
    assert [o.state for _, o in store.orders()] == [OrderState.IN_REVIEW]


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(OperatorMust, match="on disk"):
        Store("sqlite://")


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite").write_bytes(b"this is not a database at all, but a letter" * 50)
    with pytest.raises(OperatorMust, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path / 'x.sqlite'}")


KILLED = """
import os, sys
from biflora.store.store import Store
store = Store(sys.argv[1])
for number in range(10_000):
    with store.act("dr", "write"):
        pass
    print(number + 1, flush=True)
"""


def test_an_answered_write_survives_a_kill(store: Store, tmp_path: Path) -> None:
    """R1 in small: a process that is killed -9 while writing loses no write that it had answered."""
    url = f"sqlite:///{tmp_path / 'clinic.sqlite'}"
    child = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    answered = 0
    for line in child.stdout:
        answered = int(line)
        if answered == 200:
            child.kill()
            break
    answered = max([answered, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    assert len(store.audit_entries()) in (answered, answered + 1)
    assert store.verify_audit() == ()
