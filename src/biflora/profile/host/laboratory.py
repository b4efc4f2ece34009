"""Laboratory values: units converted, impossible ones refused, implausible ones questioned."""

from __future__ import annotations

import difflib
import math

from biflora.errors import ClinicianMust
from biflora.knowledge.laboratory import (
    LaboratoryQuantity,
    LaboratoryReference,
    LaboratoryUnit,
    folded,
    laboratory_quantities,
    references_for,
    units_of,
)
from biflora.profile.patient import Laboratory, MeasuredValue, Patient
from biflora.values import Finding, Value, Who

WHERE = "laboratory"
AGREE = 0.005
"""How far, in parts of it, a value may lie from the same quantity in its own field: rounding of a conversion."""


class LaboratoryValue(Value):
    """One laboratory value in biflora's unit, for a page."""

    key: str
    label: str
    value: float
    """In `unit`; the limit of the assay where `limit` is not empty."""
    unit: str
    limit: str = ""
    """`<` or `>` where the laboratory printed one: the value itself is then not known."""
    as_entered: str
    references: tuple[str, ...] = ()
    """What it stands beside for this age, one sentence each; empty: no reference is kept for this age."""
    plausible: bool = True
    note: str = ""
    source: str = ""
    """Of the conversion where one was made, else of the quantity's limits."""
    verification: str = ""


def laboratory_values(patient: Patient) -> tuple[LaboratoryValue, ...]:
    """Every value that was entered, in the order of knowledge's table.

    Raises ClinicianMust, naming field and accepted units and never the value, for an unknown quantity or unit, an
    impossible value, and a quantity that was entered twice with two values.
    """
    found = _from_fields(patient.laboratory)
    for key, given in patient.laboratory.values.items():
        quantity, value = _read(key, given, patient.laboratory)
        earlier = found.get(quantity.key)
        if earlier is not None and not _agree(earlier, value):
            raise ClinicianMust(
                f"{WHERE}, {quantity.key}: it was entered twice and the two values differ; keep one of them."
            )
        found[quantity.key] = value
    return tuple(
        value.model_copy(update={"references": _references(value, patient.age_years)})
        for key in laboratory_quantities()
        for value in ((found[key],) if key in found else ())
    )


def laboratory_findings(patient: Patient) -> tuple[Finding, ...]:
    """A question for each value that is possible and not plausible, and a note for each that is only a limit."""
    found = []
    quantities = laboratory_quantities()
    for value in laboratory_values(patient):
        row = quantities[value.key]
        if not value.plausible:
            found.append(
                Finding(
                    level="warn", rule="laboratory_implausible", subject=row.label, who=Who.LABORATORY,
                    message=f"{row.label} lies outside {row.plausible_low:g}-{row.plausible_high:g} {row.unit}, "
                    "where such values usually lie. Check the unit and the decimal point with the laboratory.",
                    source=row.source, verification=row.verification,
                )
            )  # fmt: skip
        if value.limit and row.patient_field:
            found.append(
                Finding(
                    level="note", rule="laboratory_limit_only", subject=row.label, who=Who.LABORATORY,
                    message=f"{row.label} was given only as a limit of the assay; it is shown, and no forecast "
                    "uses it.",
                    source="the patient's file", verification="computed",
                )
            )  # fmt: skip
    return tuple(found)


def with_laboratory_fields(patient: Patient) -> Patient:
    """The patient with each value written into the field that forecast and plan read, in that field's unit.

    A value that is only a limit of its assay fills no field: it is no measurement. Raises as `laboratory_values`.
    """
    quantities = laboratory_quantities()
    fields = {
        name: value.value
        for value in laboratory_values(patient)
        if (name := quantities[value.key].patient_field) and not value.limit
    }
    if not fields:
        return patient
    return patient.model_copy(update={"laboratory": patient.laboratory.model_copy(update=fields)})


def _from_fields(laboratory: Laboratory) -> dict[str, LaboratoryValue]:
    found = {}
    for row in laboratory_quantities().values():
        value = getattr(laboratory, row.patient_field) if row.patient_field else None
        if value is not None:
            _possible(row, value)
            found[row.key] = _value(row, value, "", f"{value:g} {row.unit}")
    return found


