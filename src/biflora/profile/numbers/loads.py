"""How much there is, not only which part: loads from qPCR, from the 16S total, or from an organism that was added.

All are DNA loads: DNA of dead cells counts too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from biflora.knowledge.indices import GenomeCopies, copies_of, index_definitions, quantity_settings, setting
from biflora.knowledge.taxa import find_taxon, genus_row, taxa
from biflora.profile.composition import Composition
from biflora.profile.numbers.balances import log10_ratio_of_counts
from biflora.profile.patient import Laboratory, Sampling
from biflora.profile.profile import GuildShare, Quantity, SiteName
from biflora.profile.table import Numbers
from biflora.values import State

Z95 = 1.959963984540054
LOADED: dict[SiteName, tuple[tuple[str, str], ...]] = {
    "skin": (("s_aureus", "S. aureus load"), ("cons", "Commensal staphylococci load")),
    "gut": (
        ("bifidobacterium", "Bifidobacterium load"),
        ("butyrate_producers", "Butyrate producers load (proxy)"),
    ),
}
CORRECTED: dict[SiteName, tuple[str, ...]] = {
    "skin": ("s_aureus", "cons", "cutibacterium"),
    "gut": ("bifidobacterium", "butyrate_producers"),
}
DEAD = "DNA load: DNA of dead cells counts too."
LOGARITHM_OF_TEN = math.log(10)


class Total(NamedTuple):
    """How many 16S copies lie on one cm2 (or in the sample), log10, and how that is known."""

    value: float
    sd: float
    per: str
    """`cm²`, or what the sample is: `swab`, `sample`."""
    words: str
    spike_reads: float | None
    """Reads of the added organism when the total rests on them, so that its counting noise is counted."""


def copy_numbers(composition: Composition) -> tuple[Numbers, Numbers]:
    """16S copies per genome of each feature and their spread (sd); NaN where knowledge has none."""
    rows = [copies_of(name.name, name.genus) for name in composition.named]
    return (
        np.array([row.copies if row else np.nan for row in rows]),
        np.array([row.sd if row else np.nan for row in rows]),
    )


def loads(
    site: SiteName,
    guilds: tuple[GuildShare, ...],
    laboratory: Laboratory,
    sampling: Sampling | None = None,
    composition: Composition | None = None,
) -> tuple[Quantity, ...]:
    """DNA loads, log10: the species' own qPCR where there is one, else the total times the share.

    `composition` gives each taxon its own copy number (without it a guild's members count alike). Below the limit
    of detection the value stays empty and `high` holds the limit: a censored number, not zero.
    """
    found: list[Quantity] = []
    measured_total = laboratory.total_16s_log10_copies_per_cm2 if site == "skin" else None
    if measured_total is not None:
        found.append(
            Quantity(key="total_16s_load", label="All bacteria (16S)", unit="log10 copies/cm²",
                     value=measured_total, note=f"qPCR as entered. {DEAD}", source="entered by the clinic",
                     verification="measured")
        )  # fmt: skip
    added = _from_spike(site, sampling, composition)
    if added is not None:
        found.append(added[0])
    total = (
        Total(measured_total, setting("qpcr_repeat_sd"), "cm²", "the 16S qPCR", None)
        if measured_total is not None
        else added[1]
        if added is not None
        else None
    )
    own = {
        "s_aureus": laboratory.s_aureus_log10_copies_per_cm2,
        "cons": laboratory.commensal_log10_copies_per_cm2,
    }
    limits = {
        "s_aureus": laboratory.s_aureus_below_limit_log10,
        "cons": laboratory.commensal_below_limit_log10,
    }
    for guild_key, label in LOADED[site]:
        key = f"{guild_key}_load"
        below = limits.get(guild_key) if site == "skin" else None
        if below is not None:
            found.append(
                Quantity(key=key, label=label, unit="log10 copies/cm²", state=State.BELOW_DETECTION, high=below,
                         note="qPCR found none: at most the assay's limit as entered, not zero.",
                         source="entered by the clinic", verification="measured")
            )  # fmt: skip
            continue
        measured = own.get(guild_key) if site == "skin" else None
        if measured is not None:
            found.append(
                Quantity(key=key, label=label, unit="log10 copies/cm²", value=measured,
                         note="qPCR as entered; DNA of dead cells too.", source="entered by the clinic",
                         verification="measured")
            )  # fmt: skip
            continue
        guild = next((g for g in guilds if g.guild == guild_key), None)
        if total is not None and guild is not None:
            found.append(_load_from_share(key, label, total, guild, composition))
    return tuple(found)


def _from_spike(
    site: SiteName, sampling: Sampling | None, composition: Composition | None
) -> tuple[Quantity, Total | None] | None:
    """The total by the organism that was added: reads of all others / its reads x its copies, per cm2 if known."""
    if sampling is None or composition is None or not sampling.spike_in_taxon:
        return None
    per = "cm²" if sampling.swabbed_area_cm2 and site == "skin" else "swab" if site == "skin" else "sample"
    blank = {
        "key": "total_spike_load",
        "label": "All bacteria (by the added organism)",
        "unit": f"log10 copies/{per}",
        "source": "reads of the others / reads of the added organism x its copies",
        "verification": "computed",
    }
    spike = composition.spike_reads
    missing = ""
    if sampling.spike_in_log10_copies is None:
        missing = "It was not said how many copies were added."
    elif not composition.has_counts:
        missing = composition.no_counts_because
    elif not spike:
        missing = "The table holds no read of the added organism: it was lost, or has another name there."
    if missing or not spike or sampling.spike_in_log10_copies is None:
        return Quantity(**blank, state=State.NOT_MEASURED, note=missing), None
    scale = sampling.spike_in_log10_copies
    scale -= math.log10(sampling.swabbed_area_cm2) if per == "cm²" and sampling.swabbed_area_cm2 else 0.0
    value, low, high = log10_ratio_of_counts(composition.total, spike)
    note = f"{DEAD} Interval from counting alone, not from pipetting."
    if not _is_amplicon(composition):
        note += " By shotgun the copies stand for genomes of one length: an order of size."
    quantity = Quantity(**blank, value=value + scale, low=low + scale, high=high + scale, note=note)
    return quantity, Total(value + scale, 0.0, per, "the added organism", spike)


def _load_from_share(
    key: str, label: str, total: Total, guild: GuildShare, composition: Composition | None
) -> Quantity:
    blank = {
        "key": key,
        "label": label,
        "unit": f"log10 genomes/{total.per}",
        "source": "total x share / 16S copies per genome (copies: rrnDB 5.8 or recalled, see genome_copies.csv)",
        "verification": "computed; " + quantity_settings()["qpcr_repeat_sd"].verification + " repeat error",
    }
    per_copy = _genomes_per_copy(guild, composition)
    if per_copy is None and (guild.share is not None or guild.detection_limit is not None):
        return Quantity(
            **blank, state=State.NOT_MEASURED,
            note="The 16S copies per genome of most of its members are not known: no number of genomes.",
        )  # fmt: skip
    genomes, spread = per_copy or (1.0, 0.0)
    if guild.share is None:
        top = guild.detection_limit
        high = total.value + math.log10(top * genomes) if top else None
        note = " ".join(filter(None, (guild.note, "Censored: at most `high`, not zero." if high else "")))
        return Quantity(**blank, state=guild.state, high=high, note=note)
    value = total.value + math.log10(guild.share * genomes)
    if guild.low is None or guild.high is None:
        return Quantity(**blank, value=value, note=f"From {total.words} and a share without reads. {DEAD}")
    below, above = math.log10(guild.share / guild.low), math.log10(guild.high / guild.share)
    if total.spike_reads and guild.reads:
        middle, low, high = log10_ratio_of_counts(guild.reads, total.spike_reads)
        below, above = middle - low, high - middle
    other = Z95 * math.hypot(total.sd, spread)
    return Quantity(
        **blank,
        value=value,
        low=value - math.hypot(below, other),
        high=value + math.hypot(above, other),
        note=f"{total.words[0].upper()}{total.words[1:]} x share / {1 / genomes:.3g} copies per genome. Interval: "
        "counting, spread of the copies"
        + (f", repeat error of the qPCR ({total.sd:g} log10, assumed). " if total.sd else ". ")
        + DEAD,
    )


def _is_amplicon(composition: Composition) -> bool:
    return composition.table.assay not in ("shotgun", "array", "ITS")


def _genomes_per_copy(guild: GuildShare, composition: Composition | None) -> tuple[float, float] | None:
    """(genomes per 16S copy of the guild's share, its spread in log10); None when too few copies are known.

    In an amplicon table a share is of copies, so the guild's own copies divide it. In a shotgun table a share is
    of genomes, so the mean copies of the whole sample divide it. A guild that was not seen takes the fewest copies
    of its members, so that its limit holds for each of them.
    """
    if composition is not None and not _is_amplicon(composition):
        copies, spreads = copy_numbers(composition)
        weights = composition.values
    elif composition is not None and guild.share is not None:
        mine = composition.of_guild(guild.guild)
        copies, spreads = (numbers[mine] for numbers in copy_numbers(composition))
        weights = composition.values[mine]
    else:
        names = guild.members_found or tuple(row.name for row in taxa().values() if guild.guild in row.guilds)
        rows = [row for row in map(_copies_by_name, names) if row is not None]
        if guild.share is None:
            rows = sorted(rows, key=lambda row: row.copies)[:1]
        copies, spreads = np.array([row.copies for row in rows]), np.array([row.sd for row in rows])
        weights = np.ones(len(rows))
    known = ~np.isnan(copies)
    if not known.any() or weights[known].sum() < setting("copies_known_share") * weights.sum():
        return None
    copies, spreads, weights = copies[known], spreads[known], weights[known] / weights[known].sum()
    if composition is not None and not _is_amplicon(composition):
        mean = float((weights * copies).sum())
        return 1.0 / mean, float((weights * spreads).sum()) / mean / LOGARITHM_OF_TEN
    genomes = float((weights / copies).sum())
    return genomes, float((weights * spreads / copies**2).sum()) / genomes / LOGARITHM_OF_TEN


def _copies_by_name(name: str) -> GenomeCopies | None:
    row = find_taxon(name)
    genus = genus_row(name.split(" ")[0])
    return copies_of(row.name if row else name, genus.name if genus else name.split(" ")[0])


def copy_corrected_shares(
    composition: Composition, site: SiteName, guilds: tuple[GuildShare, ...]
) -> tuple[Quantity, ...]:
    """Shares of genomes instead of 16S copies, for marker-gene tables only; each its own labelled quantity.

    Each feature's share is divided by its copies; a feature without a number takes the sample's (harmonic) mean.
    """
    if not composition.table.assay.startswith("16S"):
        return ()
    row = index_definitions()["copy_corrected_share"]
    copies, _ = copy_numbers(composition)
    shares, known = composition.shares, ~np.isnan(copies)
    known_share = float(shares[known].sum())
    enough = known_share >= setting("copies_known_share")
    mean = known_share / float((shares[known] / copies[known]).sum()) if known.any() else math.nan
    genomes = shares / np.where(known, copies, mean)
    found = []
    for guild in guilds:
        if guild.guild not in CORRECTED[site]:
            continue
        blank = {
            "key": f"copy_corrected_{guild.guild}",
            "label": f"{guild.label}, {row.label.lower()}",
            "unit": row.unit,
            "source": row.source,
            "verification": row.verification,
        }
        if guild.state is not State.MEASURED or guild.share is None:
            found.append(Quantity(**blank, state=guild.state, note=guild.note))
            continue
        if not enough:
            note = f"16S copies are known for {100 * known_share:.0f} % of the reads only."
            found.append(Quantity(**blank, state=State.NOT_MEASURED, note=note))
            continue
        mine = composition.of_guild(guild.guild)
        inside = float(genomes[mine].sum()) / guild.share
        outside = float(genomes[~mine].sum()) / (1 - guild.share) if guild.share < 1 else inside

        def corrected(share: float | None, inside: float = inside, outside: float = outside) -> float | None:
            return None if share is None else share * inside / (share * inside + (1 - share) * outside)

        found.append(
            Quantity(**blank, value=corrected(guild.share), low=corrected(guild.low), high=corrected(guild.high),
                     note=f"{row.meaning} Copies known for {100 * known_share:.0f} % of the reads. {row.limits}")
        )  # fmt: skip
    return tuple(found)
