"""Summaries of reference cohorts: where a share stands among people measured in the same way."""

from __future__ import annotations

from collections.abc import Mapping

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


def reference_rows() -> Mapping[str, ReferenceRow]:
    return read_table("references", ReferenceRow)


def references_for(site: str, guild: str) -> tuple[ReferenceRow, ...]:
    """All reference rows of a guild at a site, in table order."""
    return tuple(row for row in reference_rows().values() if row.site == site and row.guild == guild)


TABLES: dict[str, type[Row]] = {"references": ReferenceRow}
