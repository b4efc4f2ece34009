"""Shares of taxa and guilds in one sample, with counting intervals and with what the assay could not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from biflora.knowledge.taxa import Guild, guilds_at, limit
from biflora.profile.names import Named, name_feature
from biflora.profile.profile import GuildShare, SiteName, TaxonShare
from biflora.profile.table import LabTable, Numbers
from biflora.values import State

INTERVAL = (0.025, 0.975)
SPECIES_BLIND = ("16S V4", "16S V3-V4", "array")
"""Assays that cannot tell one Staphylococcus from another, whatever name the classifier printed."""


@dataclass(frozen=True)
class Composition:
    """One sample after the host's reads were taken out. Shares sum to 1."""

    table: LabTable
    sample: str
    named: tuple[Named, ...]
    """Features present in the sample, without the host."""
    values: Numbers
    """Their reads, or their shares when the file holds shares only."""
    host: float
    """The host's part of all that was classified, 0-1."""

    @property
    def total(self) -> float:
        return float(self.values.sum())

    @property
    def has_counts(self) -> bool:
        return self.table.has_counts

    @property
    def shares(self) -> Numbers:
        return self.values / self.total

    def of_guild(self, key: str) -> Numbers:
        """True for each feature that belongs to the guild."""
        return np.array([key in name.guilds for name in self.named], dtype=bool)

    def of_genus(self, genus: str) -> Numbers:
        return np.array([name.genus == genus for name in self.named], dtype=bool)


def compose(table: LabTable, sample: str) -> Composition | None:
    """The sample's composition; None when it holds no read, or the host's only."""
    values = table.row(sample)
    present = np.flatnonzero(values > 0)
    named = [name_feature(table.features[i]) for i in present]
    is_host = np.array([name.is_host for name in named], dtype=bool)
    total = float(values[present].sum())
    kept = values[present][~is_host] if len(named) else values[present]
    if total <= 0 or kept.sum() <= 0:
        return None
    return Composition(
        table=table,
        sample=sample,
        named=tuple(name for name, host in zip(named, is_host, strict=True) if not host),
        values=kept,
        host=float(values[present][is_host].sum()) / total,
    )


def counting_interval(reads: float, depth: float) -> tuple[float, float]:
    """95 % interval of a share from reads: quantiles of Beta(reads + 0.5, depth - reads + 0.5) (Jeffreys).

    Counting alone: it does not hold the spread between swabs, extractions or days.
    """
    from scipy.special import betaincinv

    low, high = (float(betaincinv(reads + 0.5, depth - reads + 0.5, p)) for p in INTERVAL)
    return (0.0 if reads <= 0 else low), (1.0 if reads >= depth else high)


def taxon_shares(composition: Composition) -> tuple[TaxonShare, ...]:
    """All taxa by today's names, largest share first; features of one name are added up."""
    sums: dict[tuple[str, str], float] = {}
    taxids: dict[tuple[str, str], int | None] = {}
    for name, value in zip(composition.named, composition.values, strict=True):
        key = (name.name, name.rank)
        sums[key] = sums.get(key, 0.0) + float(value)
        taxids.setdefault(key, name.taxid)
    total = composition.total
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        TaxonShare(
            name=name,
            ncbi_taxid=taxids[name, rank],
            rank=rank,
            reads=value if composition.has_counts else None,
            share=value / total,
        )
        for (name, rank), value in ordered
    )


def guild_shares(composition: Composition, site: SiteName) -> tuple[GuildShare, ...]:
    """Every guild reported at this site, each with its state."""
    return tuple(_guild_share(composition, guild) for guild in guilds_at(site))


