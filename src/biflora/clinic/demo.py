"""The demo clinic: synthetic people go through the real acts, the first of them the whole way."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from biflora.clinic import demo_samples
from biflora.clinic.access import Role, User, add_user, user_named
from biflora.clinic.consult import Consultation, consult
from biflora.clinic.decide import (
    WITH_TOPICAL,
    approve_plan,
    consultation_of,
    sign_prescription,
    write_prescription,
)
from biflora.clinic.intake import keep_new_patient
from biflora.clinic.research import keep_replication
from biflora.clinic.review import track_record_of
from biflora.dispensary.batch import Lot, OrderState
from biflora.errors import OperatorMust
from biflora.followup.track_record import TrackRecord
from biflora.formula.formula import Formula
from biflora.profile.patient import InstrumentInput, Patient
from biflora.store.store import Store, now
from biflora.values import parse

SEED = 2026
REPEATS = 400
FORMULA_SECONDS = 5.0
"""A formula and its proof take a few tenths of a second; a busy machine may need more."""
WAY = {
    OrderState.RECEIVED: timedelta(0),
    OrderState.IN_REVIEW: timedelta(hours=2),
    OrderState.VERIFIED: timedelta(hours=3),
    OrderState.COMPOUNDING: timedelta(days=1),
    OrderState.QUALITY_CHECK: timedelta(days=1, hours=2),
    OrderState.RELEASED: timedelta(days=1, hours=4),
    OrderState.SHIPPED: timedelta(days=1, hours=6),
    OrderState.DELIVERED: timedelta(days=3),
}
"""How long after the signature an order reaches each state in the demo clinic."""
SINCE_ARRIVAL = {OrderState.DELIVERED: timedelta(weeks=4)}
"""The first patient has used her jar for four weeks; everybody else's order stands where it stands now."""
DEMO_ANSWER = "Asked and examined on the day; nothing found that speaks against the plan (synthetic)."
"""What the demo clinic's clinician writes to every red flag that asks or reroutes."""
Say = Callable[[str], None]
README = """SYNTHETIC DATA. Nobody behind these files exists.

biflora generated them for its demo clinic: people were invented, reads drawn from a seeded Dirichlet model
(see biflora/clinic/demo_cohort). They have the forms in which laboratories deliver: Bracken, Kraken2 report,
MetaPhlAn, Emu, a 16S V4 feature table, a long CSV. Every file's name and sample's name begin with SYNTHETIC;
a form that allows a comment says so inside too.
"""


@dataclass(frozen=True)
class DemoPatient:
    """One synthetic person and her files; a missing file is None."""

    patient: Patient
    skin: Path | None
    gut: Path | None
    shows: str


@dataclass(frozen=True)
class DemoCohort:
    """What the demo clinic holds."""

    patients: int
    formulas: int
    first: Consultation | None
    record: TrackRecord
    """How the forecasts of the first patient did."""
    report: Path
    newly_made: bool


def make_demo(folder: Path, seed: int = SEED) -> list[DemoPatient]:
    """Write every synthetic person's files into `folder` and give persons and paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "READ-ME-synthetic.txt").write_text(README, encoding="utf-8")
    text = (resources.files("biflora.clinic.demo_cohort") / "people.toml").read_text(encoding="utf-8")
    cohort = []
    for number, person in enumerate(tomllib.loads(text)["person"], start=1):
        patient = parse(
            Patient,
            {**person["patient"], "name": person["name"], "synthetic": True},
            where=f"demo cohort, person {number}",
            error=OperatorMust,
        )
        paths: dict[str, Path | None] = {}
        for site, site_number in (("skin", 1), ("gut", 2)):
            wanted: dict[str, str] | None = person.get(site)
            paths[site] = (
                _write(folder, patient, site, wanted, seed=(seed, number, site_number)) if wanted else None
            )
        cohort.append(DemoPatient(patient, paths["skin"], paths["gut"], person["shows"]))
    return cohort


def _write(folder: Path, patient: Patient, site: str, wanted: dict[str, str], *, seed: tuple[int, ...]) -> Path:
    ending, write = demo_samples.FORMATS[wanted["format"]]
    sample = demo_samples.draw(wanted["community"], f"SYNTHETIC-{patient.patient_id}-{site}", seed=seed)
    path = folder / f"SYNTHETIC-{patient.patient_id}-{site}.{ending}"
    path.write_text(write(sample), encoding="utf-8")
    return path


def open_demo(folder: Path, *, on_step: Say = lambda step: None) -> DemoCohort:
    """The demo clinic in `folder`, seeded when its database is empty; the first patient's report is written."""
    store = Store.in_folder(folder)
    try:
        fresh = store.is_empty()
        if fresh:
            seed_demo(store, folder, on_step=on_step)
        patients = store.patients()
        first = consultation_of(store, patients[0].patient_id) if patients else None
        record = track_record_of(store, patients[0].patient_id) if patients else TrackRecord()
        formulas = sum("formula" in kinds for kinds in store.kinds_by_patient().values())
    finally:
        store.close()
    report = folder / "first-patient" / "report.html"
    if first is not None and not report.exists():
        on_step("Writing the first patient's report")
        write_report(first, record, report.parent)
    return DemoCohort(len(patients), formulas, first, record, report, fresh)


