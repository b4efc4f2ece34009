"""A made-up cream, its prescription and its prescriber, for the pharmacy's tests. Synthetic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from biflora.formula.formula import MILLION, Formula, Line, Phase
from biflora.knowledge.pharmacy import ingredients
from biflora.knowledge.rows import release
from biflora.plan.plan import BodySite
from biflora.prescription.prescribe import prescribe
from biflora.prescription.prescription import Draft, Prescriber, Signed
from biflora.prescription.signing import sign

WRITTEN = date(2026, 11, 23)
SIGNED_AT = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
MADE_ON = date(2026, 11, 24)
MADE_AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PRESCRIBER = Prescriber(name="Dr Dana Demo", licence_number="DEMO-0001", licence_state="OR")

Parts = dict[str, tuple[float, Phase]]
CREAM: Parts = {
    "glycerin": (7.0, "A"),
    "niacinamide": (4.0, "A"),
    "petrolatum": (15.0, "B"),
    "cetearyl_alcohol": (4.0, "B"),
    "ceteareth_20": (2.0, "B"),
    "glyceryl_stearate": (2.0, "B"),
    "hydrocortisone": (1.0, "C"),
    "phenoxyethanol": (0.9, "C"),
    "ethylhexylglycerin": (0.3, "C"),
}
"""Percent and phase; purified water fills up to 100: 100 - 36.2 = 63.8 %."""


def cream(parts: Parts = CREAM, fills: str = "purified_water", **changes: Any) -> Formula:
    rows = ingredients()
    ppm = {key: round(percent * 10_000) for key, (percent, _) in parts.items()}
    lines = [
        Line(
            ingredient=key, name=rows[key].name, inci=rows[key].inci, ppm=ppm[key], function=rows[key].klass,
            phase=phase,
        )
        for key, (_, phase) in parts.items()
    ]  # fmt: skip
    lines.append(
        Line(
            ingredient=fills, name=rows[fills].name, inci=rows[fills].inci, ppm=MILLION - sum(ppm.values()),
            function=rows[fills].klass, phase="A", quantum_satis=True,
        )
    )  # fmt: skip
    fields: dict[str, Any] = {
        "name": "Barrier cream",
        "condition": "atopic_dermatitis",
        "vehicle": "ow_cream",
        "lines": tuple(lines),
        "ph": 5.2,
        "preservative_system": "phenoxyethanol_ehg",
    }
    return Formula.make("formula", release=release(), **fields | changes)


def draft(formula: Formula | None = None, **changes: Any) -> Draft:
    fields: dict[str, Any] = {
        "patient_id": "P01",
        "patient_name": "Ines Exemplar",
        "patient_state": "OR",
        "sites": [(BodySite.FACE, 2.0), (BodySite.FLEXURES, 5.0)],
        "age_years": 34,
        "written_on": WRITTEN,
        "synthetic": True,
    }
    return prescribe(formula or cream(), **fields | changes)


def warnings(of: Draft) -> tuple[str, ...]:
    return tuple(f.rule for f in of.findings if f.level == "warn")


def signed(formula: Formula | None = None, **changes: Any) -> Signed:
    written = draft(formula, **changes)
    return sign(written, PRESCRIBER, SIGNED_AT, warnings(written))
