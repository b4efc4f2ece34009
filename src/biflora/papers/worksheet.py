"""The compounding worksheet on paper: what to weigh, large; boxes to write in and to sign."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Literal

from biflora.dispensary.batch import Worksheet, WorksheetLine
from biflora.knowledge.pharmacy import vehicles
from biflora.papers.pharmacy_words import DEMO, day, findings, grams, percent
from biflora.papers.typeset import typeset
from biflora.prescription.prescription import Signed

Paper = Literal["us-letter", "a4"]
PHASES = {
    "A": "Phase A, water phase",
    "B": "Phase B, oil phase or base",
    "C": "Phase C, cool-down",
}


def worksheet_pdf(worksheet: Worksheet, signed: Signed | None = None, *, paper: Paper = "us-letter") -> bytes:
    """The worksheet as PDF, on one page up to about twenty ingredients; equal input gives equal bytes.

    With the prescription it also shows the patient, the preparation, its directions and its prescriber.
    """
    beyond = worksheet.beyond_use
    data: dict[str, Any] = {
        "paper": paper,
        "id": worksheet.id,
        "prescription_id": worksheet.prescription_id,
        "release": worksheet.knowledge_release,
        "batch": f"{worksheet.batch_g:g}",
        "made_on": day(worksheet.made_on),
        "beyond_use": day(beyond.on),
        "beyond_use_days": beyond.days,
        "beyond_use_because": beyond.because,
        "beyond_use_rule": f"{beyond.rule}; {beyond.source}; {beyond.verification}",
        "storage": beyond.storage,
        "phases": [
            {"title": PHASES.get(phase, f"Phase {phase}"), "lines": [_line(line) for line in lines]}
            for phase, lines in groupby(worksheet.lines, key=lambda line: line.phase)
        ],
        "count": len(worksheet.lines),
        "total_percent": percent(sum(line.percent for line in worksheet.lines)),
        "total": grams(sum(line.target_g for line in worksheet.lines)),
        "steps": list(worksheet.steps),
        "checks": list(worksheet.checks),
        "findings": findings(worksheet.findings),
        "rx": None if signed is None else _prescription(signed),
        "demo": DEMO if signed is not None and signed.draft.synthetic else "",
    }
    return typeset("worksheet.typ", data)


def _line(line: WorksheetLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "function": line.function.replace("_", " "),
        "percent": percent(line.percent),
        "target": grams(line.target_g),
        "tolerance": grams(line.tolerance_g),
        "weighed": "" if line.weighed_g is None else grams(line.weighed_g),
        "lot": "" if line.lot is None else f"{line.lot.lot_number}, exp. {day(line.lot.expires_on)}",
        "hazardous": line.hazardous,
    }


def _prescription(signed: Signed) -> dict[str, Any]:
    draft = signed.draft
    formula = draft.formula
    vehicle = vehicles().get(formula.vehicle)
    return {
        "patient": draft.patient_name,
        "patient_id": draft.patient_id,
        "preparation": formula.name or (vehicle.label if vehicle else formula.vehicle),
        "form": vehicle.label if vehicle else formula.vehicle,
        "ph": "no water, no pH" if formula.ph is None else f"target pH {formula.ph:g}",
        "quantity": f"{draft.quantity_g:g} g" + (f" ({draft.container})" if draft.container else ""),
        "directions": draft.directions,
        "prescriber": f"{signed.prescriber.name}, {signed.prescriber.licence_state} "
        f"{signed.prescriber.licence_number}",
    }
