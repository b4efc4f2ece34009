"""How much the microbiome of one untreated person varies between two samples: what a change is judged against."""

from __future__ import annotations

from collections.abc import Mapping

from biflora.knowledge.rows import Row, read_table


class WithinPersonVariation(Row):
    """Differences between two samples of the same person, over one span of days, each person counted alike."""

    site: str
    body_site: str
    assay: str
    what: str
    """A guild's key, a quantity's key (`shannon`, a log-ratio), or `bray_curtis`."""
    scale: str
    """`log10 odds`: log10 of the guild over all others; `difference`: of the quantity itself; `distance`."""
    unit: str
    sd: float
    """Root mean square of the differences (their standard deviation around no change)."""
    median: float
    """Of the absolute differences."""
    limit95: float
    """95 % of the absolute differences lie below."""
    floor_share: float | None = None
    """Shares below count as this much; a pair that is below in both samples was left out."""
    persons: int
    pairs: int
    days_low: float
    days_high: float
    population: str
    note: str = ""


def variation_rows() -> Mapping[str, WithinPersonVariation]:
    return read_table("within_person_variation", WithinPersonVariation)


def typical_variation(
    site: str, assay: str, what: str, *, days: float | None, fewest: float, same_assay: bool = False
) -> WithinPersonVariation | None:
    """The row to judge a change by, or None.

    Rows of the same platform from at least `fewest` persons go first, then (unless `same_assay`) those of another
    platform, then those from fewer persons. Without days, or beyond those measured, the widest limit counts.
    """
    rows = [row for row in variation_rows().values() if row.site == site and row.what == what]
    if same_assay:
        rows = [row for row in rows if _platform(row.assay) == _platform(assay)]
    if not rows:
        return None
    best = min(_rank(row, assay, fewest) for row in rows)
    rows = [row for row in rows if _rank(row, assay, fewest) == best]
    inside = [row for row in rows if days is not None and row.days_low <= days <= row.days_high]
    if days is not None and days < min(row.days_low for row in rows):
        inside = [min(rows, key=lambda row: row.days_low)]
    return max(inside or rows, key=lambda row: row.limit95)


def _rank(row: WithinPersonVariation, assay: str, fewest: float) -> tuple[bool, bool]:
    return row.persons < fewest, _platform(row.assay) != _platform(assay)


def _platform(assay: str) -> str:
    return assay.split(" ")[0]


TABLES: dict[str, type[Row]] = {"within_person_variation": WithinPersonVariation}
