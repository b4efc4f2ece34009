"""The bench: a formula to try changes on. A question to the checker; nothing here is prescribed or kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from biflora.clinic import pharmacy as pharmacy_acts
from biflora.clinic.access import User
from biflora.clinic.decide import consultation_of
from biflora.clinic.opening import Clinic
from biflora.errors import BifloraError, ClinicianMust
from biflora.formula.check import check_formula
from biflora.formula.formula import Formula
from biflora.formula.properties import properties_of
from biflora.knowledge.checking import conditions
from biflora.knowledge.keeping import container_kinds
from biflora.knowledge.pharmacy import ingredients, preservative_systems, vehicles
from biflora.papers.charts_keeping import keeping_courses
from biflora.papers.sheet import FormulaSheet, formula_sheet, sheet_finding
from biflora.papers.wording import number, words
from biflora.plan.plan import Needs
from biflora.values import Finding
from biflora.web.bench import Reading, Typed, changes, compare, read_typed, typed_form, typed_formula
from biflora.web.contexts import BenchPage, BenchRow
from biflora.web.figures import kept
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician, Form, Pharmacist

clinic = APIRouter(prefix="/clinic")
"""Opened by clinicians; stands among their pages."""
pharmacy = APIRouter(prefix="/pharmacy")
"""Opened by pharmacists; stands among their pages."""

LIVE = "x-bench"
"""Header of a question that the page's script sends while somebody types."""
FIELDS = ("vehicle", "ph", "preservative_system", "container", "condition", "batch_g")


@dataclass(frozen=True)
class Opened:
    """Whose bench this is, and the formula that stood on it first."""

    here: str
    back: tuple[str, str]
    whose: str = ""
    needs: Needs | None = None
    original: Formula | None = None
    batch_g: float = 100.0


@dataclass(frozen=True)
class Answer:
    """What the checker says of the formula as typed."""

    status: str
    level: str = "note"
    sheet: FormulaSheet | None = None
    gone: tuple[Finding, ...] = ()
    changes: tuple[str, ...] = ()


@clinic.get("/bench")
def clinic_bench(request: Request, user: Clinician) -> Response:
    return _show(request, Opened("/clinic/bench", ("/clinic", "Worklist")))


@clinic.post("/bench")
def clinic_check(request: Request, user: Clinician, form: Form) -> Response:
    return _show(request, Opened("/clinic/bench", ("/clinic", "Worklist")), typed_form(form))


