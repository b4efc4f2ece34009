"""A new patient: what the clinic knows, and what the laboratory sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError
from starlette.datastructures import FormData

from biflora.clinic.intake import UploadedFile, admit, next_patient_id
from biflora.clinic.opening import Clinic
from biflora.errors import BifloraError, ClinicianMust
from biflora.knowledge.body_sites import body_sites
from biflora.knowledge.instruments import instruments
from biflora.knowledge.laboratory import laboratory_quantities
from biflora.knowledge.redflags import sign_words
from biflora.profile.host.laboratory import laboratory_values, with_laboratory_fields
from biflora.profile.patient import BodySite, Condition, Laboratory, Patient
from biflora.values import parse
from biflora.web.contexts import IntakePage
from biflora.web.forms import decimal, label, one_of
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician, Upload, text

pages = APIRouter(prefix="/clinic")

ASSAYS = ("16S V1-V3", "16S V3-V4", "16S V4", "16S", "shotgun", "array", "ITS")
NUMBERS = (
    "s_aureus_log10_copies_per_cm2",
    "s_aureus_below_limit_log10",
    "tewl_g_per_m2_h",
    "skin_ph",
    "faecal_butyrate_mmol_per_kg",
)
"""Laboratory fields of one unit, written beside each."""
FIRST = ("tarc", "total_ige", "eosinophils")
"""Laboratory values that the form shows without being opened; the rest stand behind them."""


@pages.get("/new")
def new(request: Request, user: Clinician) -> Response:
    return page(request, "intake.html", c=_context({}))


@pages.post("/new")
def come_in(request: Request, clinic: AnyClinic, user: Clinician, upload: Upload) -> Response:
    form, files = upload
    try:
        person = _patient(clinic, form)
        admit(
            clinic.store,
            clinic.folder,
            person,
            by=user,
            skin=_file(form, files, "skin"),
            gut=_file(form, files, "gut"),
        )
    except BifloraError as problem:
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        signs = tuple(str(sign) for sign in form.getlist("signs"))
        fields = problem.fields if isinstance(problem, FieldsMust) else {}
        problems = () if fields else tuple(str(problem).splitlines())
        context = _context(given, signs=signs, problems=problems, fields=fields, who=problem.who)
        return page(request, "intake.html", status=422, c=context)
    return RedirectResponse(f"/clinic/patients/{person.patient_id}", status_code=303)


def _file(form: FormData, files: dict[str, UploadedFile], site: str) -> UploadedFile | None:
    given = files.get(f"{site}_file")
    if given is None:
        return None
    return UploadedFile(given.name, given.content, text(form, f"{site}_sample") or None)


class FieldsMust(ClinicianMust):
    """What is wrong with which fields, all of them at once."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("\n".join(fields.values()))
        self.fields = dict(fields)


class _Fields:
    """Reads field after field; a wrong one is written down by its name and does not hide the next."""

    def __init__(self, form: FormData) -> None:
        self.form = form
        self.problems: dict[str, str] = {}

    def number(self, name: str, low: float, high: float) -> float | None:
        with self.at(name):
            return decimal(self.form, name, low, high)
        return None

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClinicianMust as problem:
            self.problems.setdefault(name, str(problem))


def _patient(clinic: Clinic, form: FormData) -> Patient:
    fields = _Fields(form)
    age = fields.number("age_years", 0, 120)
    if age is None:
        fields.problems.setdefault(
            "age_years", "Enter the age in years; doses, strengths and trials depend on it."
        )
    scores = []
    for instrument, _, low, high in _instruments():
        total = fields.number(instrument, low, high)
        if total is not None:
            scores.append({"instrument": instrument, "total": total})
    sites: list[dict[str, Any]] = []
    for site in BodySite:
        area = fields.number(f"area_{site.value}", 0, 100)
        if area:
            sites.append({"site": site.value, "area_percent_bsa": area})
    covered = sum(site["area_percent_bsa"] for site in sites)
    if covered > 100:
        fields.problems[f"area_{sites[0]['site']}"] = (
            f"The affected areas add up to {covered:g} % of the body surface; correct them to 100 % at most."
        )
    state = text(form, "state").upper()
    if state and not (len(state) == 2 and state.isascii() and state.isalpha()):
        fields.problems["state"] = "Enter the state of residence as two letters, e.g. OR."
    condition = ""
    with fields.at("condition"):
        condition = one_of(form, "condition", [condition.value for condition in Condition])
    weight, height = fields.number("weight_kg", 0.5, 400), fields.number("height_cm", 21, 260)
    laboratory = {name: fields.number(name, *_limits(name)) for name in NUMBERS}
    values = _laboratory(fields, age)
    if fields.problems:
        raise FieldsMust(fields.problems)
    data: dict[str, Any] = {
        "patient_id": next_patient_id(clinic.store),
        "name": text(form, "name") or None,
        "age_years": age,
        "sex": text(form, "sex") or "unknown",
        "weight_kg": weight,
        "height_cm": height,
        "condition": condition,
        "scores": scores,
        "sites": sites,
        "laboratory": laboratory | {"values": values},
        "allergies": _list(form, "allergies"),
        "current_treatments": _list(form, "current_treatments"),
        "pregnancy": text(form, "pregnancy") or "unknown",
        "immune_status": text(form, "immune_status") or "unknown",
        "skin_integrity": text(form, "skin_integrity") or "intact",
        "central_line": bool(text(form, "central_line")),
        "severe_illness": bool(text(form, "severe_illness")),
        "anaphylaxis_history": bool(text(form, "anaphylaxis_history")),
        "signs": [str(sign) for sign in form.getlist("signs")],
        "state": state or None,
        "skin_sampling": _sampling(form, "skin"),
        "gut_sampling": _sampling(form, "gut"),
        "preferences": {
            "avoid_ingredients": _list(form, "avoid_ingredients"),
            "oral_ok": not text(form, "no_oral"),
            "topical_ok": not text(form, "no_topical"),
        },
    }
    return with_laboratory_fields(parse(Patient, data, where="the form"))


