"""What lives on a patient's skin and in the gut: what it can mean, how sure it is, what it could not see."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from biflora.clinic.decide import consultation_of
from biflora.errors import ClinicianMust
from biflora.papers.microbiome_content import MicrobiomeContent, microbiome_content
from biflora.papers.report_content import age_words
from biflora.papers.wording import words
from biflora.profile.profile import Profile
from biflora.web.contexts import MicrobiomePage
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician

clinic = APIRouter(prefix="/clinic")
"""Opened by clinicians; stands among their pages."""


@clinic.get("/patients/{patient_id}/microbiome")
def microbiome(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    person, found = clinic.store.patient(patient_id), consultation_of(clinic.store, patient_id)
    if person is None or found is None:
        raise ClinicianMust("There is no profile of a patient of that number; open one from the worklist.")
    clinic.note_read(user.username, "microbiome read", patient_id)
    here = f"/clinic/patients/{patient_id}"
    context = MicrobiomePage(
        back=(f"{here}#now", "The patient's page"),
        paper=f"{here}/microbiome.pdf",
        content=content_of(found.profile, datetime.now(UTC)),
    )
    return page(request, "microbiome_page.html", c=context)


def content_of(profile: Profile, made_at: datetime) -> MicrobiomeContent:
    """Both sites of one person as the page and the paper show them."""
    patient = profile.patient
    return microbiome_content(
        (profile.skin, profile.gut),
        title=patient.name or patient.patient_id,
        facts=(
            ("Number", patient.patient_id),
            ("Age", age_words(patient.age_years)),
            ("Condition", words(patient.condition)),
        ),
        condition=patient.condition,
        synthetic=patient.synthetic,
        made_at=made_at,
        both=profile.quantities,
    )
