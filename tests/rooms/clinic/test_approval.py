"""The approval gate: nothing is approved while a red flag stands unanswered; what was found is kept."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plan"))
import made_up

from biflora.clinic.access import Role, User, add_user, user_named
from biflora.clinic.consult import Consultation
from biflora.clinic.decide import approve_plan, decision_of, may_prescribe, told_decision, write_prescription
from biflora.clinic.intake import keep_new_patient
from biflora.errors import ClinicianMust, NotAllowed
from biflora.plan.make_plan import make_plan
from biflora.plan.plan import Plan
from biflora.store.store import Store
from biflora.twin.forecast import Arm

AT = datetime(2026, 11, 26, 9, tzinfo=UTC)
WEEK12: dict[Arm, float] = {"standard_care": 40, "oral": 20, "topical": 36, "combination": 19}
ANSWER = "No sign of infection; skin dry and clean."


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'clinic.sqlite'}")


def admitted(store: Store, **changes: Any) -> User:
    """A clinic with one made-up patient and its clinician."""
    profile, foreseen = made_up.profile(made_up.patient(patient_id="A1", **changes)), made_up.forecast(WEEK12)
    plan = make_plan(profile, foreseen)
    keep_new_patient(store, Consultation(profile=profile, forecast=foreseen, plan=plan), by="demo")
    add_user(
        store, username="clinician", display_name="Dr Dana Demo", role=Role.CLINICIAN, licence_number="DEMO-0001",
        licence_state="OR", password="demo-clinic-password", demo=True, by="demo",
    )  # fmt: skip
    user = user_named(store, "clinician")
    assert user is not None
    return user


def test_a_plan_without_flags_needs_no_answers(store: Store) -> None:
    by = admitted(store)
    decision = approve_plan(store, "A1", arm="standard_care", by=by, note="Her wish.")
    assert decision.answers == ()


def test_an_unanswered_flag_refuses_and_is_named_and_nothing_is_kept(store: Store) -> None:
    by = admitted(store, skin_integrity="excoriated", immune_status="unknown")
    with pytest.raises(ClinicianMust, match="immune_status_unknown, excoriated"):
        approve_plan(store, "A1", arm="oral", by=by)
    with pytest.raises(ClinicianMust, match="before you approve: immune_status_unknown"):
        approve_plan(store, "A1", arm="oral", by=by, answers={"excoriated": ANSWER})
    assert decision_of(store, "A1") is None


def test_answers_are_kept_with_who_and_when(store: Store) -> None:
    by = admitted(store, skin_integrity="excoriated")
    approve_plan(store, "A1", arm="oral", by=by, answers={"excoriated": f"  {ANSWER} "}, at=AT)
    kept = decision_of(store, "A1")
    assert kept is not None
    (answer,) = kept.answers
    assert (answer.flag, answer.found, answer.by, answer.at) == ("excoriated", ANSWER, "Dr Dana Demo", AT)


def test_an_answer_opens_no_closed_arm(store: Store) -> None:
    by = admitted(store, central_line=True)
    with pytest.raises(NotAllowed, match="not open to this patient"):
        approve_plan(
            store, "A1", arm="oral", by=by, answers={"central_line": "Line came out yesterday."}, note="x"
        )


def test_a_stop_is_never_approved(store: Store) -> None:
    by = admitted(store, signs=["punched_out_erosions"])
    with pytest.raises(NotAllowed, match="red flag stops"):
        approve_plan(store, "A1", arm="standard_care", by=by, answers={"eczema_herpeticum_erosions": ANSWER})


def test_an_error_repeats_no_answer(store: Store) -> None:
    by = admitted(store, skin_integrity="excoriated")
    with pytest.raises(ClinicianMust) as caught:
        approve_plan(store, "A1", arm="oral", by=by, answers={"excoriated": "secret words " * 50})
    assert "secret" not in str(caught.value)


def test_a_decision_kept_before_answers_existed_is_still_read(store: Store) -> None:
    by = admitted(store)
    decision = approve_plan(store, "A1", arm="oral", by=by)
    old = decision.model_dump(mode="json", exclude={"answers"})
    assert type(decision).model_validate(old).answers == ()


def test_the_audit_chain_names_the_decision_and_papers_tell_the_answers(store: Store) -> None:
    by = admitted(store, skin_integrity="excoriated")
    decision = approve_plan(store, "A1", arm="oral", by=by, answers={"excoriated": ANSWER}, at=AT)
    entries = [(e.who, e.what, e.record_id) for e in store.audit_entries()]
    assert any(who == "clinician" and record == decision.id for who, _, record in entries)
    assert not any(
        ANSWER in what for _, what, _ in entries
    )  # what was found stands in the record, not in the chain
    assert store.verify_audit() == ()
    told = told_decision(store, "A1")
    assert told is not None
    assert (told.arm, told.by, told.answers[0].found) == ("oral", "Dr Dana Demo", ANSWER)


def test_immunosuppression_closes_live_topicals_and_leaves_one_without_live_cells(store: Store) -> None:
    """The flag says so: the pharmacy's topical never holds live cells, so it may stand beside standard care."""
    by = admitted(store, immune_status="immunosuppressed")
    plan = store.latest("A1", Plan, kind="plan")
    assert plan is not None
    assert plan.plain_topical_open
    assert not next(arm for arm in plan.arms if arm.arm == "topical").allowed
    assert may_prescribe("standard_care", plan)
    answers = {flag.key: ANSWER for flag in plan.must_be_answered}
    approve_plan(store, "A1", arm="standard_care", by=by, note="Her wish.", answers=answers)
    with pytest.raises(ClinicianMust, match="no formula"):  # past the arm: this made-up patient has no formula
        write_prescription(store, "A1", by=by)


@pytest.mark.parametrize(
    "changes",
    [
        {},  # the topical arm is open: under standard care she chose to have none
        {"immune_status": "immunosuppressed", "skin_integrity": "open_wounds"},  # wounds close every topical
    ],
)
def test_otherwise_standard_care_has_no_topical(store: Store, changes: dict[str, Any]) -> None:
    by = admitted(store, **changes)
    plan = store.latest("A1", Plan, kind="plan")
    assert plan is not None
    assert not may_prescribe("standard_care", plan)
    assert may_prescribe("topical", plan)
    answers = {flag.key: ANSWER for flag in plan.must_be_answered}
    approve_plan(store, "A1", arm="standard_care", by=by, note="Her wish.", answers=answers)
    with pytest.raises(ClinicianMust, match="has no topical"):
        write_prescription(store, "A1", by=by)
