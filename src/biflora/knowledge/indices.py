"""What the derived numbers of a sample are made with: settings, 16S copies, balances, published indices."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from biflora.knowledge.rows import Row, read_table


class QuantitySetting(Row):
    """One number that a derived quantity needs."""

    label: str
    value: float
    unit: str
    note: str = ""


class GenomeCopies(Row):
    """16S rRNA gene copies per genome of one species or genus."""

    taxon: str
    """Today's name."""
    rank: Literal["species", "genus"]
    copies: float
    """Mean over the genomes of a species, over the species of a genus."""
    sd: float
    low: float
    high: float
    n: int | None = None
    """Genomes of a species, species of a genus."""
    note: str = ""


class Balance(Row):
    """log10 of one guild over another."""

    label: str
    site: Literal["skin", "gut"]
    above: str
    below: str
    meaning: str


class IndexDefinition(Row):
    """One index with its licence and its limits."""

    label: str
    sites: tuple[str, ...]
    unit: str
    licence: str
    meaning: str
    limits: str
    experimental: bool = False


class IndexTaxon(Row):
    """One name that an index counts, on one side of its ratio."""

    index: str
    side: Literal["increased", "decreased"]
    rank: Literal["genus", "family"]
    """`family`: its members without a genus."""
    name: str
    note: str = ""


class Gmwi2Coefficient(Row):
    """One clade of the model GMWI2, named as MetaPhlAn 3 does."""

    clade: str
    coefficient: float


def quantity_settings() -> Mapping[str, QuantitySetting]:
    return read_table("quantity_settings", QuantitySetting)


def genome_copies() -> Mapping[str, GenomeCopies]:
    return read_table("genome_copies", GenomeCopies)


def balances() -> Mapping[str, Balance]:
    return read_table("balances", Balance)


def index_definitions() -> Mapping[str, IndexDefinition]:
    return read_table("index_definitions", IndexDefinition)


def index_taxa() -> Mapping[str, IndexTaxon]:
    return read_table("index_taxa", IndexTaxon)


def gmwi2_coefficients() -> Mapping[str, Gmwi2Coefficient]:
    return read_table("gmwi2_coefficients", Gmwi2Coefficient)


def setting(key: str) -> float:
    """Value of one setting."""
    return quantity_settings()[key].value


def balances_at(site: str) -> tuple[Balance, ...]:
    """The balances of `skin` or `gut`, in table order."""
    return tuple(row for row in balances().values() if row.site == site)


@cache
def copies_of(species: str, genus: str) -> GenomeCopies | None:
    """The copies of the species, else of its genus; None when neither is known."""
    by_name = {row.taxon: row for row in genome_copies().values()}
    return by_name.get(species) or by_name.get(genus)


@cache
def names_in(index: str, side: str, rank: str) -> frozenset[str]:
    """The names of one rank that an index counts on one side."""
    return frozenset(
        row.name for row in index_taxa().values() if (row.index, row.side, row.rank) == (index, side, rank)
    )


TABLES: dict[str, type[Row]] = {
    "quantity_settings": QuantitySetting,
    "genome_copies": GenomeCopies,
    "balances": Balance,
    "index_definitions": IndexDefinition,
    "index_taxa": IndexTaxon,
    "gmwi2_coefficients": Gmwi2Coefficient,
}
