"""What changed between two samples of one person, and whether the two can be compared at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from biflora.knowledge.rows import release
from biflora.profile.over_time.verdicts import (
    CHANGED,
    GuildChange,
    community_change,
    expected_taxa,
    guild_change,
    is_compared,
    quantity_change,
    shannon_change,
)
from biflora.profile.profile import SiteProfile
from biflora.values import Record, Value

FALSE_CALLS = 0.05
"""What a 95 % limit lets through when nothing but the usual variation is there."""


class Change(Record):
    """Two samples of one person compared, or why they cannot be."""

    earlier: str
    later: str
    """Ids of the two site profiles."""
    site: str
    days: float | None = None
    refused: tuple[str, ...] = ()
    """What makes the two samples incomparable; nothing is compared then."""
    warnings: tuple[str, ...] = ()
    equal_depth: float | None = None
    """Reads of the shallower sample, at which both are compared; None without counts."""
    taxa_at_equal_depth: tuple[float, float] | None = None
    """Taxa expected in each sample at that depth."""
    guilds: tuple[GuildChange, ...] = ()
    quantities: tuple[GuildChange, ...] = ()
    community: GuildChange | None = None
    expected_by_chance: float = 0.0
    """How many `changed` verdicts the usual variation alone would give among those judged."""

    @property
    def changed(self) -> tuple[GuildChange, ...]:
        everything = (*self.guilds, *self.quantities, *((self.community,) if self.community else ()))
        return tuple(each for each in everything if each.verdict in CHANGED)

    def guild(self, key: str) -> GuildChange | None:
        return next((each for each in self.guilds if each.what == key), None)


class Course(Value):
    """Several samples of one person in the order of their dates."""

    dates: tuple[date, ...]
    steps: tuple[Change, ...]
    """Each sample against the one before."""
    overall: Change
    """The last against the first."""
    shares: tuple[tuple[str, tuple[float | None, ...]], ...]
    """Each guild's share at each date; None where it was not measured, not resolved or below detection."""


def compare_samples(earlier: SiteProfile, later: SiteProfile, *, days: float | None = None) -> Change:
    """What changed from one sample to the other; a change with `refused` filled where they cannot be compared.

    `days`: between the samplings. Without it the widest typical variation known is used.
    """
    refused = _refusals(earlier, later, days)
    if refused:
        return Change.make(
            "change", release=release(), parents=(earlier.id, later.id), earlier=earlier.id, later=later.id,
            site=earlier.site, days=days, refused=refused,
        )  # fmt: skip
    guilds = tuple(
        guild_change(guild, other, earlier, later, days)
        for guild in earlier.guilds
        if (other := later.guild(guild.guild)) is not None
    )
    shannon = shannon_change(earlier, later, days)
    quantities = (
        *((shannon,) if shannon else ()),
        *(
            quantity_change(quantity, same, earlier, days)
            for quantity in earlier.quantities
            if is_compared(quantity) and (same := later.quantity(quantity.key)) is not None
        ),
    )
    community = community_change(earlier, later, days)
    judged = sum(each.typical_limit is not None for each in (*guilds, *quantities, community))
    depth = None
    if earlier.depth_reads is not None and later.depth_reads is not None:
        depth = min(earlier.depth_reads, later.depth_reads)
    return Change.make(
        "change",
        release=release(),
        parents=(earlier.id, later.id),
        earlier=earlier.id,
        later=later.id,
        site=earlier.site,
        days=days,
        warnings=_warnings(earlier, later, days),
        equal_depth=depth,
        taxa_at_equal_depth=None
        if depth is None
        else (expected_taxa(earlier, depth), expected_taxa(later, depth)),
        guilds=guilds,
        quantities=quantities,
        community=community,
        expected_by_chance=FALSE_CALLS * judged,
    )


def course_of(samples: Sequence[tuple[date, SiteProfile]]) -> Course | None:
    """All samples of one person in order; None for fewer than two."""
    if len(samples) < 2:
        return None
    ordered = sorted(samples, key=lambda item: item[0])
    steps = tuple(
        compare_samples(first, second, days=float((after - before).days))
        for (before, first), (after, second) in pairwise(ordered)
    )
    (first_day, first), (last_day, last) = ordered[0], ordered[-1]
    shares = []
    for guild in first.guilds:
        seen = [profile.guild(guild.guild) for _, profile in ordered]
        shares.append((guild.guild, tuple(each.share if each is not None else None for each in seen)))
    return Course(
        dates=tuple(day for day, _ in ordered),
        steps=steps,
        overall=compare_samples(first, last, days=float((last_day - first_day).days)),
        shares=tuple(shares),
    )


def _refusals(earlier: SiteProfile, later: SiteProfile, days: float | None) -> tuple[str, ...]:
    found = []
    if earlier.site != later.site:
        found.append(f"One sample is from the {earlier.site}, the other from the {later.site}.")
    if earlier.file_sha256 == later.file_sha256 and earlier.sample_id == later.sample_id:
        found.append("Both are the same sample of the same file; name two samples.")
    if earlier.body_site and later.body_site and earlier.body_site != later.body_site:
        found.append(f"The body sites differ ({earlier.body_site}, {later.body_site}).")
    if _really_differ(earlier.assay, later.assay):
        found.append(f"The assays differ ({earlier.assay}, {later.assay}): the difference would be the method's.")
    if earlier.profiler and later.profiler and earlier.profiler != later.profiler:
        found.append(
            f"The programs that named the taxa differ ({earlier.profiler}, {later.profiler}); ask the laboratory "
            "to run both samples through one."
        )
    if days is not None and days < 0:
        found.append("The later sample was taken before the earlier one; exchange them.")
    return tuple(found)


def _really_differ(first: str, second: str) -> bool:
    """True for two known assays that are not the same; `16S` alone may be any region."""
    if "unknown" in (first, second) or first == second:
        return False
    same_platform = first.split(" ")[0] == second.split(" ")[0]
    return not (same_platform and first.split(" ")[0] in (first, second))


def _warnings(earlier: SiteProfile, later: SiteProfile, days: float | None) -> tuple[str, ...]:
    found = []
    if days is None:
        found.append("The days between the samples were not given: the widest typical variation known is used.")
    if earlier.assay != later.assay or earlier.assay == "unknown":
        found.append("It is not known whether both samples were read by the same assay.")
    if not (earlier.profiler and later.profiler):
        found.append(
            "The program that named the taxa is not told for both samples; a new one moves shares by itself."
        )
    if not (earlier.has_counts and later.has_counts):
        found.append("At least one file holds shares without reads, so counting noise cannot be told.")
    if earlier.site == "skin" and not (earlier.body_site and later.body_site):
        found.append("The body site is not told for both samples; another site differs more than time does.")
    if any(each.rule == "low_depth" for profile in (earlier, later) for each in profile.findings):
        found.append("At least one sample holds few reads.")
    return tuple(found)
