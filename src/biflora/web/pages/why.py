"""Why each ingredient is in a patient's formula and why the obvious others are not; computed when asked."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from biflora.clinic.decide import consultation_of
from biflora.errors import ClinicianMust
from biflora.formula.formula import Formula
from biflora.web.contexts import WhyPage
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician

clinic = APIRouter(prefix="/clinic")
"""Opened by clinicians; stands among their pages."""


@clinic.get("/patients/{patient_id}/why")
def why(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    from biflora.formula.explain import explain

    person, found = clinic.store.patient(patient_id), consultation_of(clinic.store, patient_id)
    if person is None or found is None or not isinstance(found.formula, Formula) or found.plan.needs is None:
        raise ClinicianMust("There is no formula of a patient of that number; open one from the worklist.")
    clinic.note_read(user.username, "explanation read", patient_id)
    said = explain(found.formula, found.plan.needs)
    context = WhyPage(
        back=(f"/clinic/patients/{patient_id}#formula", "The patient's page"),
        whose=f"{person.name or ''} {patient_id}".strip(),
        title=found.formula.name,
        inside=said.inside,
        outside=said.outside,
    )
    return page(request, "why.html", c=context)
