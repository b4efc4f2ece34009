"""Taxa by today's names with their old ones, their guilds, and what a laboratory file is judged by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from biflora.knowledge.rows import Row, read_table

Rank = Literal["species", "genus", "family"]
Kingdom = Literal["bacteria", "archaea", "fungi", "host"]


class TaxonRow(Row):
    """One taxon. A species also belongs to the guilds of its genus, except those in `not_guilds`."""

    name: str
    rank: Rank
    ncbi_taxid: int | None = None
    synonyms: tuple[str, ...] = ()
    """Names that older databases use."""
    guilds: tuple[str, ...] = ()
    not_guilds: tuple[str, ...] = ()
    kingdom: Kingdom = "bacteria"
    note: str = ""
    old_taxids: tuple[int, ...] = ()
    """Numbers that NCBI has merged into this one, or gave to a synonym."""


class Guild(Row):
    """A named group of taxa."""

    label: str
    sites: tuple[str, ...]
    resolution: Rank
    """Rank that a table must reach before this guild can be counted."""
    kingdom: Kingdom
    within: str | None = None
    """Guild whose unnamed members could belong here (an unnamed staphylococcus could be S. aureus)."""
    families: tuple[str, ...] = ()
    """Families whose reads without a genus could belong here."""
    proxy: bool = False
    note: str = ""
    note_assays: tuple[str, ...] = ()
    """Assays of which the note speaks; empty: all."""


class QualityLimit(Row):
    label: str
    value: float
    unit: str
    note: str = ""


class Contaminant(Row):
    """A genus that reagents and water bring in."""

    genus: str
    sites: tuple[str, ...]
    note: str = ""


class AssayMotif(Row):
    """How the first bases of an amplicon tell which region was sequenced."""

    assay: str
    pattern: str
    min_length: int
    max_length: int
    note: str = ""


class PrimerPair(Row):
    """The primers between which a region of the 16S gene lies."""

    assay: str
    forward: str
    reverse: str
    note: str = ""


def taxa() -> Mapping[str, TaxonRow]:
    return read_table("taxa", TaxonRow)


def guilds() -> Mapping[str, Guild]:
    return read_table("guilds", Guild)


def quality_limits() -> Mapping[str, QualityLimit]:
    return read_table("quality_limits", QualityLimit)


def contaminants() -> Mapping[str, Contaminant]:
    return read_table("contaminants", Contaminant)


def assay_motifs() -> Mapping[str, AssayMotif]:
    return read_table("assay_motifs", AssayMotif)


def primers() -> Mapping[str, PrimerPair]:
    return read_table("primers", PrimerPair)


def assay_of_primers(forward: str, reverse: str) -> str:
    """`16S V4` and the like for a known pair of primers; empty for another pair."""
    return next((row.assay for row in primers().values() if (row.forward, row.reverse) == (forward, reverse)), "")


def limit(key: str) -> float:
    """Value of one quality limit."""
    return quality_limits()[key].value


@cache
def _by_name() -> Mapping[str, TaxonRow]:
    found: dict[str, TaxonRow] = {}
    for row in taxa().values():
        for synonym in row.synonyms:
            found.setdefault(_folded(synonym), row)
    for row in taxa().values():
        found[_folded(row.name)] = row
    return MappingProxyType(found)


@cache
def _by_taxid() -> Mapping[int, TaxonRow]:
    rows = taxa().values()
    merged = {number: row for row in rows for number in row.old_taxids}
    return MappingProxyType(merged | {row.ncbi_taxid: row for row in rows if row.ncbi_taxid is not None})


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().lower()


def find_taxon(name: str, taxid: int | None = None) -> TaxonRow | None:
    """The taxon of that name, of an old name for it, or of that NCBI number; None when the table lacks it.

    The name goes before the number: numbers are merged and reused between database releases.
    """
    row = _by_name().get(_folded(name)) if name else None
    if row is None and taxid is not None:
        row = _by_taxid().get(taxid)
    return row


def genus_row(genus: str) -> TaxonRow | None:
    """The genus of that name (an old genus name gives today's), or None."""
    row = _by_name().get(_folded(genus)) if genus else None
    return row if row is not None and row.rank == "genus" else None


def guilds_of(species: TaxonRow | None, genus: TaxonRow | None) -> frozenset[str]:
    """Keys of all guilds that a taxon belongs to, by its species' row and its genus's row (either may be None)."""
    found: set[str] = set()
    if genus is not None:
        found.update(genus.guilds)
    if species is not None:
        found.update(species.guilds)
        found.difference_update(species.not_guilds)
    return frozenset(found)


def guilds_at(site: str) -> tuple[Guild, ...]:
    """Guilds that are reported for `skin` or `gut`, in table order."""
    return tuple(guild for guild in guilds().values() if site in guild.sites)


@cache
def _motifs() -> tuple[tuple[re.Pattern[str], AssayMotif], ...]:
    return tuple((re.compile(row.pattern), row) for row in assay_motifs().values())


def assay_of_sequences(sequences: Iterable[str]) -> tuple[str, str]:
    """Which 16S region most of these sequences begin in, with the reason; (`16S`, ...) when they do not agree."""
    votes: dict[str, int] = {}
    total = 0
    for sequence in sequences:
        total += 1
        for pattern, row in _motifs():
            if row.min_length <= len(sequence) <= row.max_length and pattern.match(sequence):
                votes[row.assay] = votes.get(row.assay, 0) + 1
                break
    if votes:
        assay, count = max(votes.items(), key=lambda item: item[1])
        if 2 * count > total:
            return assay, f"{count} of {total} sequences begin as {assay} amplicons do"
    return "16S", f"the first bases of {total} sequences do not agree on one region"


TABLES: dict[str, type[Row]] = {
    "taxa": TaxonRow,
    "guilds": Guild,
    "quality_limits": QualityLimit,
    "contaminants": Contaminant,
    "assay_motifs": AssayMotif,
    "primers": PrimerPair,
}
