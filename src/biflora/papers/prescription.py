"""The prescription on paper: signed, or a draft that says that it is one."""

from __future__ import annotations

from typing import Any

from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.papers.pharmacy_words import DEMO, day, findings, minute, percent
from biflora.papers.typeset import typeset
from biflora.papers.worksheet import Paper
from biflora.prescription.prescription import Draft, Signed

ROUTES = {
    "503A": "compounded for one patient on a prescription (section 503A)",
    "research": "research preparation under a recorded authorisation",
    "cosmetic": "cosmetic preparation: no drug active, no disease claim",
}


def prescription_pdf(prescription: Signed | Draft, *, paper: Paper = "us-letter") -> bytes:
    """The prescription as PDF; a draft is marked as one on every page. Equal input gives equal bytes."""
    signed = prescription if isinstance(prescription, Signed) else None
    draft = prescription.draft if isinstance(prescription, Signed) else prescription
    formula = draft.formula
    vehicle = vehicles().get(formula.vehicle)
    data: dict[str, Any] = {
        "paper": paper,
        "id": prescription.id,
        "draft_id": draft.id,
        "formula_id": formula.id,
        "release": prescription.knowledge_release,
        "patient": draft.patient_name,
        "patient_id": draft.patient_id,
        "state": draft.patient_state,
        "written_on": day(draft.written_on),
        "expires_on": day(draft.expires_on),
        "preparation": formula.name or (vehicle.label if vehicle else formula.vehicle),
        "form": vehicle.label if vehicle else formula.vehicle,
        "ph": "no water, no pH" if formula.ph is None else f"target pH {formula.ph:g}",
        "lines": [
            {
                "name": line.name or ingredients()[line.ingredient].name,
                "function": line.function.replace("_", " "),
                "percent": percent(line.percent),
                "fills": line.quantum_satis,
                "hazardous": ingredients()[line.ingredient].hazardous,
            }
            for line in sorted(formula.lines, key=lambda line: (line.quantum_satis, line.phase, -line.ppm))
            if line.ppm > 0
        ],
        "quantity": f"{draft.quantity_g:g} g" + (f" ({draft.container})" if draft.container else ""),
        "directions": draft.directions,
        "repeats": draft.repeats,
        "sites": ", ".join(site.value for site in draft.sites),
        "amount": f"{draft.amount.grams_per_application:g} g x {draft.amount.applications_per_day} a day x "
        f"{draft.amount.days} days = {draft.amount.grams_total:g} g",
        "amount_because": f"{draft.amount.because}. {draft.amount.source}",
        "route": ROUTES[draft.route],
        "findings": findings(draft.findings, draft.acknowledged),
        "signature": None if signed is None else _signature(signed),
        "demo": DEMO if draft.synthetic else "",
    }
    return typeset("prescription.typ", data)


def _signature(signed: Signed) -> dict[str, str]:
    return {
        "name": signed.prescriber.name,
        "licence": f"{signed.prescriber.licence_state} {signed.prescriber.licence_number}",
        "at": minute(signed.signed_at),
        "meaning": signed.meaning,
        "hash": signed.content_sha256,
    }