def write_report(result: Consultation, record: TrackRecord, folder: Path) -> None:
    """report.html and report.pdf of one consultation, with how its patient's forecasts did."""
    from biflora.papers.report import report_html, report_pdf

    folder.mkdir(parents=True, exist_ok=True)
    parts = (result.profile, result.forecast, result.plan, result.formula)
    at = now()
    (folder / "report.html").write_text(report_html(*parts, made_at=at, record=record), encoding="utf-8")
    (folder / "report.pdf").write_bytes(report_pdf(*parts, made_at=at, record=record))


def seed_demo(
    store: Store, folder: Path, *, only: Collection[str] | None = None, on_step: Say = lambda step: None
) -> None:
    """Admit the cohort through the real acts, then bring some of them further, the first the whole way.

    `only` names the patients to admit; None admits all.
    """
    cohort = [p for p in make_demo(folder / "demo-files") if only is None or p.patient.patient_id in only]
    for person in cohort:
        number = f"patient {person.patient.patient_id} of {len(cohort)}"
        on_step(f"Planning and formulating for {number}: {person.shows}")
        result = consult(
            person.patient,
            skin=person.skin,
            gut=person.gut,
            seed=SEED,
            alternatives=5 if person is cohort[0] else 1,
            time_limit_seconds=FORMULA_SECONDS,
        )
        keep_new_patient(store, result, by="demo")
    add_demo_users(store)
    on_step("Bringing patients to different stages")
    if only is None:
        on_step("Predicting a published trial")
        keep_replication(store, "isaev-2025", by="demo", seed=SEED, repeats=REPEATS)
    _take_the_ways(store, {person.patient.patient_id for person in cohort}, on_step)


def add_demo_users(store: Store) -> None:
    """One login for each role; the password is as public as the data are invented."""
    people: tuple[dict[str, Any], ...] = (
        {"username": "clinician", "display_name": "Dr Dana Demo", "role": Role.CLINICIAN,
         "licence_number": "DEMO-0001", "licence_state": "OR"},
        {"username": "pharmacist", "display_name": "Pat Mortar", "role": Role.PHARMACIST},
        {"username": "patient", "display_name": "Ines Exemplar", "role": Role.PATIENT, "patient_id": "P01"},
        {"username": "researcher", "display_name": "Remy Control", "role": Role.RESEARCHER},
    )  # fmt: skip
    for person in people:
        add_user(store, **person, password="demo-clinic-password", demo=True, by="demo")


def _user(store: Store, username: str) -> User:
    user = user_named(store, username)
    if user is None:
        raise OperatorMust("The demo clinic's users are missing; delete the data folder and start again.")
    return user


def _take_the_ways(store: Store, admitted: Set[str], on_step: Say) -> None:
    """P01 goes the whole way; others stop where a visitor can go on from."""
    clinician = _user(store, "clinician")
    for patient_id, last in (
        ("P01", OrderState.DELIVERED),
        ("P02", OrderState.COMPOUNDING),
        ("P04", OrderState.IN_REVIEW),
        ("P09", OrderState.RECEIVED),
    ):
        if patient_id in admitted:
            _prescribe_and_move(store, patient_id, last, arrives=now() - SINCE_ARRIVAL.get(last, timedelta(0)))
    for patient_id in admitted & {"P10", "P11"}:
        _approve(store, patient_id, clinician, now())
    on_step("Recording outcomes and redrawing the forecast")
    _follow_up(store, "P01", clinician)


