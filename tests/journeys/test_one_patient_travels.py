"""One synthetic patient, the whole way: two files, plan, formula, signature, jar, outcome, redrawn forecast."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from biflora.clinic import decide, pharmacy, review
from biflora.clinic.access import user_named
from biflora.dispensary.batch import Batch, OrderState
from biflora.errors import NotAllowed, PharmacistMust
from biflora.formula.formula import Formula
from biflora.plan.plan import Plan
from biflora.prescription.prescription import Draft, Signed
from biflora.profile.profile import Profile
from biflora.store.store import Store
from biflora.twin.forecast import Forecast


@pytest.fixture
def store(app: Any) -> Store:
    kept: Store = app.state.clinic.store
    return kept


def test_why_is_this_in_the_jar(store: Store) -> None:
    """Walking the parents back leads from the batch to the two laboratory files."""
    batch = store.latest("P01", Batch, kind="batch")
    assert batch is not None
    signed = store.record(batch.worksheet.prescription_id, Signed, kind="prescription")
    assert signed is not None
    assert signed.id in batch.parent_ids
    draft = store.record(signed.draft.id, Draft, kind="draft")
    assert draft is not None
    formula = store.record(draft.parent_ids[0], Formula, kind="formula")
    assert formula is not None
    plan = next(p for i in formula.parent_ids if (p := store.record(i, Plan, kind="plan")))
    forecast = next(f for i in plan.parent_ids if (f := store.record(i, Forecast, kind="forecast")))
    profile = next(p for i in forecast.parent_ids if (p := store.record(i, Profile, kind="profile")))
    assert profile.skin is not None
    assert profile.gut is not None
    assert profile.skin.file_name == "SYNTHETIC-P01-skin.bracken.tsv"
    assert profile.gut.file_name == "SYNTHETIC-P01-gut.metaphlan4.txt"
    made = (batch, signed, draft, formula, plan, forecast, profile)
    assert {value.knowledge_release for value in made} == {profile.knowledge_release}


def test_the_weights_add_up_to_the_batch(store: Store) -> None:
    """Sum of what was weighed = what the worksheet asks for, within 1 mg a line of rounding."""
    batch = store.latest("P01", Batch, kind="batch")
    assert batch is not None
    weighed = [line.weighed_g or 0.0 for line in batch.worksheet.lines]
    assert sum(weighed) == pytest.approx(batch.worksheet.batch_g, abs=0.001 * len(weighed) + 0.01)
    assert batch.made_by != batch.checked_by
    assert batch.label.synthetic
    assert batch.label.beyond_use == batch.worksheet.beyond_use.on


def test_the_order_went_through_every_state_once(store: Store) -> None:
    ((_, order),) = store.orders(patient_id="P01")
    assert [step.state.value for step in order.steps] == [
        "received", "in review", "verified", "compounding", "quality check", "released", "shipped", "delivered",
    ]  # fmt: skip


def test_the_days_fit_together(store: Store) -> None:
    """Decided and signed, then made, then delivered, then week 2 = 14 days and week 4 = 28 days after delivery."""
    decision, batch = decide.decision_of(store, "P01"), store.latest("P01", Batch, kind="batch")
    ((_, order),) = store.orders(patient_id="P01")
    assert decision is not None
    assert batch is not None
    times = [decision.decided_at, *(step.at for step in order.steps)]
    assert times == sorted(times)
    assert batch.made_at == order.steps[4].at
    delivered = order.steps[-1].at.date()
    assert [(o.on - delivered).days for o in review.outcomes_of(store, "P01")[:2]] == [14, 28]
    assert batch.label.beyond_use > review.outcomes_of(store, "P01")[1].on


def test_two_outcomes_redrew_the_forecast_twice(store: Store) -> None:
    forecasts = store.records_of("P01", Forecast, kind="forecast")
    outcomes = review.outcomes_of(store, "P01")
    assert [outcome.week for outcome in outcomes[:2]] == [2.0, 4.0]
    assert len({forecast.id for forecast in forecasts}) == 1 + len(outcomes)
    now = review.newest_forecast(store, "P01")
    assert now is not None
    assert now.id == forecasts[-1].id


def test_an_arm_that_was_seen_doing_better_than_forecast_is_redrawn_lower(store: Store) -> None:
    """Week-12 median after SCORAD 41 and 33 lies nearer to them than the widest band of the first forecast."""
    decision = decide.decision_of(store, "P01")
    consultation = decide.consultation_of(store, "P01")
    assert decision is not None
    assert consultation is not None
    before = consultation.forecast.course(decision.arm, "scorad")
    forecast = review.newest_forecast(store, "P01")
    after = forecast.course(decision.arm, "scorad") if forecast else None
    assert before is not None
    assert after is not None
    width = [course.bands[4].q90 - course.bands[4].q10 for course in (before, after)]
    assert width[1] < width[0], "a measured week is known better afterwards"


def test_a_stopped_patient_goes_nowhere(store: Store) -> None:
    clinician = user_named(store, "clinician")
    assert clinician is not None
    plan = store.latest("P06", Plan, kind="plan")
    assert plan is not None
    assert plan.stopped
    with pytest.raises(NotAllowed, match="red flag"):
        decide.approve_plan(store, "P06", arm="topical", by=clinician)
    assert store.orders(patient_id="P06") == []


def test_nobody_ships_what_was_not_made(store: Store) -> None:
    pharmacist = user_named(store, "pharmacist")
    assert pharmacist is not None
    ((_, order),) = store.orders(patient_id="P04")
    for state in (OrderState.SHIPPED, OrderState.RELEASED, OrderState.QUALITY_CHECK):
        with pytest.raises(PharmacistMust, match="cannot become"):
            pharmacy.move(store, order.id, state, by=pharmacist)
    with pytest.raises(PharmacistMust, match="Say in a sentence why"):
        pharmacy.move(store, order.id, OrderState.CLARIFICATION, by=pharmacist)


def test_only_the_right_role_acts(store: Store) -> None:
    pharmacist, clinician = user_named(store, "pharmacist"), user_named(store, "clinician")
    assert pharmacist is not None
    assert clinician is not None
    with pytest.raises(NotAllowed):
        decide.approve_plan(store, "P04", arm="topical", by=pharmacist)
    ((_, order),) = store.orders(patient_id="P04")
    with pytest.raises(NotAllowed):
        pharmacy.move(store, order.id, OrderState.VERIFIED, by=clinician)


def test_every_write_was_audited_and_the_chain_is_whole(store: Store) -> None:
    assert store.verify_audit() == ()
    entries = store.audit_entries()
    written = {entry.record_id for entry in entries}
    for cls, kind in ((Profile, "profile"), (Plan, "plan"), (Signed, "prescription"), (Batch, "batch")):
        for record in store.records_of("P01", cls, kind=kind):
            assert record.id in written
    assert not any("Ines" in entry.model_dump_json() for entry in entries)


def test_every_paper_can_be_opened(store: Store, browser: Any) -> None:
    ((_, order),) = store.orders(patient_id="P01")
    browser.enter_as("clinician")
    report = browser.get("/clinic/patients/P01/report.html")
    assert report.status_code == 200
    assert "SYNTHETIC" in report.text
    assert browser.get("/clinic/patients/P01/plan.json").json()["plan"]["condition"] == "atopic_dermatitis"
    papers = ["/clinic/patients/P01/report.pdf", "/clinic/patients/P01/microbiome.pdf",
              f"/papers/prescriptions/{order.prescription_id}.pdf",
              f"/papers/orders/{order.id}/label.pdf"]  # fmt: skip
    for path in papers:
        answer = browser.get(path)
        assert answer.headers["content-type"] == "application/pdf", path
        assert answer.content.startswith(b"%PDF-"), path
    browser.enter_as("pharmacist")
    assert browser.get(f"/papers/orders/{order.id}/worksheet.pdf").content.startswith(b"%PDF-")


def test_the_pharmacist_weighs_and_a_wrong_weight_is_told(store: Store, browser: Any) -> None:
    """P04 goes from review to the jar: one weight 20 % too high is refused, the right ones make the batch."""
    ((_, order),) = store.orders(patient_id="P04")
    browser.enter_as("pharmacist")
    page = f"/pharmacy/orders/{order.id}"
    for state in ("verified", "compounding"):
        assert browser.post(f"{page}/move", {"to": state}, page=page).status_code == 200
    sheet = pharmacy.worksheet_for(pharmacy.order_line(store, order.id))
    weights = {f"weight_{n}": f"{line.target_g:.3f}" for n, line in enumerate(sheet.lines, start=1)}
    both = {"lot_number": "T-1", "checked_by": "Second Person"}
    wrong = {**weights, "weight_1": f"{sheet.lines[0].target_g * 1.2:.3f}"}
    assert browser.post(f"{page}/weigh", {**wrong, **both}, page=page).status_code == 422
    alone = {**weights, "lot_number": "T-1", "checked_by": "Pat Mortar"}
    refused = browser.post(f"{page}/weigh", alone, page=page)
    assert refused.status_code == 422
    assert "second person" in refused.text
    half = {**weights, **both, "lot_1": "A-17"}
    refused = browser.post(f"{page}/weigh", half, page=page)
    assert refused.status_code == 422
    assert "Line 1" in refused.text
    assert 'value="A-17"' in refused.text, "what was typed is kept"
    lots = {f"lot_{n}": f"A-{n}" for n in range(1, len(sheet.lines))}
    expiries = {f"expires_{n}": "2099-12-31" for n in range(1, len(sheet.lines))}
    made = browser.post(f"{page}/weigh", {**weights, **both, **lots, **expiries}, page=page)
    assert made.status_code == 200
    assert "No lot was recorded" in made.text, "the last line has none"
    assert sheet.lines[-1].name in made.text
    assert "2099" in made.text
    assert pharmacy.order_line(store, order.id).order.state is OrderState.QUALITY_CHECK
    # The missing lot sends it back; weights and lots are still there, and the second batch has its own number.
    back = browser.post(f"{page}/move", {"to": "compounding"}, page=page)
    assert 'value="A-1"' in back.text
    whole = {**lots, **expiries, f"lot_{len(sheet.lines)}": "A-x", f"expires_{len(sheet.lines)}": "2099-12-31"}
    again = browser.post(f"{page}/weigh", {**weights, **both, **whole}, page=page)
    assert "Nothing speaks against it" in again.text
    assert browser.post(f"{page}/move", {"to": "released"}, page=page).status_code == 200
    assert pharmacy.order_line(store, order.id).order.state is OrderState.RELEASED


def test_two_batches_never_share_a_lot_number(store: Store) -> None:
    used = [b.lot_number for p in store.patients() for b in store.records_of(p.patient_id, Batch, kind="batch")]
    assert used
    assert pharmacy.next_lot_number(store) not in used
    one_day = pharmacy.next_lot_number(store, date(2026, 1, 2))
    assert one_day == f"260102-{len(used) + 1:03d}"


def test_a_new_patient_comes_in_through_the_page(browser: Any, clinic_folder: Path) -> None:
    """The real path: two uploaded files, read, forecast, planned; then the draft's page shows them."""
    browser.enter_as("clinician")
    files = clinic_folder / "demo-files"
    with (
        (files / "SYNTHETIC-P02-skin.long.csv").open("rb") as skin,
        (files / "SYNTHETIC-P02-gut.bracken.tsv").open("rb") as gut,
    ):
        answer = browser.post(
            "/clinic/new",
            {"name": "Nell <b>Invented</b>", "age_years": "31", "condition": "atopic_dermatitis", "scorad": "44,5",
             "area_arms": "5", "state": "or", "immune_status": "normal"},
            page="/clinic/new",
            files={"skin_file": ("../../skin.csv", skin), "gut_file": ("gut.tsv", gut)},
        )  # fmt: skip
    assert answer.status_code == 200
    assert "&lt;b&gt;Invented&lt;/b&gt;" in answer.text
    assert "<b>Invented" not in answer.text
    assert "44.5" in answer.text
    assert not list(clinic_folder.parent.glob("skin.csv"))


