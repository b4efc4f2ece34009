"""Placing one sample among the persons of a whole reference, or saying why no honest comparison exists."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from biflora.errors import BifloraError
from biflora.knowledge.indices import setting
from biflora.knowledge.references import reference_limit
from biflora.knowledge.taxa import limit
from biflora.profile.composition import Composition
from biflora.profile.numbers.diversity import expected_richness, shannon, simpson
from biflora.profile.numbers.indices import distance_quantity, distance_to_healthy
from biflora.profile.profile import GuildShare, Percentile, Placement, Quantity
from biflora.profile.reference.library import Library, ReferenceCard, WholeReference
from biflora.profile.reference.match import Match, SampleKeys, card_mismatches, match
from biflora.profile.reference.novelty import novelty, own_median_distances, whole_reads
from biflora.profile.reference.numbers import Flags, SideBySide, side_by_side
from biflora.profile.reference.percentile import Standing, at_most, percentile
from biflora.profile.table import Numbers
from biflora.values import State

PlacementState = Literal["placed", "outside the reference", "too few for percentiles", "no comparable reference"]
SAME = 1e-9
"""Relative difference below which two numbers are one: sums in another order differ in the last digits."""
VERIFICATION = "computed from the table that the operator added"
LESS_ALIKE = "fewer persons, or not from the very same place"


@dataclass(frozen=True)
class Placed:
    """The placement, and the distance to the healthy persons where they are enough."""

    placement: Placement
    distance: Quantity | None = None


def place(composition: Composition, guilds: Iterable[GuildShare], keys: SampleKeys, library: Library) -> Placed:
    """Where the sample stands among comparable persons; state `no comparable reference` when there are none.

    `guilds` carry the states of knowledge: what is not resolved or not measured gets no percentile. A damaged
    reference is passed over and named.
    """
    keys = replace(
        keys,
        reads=composition.total if composition.has_counts else None,
        names_taxa=any(name.rank for name in composition.named),
    )
    best: tuple[Match, WholeReference] | None = None
    passed: list[str] = []
    elsewhere = 0
    for name, card in library.each():
        if not isinstance(card, BifloraError) and card.site != keys.site:
            elsewhere += 1
            continue
        found = _matched(library, name, card, keys)
        if isinstance(found, str):
            passed.append(found)
            continue
        if best is not None and not _better(found[0], best[0]):
            passed.append(f"{found[0].card.label}: {LESS_ALIKE}")
            continue
        if best is not None:
            passed.append(f"{best[0].card.label}: {LESS_ALIKE}")
        best = found
    if elsewhere:
        passed.append(f"references of another site: {elsewhere}")
    if best is None:
        return Placed(_nowhere(passed))
    both = side_by_side(composition, best[1], best[0])
    return _among(best[0], both, tuple(guilds), keys, tuple(passed))


def _matched(
    library: Library, name: str, card: ReferenceCard | BifloraError, keys: SampleKeys
) -> tuple[Match, WholeReference] | str:
    """The match with its reference, or the sentence that says why this one is passed over."""
    if isinstance(card, BifloraError):
        return f"{name}: {card}"
    mismatches = card_mismatches(keys, card)
    if not mismatches:
        try:
            whole = library.read(name)
        except BifloraError as problem:
            return f"{name}: {problem}"
        found = match(keys, whole)
        if found.persons:
            return found, whole
        mismatches = found.mismatches
    return f"{card.label}: {'; '.join(mismatches)}"


def _better(one: Match, other: Match) -> bool:
    """Enough persons first, then the very same place, healthy persons, then more of them."""
    enough = limit("reference_min_n")

    def worth(found: Match) -> tuple[bool, bool, bool, int]:
        return found.persons >= enough, found.same_place, found.card.healthy, found.persons

    return worth(one) > worth(other)


def _nowhere(passed: list[str]) -> Placement:
    why = (
        "None of the loaded references was made of persons of this age, at this place of the body, with this "
        "assay and profiler; no percentile is given, only the sample's own numbers."
        if passed
        else "No whole reference is loaded here; no percentile is given, only the sample's own numbers. The "
        "operator adds one with `biflora reference add`."
    )
    return Placement(
        state="no comparable reference",
        why=why,
        passed_over=tuple(passed),
        source="the references that are loaded here",
        verification="computed",
    )


def _among(
    found: Match, both: SideBySide, guilds: tuple[GuildShare, ...], keys: SampleKeys, passed: tuple[str, ...]
) -> Placed:
    n, enough = found.persons, int(limit("reference_min_n"))
    distance, farthest = _novelty(both) if n >= reference_limit("novelty_min_n") else (None, None)
    why_novel = _why_novel(both, distance, farthest, n)
    percentiles: tuple[Percentile, ...] = ()
    state: PlacementState
    if n < enough:
        state = "too few for percentiles"
        persons = "1 comparable person is" if n == 1 else f"{n} comparable persons are"
        why = f"{persons} loaded, and a percentile needs {enough}; only the sample's own numbers are given."
        why += f" {why_novel}" if why_novel else ""
    elif why_novel:
        state = "outside the reference"
        why = (
            f"{why_novel} A percentile would mean nothing, and none is given. Check for a swapped sample, a wrong "
            "body site or contamination; strong inflammation or antibiotics can also do this. If in doubt, send "
            "another swab or stool."
        )
    else:
        state = "placed"
        percentiles = _percentiles(both, guilds, keys)
        why = (
            f"Compared with {n} persons ({found.card.group}), one sample each. Intervals hold the number of "
            "persons only, not the spread between swabs, days or laboratories."
        )
    why += _remarks(both)
    placement = Placement(
        state=state,
        reference=found.card.name,
        label=found.card.label,
        n=n,
        samples=found.samples,
        matched_on=found.agreed,
        percentiles=percentiles,
        novelty_distance=distance,
        novelty_limit=farthest,
        why=why,
        passed_over=passed,
        source=found.card.source,
        verification=VERIFICATION,
    )
    return Placed(placement, _distance_to_healthy(found, both))


def _why_novel(both: SideBySide, distance: float | None, farthest: float | None, n: int) -> str:
    """Why the sample is unlike everybody in the reference; empty when it is not."""
    if both.nobodys_share > reference_limit("novelty_unseen_share"):
        return (
            f"{100 * both.nobodys_share:.0f} % of the sample belongs to genera that none of the {n} persons has."
        )
    if distance is not None and farthest is not None and distance > farthest:
        return (
            f"The sample lies farther from its nearest among the {n} persons ({distance:.1f}) than 99 % of them "
            f"lie from theirs ({farthest:.1f})."
        )
    return ""


def _novelty(both: SideBySide) -> tuple[float, float]:
    sample, persons = both.log_ratios_of_genera()
    return novelty(
        sample,
        persons,
        neighbours=int(reference_limit("novelty_neighbours")),
        percentile=reference_limit("novelty_percentile"),
    )


def _remarks(both: SideBySide) -> str:
    sentences = []
    if both.unseen_share > reference_limit("unseen_share"):
        sentences.append(
            f"{100 * both.unseen_share:.0f} % of the sample belongs to taxa that the reference's table does not "
            "hold; diversity gets no percentile."
        )
    if len(both.near) < len(both.persons):
        sentences.append(f"Distances are to {len(both.near)} of them, evenly spaced in the table.")
    if both.depth is not None:
        sentences.append(f"Diversity and distances are at {both.depth:,} reads on both sides.")
    else:
        sentences.append("The two are compared as shares: their depths could not be made equal.")
    return " " + " ".join(sentences)


def _percentiles(both: SideBySide, guilds: tuple[GuildShare, ...], keys: SampleKeys) -> tuple[Percentile, ...]:
    found: list[Percentile | None] = []
    centre = _centre(both)
    for guild in guilds:
        mine = both.of_guild(guild.guild)
        if not (mine & both.in_reference).any():
            continue  # a table without any member may have been filtered: absent and unseen are one
        if guild.state is State.MEASURED:
            found.append(_share(both, guild, mine))
            found.append(_centred(both, guild, mine, centre))
        elif guild.state is State.BELOW_DETECTION:
            found.append(_below_detection(both, guild, mine))
    if keys.site == "skin":
        found.append(_balance(both, {guild.guild: guild for guild in guilds}))
    if both.unseen_share <= reference_limit("unseen_share"):
        found += _diversity(both)
    return tuple(each for each in found if each is not None)


def _person_shares(both: SideBySide, mine: Flags) -> tuple[Numbers, Numbers]:
    """(share of the guild, share that the person's depth could have missed) for each person."""
    totals = both.persons.sum(axis=1)
    missed = limit("rule_of_three") / totals if both.has_reads else np.zeros(len(totals))
    return both.persons[:, mine].sum(axis=1) / totals, missed


def _share(both: SideBySide, guild: GuildShare, mine: Flags) -> Percentile:
    share = float(both.sample[mine].sum() / both.sample.sum())
    theirs, missed = _person_shares(both, mine)
    unclear = ((theirs == 0) & (missed > share)) | np.isclose(theirs, share, rtol=SAME, atol=0)
    standing = Standing(int(((theirs < share) & ~unclear).sum()), int(unclear.sum()), len(theirs))
    return percentile(guild.guild, guild.label, "share", share, standing)


def _below_detection(both: SideBySide, guild: GuildShare, mine: Flags) -> Percentile | None:
    """Only an upper bound: everybody who is not surely above what the sample could have shown."""
    theirs, _ = _person_shares(both, mine)
    seen = theirs[theirs > 0]
    if guild.detection_limit is None and not seen.size:
        return None
    least = guild.detection_limit if guild.detection_limit is not None else float(seen.min())
    return at_most(guild.guild, guild.label, "share", least, int((theirs < least).sum()), len(theirs))


def _centre(both: SideBySide) -> tuple[float, Numbers]:
    """Mean log over the taxa that most persons have, of the sample and of each person."""
    sample, persons = both.even_shares
    common = (persons > 0).mean(axis=0) >= reference_limit("clr_prevalence")
    if not common.any():
        common = np.ones(len(both.names), dtype=bool)
    of_sample = float(np.log(sample[common] + both.pseudocount).mean())
    return of_sample, np.log(persons[:, common] + both.pseudocount).mean(axis=1)


def _centred(both: SideBySide, guild: GuildShare, mine: Flags, centre: tuple[float, Numbers]) -> Percentile:
    sample, persons = both.even_shares
    value = math.log(float(sample[mine].sum()) + both.pseudocount) - centre[0]
    theirs = np.log(persons[:, mine].sum(axis=1) + both.pseudocount) - centre[1]
    label = f"{guild.label}, against the common taxa (centred log-ratio)"
    return percentile(f"{guild.guild}_clr", label, "ln", value, _standing(value, theirs))


def _balance(both: SideBySide, guilds: dict[str, GuildShare]) -> Percentile | None:
    """log10 of S. aureus over CoNS among the persons in whom either was found; None when they are too few."""
    s_aureus, cons = guilds.get("s_aureus"), guilds.get("cons")
    if s_aureus is None or cons is None or State.MEASURED not in (s_aureus.state, cons.state):
        return None
    if any(guild.state in (State.NOT_RESOLVED, State.NOT_MEASURED) for guild in (s_aureus, cons)):
        return None
    one, other = both.of_guild("s_aureus"), both.of_guild("cons")
    if not ((one & both.in_reference).any() and (other & both.in_reference).any()):
        return None
    value = _log_ratio(np.array([both.sample[one].sum()]), np.array([both.sample[other].sum()]), both)[0]
    theirs = _log_ratio(both.persons[:, one].sum(axis=1), both.persons[:, other].sum(axis=1), both)
    theirs = theirs[~np.isnan(theirs)]
    if len(theirs) < limit("reference_min_n") or not math.isfinite(value):
        return None
    label = "S. aureus to coagulase-negative staphylococci"
    if cons.state is State.BELOW_DETECTION:
        return None  # only a lower limit of the ratio is known
    if s_aureus.state is State.BELOW_DETECTION:
        if not s_aureus.detection_limit or not cons.share:
            return None
        most = math.log10(s_aureus.detection_limit / cons.share)
        return at_most("log10_s_aureus_to_cons", label, "log10", most, int((theirs < most).sum()), len(theirs))
    return percentile("log10_s_aureus_to_cons", label, "log10", float(value), _standing(float(value), theirs))


def _log_ratio(one: Numbers, other: Numbers, both: SideBySide) -> Numbers:
    """log10 ratio with half a read added to each (shares: nothing added); NaN where neither was found."""
    added = 0.5 if both.has_reads else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log10(one + added) - np.log10(other + added)
    return np.where((one == 0) & (other == 0), np.nan, ratio)


def _diversity(both: SideBySide) -> list[Percentile]:
    at = f" at {both.depth:,} reads" if both.depth is not None else ""
    wanted = [("shannon", f"Shannon diversity of names{at}", "nats", shannon),
              ("simpson", f"Simpson diversity of names{at}", "", simpson)]  # fmt: skip
    found = []
    for key, label, unit, of in wanted:
        theirs = np.array([of(row) for row in both.persons_even])
        value = of(both.sample_even)
        found.append(percentile(key, label, unit, value, _standing(value, theirs)))
    if both.depth is not None:
        depth = both.depth
        richness = np.array([expected_richness(row, depth) for row in whole_reads(both.persons)])
        value = expected_richness(whole_reads(both.sample), depth)
        found.append(percentile("observed_taxa", f"Names found{at}", "taxa", value, _standing(value, richness)))
    return found


def _standing(value: float, theirs: Numbers) -> Standing:
    equal = np.isclose(theirs, value, rtol=SAME, atol=0)
    return Standing(int(((theirs < value) & ~equal).sum()), int(equal.sum()), len(theirs))


def _distance_to_healthy(found: Match, both: SideBySide) -> Quantity | None:
    if not found.card.healthy or found.persons < reference_limit("distance_min_n"):
        return None
    sample, persons = both.even_shares
    persons = persons[both.near]
    cut = float(np.quantile(own_median_distances(persons), setting("distance_quantile")))
    reference = f"{found.card.label} ({found.card.group}, one sample each; {found.card.source})"
    quantity = distance_quantity(distance_to_healthy(sample, persons, cut=cut), reference, VERIFICATION)
    if found.card.site == "gut":
        return quantity
    note = f"{quantity.note} The method was made for the gut; on skin nobody has tested it."
    return quantity.model_copy(update={"experimental": True, "note": note})