def _approve(store: Store, patient_id: str, clinician: User, at: datetime) -> bool:
    """Approve the proposed arm; where it has no topical, the best ranked allowed arm that has one."""
    result = consultation_of(store, patient_id)
    if result is None or result.plan.stopped or result.plan.proposed_arm is None:
        return False
    allowed = [a.arm for a in sorted(result.plan.arms, key=lambda a: a.rank) if a.allowed]
    arm, note = result.plan.proposed_arm, ""
    if arm not in WITH_TOPICAL and isinstance(result.formula, Formula):
        with_topical = [a for a in allowed if a in WITH_TOPICAL]
        if with_topical:
            arm, note = with_topical[0], "The arms cannot be separated; the patient prefers to have a topical."
    looked = {flag.key: DEMO_ANSWER for flag in result.plan.must_be_answered}
    approve_plan(store, patient_id, arm=arm, by=clinician, note=note, answers=looked, at=at)
    return arm in WITH_TOPICAL and isinstance(result.formula, Formula)


def _prescribe_and_move(store: Store, patient_id: str, last: OrderState, *, arrives: datetime) -> None:
    """Consult, sign and compound so many days before the order `arrives` in its last state."""
    from biflora.clinic import pharmacy

    clinician, pharmacist = _user(store, "clinician"), _user(store, "pharmacist")
    way = [state for state in WAY if WAY[state] <= WAY[last]]

    def when(state: OrderState) -> datetime:
        return arrives - (WAY[last] - WAY[state])

    if not _approve(store, patient_id, clinician, when(OrderState.RECEIVED) - timedelta(minutes=9)):
        return
    draft = write_prescription(store, patient_id, by=clinician, at=when(OrderState.RECEIVED))
    warnings = tuple(f.rule for f in draft.findings if f.level == "warn")
    if any(f.level == "stop" for f in draft.findings):
        return
    _, order = sign_prescription(
        store, draft.id, by=clinician, acknowledged=warnings, at=when(OrderState.RECEIVED)
    )
    for state in way[1:]:
        at = when(state)
        if state is OrderState.QUALITY_CHECK:
            sheet = pharmacy.worksheet_for(pharmacy.order_line(store, order.id), at.date())
            pharmacy.weigh(
                store,
                order.id,
                by=pharmacist,
                checked_by="Toni Scale",
                lot_number=pharmacy.next_lot_number(store, at.date()),
                weighed_g={line.ingredient: line.target_g for line in sheet.lines},
                lots=[
                    _lot(line.ingredient, number, at.date()) for number, line in enumerate(sheet.lines, start=1)
                ],
                at=at,
            )
        else:
            pharmacy.move(store, order.id, state, by=pharmacist, at=at)


def _lot(ingredient: str, number: int, on: date) -> Lot:
    """An invented lot of a component, good for a year."""
    return Lot(ingredient=ingredient, lot_number=f"DEMO-{number:02d}", expires_on=on + timedelta(days=365))


def _follow_up(store: Store, patient_id: str, clinician: User) -> None:
    """Two visits of the invented first patient: better at week 2, better still at week 4."""
    from biflora.clinic.review import enter_outcome

    today = now().date()
    visits = (
        (2.0, 41.0, 5.0, 4.9, 30.0, 90.0),
        (4.0, 33.0, 4.0, 4.3, 26.0, 85.0),
    )
    for week, scorad, itch, s_aureus, tewl, adherence in visits:
        enter_outcome(
            store,
            patient_id,
            by=clinician,
            week=week,
            on=today + timedelta(weeks=week - visits[-1][0]),
            scores=(
                InstrumentInput(instrument="scorad", total=scorad),
                InstrumentInput(instrument="itch_nrs", total=itch),
            ),
            s_aureus_log10_copies_per_cm2=s_aureus,
            tewl_g_per_m2_h=tewl,
            adherence_percent=adherence,
        )
