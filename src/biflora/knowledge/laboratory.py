"""Laboratory quantities beside the microbiome: units with their factors, what is plausible, reference values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from biflora.knowledge.rows import Row, read_table


class LaboratoryQuantity(Row):
    """One thing that a laboratory or a probe measures; all four limits are in `unit`."""

    label: str
    unit: str
    plausible_low: float
    plausible_high: float
    """Outside these a value is questioned, not refused."""
    impossible_low: float
    impossible_high: float
    """Outside these a value is refused."""
    patient_field: str = ""
    """Field of the patient's Laboratory that holds it in `unit`; empty: it has none."""
    note: str = ""


class LaboratoryUnit(Row):
    """One accepted spelling of a unit: value x `factor` = value in the quantity's own unit."""

    quantity: str
    accepted: str
    factor: float
    reads_as: str | None = None
    """Another quantity that a value in this unit is, e.g. a share of the white cells."""
    needs: str | None = None
    """Quantity in percent that must be given too, e.g. dry matter of the stool; the value is taken times it."""
    note: str = ""


class LaboratoryReference(Row):
    """What a value is held against, from [age_at_least, age_below) years."""

    quantity: str
    age_at_least: float | None = None
    age_below: float | None = None
    kind: Literal["range", "upper", "cut-off", "mean"]
    low: float | None = None
    high: float | None = None
    """`upper` and `cut-off` have only this one; a `mean` stands here too."""
    text: str
    """Of whom, in words."""


def laboratory_quantities() -> Mapping[str, LaboratoryQuantity]:
    return read_table("laboratory_quantities", LaboratoryQuantity)


def laboratory_units() -> Mapping[str, LaboratoryUnit]:
    return read_table("laboratory_units", LaboratoryUnit)


def laboratory_references() -> Mapping[str, LaboratoryReference]:
    return read_table("laboratory_references", LaboratoryReference)


@cache
def units_of(quantity: str) -> Mapping[str, LaboratoryUnit]:
    """The accepted units of one quantity by their folded spelling, in table order."""
    return {folded(row.accepted): row for row in laboratory_units().values() if row.quantity == quantity}


def references_for(quantity: str, age_years: float) -> tuple[LaboratoryReference, ...]:
    return tuple(
        row
        for row in laboratory_references().values()
        if row.quantity == quantity
        and (row.age_at_least is None or age_years >= row.age_at_least)
        and (row.age_below is None or age_years < row.age_below)
    )


def folded(unit: str) -> str:
    """One spelling for all: micro signs, superscripts, powers of ten, spaces and case do not tell units apart."""
    text = (
        unit.strip()
        .translate(_LETTERS)
        .casefold()
        .replace("mcg", "ug")
        .replace("litre", "l")
        .replace("liter", "l")
    )
    text = re.sub(r"(?:x|\*)?\s*10\s*(?:\^|\*\*|\*|e)?\s*(\d)\s*/", r"1e\1/", text)
    return re.sub(r"[\s().*]", "", text)


_LETTERS = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "⁹": "9", "⁶": "6", "·": "*", "×": "x"})

TABLES: dict[str, type[Row]] = {
    "laboratory_quantities": LaboratoryQuantity,
    "laboratory_units": LaboratoryUnit,
    "laboratory_references": LaboratoryReference,
}
