"""A new patient: what the clinic knows, and what the laboratory sent."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from biflora.clinic.intake import UploadedFile, admit, next_patient_id
from biflora.clinic.opening import Clinic
from biflora.errors import BifloraError, ClinicianMust
from biflora.knowledge.body_sites import body_sites
from biflora.knowledge.redflags import sign_words
from biflora.profile.patient import BodySite, Condition, Patient
from biflora.values import parse
from biflora.web.contexts import IntakePage
from biflora.web.forms import decimal, label, one_of
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician, Upload, text

pages = APIRouter(prefix="/clinic")

INSTRUMENTS = (
    ("scorad", "SCORAD", "0–103"),
    ("easi", "EASI", "0–72"),
    ("viga_ad", "vIGA-AD", "0–4"),
    ("itch_nrs", "Itch", "0–10"),
    ("dlqi", "DLQI", "0–30"),
)
ASSAYS = ("16S V1-V3", "16S V3-V4", "16S V4", "16S", "shotgun", "array", "ITS")
LABORATORY = (
    "s_aureus_log10_copies_per_cm2",
    "tewl_g_per_m2_h",
    "skin_ph",
    "faecal_butyrate_mmol_per_kg",
)


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
        context = _context(given, signs=signs, problems=tuple(str(problem).splitlines()), who=problem.who)
        return page(request, "intake.html", status=422, c=context)
    return RedirectResponse(f"/clinic/patients/{person.patient_id}", status_code=303)


def _file(form: FormData, files: dict[str, UploadedFile], site: str) -> UploadedFile | None:
    given = files.get(f"{site}_file")
    if given is None:
        return None
    return UploadedFile(given.name, given.content, text(form, f"{site}_sample") or None)


def _patient(clinic: Clinic, form: FormData) -> Patient:
    age = decimal(form, "age_years", 0, 120)
    if age is None:
        raise ClinicianMust("Enter the age in years; doses, strengths and trials depend on it.")
    scores = []
    for instrument, _, _ in INSTRUMENTS:
        total = decimal(form, instrument, 0, 200)
        if total is not None:
            scores.append({"instrument": instrument, "total": total})
    sites: list[dict[str, Any]] = []
    for site in BodySite:
        area = decimal(form, f"area_{site.value}", 0, 100)
        if area:
            sites.append({"site": site.value, "area_percent_bsa": area})
    covered = sum(site["area_percent_bsa"] for site in sites)
    if covered > 100:
        raise ClinicianMust(
            f"The affected areas add up to {covered:g} % of the body surface; correct them to 100 % at most."
        )
    state = text(form, "state").upper()
    if state and not (len(state) == 2 and state.isascii() and state.isalpha()):
        raise ClinicianMust("Enter the state of residence as two letters, e.g. OR.")
    data: dict[str, Any] = {
        "patient_id": next_patient_id(clinic.store),
        "name": text(form, "name") or None,
        "age_years": age,
        "sex": text(form, "sex") or "unknown",
        "weight_kg": decimal(form, "weight_kg", 0.5, 400),
        "condition": one_of(form, "condition", [condition.value for condition in Condition]),
        "scores": scores,
        "sites": sites,
        "laboratory": {name: decimal(form, name, -2, 200_000) for name in LABORATORY},
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
    return parse(Patient, data, where="the form")


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
    given: dict[str, str], *, signs: tuple[str, ...] = (), problems: tuple[str, ...] = (), who: str = ""
) -> IntakePage:
    return IntakePage(
        given=given,
        conditions=tuple(condition.value for condition in Condition),
        sites=tuple(site.value for site in BodySite),
        signs=tuple((sign, label(sign)) for sign in sign_words()),
        signs_given=signs,
        instruments=INSTRUMENTS,
        body_sites=tuple((row.key, row.site, row.label) for row in body_sites().values()),
        assays=ASSAYS,
        problems=problems,
        who=who,
    )
