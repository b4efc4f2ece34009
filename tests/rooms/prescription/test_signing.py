"""The gate before the pharmacy, and that nothing signed can be changed unseen."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from biflora.errors import ClinicianMust, NotAllowed
from biflora.prescription.prescription import Signed
from biflora.prescription.signing import replace, sign, verify
from biflora.values import Finding, Who
from pharmacy_sample import PRESCRIBER, SIGNED_AT, draft, signed, warnings


def test_a_signed_one_verifies_also_after_a_round_trip() -> None:
    made = signed()
    verify(made)
    verify(Signed.model_validate_json(made.model_dump_json()))
    assert made.parent_ids == (made.draft.id,)


def test_an_unanswered_warning_stops_the_signature_by_name() -> None:
    written = draft()
    assert warnings(written) == ("essentially_a_copy",)
    with pytest.raises(ClinicianMust, match="essentially_a_copy"):
        sign(written, PRESCRIBER, SIGNED_AT)


def test_a_stop_cannot_be_answered() -> None:
    stop = Finding(level="stop", rule="ph_window", subject="Urea", message="No.", who=Who.CHEMISTRY)
    written = draft().model_copy(update={"findings": (stop,)})
    with pytest.raises(NotAllowed, match="ph_window"):
        sign(written, PRESCRIBER, SIGNED_AT, ("ph_window",))


def test_a_licence_of_another_state_is_refused() -> None:
    written = draft(patient_state="WA")
    with pytest.raises(NotAllowed, match="licence is of OR, the patient lives in WA"):
        sign(written, PRESCRIBER, SIGNED_AT, warnings(written))


@pytest.mark.parametrize("days", [-1, 366])
def test_a_day_outside_the_drafts_validity_is_refused(days: int) -> None:
    written = draft()
    with pytest.raises(ClinicianMust, match="not valid"):
        sign(written, PRESCRIBER, SIGNED_AT + timedelta(days=days), warnings(written))


def test_a_time_without_its_zone_is_refused() -> None:
    written = draft()
    with pytest.raises(ClinicianMust, match="time zone"):
        sign(written, PRESCRIBER, datetime(2026, 11, 23, 10, 30), warnings(written))


@pytest.mark.parametrize(
    "change",
    [
        {"signed_at": SIGNED_AT + timedelta(minutes=1)},
        {"prescriber": PRESCRIBER.model_copy(update={"name": "Dr Somebody Else"})},
        {"meaning": "I prescribe anything."},
        {"content_sha256": "0" * 64},
        {"parent_ids": ()},
    ],
)
def test_tampering_with_the_signature_is_seen(change: dict[str, object]) -> None:
    with pytest.raises(NotAllowed, match="changed after it was signed"):
        verify(signed().model_copy(update=change))


@pytest.mark.parametrize(
    "change",
    [{"quantity_g": 240.0}, {"directions": "Use it all."}, {"patient_name": "Somebody Else"}, {"repeats": 12}],
)
def test_tampering_with_the_draft_is_seen(change: dict[str, object]) -> None:
    made = signed()
    with pytest.raises(NotAllowed, match="changed after it was signed"):
        verify(made.model_copy(update={"draft": made.draft.model_copy(update=change)}))


def test_tampering_with_one_ppm_of_the_formula_is_seen() -> None:
    made = signed()
    first, *others = made.draft.formula.lines
    lines = (first.model_copy(update={"ppm": first.ppm + 1}), *others)
    formula = made.draft.formula.model_copy(update={"lines": lines})
    with pytest.raises(NotAllowed, match="changed"):
        verify(made.model_copy(update={"draft": made.draft.model_copy(update={"formula": formula})}))


def test_a_replacement_is_a_new_one_that_names_the_old() -> None:
    old = signed()
    written = draft(days=14)
    new = replace(old, written, PRESCRIBER, SIGNED_AT + timedelta(hours=1), warnings(written))
    verify(new)
    assert new.id != old.id
    assert new.parent_ids == (written.id, old.id)
    other = draft(patient_id="P02")
    with pytest.raises(ClinicianMust, match="same patient"):
        replace(old, other, PRESCRIBER, SIGNED_AT + timedelta(hours=1), warnings(other))
    with pytest.raises(ClinicianMust, match="clock"):
        replace(old, written, PRESCRIBER, SIGNED_AT, warnings(written))