def _laboratory(fields: _Fields, age: float | None) -> dict[str, str]:
    """What was typed with its unit, by quantity; each is tried alone, so that its own field bears the sentence."""
    given = {key: typed for key in laboratory_quantities() if (typed := text(fields.form, f"lab_{key}"))}
    beside = {"stool_dry_matter": given["stool_dry_matter"]} if "stool_dry_matter" in given else {}
    for key, typed in given.items():
        label = laboratory_quantities()[key].label
        try:
            held = Laboratory.model_validate({"values": {**beside, key: typed}})
        except ValidationError:
            fields.problems[f"lab_{key}"] = (
                f"'{label}' must be a number with its unit, such as 1.2 ng/mL; a point for decimals, nothing "
                "between thousands."
            )
            continue
        with fields.at(f"lab_{key}"):
            laboratory_values(
                Patient(age_years=age or 0.0, condition=Condition.ATOPIC_DERMATITIS, laboratory=held)
            )
    return given


def _limits(name: str) -> tuple[float, float]:
    """What the patient's own field accepts."""
    row = next((row for row in laboratory_quantities().values() if row.patient_field == name), None)
    return (-2.0, 12.0) if row is None else (row.impossible_low, row.impossible_high)


def _instruments() -> tuple[tuple[str, str, float, float], ...]:
    """Key, label and range of each severity instrument, and of itch and quality of life."""
    return tuple(
        (key, row.label, row.minimum, row.maximum)
        for key, row in instruments().items()
        if row.severity_of or key in ("itch_nrs", "dlqi", "poem")
    )


def _sampling(form: FormData, site: str) -> dict[str, Any]:
    """How the sample was taken, as far as it was said."""
    lesional = text(form, f"{site}_lesional")
    return {
        "body_site": text(form, f"{site}_body_site") or None,
        "lesional": {"inflamed": True, "not_inflamed": False}.get(lesional),
        "assay": text(form, f"{site}_assay") or None,
        "profiler": text(form, f"{site}_profiler") or None,
    }


def _list(form: FormData, name: str) -> list[str]:
    return [part.strip() for part in text(form, name).replace(";", ",").split(",") if part.strip()]


def _context(
    given: dict[str, str], *, signs: tuple[str, ...] = (), problems: tuple[str, ...] = (),
    fields: Mapping[str, str] | None = None, who: str = "",
) -> IntakePage:  # fmt: skip
    return IntakePage(
        given=given,
        conditions=tuple(condition.value for condition in Condition),
        sites=tuple(site.value for site in BodySite),
        signs=tuple((sign, label(sign)) for sign in sign_words()),
        signs_given=signs,
        instruments=_by_condition(),
        laboratory=tuple(
            (f"lab_{key}", row.label, f"e.g. in {row.unit}", key in FIRST)
            for key, row in laboratory_quantities().items()
            if row.patient_field not in NUMBERS
        ),
        body_sites=tuple((row.key, row.site, row.label) for row in body_sites().values()),
        assays=ASSAYS,
        problems=problems,
        fields=fields or {},
        who=who,
    )


def _by_condition() -> tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]:
    """The instruments under the condition that they measure first; those of no condition last."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for key, name, low, high in _instruments():
        measures = instruments()[key].severity_of
        group = measures[0] if measures else "itch and quality of life"
        groups.setdefault(group, []).append((key, name, f"{low:g}–{high:g}"))
    order = [condition.value for condition in Condition]
    ordered = sorted(groups, key=lambda group: order.index(group) if group in order else len(order))
    return tuple((group, tuple(groups[group])) for group in ordered)
