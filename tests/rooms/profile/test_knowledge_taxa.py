"""The taxon, guild, reference and instrument tables hold together."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from biflora.knowledge.instruments import band_of, instrument_items, instruments
from biflora.knowledge.references import reference_rows
from biflora.knowledge.taxa import (
    assay_motifs,
    assay_of_primers,
    contaminants,
    find_taxon,
    genus_row,
    guilds,
    primers,
    taxa,
)


def test_every_guild_of_a_taxon_exists_and_every_guild_has_members() -> None:
    named = {guild for row in taxa().values() for guild in (*row.guilds, *row.not_guilds)}
    assert named == set(guilds())


def test_no_name_or_number_stands_for_two_taxa() -> None:
    names = Counter((row.rank, name.lower()) for row in taxa().values() for name in (row.name, *row.synonyms))
    assert [name for name, count in names.items() if count > 1] == []
    numbers = Counter(row.ncbi_taxid for row in taxa().values() if row.ncbi_taxid is not None)
    assert [number for number, count in numbers.items() if count > 1] == []


def test_an_old_number_leads_to_one_taxon_and_is_nobody_s_own() -> None:
    old = Counter(number for row in taxa().values() for number in row.old_taxids)
    assert [number for number, count in old.items() if count > 1] == []
    assert not set(old) & {row.ncbi_taxid for row in taxa().values()}
    for number in old:
        row = find_taxon("", number)
        assert row is not None
        assert number in row.old_taxids


def test_numbers_agree_with_a_real_export_of_2015(shared_data: Path) -> None:
    """Each genus and species of the uBiome file that knowledge has, by its old or today's name, has its number."""
    compared = 0
    with (shared_data / "format_examples/ubiome_150815.csv").open() as file:
        for line in csv.DictReader(file):
            row = find_taxon(line["tax_name"]) if line["tax_rank"] in ("genus", "species") else None
            if row is not None and row.rank == line["tax_rank"] and row.ncbi_taxid is not None:
                assert int(line["taxon"]) in (row.ncbi_taxid, *row.old_taxids), row.name
                compared += 1
    assert compared > 100


def test_primers_name_an_assay_that_biflora_knows() -> None:
    assert {row.assay for row in primers().values()} <= {row.assay for row in assay_motifs().values()}
    assert assay_of_primers("GTGCCAGCMGCCGCGGTAA", "GGACTACHVGGGTWTCTAAT") == "16S V4"
    assert assay_of_primers("GTGCCAGCMGCCGCGGTAA", "AAAA") == ""


def test_the_genus_of_every_species_with_a_guild_is_known() -> None:
    lost = [
        row.name
        for row in taxa().values()
        if row.rank == "species" and row.guilds and genus_row(row.name.split(" ")[0]) is None
    ]
    assert lost == []


def test_guilds_named_by_the_issue_are_there() -> None:
    species = {row.name: row for row in taxa().values()}
    for name in ("epidermidis", "hominis", "capitis", "haemolyticus", "lugdunensis"):
        assert "cons" in species[f"Staphylococcus {name}"].guilds
    assert "lactobacillaceae" in species["Lacticaseibacillus rhamnosus"].guilds
    assert "Lactobacillus rhamnosus" in species["Lacticaseibacillus rhamnosus"].synonyms


def test_contaminants_are_known_genera() -> None:
    assert [row.genus for row in contaminants().values() if genus_row(row.genus) is None] == []


def test_references_are_ordered_and_of_known_guilds() -> None:
    for row in reference_rows().values():
        assert row.guild in guilds(), row.key
        assert 0 <= row.low <= row.median <= row.high <= 1, row.key
        assert list(row.quantiles) == sorted(row.quantiles), row.key
        assert len(row.quantiles) == 21, row.key
        assert row.n <= row.samples, row.key


def test_instrument_bands_rise_and_cover_the_range() -> None:
    for row in instruments().values():
        if row.bands:
            assert band_of(row, row.maximum), row.key
            assert band_of(row, row.minimum), row.key
    assert {item.instrument for item in instrument_items().values()} == set(instruments())
