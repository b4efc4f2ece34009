"""Where a share stands among a cohort's published or shipped summary, and when no honest comparison exists.

Whole tables that the operator loads are compared in `profile/reference/place.py`.
"""

from __future__ import annotations

import math

import numpy as np

from biflora.knowledge.body_sites import find_body_site
from biflora.knowledge.references import ReferenceRow, references_for
from biflora.knowledge.taxa import limit
from biflora.profile.profile import GuildShare, Percentile, Reference, SiteName
from biflora.profile.reference.match import alike_places, assay_mismatch, profiler_mismatch
from biflora.profile.reference.percentile import Standing, percentile
from biflora.values import State


def with_reference(
    guild: GuildShare,
    site: SiteName,
    assay: str,
    age_years: float | None,
    healthy_only: bool = True,
    *,
    body_site: str = "",
    profiler: str = "",
    lesional: bool | None = None,
) -> GuildShare:
    """The guild with the nearest reference: fewest mismatches first, then the same place, then the larger group.

    `body_site` is a key of knowledge's body sites; what is empty or None was not told, which is a mismatch
    wherever the reference tells it. What was not told is a warning beside the reference; a reference of another
    platform, region, class of place or age is not shown at all, for its numbers do not hold for the sample.
    """
    rows = [
        row for row in references_for(site, guild.guild) if row.group.startswith("healthy") or not healthy_only
    ]
    rows = [row for row in rows if not contradicts(row, assay, age_years, body_site)]
    if not rows or guild.state in (State.NOT_MEASURED, State.NOT_RESOLVED):
        return guild

    def differs(row: ReferenceRow) -> tuple[str, ...]:
        return mismatches(row, site, assay, age_years, body_site=body_site, profiler=profiler, lesional=lesional)

    best = min(rows, key=lambda row: (len(differs(row)), not _same_place(row, body_site), -row.n))
    reference = compare(
        guild.share, best, site, assay, age_years, body_site=body_site, profiler=profiler, lesional=lesional
    )
    return guild.model_copy(update={"reference": reference})


def contradicts(row: ReferenceRow, assay: str, age_years: float | None, body_site: str) -> bool:
    """Whether the reference is known to be of another platform, region, class of place or age than the sample.

    The same taxon differs twentyfold between two platforms, and Cutibacterium threefold between child and adult:
    such a number beside the sample's would mislead, however it is marked.
    """
    mine, theirs = assay.split(" ", 1), row.assay.split(" ", 1)
    if mine[0] != theirs[0] or (len(mine) == len(theirs) == 2 and mine[1] != theirs[1]):
        return True
    if age_years is not None and not row.age_min <= age_years < row.age_max + 1:
        return True
    place, there = find_body_site(body_site), find_body_site(row.body_site)
    if place is None or there is None or "mixed" in (place.site_class, there.site_class):
        return False
    return place.site_class != there.site_class


def compare(
    share: float | None,
    row: ReferenceRow,
    site: SiteName,
    assay: str,
    age_years: float | None,
    *,
    body_site: str = "",
    profiler: str = "",
    lesional: bool | None = None,
) -> Reference:
    """The reference beside a share. A percentile is given only without mismatch and with enough persons."""
    mismatch = mismatches(row, site, assay, age_years, body_site=body_site, profiler=profiler, lesional=lesional)
    found = None if share is None or mismatch else percentile_in_summary(share, row)
    return Reference(
        cohort=f"{row.cohort}, {row.group.replace('_', ' ')}, {row.body_site}, {row.assay}",
        n=row.n,
        median=row.median,
        low=row.low,
        high=row.high,
        limits=row.limits,
        percentile=found.percent if found is not None else None,
        percentile_low=found.low if found is not None else None,
        percentile_high=found.high if found is not None else None,
        mismatch=mismatch,
        source=row.source,
        verification=row.verification,
    )


def mismatches(
    row: ReferenceRow,
    site: SiteName,
    assay: str,
    age_years: float | None,
    *,
    body_site: str = "",
    profiler: str = "",
    lesional: bool | None = None,
) -> tuple[str, ...]:
    """What differs between the sample and the reference, one plain phrase each."""
    found = [
        assay_mismatch(assay, row.assay),
        _place_mismatch(row, site, body_site),
        profiler_mismatch(profiler, row.profiler),
    ]
    if row.lesional is not None and lesional is None:
        found.append(f"inflamed skin: reference {'yes' if row.lesional else 'no'}, sample's not told")
    elif row.lesional is not None and lesional != row.lesional:
        found.append(f"inflamed skin: reference {'yes' if row.lesional else 'no'}")
    if age_years is None:
        found.append(f"age: reference {row.age_band}, sample's not given")
    elif not row.age_min <= age_years < row.age_max + 1:  # of an age until the next birthday
        found.append(f"age: reference {row.age_band}")
    return tuple(text for text in found if text)


def _place_mismatch(row: ReferenceRow, site: SiteName, body_site: str) -> str:
    if site == "gut" and not body_site:
        return ""  # a gut sample is stool unless another place is told
    place, there = find_body_site(body_site), find_body_site(row.body_site)
    if place is None:
        return f"body site: reference {row.body_site}, sample's not told"
    if there is None or there.key not in alike_places(place):
        return f"body site: reference {row.body_site}, sample {place.label}"
    return ""


def _same_place(row: ReferenceRow, body_site: str) -> bool:
    place, there = find_body_site(body_site), find_body_site(row.body_site)
    return place is not None and place is there


def percentile_in_summary(share: float, row: ReferenceRow) -> Percentile | None:
    """Percent of the group below this share with its 95 % interval; None for too few persons or no quantiles."""
    if row.n < limit("reference_min_n") or not row.quantiles:
        return None
    percent = percentile_in(share, row.quantiles)
    count = percent / 100 * row.n
    standing = Standing(math.floor(count), math.ceil(count) - math.floor(count), row.n)
    exact = percentile(row.guild, row.cohort, row.unit, share, standing)
    return exact.model_copy(update={"percent": percent})


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
