"""Reference cohorts: shipped summaries, recipes for whole tables that the operator adds, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table


class ReferenceRow(Row):
    """One guild's share in one group of one cohort."""

    cohort: str
    group: str
    """healthy, ad_lesional, ad_non_lesional, ..."""
    site: str
    body_site: str
    assay: str
    age_band: str
    age_min: float
    age_max: float
    guild: str
    n: int
    """Persons (not samples)."""
    samples: int
    unit: str = "share"
    median: float
    low: float
    high: float
    limits: str
    """Which limits low and high are, e.g. `IQR`."""
    quantiles: tuple[float, ...] = ()
    """Shares at 0, 5, 10, ... 100 % of the group; empty when only the summary is known."""
    note: str = ""
    profiler: str = ""
    """Program and database that named the taxa; empty: not told, then it is not compared."""
    lesional: bool | None = None
    """Whether the samples are of inflamed skin; None: healthy persons, or not told."""


class ReferenceLimit(Row):
    """One number that decides how a sample is placed among the persons of a reference."""

    label: str
    value: float
    unit: str
    note: str = ""


class ReferenceRecipe(Row):
    """How a whole reference is made from files that a package or the operator provides."""

    label: str
    table_files: tuple[str, ...]
    """Names that the table may have; the first that is there is read."""
    metadata_file: str
    persons_file: str = ""
    """A second description with one row a person, joined by `person_column`."""
    sample_column: str = ""
    person_column: str
    order_column: str = ""
    """Its smallest value is each person's first sample."""
    site: Literal["skin", "gut"]
    body_site: str = ""
    body_site_column: str = ""
    age_column: str = ""
    age_unit: Literal["years", "months"] = "years"
    assay: str
    profiler: str
    where: tuple[str, ...] = ()
    """`column=value` filters; the same column twice means either value."""
    group_column: str = ""
    healthy: tuple[str, ...] = ()
    """Values of `group_column` that mean healthy; empty: everybody that the filters leave, unless `lesional`."""
    lesional: bool | None = None
    """Told for patients: whether their samples are of inflamed skin. Empty for healthy persons."""
    group: str
    laboratory: str = ""
    licence: str
    citation: str
    get_it: str
    """Where the files come from, in one or two sentences."""
    note: str = ""


def reference_rows() -> Mapping[str, ReferenceRow]:
    return read_table("references", ReferenceRow)


def references_for(site: str, guild: str) -> tuple[ReferenceRow, ...]:
    """All reference rows of a guild at a site, in table order."""
    return tuple(row for row in reference_rows().values() if row.site == site and row.guild == guild)


def reference_limits() -> Mapping[str, ReferenceLimit]:
    return read_table("reference_limits", ReferenceLimit)


def reference_limit(key: str) -> float:
    """Value of one limit; a missing one is a programming error and raises KeyError."""
    return reference_limits()[key].value


def reference_recipes() -> Mapping[str, ReferenceRecipe]:
    return read_table("reference_recipes", ReferenceRecipe)


TABLES: dict[str, type[Row]] = {
    "references": ReferenceRow,
    "reference_limits": ReferenceLimit,
    "reference_recipes": ReferenceRecipe,
}