def _read(key: str, given: MeasuredValue, laboratory: Laboratory) -> tuple[LaboratoryQuantity, LaboratoryValue]:
    row = _quantity(key)
    unit = _unit(row, given.unit)
    if unit is not None and unit.reads_as:
        row = laboratory_quantities()[unit.reads_as]
        unit = _unit(row, given.unit)
    value = given.value
    if unit is not None:
        value *= unit.factor * (_needed(row, unit.needs, laboratory) if unit.needs else 1.0)
    _possible(row, value)
    entered = f"{given.limit}{given.value:g} {given.unit}".strip()
    # eleven digits hide what floating point adds to an exact conversion
    return row, _value(row, float(f"{value:.11g}"), given.limit, entered, unit)


def _value(
    row: LaboratoryQuantity, value: float, limit: str, entered: str, unit: LaboratoryUnit | None = None
) -> LaboratoryValue:
    converted = unit is not None and unit.factor != 1
    return LaboratoryValue(
        key=row.key, label=row.label, value=value, unit=row.unit, limit=limit, as_entered=entered,
        plausible=bool(limit) or row.plausible_low <= value <= row.plausible_high, note=row.note,
        source=unit.source if converted and unit is not None else row.source,
        verification=unit.verification if converted and unit is not None else row.verification,
    )  # fmt: skip


def _quantity(key: str) -> LaboratoryQuantity:
    table = laboratory_quantities()
    name = key.strip().lower().replace("-", "_").replace(" ", "_")
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, list(table), n=3, cutoff=0.5) or list(table)
    raise ClinicianMust(f"{WHERE}, values: a quantity is named that biflora does not know; use {', '.join(near)}.")


def _unit(row: LaboratoryQuantity, given: str) -> LaboratoryUnit | None:
    """None: a quantity without dimension (pH) was given without a unit."""
    units = units_of(row.key)
    if not given and row.unit == "pH":
        return None
    found = units.get(folded(given))
    if found is None:
        accepted = ", ".join(dict.fromkeys(unit.accepted for unit in units.values()))
        raise ClinicianMust(
            f"{WHERE}, {row.key}: the unit is missing or not one that biflora can convert; use {accepted}."
        )
    return found


def _needed(row: LaboratoryQuantity, needs: str, laboratory: Laboratory) -> float:
    other = laboratory.values.get(needs)
    if other is None:
        raise ClinicianMust(
            f"{WHERE}, {row.key}: a value per dry stool is read only with the dry matter; add {needs} in "
            "percent, or give the value per wet stool."
        )
    _, value = _read(needs, other, laboratory)
    return value.value


def _possible(row: LaboratoryQuantity, value: float) -> None:
    if not math.isfinite(value) or not row.impossible_low <= value <= row.impossible_high:
        accepted = ", ".join(dict.fromkeys(unit.accepted for unit in units_of(row.key).values()))
        raise ClinicianMust(
            f"{WHERE}, {row.key}: the value is impossible, it must lie between {row.impossible_low:g} and "
            f"{row.impossible_high:g} {row.unit}; correct it or its unit (accepted: {accepted})."
        )


def _agree(one: LaboratoryValue, other: LaboratoryValue) -> bool:
    return not other.limit and abs(one.value - other.value) <= AGREE * max(abs(one.value), abs(other.value))


def _references(value: LaboratoryValue, age_years: float) -> tuple[str, ...]:
    return tuple(_in_words(value, row) for row in references_for(value.key, age_years))


def _in_words(value: LaboratoryValue, row: LaboratoryReference) -> str:
    source = "only remembered" if row.only_remembered else row.source
    unit = "" if value.unit == "pH" else f" {value.unit}"
    if row.kind == "mean":
        return f"{row.text}: {row.high:g}{unit} ({source})"
    low, high = row.low, math.inf if row.high is None else row.high
    limits = f"{high:g}{unit}" if low is None else f"{low:g}-{high:g}{unit}"
    return f"{_side(value, low, high)} {limits}, {row.text} ({source})"


def _side(value: LaboratoryValue, low: float | None, high: float) -> str:
    if (value.limit == "<" and value.value > high) or (value.limit == ">" and value.value < high):
        return "cannot be told against"
    if value.value > high or (value.limit == ">" and value.value == high):
        return "above"
    if low is not None and (value.value < low or (value.limit == "<" and value.value == low)):
        return "below"
    if value.limit and low is not None:
        return "cannot be told against"
    return "within" if low is not None else "not above"
