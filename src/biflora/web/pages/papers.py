"""Papers to read, print or keep: report, prescription, worksheet, label, plan as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from biflora.clinic import pharmacy, review
from biflora.clinic.access import User
from biflora.clinic.consult import Consultation
from biflora.clinic.decide import consultation_of, decision_of, told_decision
from biflora.clinic.opening import Clinic
from biflora.errors import ClinicianMust, PharmacistMust
from biflora.plan.products import named_shelf
from biflora.prescription.prescription import Signed
from biflora.web.render import without_styles
from biflora.web.security import AnyClinic, Clinician, Pharmacist, Staff

pages = APIRouter()

Paper = TypeVar("Paper", str, bytes)


def _consultation(clinic: Clinic, patient_id: str, who: str) -> Consultation:
    found = consultation_of(clinic.store, patient_id)
    if found is None:
        raise ClinicianMust("There is no consultation of that patient; open one from the worklist.")
    clinic.note_read(who, "report read", patient_id)
    return found


@pages.get("/clinic/patients/{patient_id}/report.html")
def report_page(clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    from biflora.papers.report import report_html

    return HTMLResponse(without_styles(_report(report_html, clinic, user, patient_id)))


@pages.get("/clinic/patients/{patient_id}/report.pdf")
def report_paper(clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    from biflora.papers.report import report_pdf

    return _pdf(_report(report_pdf, clinic, user, patient_id), f"report-{patient_id}")


def _report(write: Callable[..., Paper], clinic: Clinic, user: User, patient_id: str) -> Paper:
    """The report as `write` makes it, with all that the clinic knows of the patient by now."""
    c = _consultation(clinic, patient_id, user.username)
    return write(
        c.profile,
        c.forecast,
        c.plan,
        c.formula,
        made_at=datetime.now(UTC),
        record=review.track_record_of(clinic.store, patient_id),
        shelf=named_shelf(),
        decided=told_decision(clinic.store, patient_id),
    )


@pages.get("/clinic/patients/{patient_id}/microbiome.pdf")
def microbiome_paper(clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    from biflora.papers.microbiome import microbiome_pdf
    from biflora.web.pages.microbiome import content_of

    c, made_at = _consultation(clinic, patient_id, user.username), datetime.now(UTC)
    return _pdf(microbiome_pdf(content_of(c.profile, made_at), made_at=made_at), f"microbiome-{patient_id}")


@pages.get("/clinic/patients/{patient_id}/plan.json")
def plan_data(clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    """The consultation as data, and the decision on it with what was found for each red flag (null: none yet)."""
    c = _consultation(clinic, patient_id, user.username)
    decision = decision_of(clinic.store, patient_id)
    whole = c.model_dump(mode="json") | {"decision": decision.model_dump(mode="json") if decision else None}
    return Response(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", media_type="application/json")


@pages.get("/papers/prescriptions/{prescription_id}.pdf")
def prescription_paper(clinic: AnyClinic, user: Staff, prescription_id: str) -> Response:
    from biflora.papers.prescription import prescription_pdf

    signed = clinic.store.record(prescription_id, Signed, kind="prescription")
    if signed is None:
        raise ClinicianMust("There is no prescription of that number.")
    clinic.note_read(user.username, "prescription read", signed.id)
    return _pdf(prescription_pdf(signed), prescription_id)


@pages.get("/papers/orders/{order_id}/label.pdf")
def label_paper(clinic: AnyClinic, user: Staff, order_id: str) -> Response:
    from biflora.papers.label import label_pdf

    line = pharmacy.order_line(clinic.store, order_id)
    if line.batch is None:
        raise PharmacistMust("There is no label yet; it is made with the batch.")
    clinic.note_read(user.username, "label read", order_id)
    return _pdf(label_pdf(line.batch.label), f"label-{line.batch.lot_number}")


@pages.get("/papers/orders/{order_id}/worksheet.pdf")
def worksheet_paper(clinic: AnyClinic, user: Pharmacist, order_id: str) -> Response:
    from biflora.papers.worksheet import worksheet_pdf

    line = pharmacy.order_line(clinic.store, order_id)
    clinic.note_read(user.username, "worksheet read", order_id)
    return _pdf(worksheet_pdf(pharmacy.worksheet_for(line), line.prescription), f"worksheet-{order_id}")


def _pdf(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'inline; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)
