"""Severity instruments: ranges, items, bands, smallest important differences, licences. Never their wording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

from biflora.errors import OperatorMust
from biflora.knowledge.rows import Row, read_table


class Instrument(Row):
    label: str
    minimum: float
    maximum: float
    step: float | None = None
    """Scores come in multiples of this; None: any value in the range."""
    unit: str = "points"
    arithmetic: Literal["sum", "regions"] = "sum"
    """`sum`: items times weights; `regions`: weight times area grade times the signs' sum, over four regions."""
    bands: tuple[str, ...] = ()
    """In rising order, as `mild<25` (below) or `moderate<=50` (up to)."""
    band_source: str = ""
    important_difference: float | None = None
    important_difference_source: str = ""
    also_called: tuple[str, ...] = ()
    """Other names that a clinic may write, lower case with underscores."""
    important_percent: float | None = None
    """Fall in percent of the first score that went with one grade of the investigator's global assessment."""
    important_percent_source: str = ""
    important_difference_verification: str = ""
    items_may_miss: int = 0
    """How many items its own scoring rule lets a patient leave out; each then counts 0."""
    severity_of: tuple[str, ...] = ()
    """Conditions whose severity it measures; empty: symptom or quality of life."""
    min_age_years: float | None = None
    recall: str = ""
    licence: str
    note: str = ""

    @property
    def bands_in_words(self) -> str:
        return ", ".join(self.bands)

    @property
    def item_names(self) -> str:
        """Names of its items as `InstrumentInput.items` takes them."""
        return ", ".join(items_of(self.key))


class InstrumentItem(Row):
    """One item of an instrument."""

    instrument: str
    item: str
    label: str
    minimum: float
    maximum: float
    step: float | None = None
    weight: float
    weight_under_8: float | None = None
    """Weight for a child below eight years, where it differs by age."""
    group: str = ""
    """`<region>.area` or `<region>.sign` where the arithmetic is by regions."""


class AreaGrade(Row):
    """Area grade 0-6 of a region, by the percent of it that is involved."""

    grade: int
    from_percent: float


def instruments() -> Mapping[str, Instrument]:
    return read_table("instruments", Instrument)


def instrument_items() -> Mapping[str, InstrumentItem]:
    return read_table("instrument_items", InstrumentItem)


def area_grades() -> Mapping[str, AreaGrade]:
    return read_table("area_grades", AreaGrade)


@cache
def instrument_named(name: str) -> Instrument | None:
    """The instrument of that key or other name, however written (`PP-NRS`, `o SCORAD`); None when unknown."""
    folded = name.strip().lower().replace("-", "_").replace(" ", "_")
    table = instruments()
    return table.get(folded) or next((row for row in table.values() if folded in row.also_called), None)


@cache
def items_of(instrument: str) -> Mapping[str, InstrumentItem]:
    """The items of one instrument by their short name, in table order."""
    return {row.item: row for row in instrument_items().values() if row.instrument == instrument}


def band_of(instrument: Instrument, value: float) -> str:
    """The name of the severity band that a score falls in; empty when no bands are known."""
    for text in instrument.bands:
        found = re.fullmatch(r"(.+?)(<=?)([\d.]+)", text)
        if found is None:
            raise OperatorMust(f"instruments.csv, row {instrument.key}: the band '{text}' must look like mild<25.")
        name, sign, upper = found.group(1), found.group(2), float(found.group(3))
        if value < upper or (sign == "<=" and value <= upper):
            return name
    return ""


INSTRUMENTS_PAGE_COLUMNS = (
    "key", "label", "minimum", "maximum", "unit", "bands_in_words", "band_source", "important_difference",
    "item_names", "licence", "source", "verification",
)  # fmt: skip
"""What the generated reference page shows of each instrument."""

TABLES: dict[str, type[Row]] = {
    "instruments": Instrument,
    "instrument_items": InstrumentItem,
    "area_grades": AreaGrade,
}
