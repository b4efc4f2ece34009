"""Formulas for the tests of keeping, written as percentages; `qs` fills up to 100 %."""

from __future__ import annotations

from typing import Any

from biflora.formula.formula import MILLION, Formula, Line
from biflora.formula.jar import Jar
from biflora.formula.keeping import jar_of
from biflora.plan.plan import Needs


def formula(vehicle: str, lines: dict[str, float | str], **fields: Any) -> Formula:
    ppm = {key: round(float(percent) * 10_000) for key, percent in lines.items() if percent != "qs"}
    rest = MILLION - sum(ppm.values())
    return Formula(
        vehicle=vehicle,
        lines=tuple(Line(ingredient=key, ppm=ppm.get(key, rest), quantum_satis=key not in ppm) for key in lines),
        **fields,
    )


def jar(vehicle: str, lines: dict[str, float | str], needs: Needs | None = None, **fields: Any) -> Jar:
    made = jar_of(formula(vehicle, lines, **fields), needs)
    assert made is not None
    return made
