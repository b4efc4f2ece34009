"""Shares of taxa and guilds in one sample, with counting intervals and with what the assay could not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.indices import quantity_settings, setting
from biflora.knowledge.taxa import Guild, guilds_at, limit
from biflora.profile.names import Named, clean, name_feature
from biflora.profile.numbers.special_functions import beta_quantiles
from biflora.profile.profile import GuildShare, SiteName, TaxonShare
from biflora.profile.table import Feature, LabTable, Numbers
from biflora.values import State

Mask = NDArray[np.bool_]
INTERVAL = (0.025, 0.975)
NO_GENUS = " (no genus)"
"""How `names.py` marks a feature that is named only above the genus."""
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
    features: tuple[Feature, ...] = ()
    """The same features as the file names them."""
    spike_reads: float | None = None
    """Reads of the organism that was added to the sample, taken out of the composition; None: none was named."""

    @property
    def total(self) -> float:
        return float(self.values.sum())

    @property
    def has_counts(self) -> bool:
        return self.table.has_counts and self.table.assay != "array"

    @property
    def no_counts_because(self) -> str:
        """Why nothing was counted; empty when reads were."""
        if self.has_counts:
            return ""
        if self.table.assay == "array":
            return "An array gives signals, not reads."
        return "The file holds shares without reads."

    @property
    def shares(self) -> Numbers:
        return self.values / self.total

    def of_guild(self, key: str) -> Mask:
        """True for each feature that belongs to the guild."""
        return np.array([key in name.guilds for name in self.named], dtype=bool)

    def of_genus(self, genus: str) -> Mask:
        return np.array([name.genus == genus for name in self.named], dtype=bool)


def compose(table: LabTable, sample: str, spike_in: str | None = None) -> Composition | None:
    """The sample's composition without the host and without the organism that was added (`spike_in`, its name).

    None when nothing else holds a read.
    """
    values = table.row(sample)
    present = np.flatnonzero(values > 0)
    features = [table.features[i] for i in present]
    named = [name_feature(feature) for feature in features]
    is_host = np.array([name.is_host for name in named], dtype=bool)
    is_spike = np.array(
        [_is_the_spike(feature, name, spike_in) for feature, name in zip(features, named, strict=True)], dtype=bool
    )
    is_kept = ~(is_host | is_spike)
    total = float(values[present][~is_spike].sum())
    kept = values[present][is_kept]
    if total <= 0 or kept.sum() <= 0:
        return None
    return Composition(
        table=table,
        sample=sample,
        named=tuple(name for name, keep in zip(named, is_kept, strict=True) if keep),
        values=kept,
        host=float(values[present][is_host].sum()) / total,
        features=tuple(feature for feature, keep in zip(features, is_kept, strict=True) if keep),
        spike_reads=float(values[present][is_spike].sum()) if spike_in else None,
    )


def _is_the_spike(feature: Feature, name: Named, spike_in: str | None) -> bool:
    if not spike_in:
        return False
    written = (feature.name, clean(feature.name), name.name, clean(feature.lineage[-1]) if feature.lineage else "")
    return clean(spike_in).lower() in {text.lower() for text in written if text}


def counting_interval(reads: float, depth: float, dispersion: float = 0.0) -> tuple[float, float]:
    """95 % interval of a share from reads: quantiles of Beta(reads + 0.5, depth - reads + 0.5) (Jeffreys).

    Counting alone: it does not hold the spread between swabs, extractions or days. A `dispersion` above zero (the
    correlation of two reads of one library) does for repeats: a Dirichlet-multinomial of that correlation counts
    like depth / (1 + (depth - 1) dispersion) independent reads.
    """
    low, high = counting_intervals(np.array([reads]), depth, dispersion)
    return float(low[0]), float(high[0])


def counting_intervals(reads: Numbers, depth: float, dispersion: float = 0.0) -> tuple[Numbers, Numbers]:
    """The same for many taxa of one sample: each the marginal of a Dirichlet over the taxon and the rest.

    Half a read stands on either cell of each question. Half a read on every taxon of a list of thousands would
    instead be thousands of reads that nobody counted; so a guild and a taxon with the same reads have the same
    interval.
    """
    prior = setting("counting_prior")
    scale = 1.0 / (1.0 + max(depth - 1.0, 0.0) * dispersion)
    different, back = np.unique(reads, return_inverse=True)
    x, rest = different * scale + prior, (depth - different) * scale + prior
    low, high = beta_quantiles(INTERVAL, x, rest)
    low, high = np.where(different <= 0, 0.0, low), np.where(different >= depth, 1.0, high)
    return low[back], high[back]


def repeat_interval(composition: Composition, reads: float) -> tuple[float, float] | None:
    """95 % interval of what another library of the same swab could show; None where no repeats were measured.

    From a handful of repeats (see `quantity_settings.csv`): an order of size, never shown unasked.
    """
    row = quantity_settings().get(
        f"replicate_dispersion_{composition.table.assay.lower().replace(' ', '_').replace('-', '_')}"
    )
    if row is None or not composition.has_counts:
        return None
    return counting_interval(reads, composition.total, row.value)


def taxon_shares(composition: Composition) -> tuple[TaxonShare, ...]:
    """All taxa by today's names, largest first, each with its counting interval; one name's features add up."""
    sums: dict[tuple[str, str], float] = {}
    first: dict[tuple[str, str], Named] = {}
    for name, value in zip(composition.named, composition.values, strict=True):
        key = (name.name, name.rank)
        sums[key] = sums.get(key, 0.0) + float(value)
        first.setdefault(key, name)
    total, counted = composition.total, composition.has_counts
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    low, high = (
        (limits.tolist() for limits in counting_intervals(np.array([value for _, value in ordered]), total))
        if counted
        else ([None] * len(ordered), [None] * len(ordered))
    )
    return tuple(
        TaxonShare(
            name=key[0],
            ncbi_taxid=first[key].taxid,
            rank=key[1],
            reads=value if counted else None,
            share=value / total,
            low=low[place],
            high=high[place],
            known=first[key].known,
        )
        for place, (key, value) in enumerate(ordered)
    )


def guild_shares(
    composition: Composition, site: SiteName, *, with_interval: bool = True
) -> tuple[GuildShare, ...]:
    """Every guild reported at this site, each with its state; a cohort does without the counting intervals."""
    return tuple(_guild_share(composition, guild, with_interval) for guild in guilds_at(site))


def _guild_share(composition: Composition, guild: Guild, with_interval: bool = True) -> GuildShare:
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
    unclear = undetermined(composition, guild)
    if value <= 0:
        return _unseen(composition, guild, unclear)
    counted = with_interval and composition.has_counts
    low, high = counting_interval(value, total) if counted else (None, None)
    return GuildShare(
        **blank,
        state=State.MEASURED,
        share=value / total,
        low=low,
        high=high,
        reads=value if composition.has_counts else None,
        members_found=found,
        note=_joined(_species_doubt(composition, guild), _rest_of_family(unclear, guild, value / total),
                     _note(composition, guild)),
    )  # fmt: skip


def _note(composition: Composition, guild: Guild) -> str:
    """What knowledge says of the guild, where it speaks of this assay."""
    return guild.note if not guild.note_assays or composition.table.assay in guild.note_assays else ""


@dataclass(frozen=True)
class Undetermined:
    """What is named only above a guild, so that it could belong there or not."""

    names: tuple[str, ...]
    reads: float
    """Reads, or shares when the file holds shares only."""
    share: float


def undetermined(composition: Composition, guild: Guild) -> Undetermined:
    """Features named only by the guild's family, and for a species' guild those named only by its genus."""
    kin = composition.of_guild(guild.within) if guild.resolution == "species" and guild.within else None
    held: dict[str, float] = {}
    for place, (name, value) in enumerate(zip(composition.named, composition.values, strict=True)):
        family = name.name.removesuffix(NO_GENUS)
        if family in guild.families and not name.guilds:
            held[family] = held.get(family, 0.0) + float(value)
        elif kin is not None and kin[place] and (name.rank != "species" or _is_unnamed(name)):
            held[name.genus] = held.get(name.genus, 0.0) + float(value)
    reads = sum(held.values())
    return Undetermined(tuple(sorted(held, key=lambda key: -held[key])), reads, reads / composition.total)


def _unseen(composition: Composition, guild: Guild, unclear: Undetermined) -> GuildShare:
    """The guild without a read: below detection, or not resolved where too much could belong to it."""
    blank = {"guild": guild.key, "label": guild.label}
    only = f"{_percent(unclear.share)} of the sample is named only as {_listed(unclear.names)}"
    if unclear.share > limit("undetermined_share"):
        return GuildShare(
            **blank,
            state=State.NOT_RESOLVED,
            note=f"{only}, which may hold it or not: neither its presence nor its absence is known.",
        )
    counted = composition.has_counts
    detection = min(1.0, limit("rule_of_three") / composition.total) if counted else None
    could_be, own = "", "" if counted else f"{composition.no_counts_because} No detection limit."
    if unclear.reads > 0:
        top = counting_interval(unclear.reads, composition.total)[1] if counted else unclear.share
        detection = max(top, detection or 0.0)
        could_be = f"{only} and could be part of it; the limit allows for that."
        own = "" if counted else f"{composition.no_counts_because} What it could not see at all adds to that."
    return GuildShare(
        **blank,
        state=State.BELOW_DETECTION,
        reads=0.0 if counted else None,
        detection_limit=detection,
        note=_joined(could_be, own, _note(composition, guild)),
    )


def _rest_of_family(unclear: Undetermined, guild: Guild, share: float) -> str:
    """What stands beside a share when much of its family has no genus; unnamed species are told elsewhere."""
    families = tuple(name for name in unclear.names if name in guild.families)
    if not families or guild.resolution == "species" or unclear.share < limit("undetermined_told") * share:
        return ""
    return f"A further {_percent(unclear.share)} is named only as {_listed(families)}; a part may belong here."


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}" if names else ""


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