def _guild_share(composition: Composition, guild: Guild) -> GuildShare:
    blank = {"guild": guild.key, "label": guild.label}
    unseen = _not_measured(composition, guild)
    if unseen:
        return GuildShare(**blank, state=State.NOT_MEASURED, note=unseen)
    unresolved = _not_resolved(composition, guild)
    if unresolved:
        return GuildShare(**blank, state=State.NOT_RESOLVED, note=unresolved)
    mine = composition.of_guild(guild.key)
    value, total = float(composition.values[mine].sum()), composition.total
    found = tuple(dict.fromkeys(n.name for n, is_mine in zip(composition.named, mine, strict=True) if is_mine))
    if value <= 0:
        detection = min(1.0, limit("rule_of_three") / total) if composition.has_counts else None
        return GuildShare(
            **blank,
            state=State.BELOW_DETECTION,
            reads=0.0 if composition.has_counts else None,
            detection_limit=detection,
            note=_joined("" if detection else "The file holds shares only: no detection limit.", guild.note),
        )
    low, high = counting_interval(value, total) if composition.has_counts else (None, None)
    return GuildShare(
        **blank,
        state=State.MEASURED,
        share=value / total,
        low=low,
        high=high,
        reads=value if composition.has_counts else None,
        members_found=found,
        note=_joined(_species_doubt(composition, guild), guild.note),
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _not_measured(composition: Composition, guild: Guild) -> str:
    """Why this assay cannot see the guild at all; empty when it can."""
    assay = composition.table.assay
    if guild.kingdom == "fungi":
        if assay.startswith("16S") or assay == "array":
            return "16S sees bacteria only; a yeast needs ITS sequencing or a database with fungi."
        seen = composition.table.names_fungi or any(name.kingdom == "fungi" for name in composition.named)
        if not seen:
            return "The file names no fungus; its database may hold none, so absent and unseen are one."
    elif assay == "ITS":
        return "ITS sequencing sees fungi only."
    return ""


def _not_resolved(composition: Composition, guild: Guild) -> str:
    """Why the names in this file cannot tell the guild; empty when they can."""
    if not any(name.genus for name in composition.named):
        ranked = any(name.rank for name in composition.named)
        return (
            "The file names no genus; names above it cannot tell this guild."
            if ranked
            else "The file holds sequences or codes without taxonomy; add the taxonomy to name this guild."
        )
    if guild.resolution != "species" or guild.within is None:
        return ""
    if composition.table.assay in SPECIES_BLIND:
        return f"{composition.table.assay} cannot tell the staphylococci apart; only the genus is counted."
    family = composition.of_guild(guild.within)
    by_species = any(
        name.rank == "species" for name, is_kin in zip(composition.named, family, strict=True) if is_kin
    )
    if family.any() and not by_species:
        return "The staphylococci in this file have no species names; only the genus is counted."
    if not family.any() and not any(name.rank == "species" for name in composition.named):
        return "The file names no species; only the genus could be counted."
    return ""


def _species_doubt(composition: Composition, guild: Guild) -> str:
    """What must be said beside a species share from a marker gene, or beside unnamed relatives."""
    if guild.resolution != "species":
        return ""
    sentences = []
    if composition.table.assay.startswith("16S"):
        sentences.append("Species from a short 16S region are a best guess.")
    missing = unnamed_staphylococci(composition)
    if missing >= 0.005:
        sentences.append(
            f"{100 * missing:.0f} % of the staphylococci have no species name and are not counted here."
        )
    return " ".join(sentences)


def unnamed_staphylococci(composition: Composition) -> float:
    """Part of the genus's reads without a species, 0-1 (0 when there is no staphylococcus)."""
    family = composition.of_guild("staphylococcus")
    total = float(composition.values[family].sum())
    if total <= 0:
        return 0.0
    is_species = np.array(
        [name.rank == "species" and not _is_unnamed(name) for name in composition.named], dtype=bool
    )
    return float(composition.values[family & ~is_species].sum()) / total


def _is_unnamed(name: Named) -> bool:
    return " sp. " in f"{name.name} " or name.name.endswith(" sp")


def unmatched(composition: Composition) -> tuple[int, float]:
    """How many names knowledge lacks (species and genus both), and their share."""
    strangers = np.array([not name.known for name in composition.named], dtype=bool)
    return int(strangers.sum()), float(composition.values[strangers].sum()) / composition.total


def largest(shares: Sequence[TaxonShare], count: int = 10) -> tuple[TaxonShare, ...]:
    """The first `count` taxa of a list that is ordered by share."""
    return tuple(shares[:count])
