"""Derived numbers of one sample: diversity, the S. aureus to CoNS ratio, the butyrate proxy, loads.

The four diversities are plain NumPy; a test holds them equal to scikit-bio to 1e-12, which would cost one sample
seconds and 190 MB to import.
"""

from __future__ import annotations

import math

import numpy as np

from biflora.knowledge.taxa import taxa
from biflora.profile.composition import INTERVAL, Composition
from biflora.profile.patient import Laboratory
from biflora.profile.profile import GuildShare, Quantity, SiteName
from biflora.profile.table import Numbers
from biflora.values import State


def shannon(values: Numbers) -> float:
    """Shannon diversity in nats: -sum p ln p."""
    p = values[values > 0] / values.sum()
    return float(-(p * np.log(p)).sum())


def simpson(values: Numbers) -> float:
    """Simpson diversity 1 - sum p^2."""
    p = values / values.sum()
    return float(1.0 - (p**2).sum())


def observed(values: Numbers) -> int:
    """Number of features with at least one read."""
    return int((values > 0).sum())


def pielou(values: Numbers) -> float:
    """Evenness: Shannon over the log of the number of features (1 for a single feature, as in scikit-bio)."""
    count = observed(values)
    return 1.0 if count == 1 else shannon(values) / math.log(count)


def diversity(composition: Composition) -> tuple[Quantity, ...]:
    """The four diversities of the file's own features, host left out."""
    values = composition.values
    note = "" if composition.has_counts else "From shares as the profiler gives them."
    count_note = "Grows with depth; compare only at equal depth." if composition.has_counts else note
    return (
        Quantity(key="shannon", label="Shannon diversity", unit="nats", value=shannon(values), note=note),
        Quantity(key="simpson", label="Simpson diversity", unit="", value=simpson(values), note=note),
        Quantity(
            key="observed_taxa",
            label="Observed features",
            unit="features",
            value=observed(values),
            note=count_note,
        ),
        Quantity(key="pielou", label="Pielou evenness", unit="", value=pielou(values), note=note),
    )


def log_ratio(s_aureus: GuildShare | None, cons: GuildShare | None) -> Quantity:
    """log10 of S. aureus over CoNS, with the 95 % interval of the two counts.

    With reads x and y the point is log10((x + 0.5) / (y + 0.5)); x/(x + y) has a Beta(x + 0.5, y + 0.5)
    posterior, whose limits p give log10(p / (1 - p)).
    """
    blank = {"key": "log10_s_aureus_to_cons", "label": "S. aureus to CoNS", "unit": "log10"}
    if s_aureus is None or cons is None:
        return Quantity(**blank, state=State.NOT_MEASURED, note="Only for skin.")
    for guild in (s_aureus, cons):
        if guild.state in (State.NOT_RESOLVED, State.NOT_MEASURED):
            return Quantity(**blank, state=guild.state, note=guild.note)
    both_missing = s_aureus.state is State.BELOW_DETECTION and cons.state is State.BELOW_DETECTION
    if both_missing:
        return Quantity(**blank, state=State.BELOW_DETECTION, note="Neither was found.")
    if s_aureus.reads is None or cons.reads is None:
        if s_aureus.share and cons.share:
            return Quantity(
                **blank, value=math.log10(s_aureus.share / cons.share), note="From shares; no counting interval."
            )
        missing = "CoNS" if s_aureus.share else "S. aureus"
        return Quantity(
            **blank, state=State.BELOW_DETECTION, note=f"{missing} not found; the file holds shares only."
        )
    from scipy.special import betaincinv

    x, y = s_aureus.reads, cons.reads
    low, high = (float(betaincinv(x + 0.5, y + 0.5, p)) for p in INTERVAL)
    return Quantity(
        **blank,
        value=math.log10((x + 0.5) / (y + 0.5)),
        low=_log_odds(low),
        high=_log_odds(high),
        note="Interval from counting alone.",
    )


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-12), 1 - 1e-12)
    return math.log10(p / (1 - p))


def proxies(guilds: tuple[GuildShare, ...]) -> tuple[Quantity, ...]:
    """The butyrate producers' sum as a quantity, labelled as what it is."""
    producers = next((guild for guild in guilds if guild.guild == "butyrate_producers"), None)
    if producers is None:
        return ()
    return (
        Quantity(
            key="butyrate_producer_share",
            label="Butyrate producers (proxy for capacity)",
            unit="share",
            state=producers.state,
            value=producers.share,
            low=producers.low,
            high=producers.high,
            note="A sum of names, not a measurement of butyrate.",
        ),
    )


def loads(site: SiteName, guilds: tuple[GuildShare, ...], laboratory: Laboratory) -> tuple[Quantity, ...]:
    """DNA loads on the skin, log10 per cm2: measured by qPCR, or the share of the measured 16S total.

    The share of the total is divided by the taxon's 16S copies per genome where knowledge has them. DNA of dead
    cells is counted too.
    """
    if site != "skin":
        return ()
    found = []
    total = laboratory.total_16s_log10_copies_per_cm2
    if total is not None:
        found.append(
            Quantity(
                key="total_16s_load",
                label="All bacteria (16S)",
                unit="log10 copies/cm²",
                value=total,
                note="qPCR as entered.",
            )
        )
    for guild_key, label, measured, copies_of in (
        ("s_aureus", "S. aureus load", laboratory.s_aureus_log10_copies_per_cm2, "staphylococcus_aureus"),
        (
            "cons",
            "Commensal staphylococci load",
            laboratory.commensal_log10_copies_per_cm2,
            "staphylococcus_epidermidis",
        ),
    ):
        key = f"{guild_key}_load"
        if measured is not None:
            found.append(
                Quantity(
                    key=key,
                    label=label,
                    unit="log10 copies/cm²",
                    value=measured,
                    note="qPCR as entered; DNA of dead cells too.",
                )
            )
            continue
        guild = next((g for g in guilds if g.guild == guild_key), None)
        if total is None or guild is None:
            continue
        found.append(_load_from_share(key, label, total, guild, copies_of))
    return tuple(found)


def _load_from_share(key: str, label: str, total: float, guild: GuildShare, copies_of: str) -> Quantity:
    copies = taxa()[copies_of].copies_16s
    shift = math.log10(copies) if copies else 0.0
    unit = "log10 genomes/cm²"
    if guild.share is None:
        top = guild.detection_limit
        high = total + math.log10(top) - shift if top else None
        return Quantity(key=key, label=label, unit=unit, state=guild.state, high=high, note=guild.note)

    def load(share: float | None) -> float | None:
        return total + math.log10(share) - shift if share else None

    return Quantity(
        key=key,
        label=label,
        unit=unit,
        value=load(guild.share),
        low=load(guild.low),
        high=load(guild.high),
        note=f"16S total x share / {copies:g} copies per genome (recalled); interval from counting alone.",
    )