@clinic.get("/patients/{patient_id}/bench")
def patient_bench(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    return _show(request, _of_patient(request, clinic, user, patient_id))


@clinic.post("/patients/{patient_id}/bench")
def patient_check(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str, form: Form) -> Response:
    return _show(request, _of_patient(request, clinic, user, patient_id), typed_form(form))


@pharmacy.get("/bench")
def pharmacy_bench(request: Request, user: Pharmacist) -> Response:
    return _show(request, Opened("/pharmacy/bench", ("/pharmacy", "Queue")))


@pharmacy.post("/bench")
def pharmacy_check(request: Request, user: Pharmacist, form: Form) -> Response:
    return _show(request, Opened("/pharmacy/bench", ("/pharmacy", "Queue")), typed_form(form))


@pharmacy.get("/orders/{order_id}/bench")
def order_bench(request: Request, clinic: AnyClinic, user: Pharmacist, order_id: str) -> Response:
    return _show(request, _of_order(request, clinic, user, order_id))


@pharmacy.post("/orders/{order_id}/bench")
def order_check(request: Request, clinic: AnyClinic, user: Pharmacist, order_id: str, form: Form) -> Response:
    return _show(request, _of_order(request, clinic, user, order_id), typed_form(form))


def _of_patient(request: Request, clinic: Clinic, user: User, patient_id: str) -> Opened:
    person = clinic.store.patient(patient_id)
    found = consultation_of(clinic.store, patient_id)
    if person is None or found is None:
        raise ClinicianMust("There is no plan of a patient of that number; open one from the worklist.")
    _note(request, clinic, user, patient_id)
    return Opened(
        here=f"/clinic/patients/{patient_id}/bench",
        back=(f"/clinic/patients/{patient_id}#formula", "The patient's page"),
        whose=f"{person.name or ''} {patient_id}".strip(),
        needs=found.plan.needs,
        original=found.formula if isinstance(found.formula, Formula) else None,
    )


def _of_order(request: Request, clinic: Clinic, user: User, order_id: str) -> Opened:
    line = pharmacy_acts.order_line(clinic.store, order_id)
    found = consultation_of(clinic.store, line.patient_id)
    draft = line.prescription.draft
    _note(request, clinic, user, order_id)
    return Opened(
        here=f"/pharmacy/orders/{order_id}/bench",
        back=(f"/pharmacy/orders/{order_id}", "The order"),
        whose=f"{draft.patient_name} {line.patient_id}",
        needs=found.plan.needs if found else None,
        original=draft.formula,
        batch_g=draft.quantity_g,
    )


def _note(request: Request, clinic: Clinic, user: User, record_id: str) -> None:
    # The page was noted when it was opened; what its script asks while somebody types adds nothing to that.
    if LIVE not in request.headers:
        clinic.note_read(user.username, "bench read", record_id)


def _show(request: Request, opened: Opened, typed: Typed | None = None) -> Response:
    fresh = typed is None
    if typed is None:
        original = opened.original
        typed = typed_formula(original, batch_g=opened.batch_g) if original else Typed(rows=())
    reading = read_typed(typed, opened.original)
    empty = fresh and not typed.rows
    problems = dict(reading.problems)
    if typed.pasted_problem:
        problems = {"pasted": typed.pasted_problem}
    wrong = [*problems.values()]
    wrong += [each for row in reading.typed.rows for each in (row.ingredient_problem, row.percent_problem) if each]
    answer = Answer("Nothing to check yet: enter ingredients, or paste them.")
    if reading.formula is not None and not typed.pasted_problem:
        answer = _answer(reading.formula, reading.batch_g, opened)
    elif wrong and not empty:
        many = "one field needs" if len(wrong) == 1 else f"{len(wrong)} fields need"
        answer = Answer(f"Not checked: {many} mending. {wrong[0]}", "stop")
    context = _context(opened, reading, answer, {} if empty else problems)
    # A browser writes an error into its console for a 422; half-typed words are none.
    status = 422 if wrong and not fresh and LIVE not in request.headers else 200
    return page(request, "formula_bench.html", status=status, c=context)


def _answer(formula: Formula, batch_g: float, opened: Opened) -> Answer:
    needs = opened.needs.model_copy(update={"batch_grams": batch_g}) if opened.needs else None
    try:
        findings = check_formula(formula, needs)
        before = check_formula(opened.original, needs) if opened.original else ()
    except BifloraError as problem:
        return Answer(f"Not checked. {problem}", "stop")
    new, gone = compare(before, findings) if opened.original else ((), ())
    checked = formula.model_copy(update={"findings": findings, "properties": properties_of(formula, needs)})
    level = "stop" if checked.blocked else "warn" if any(f.level == "warn" for f in findings) else "ok"
    return Answer(
        status=_said(checked, new, gone, opened.original),
        level=level,
        sheet=formula_sheet(
            checked,
            batch_g=batch_g,
            new=new,
            keeping=kept(("keeping", checked.id), lambda: keeping_courses(checked)),
        ),
        gone=gone,
        changes=changes(opened.original, formula) if opened.original else (),
    )


def _said(formula: Formula, new: Sequence[Finding], gone: Sequence[Finding], original: Formula | None) -> str:
    """The answer in a sentence or two, short enough to be read aloud at every change."""
    counts = []
    for level, one in (("stop", "stop"), ("warn", "warning"), ("note", "note")):
        found = sum(f.level == level for f in formula.findings)
        counts.append(f"{found} {one}{'' if found == 1 else 's'}")
    sentence = f"{', '.join(counts)}; sum {number(sum(line.ppm for line in formula.lines) / 10_000, 2)} %."
    verdict = "Must not be made as it stands: " if formula.blocked else "Nothing stops it: "
    against = f" Against the original: {len(new)} new, {len(gone)} gone." if original else ""
    return verdict + sentence + against


def _context(opened: Opened, reading: Reading, answer: Answer, problems: dict[str, str]) -> BenchPage:
    typed = reading.typed
    spare = BenchRow(max((row.number for row in typed.rows), default=0) + 1)
    return BenchPage(
        here=opened.here,
        back=opened.back,
        whose=opened.whose,
        needs=_needs_in_words(opened.needs),
        rows=(*typed.rows, spare),
        given={name: getattr(typed, name) for name in FIELDS},
        problems=problems,
        choices={
            "vehicle": tuple((key, row.label) for key, row in vehicles().items()),
            "preservative_system": tuple((key, row.label) for key, row in preservative_systems().items()),
            "container": tuple((key, row.label) for key, row in container_kinds().items()),
            "condition": tuple((key, row.label) for key, row in conditions().items()),
        },
        ingredients=tuple(sorted({row.name for row in ingredients().values()}, key=str.casefold)),
        status=answer.status,
        level=answer.level,
        sheet=answer.sheet,
        compared=opened.original is not None,
        changes=answer.changes,
        gone=tuple(sheet_finding(f) for f in answer.gone),
        pasted=typed.pasted,
        taken_for_granted=tuple(sheet_finding(f) for f in typed.taken_for_granted),
    )


def _needs_in_words(needs: Needs | None) -> tuple[tuple[str, str], ...]:
    if needs is None:
        return ()
    return (
        ("Condition", words(needs.condition)),
        ("Age", f"{needs.age_years:g}"),
        ("Sites", ", ".join(words(site) for site in needs.sites)),
        ("Grams a day", f"{needs.grams_per_day:g}"),
        ("Allergies", ", ".join(needs.allergies) or "none known"),
        ("Does not want", ", ".join(needs.avoid_ingredients) or "nothing named"),
        ("Pregnancy", needs.pregnancy),
        ("Immune status", needs.immune_status),
        ("Skin", words(needs.skin_integrity)),
    )
