"""Where a share stands in a reference cohort, and when no honest comparison exists."""

from __future__ import annotations

import numpy as np

from biflora.knowledge.references import ReferenceRow, references_for
from biflora.knowledge.taxa import limit
from biflora.profile.profile import GuildShare, Reference, SiteName
from biflora.values import State


def with_reference(
    guild: GuildShare, site: SiteName, assay: str, age_years: float | None, healthy_only: bool = True
) -> GuildShare:
    """The guild with the nearest reference: fewest mismatches first, then the larger group."""
    rows = [
        row for row in references_for(site, guild.guild) if row.group.startswith("healthy") or not healthy_only
    ]
    if not rows or guild.state in (State.NOT_MEASURED, State.NOT_RESOLVED):
        return guild
    rows.sort(key=lambda row: (len(mismatches(row, site, assay, age_years)), -row.n))
    return guild.model_copy(update={"reference": compare(guild.share, rows[0], site, assay, age_years)})


def compare(
    share: float | None, row: ReferenceRow, site: SiteName, assay: str, age_years: float | None
) -> Reference:
    """The reference beside a share. A percentile is given only without mismatch and with enough persons."""
    mismatch = mismatches(row, site, assay, age_years)
    percentile = None
    if share is not None and not mismatch and row.n >= limit("reference_min_n") and row.quantiles:
        percentile = percentile_in(share, row.quantiles)
    return Reference(
        cohort=f"{row.cohort}, {row.group.replace('_', ' ')}, {row.body_site}, {row.assay}",
        n=row.n,
        median=row.median,
        low=row.low,
        high=row.high,
        limits=row.limits,
        percentile=percentile,
        mismatch=mismatch,
        source=row.source,
        verification=row.verification,
    )


def mismatches(row: ReferenceRow, site: SiteName, assay: str, age_years: float | None) -> tuple[str, ...]:
    """What differs between the sample and the reference, one plain phrase each."""
    found = []
    if assay.split(" ")[0] != row.assay.split(" ")[0]:
        found.append(f"platform: sample {assay}, reference {row.assay}")
    elif assay != row.assay:
        found.append(f"region: sample {assay}, reference {row.assay}")
    if site == "skin":
        found.append(f"body site: reference {row.body_site}, sample's not in the file")
    if age_years is None:
        found.append(f"age: reference {row.age_band}, sample's not given")
    elif not row.age_min <= age_years <= row.age_max:
        found.append(f"age: reference {row.age_band}")
    return tuple(found)


def percentile_in(share: float, quantiles: tuple[float, ...]) -> float:
    """Percent of the reference below this share, from its evenly spaced quantiles; ties take their middle."""
    grid = np.linspace(0, 100, len(quantiles))
    values = np.array(quantiles)
    if share < values[0]:
        return 0.0
    if share > values[-1]:
        return 100.0
    equal = np.flatnonzero(values == share)
    return float(grid[equal].mean()) if equal.size else float(np.interp(share, values, grid))
