"""Verdicts on one change: against counting noise, then against what one untreated person varies anyway."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from biflora.knowledge.taxa import limit
from biflora.knowledge.variation import WithinPersonVariation, typical_variation
from biflora.profile.composition import counting_interval
from biflora.profile.numbers.diversity import expected_richness, expected_shannon
from biflora.profile.over_time.variation import bray_curtis, log10_odds
from biflora.profile.profile import GuildShare, Quantity, SiteProfile
from biflora.profile.table import Numbers
from biflora.values import State, Value

Verdict = Literal[
    "changed beyond counting and typical variation",
    "changed beyond typical variation, counting unknown",
    "within typical variation",
    "beyond counting noise only",
    "within counting noise",
    "cannot be told",
]
CHANGED: tuple[Verdict, ...] = (
    "changed beyond counting and typical variation",
    "changed beyond typical variation, counting unknown",
)
DEEP_ENOUGH = 100_000
"""Reads beyond which Shannon diversity hardly grows; keeps deep shotgun samples quick."""
SMALLEST_SHARE = 1e-7
"""Keeps the logarithm finite where no row and no depth gives a floor; far below any detection limit."""


class GuildChange(Value):
    """One guild, one quantity or the whole community in both samples."""

    what: str
    label: str
    verdict: Verdict
    unit: str
    earlier: float | None = None
    later: float | None = None
    """The guild's shares, or the quantity's values."""
    change: float | None = None
    """Of a guild: log10 of (guild : all others), later less earlier. Of a quantity: the plain difference."""
    low: float | None = None
    high: float | None = None
    """95 % interval of the change from counting alone, both samples."""
    at_least: bool = False
    """True when one sample is below detection, so that the true change is this or larger."""
    typical_limit: float | None = None
    """95 % of the differences between two samples of one untreated person are smaller."""
    persons: int | None = None
    pairs: int | None = None
    why: str
    source: str = ""
    verification: str = ""
    is_share: bool = False
    """True for a guild: `earlier` and `later` are shares."""


@dataclass(frozen=True)
class _Side:
    """One guild in one sample, as shares."""

    share: float
    low: float | None
    high: float | None
    below: bool


def _side(guild: GuildShare, profile: SiteProfile, floor: float) -> _Side | None:
    """None for a guild below detection whose limit nobody can give."""
    depth = profile.depth_reads
    if guild.state is State.BELOW_DETECTION:
        if depth is not None:
            limit_here = max(guild.detection_limit or 0.0, floor)
            return _Side(limit_here, floor, max(counting_interval(0.0, depth)[1], limit_here), True)
        least = max(floor, guild.detection_limit or 0.0)
        return _Side(least, None, None, True) if floor > SMALLEST_SHARE else None
    share = max(guild.share or 0.0, floor)
    if depth is None or guild.reads is None:
        return _Side(share, None, None, share <= floor)
    low, high = counting_interval(guild.reads, depth)
    return _Side(share, max(low, floor), max(high, floor), share <= floor)


def guild_change(
    first: GuildShare, second: GuildShare, earlier: SiteProfile, later: SiteProfile, days: float | None
) -> GuildChange:
    blank = {
        "what": first.guild,
        "label": first.label,
        "unit": "log10",
        "is_share": True,
        "earlier": first.share,
        "later": second.share,
    }
    for guild in (first, second):
        if guild.state in (State.NOT_RESOLVED, State.NOT_MEASURED):
            why = guild.note or f"It is {guild.state}."
            return GuildChange(**blank, verdict="cannot be told", why=why)
    if first.state is State.BELOW_DETECTION and second.state is State.BELOW_DETECTION:
        return GuildChange(**blank, verdict="cannot be told", why="It is below detection in both samples.")
    row = typical_variation(earlier.site, earlier.assay, first.guild, days=days, fewest=limit("variation_persons"))
    # what another platform could still see says nothing about this one
    alike = row is not None and row.assay.split(" ")[0] == earlier.assay.split(" ")[0]
    floor = row.floor_share if row is not None and alike and row.floor_share else SMALLEST_SHARE
    before, after = _side(first, earlier, floor), _side(second, later, floor)
    if before is None or after is None:
        return GuildChange(
            **blank, verdict="cannot be told",
            why="One file holds shares without reads and lacks it, so nobody knows how little it could have seen.",
        )  # fmt: skip
    if before.below and after.below:
        return GuildChange(
            **blank, verdict="cannot be told", why=f"It is at most {100 * floor:g} % of the reads in both samples."
        )
    if (before.below and before.share >= after.share) or (after.below and after.share >= before.share):
        return GuildChange(
            **blank, verdict="cannot be told",
            why="One sample lacks it and is too shallow to have seen the little that the other holds.",
        )  # fmt: skip
    change = log10_odds(after.share) - log10_odds(before.share)
    interval = _interval(before, after, change)
    found = GuildChange(
        **blank, verdict="cannot be told", change=change, at_least=before.below or after.below, why="",
        low=None if interval is None else interval[0], high=None if interval is None else interval[1],
    )  # fmt: skip
    return _judged(found, row, earlier.assay, days)


def _interval(before: _Side, after: _Side, change: float) -> tuple[float, float] | None:
    """95 % limits of a difference from the limits of its two parts (MOVER, Zou & Donner 2008)."""
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return None
    first, second = log10_odds(before.share), log10_odds(after.share)
    down = math.hypot(max(0.0, second - log10_odds(after.low)), max(0.0, log10_odds(before.high) - first))
    up = math.hypot(max(0.0, log10_odds(after.high) - second), max(0.0, first - log10_odds(before.low)))
    return change - down, change + up


def _judged(found: GuildChange, row: WithinPersonVariation | None, assay: str, days: float | None) -> GuildChange:
    """The change with its verdict: against counting first, then against the typical variation."""
    assert found.change is not None
    counted = found.low is not None and found.high is not None
    beyond_counting = (found.low or 0.0) > 0 or (found.high or 0.0) < 0
    noise = 0.0
    if found.low is not None and found.high is not None:
        noise = found.change - found.low if found.change > 0 else found.high - found.change
    size = _size(found)
    if row is None or row.persons < limit("variation_persons"):
        known = "No typical variation of one person is known for it."
        if row is not None:
            known = (
                f"Its typical variation is known from {row.persons} persons only (95 % below "
                f"{_in_words(row.limit95, found.unit)}), too few for a verdict."
            )
        if not counted:
            verdict: Verdict = "cannot be told"
        else:
            verdict = "beyond counting noise only" if beyond_counting else "within counting noise"
        return found.model_copy(update={"verdict": verdict, "why": f"{size} {known}", **_sources(row)})
    allowed = math.hypot(row.limit95, noise)
    changed = abs(found.change) > allowed and (beyond_counting or not counted)
    platform = "" if row.assay.split(" ")[0] == assay.split(" ")[0] else f" (measured by {row.assay})"
    why = (
        f"{size} In {row.persons} untreated persons{platform} 95 % of two samples {row.days_low:g}-"
        f"{row.days_high:g} days apart differ by less than {_in_words(row.limit95, found.unit)}."
        + ("" if days is None or days <= row.days_high else f" These are {days:g} days apart; no row covers that.")
    )
    return found.model_copy(
        update={
            "verdict": CHANGED[not counted] if changed else "within typical variation",
            "typical_limit": row.limit95,
            "persons": row.persons,
            "pairs": row.pairs,
            "why": why,
            **_sources(row),
        }
    )


def _sources(row: WithinPersonVariation | None) -> dict[str, str]:
    return {} if row is None else {"source": row.source, "verification": row.verification}


def _size(found: GuildChange) -> str:
    change = found.change or 0.0
    least = "at least " if found.at_least else ""
    if found.what == "bray_curtis":
        return f"The distance is {change:.2f}, from 0 (the same) to 1 (nothing in common)."
    if found.unit != "log10":
        return f"It changed by {change:+.2f}.".replace("-", "−")
    if not least and _fold(change) == "1-fold":
        return "It is as it was" + (" against all others." if found.is_share else ".")
    direction = "rose" if change > 0 else "fell"
    return f"It {direction} {least}{_fold(change)}" + (" against all others." if found.is_share else ".")


def _fold(change: float) -> str:
    size = 10 ** abs(change)
    return f"{size:,.0f}-fold" if size >= 100 else f"{size:.2g}-fold"


def _in_words(size: float, unit: str) -> str:
    return _fold(size) if unit == "log10" else f"{size:.2f}"


def is_compared(quantity: Quantity) -> bool:
    """Log-ratios and loads; the diversities are compared at equal depth instead."""
    return quantity.unit.startswith("log10")


def quantity_change(first: Quantity, second: Quantity, earlier: SiteProfile, days: float | None) -> GuildChange:
    blank: dict[str, Any] = {
        "what": first.key, "label": first.label, "unit": "log10" if first.unit.startswith("log10") else "1",
        "earlier": first.value, "later": second.value,
    }  # fmt: skip
    if first.value is None or second.value is None:
        state = first.state if first.value is None else second.state
        return GuildChange(**blank, verdict="cannot be told", why=f"It is {state} in one of the samples.")
    if first.bound or second.bound:
        return GuildChange(
            **blank, verdict="cannot be told", why="In one of the samples only a limit of it is known."
        )
    if first.unit != second.unit:
        return GuildChange(**blank, verdict="cannot be told", why="The two values have different units.")
    change = second.value - first.value
    low = high = None
    if None not in (first.low, first.high, second.low, second.high):
        low = change - math.hypot(second.value - (second.low or 0.0), (first.high or 0.0) - first.value)
        high = change + math.hypot((second.high or 0.0) - second.value, first.value - (first.low or 0.0))
    row = typical_variation(
        earlier.site, earlier.assay, first.key, days=days, fewest=limit("variation_persons"), same_assay=True
    )
    return _judged(
        GuildChange(**blank, verdict="cannot be told", change=change, low=low, high=high, why=""),
        row,
        earlier.assay,
        days,
    )


def community_change(earlier: SiteProfile, later: SiteProfile, days: float | None) -> GuildChange:
    """Bray-Curtis distance of all taxa, against that between two samples of one untreated person."""
    first, second = ({taxon.name: taxon.share for taxon in profile.taxa} for profile in (earlier, later))
    row = typical_variation(
        earlier.site, earlier.assay, "bray_curtis", days=days, fewest=limit("variation_persons"), same_assay=True
    )
    found = GuildChange(
        what="bray_curtis", label="Whole community (Bray-Curtis)", unit="1", verdict="cannot be told",
        change=bray_curtis(first, second), why="",
    )  # fmt: skip
    return _judged(found, row, earlier.assay, days)


def shannon_change(earlier: SiteProfile, later: SiteProfile, days: float | None) -> GuildChange | None:
    """Shannon diversity, at the depth of the shallower sample where both have counts; None where there is none."""
    first, second = earlier.quantity("shannon"), later.quantity("shannon")
    if first is None or second is None:
        return None
    if earlier.depth_reads is None or later.depth_reads is None:
        return quantity_change(first, second, earlier, days)
    counts = [_counts(profile) for profile in (earlier, later)]
    depth = min(DEEP_ENOUGH, *(int(each.sum()) for each in counts))
    if depth < 1:
        return None
    equal = [
        quantity.model_copy(update={"value": expected_shannon(each, depth), "low": None, "high": None})
        for quantity, each in zip((first, second), counts, strict=True)
    ]
    return quantity_change(equal[0], equal[1], earlier, days)


def expected_taxa(profile: SiteProfile, depth: float) -> float:
    """Taxa expected among `depth` reads drawn without replacement from the sample."""
    counts = _counts(profile)
    return expected_richness(counts, min(int(depth), int(counts.sum())))


def _counts(profile: SiteProfile) -> Numbers:
    """Whole reads by taxon: means of replicates are rounded down."""
    counts: Numbers = np.floor(np.array([taxon.reads or 0.0 for taxon in profile.taxa]))
    return counts