def test_a_foreign_file_is_answered_plainly_and_nothing_is_kept(browser: Any, app: Any) -> None:
    browser.enter_as("clinician")
    before = len(app.state.clinic.store.patients())
    answer = browser.post(
        "/clinic/new",
        {"age_years": "31", "condition": "atopic_dermatitis", "name": "Kept Typed"},
        page="/clinic/new",
        files={"skin_file": ("letter.txt", b"Dear colleague, the sample was lost.\n")},
    )
    assert answer.status_code == 422
    assert "Nothing was kept" in answer.text
    assert "letter.txt" in answer.text
    assert "Kept Typed" in answer.text
    assert len(app.state.clinic.store.patients()) == before


def test_what_was_typed_stays_when_a_visit_cannot_be_kept(browser: Any, store: Store) -> None:
    browser.enter_as("clinician")
    before = len(review.outcomes_of(store, "P01"))
    typed = {"week": "8", "scorad": "28", "tewl": "much", "event": "stinging", "event_severity": "mild"}
    answer = browser.post("/clinic/patients/P01/outcome", typed, page="/clinic/patients/P01")
    assert answer.status_code == 422
    assert "&#39;TEWL&#39; must be a number." in answer.text
    for value in ("8", "28", "much", "stinging"):
        assert f'value="{value}"' in answer.text, value
    assert len(review.outcomes_of(store, "P01")) == before


def test_a_refused_delivery_is_not_kept_on_the_disk(browser: Any, clinic_folder: Path) -> None:
    browser.enter_as("clinician")
    kept = sorted(path.name for path in (clinic_folder / "files").glob("*/*/*"))
    answer = browser.post(
        "/clinic/new",
        {"age_years": "31", "condition": "atopic_dermatitis", "signs": "fever"},
        page="/clinic/new",
        files={"skin_file": ("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(40))},
    )
    assert answer.status_code == 422
    assert "PNG picture" in answer.text
    assert 'value="fever" checked' in answer.text
    assert sorted(path.name for path in (clinic_folder / "files").glob("*/*/*")) == kept
