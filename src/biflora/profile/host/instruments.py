"""Scoring: from items or an entered total to a Score, with impossible values refused."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from biflora.errors import ClinicianMust
from biflora.knowledge.instruments import (
    Instrument,
    InstrumentItem,
    area_grades,
    band_of,
    instrument_named,
    instruments,
    items_of,
)
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Score

AGREE = 0.051
"""How far an entered total may lie from the items' own total: half of the last printed decimal."""
CHILD_YEARS = 8.0


def score(given: InstrumentInput, age_years: float) -> Score:
    """The instrument's score. Raises ClinicianMust naming instrument and field, never the value itself."""
    row = _instrument(given.instrument)
    computed = bool(given.items)
    if not computed and given.total is None:
        raise ClinicianMust(f"scores, {row.key}: give its total or its items ({_names(row)}).")
    value = _from_items(row, given.items, age_years) if computed else float(given.total or 0.0)
    if given.total is not None:
        _check(row.key, "total", given.total, row.minimum, row.maximum, row.step, row.unit)
        if computed and abs(given.total - value) > AGREE:
            raise ClinicianMust(
                f"scores, {row.key}: the entered total and the total of its items differ; correct one of "
                "them, or leave the "
                "total out."
            )
    return Score(
        instrument=row.key,
        label=row.label,
        value=round(value, 4),
        minimum=row.minimum,
        maximum=row.maximum,
        unit=row.unit,
        band=band_of(row, round(value, 4)),
        band_source=row.band_source,
        smallest_important_difference=row.important_difference,
        computed=computed,
        source=row.source,
        verification=row.verification,
    )


def _instrument(key: str) -> Instrument:
    table = instruments()
    found = instrument_named(key)
    if found is not None:
        return found
    folded = key.strip().lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(folded, list(table), n=3, cutoff=0.5) or sorted(table)
    raise ClinicianMust(
        f"scores: an instrument is named that biflora does not score; use one of {', '.join(near)}."
    )


def _names(row: Instrument) -> str:
    return ", ".join(items_of(row.key))


def _check(
    instrument: str, field: str, value: float, minimum: float, maximum: float, step: float | None, unit: str = ""
) -> None:
    where = f"scores, {instrument}, {field}"
    if not minimum <= value <= maximum:
        raise ClinicianMust(
            f"{where}: the value is impossible, it must lie between {minimum:g} and "
            f"{maximum:g}{' ' + unit if unit else ''}; "
            "correct it."
        )
    if step is not None and abs(value / step - round(value / step)) > 1e-9:
        raise ClinicianMust(f"{where}: the value is impossible, it goes in steps of {step:g}; correct it.")


def _from_items(row: Instrument, given: dict[str, float], age_years: float) -> float:
    items = items_of(row.key)
    values = _with_area_grades(row, given)
    unknown = [name for name in values if name not in items]
    if unknown:
        near = difflib.get_close_matches(unknown[0], list(items), n=2, cutoff=0.4) or list(items)[:4]
        raise ClinicianMust(f"scores, {row.key}: '{unknown[0]}' is none of its items; use {', '.join(near)}.")
    missing = [name for name in items if name not in values]
    if len(missing) <= row.items_may_miss:
        values |= dict.fromkeys(missing, 0.0)
    else:
        raise ClinicianMust(
            f"scores, {row.key}: the item '{missing[0]}' is missing ({len(missing)} in all); add it."
        )
    for name, item in items.items():
        _check(row.key, name, values[name], item.minimum, item.maximum, item.step)
    if row.arithmetic == "regions":
        return _by_regions(items, values, age_years)
    return sum(item.weight * values[name] for name, item in items.items())


def _with_area_grades(row: Instrument, given: dict[str, float]) -> dict[str, float]:
    """The items with each `<region>_area_percent` turned into the area grade 0-6."""
    if row.arithmetic != "regions":
        return dict(given)
    values = {}
    for name, value in given.items():
        if not name.endswith("_area_percent"):
            values[name] = value
            continue
        _check(row.key, name, value, 0, 100, None, "percent")
        grades = [grade for grade in area_grades().values() if value >= grade.from_percent]
        # Below 1 % but not nothing: the published grades begin at 1 %, so any involvement is grade 1.
        values[name.removesuffix("_percent")] = max(grades[-1].grade, 1 if value > 0 else 0)
    return values


def _by_regions(items: Mapping[str, InstrumentItem], values: Mapping[str, float], age_years: float) -> float:
    regions: dict[str, dict[str, float]] = {}
    for name, item in items.items():
        region, _, role = item.group.partition(".")
        child = age_years < CHILD_YEARS
        parts = regions.setdefault(region, {"area": 0.0, "sign": 0.0, "weight": 0.0})
        parts[role] += values[name]
        parts["weight"] = item.weight_under_8 if child and item.weight_under_8 is not None else item.weight
    return sum(parts["weight"] * parts["area"] * parts["sign"] for parts in regions.values())
