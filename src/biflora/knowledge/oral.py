"""The oral side beside the trials' results: doses tried, names of strains, use and safety, gut signs, fibre."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table


class TriedDose(Row):
    """Which strains a trial gave at which dose, and its effect as a number where it is known."""

    trial: str
    """Key of oral_strains."""
    strain_ids: tuple[str, ...] = ()
    """All of them belong to the product that was tried; empty for a pooled analysis."""
    cfu_per_day_low: float | None = Field(default=None, gt=0)
    cfu_per_day_high: float | None = Field(default=None, gt=0)
    effect: float | None = None
    effect_low: float | None = None
    effect_high: float | None = None
    """95 % interval."""
    unit: str = ""
    meaning: str = ""
    """What the number is, with its sign's direction."""


class StrainName(Row):
    """Other names of one strain on labels and in trials."""

    strain_id: str
    names: tuple[str, ...]


class OralAdvice(Row):
    """One line on taking an oral strain."""

    topic: Literal["timing", "safety", "storage", "missed_dose", "dose", "tolerance"]
    kind: Literal["bacteria", "yeast", "live", "any"]
    """The products it is about."""
    applies_with: tuple[str, ...] = ()
    """antibiotic, antifungal, central_line, immunosuppressed, severe_illness; empty: always."""
    hours: float | None = None
    text: str
    because: str


class TreatmentGroup(Row):
    """Words by which a group of medicines is recognised among current treatments."""

    group: str
    words: tuple[str, ...]


class GutSign(Row):
    """A sign that articles tie to the gut: a prompt to ask and examine, never a diagnosis."""

    conditions: tuple[str, ...]
    sign: str
    ask: str
    then: str
    because: str


class FibreAmount(Row):
    """Fibre a day that is advised at an age."""

    age_at_least: float
    age_below: float | None = None
    grams_per_day: float = Field(gt=0)


def tried_doses() -> Mapping[str, TriedDose]:
    """By key of the trial in oral_strains."""
    return {row.trial: row for row in read_table("tried_doses", TriedDose).values()}


@cache
def strain_key(name: str) -> str:
    """A strain id as one word for comparison: today's id where another name is known, without spaces and case."""
    folded = _folded(name)
    for row in read_table("strain_names", StrainName).values():
        if folded in {_folded(each) for each in (row.strain_id, *row.names)}:
            return _folded(row.strain_id)
    return folded


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def oral_advice() -> Mapping[str, OralAdvice]:
    return read_table("oral_advice", OralAdvice)


def treatment_groups() -> Mapping[str, TreatmentGroup]:
    return read_table("treatment_groups", TreatmentGroup)


def gut_signs() -> Mapping[str, GutSign]:
    return read_table("gut_screening", GutSign)


def fibre_grams(age_years: float) -> FibreAmount | None:
    """The row of this age; None below the youngest age that the source names."""
    rows: Mapping[str, FibreAmount] = read_table("fibre_amounts", FibreAmount)
    return next(
        (
            row
            for row in rows.values()
            if age_years >= row.age_at_least and (row.age_below is None or age_years < row.age_below)
        ),
        None,
    )


TABLES: dict[str, type[Row]] = {
    "tried_doses": TriedDose,
    "strain_names": StrainName,
    "oral_advice": OralAdvice,
    "treatment_groups": TreatmentGroup,
    "gut_screening": GutSign,
    "fibre_amounts": FibreAmount,
}
