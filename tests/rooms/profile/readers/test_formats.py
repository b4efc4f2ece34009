"""Formats of companies, workshops and spreadsheets; each table is worked by hand or read from a real file."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from biflora.errors import LaboratoryMust
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.sample import profile_site
from biflora.profile.table import LabTable
from biflora.values import State

UBIOME = "format_examples/ubiome_150815."
AUREUS = "k__Bacteria;p__Firmicutes;c__Bacilli;o__Bacillales;f__Staphylococcaceae;g__Staphylococcus;s__aureus"
ACNES = (
    "k__Bacteria;p__Actinobacteria;c__Actinobacteria;o__Actinomycetales;f__Propionibacteriaceae;"
    "g__Propionibacterium;s__acnes"
)


def read(tmp_path: Path, name: str, text: str) -> LabTable:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_laboratory_file(path).table


def values(table: LabTable, sample: str) -> dict[str, float]:
    row = table.row(sample)
    return {feature.name: float(v) for feature, v in zip(table.features, row, strict=True) if v}


# ---------------------------------------------------------------------------------------------------- uBiome


@pytest.mark.parametrize("ending", ["json", "csv"])
def test_ubiome_counts_each_read_once_at_its_deepest_taxon(shared_data: Path, ending: str) -> None:
    """The export nests: root 611,672 reads hold all others. Own reads = count - sum of the children's counts."""
    rows = list(csv.DictReader((shared_data / (UBIOME + "csv")).open()))
    below: dict[str, int] = defaultdict(int)
    for row in rows:
        below[row["parent"]] += int(row["count"])
    own = {
        int(row["taxon"]): int(row["count"]) - below[row["taxon"]] for row in rows if row["tax_rank"] == "genus"
    }
    table = read_laboratory_file(shared_data / (UBIOME + ending)).table
    found = {f.taxid: v for f, v in zip(table.features, table.row(table.samples[0]), strict=True)}
    assert sum(found.values()) == 611_672  # the root's own count, in the file
    assert {taxid: found[taxid] for taxid, reads in own.items() if reads} == {t: r for t, r in own.items() if r}
    assert found[817] == 62  # Bacteroides fragilis, which holds no strain
    assert next(f.taxid for f in table.features if f.name == "Bacteroides fragilis") == 817
    assert table.has_counts
    assert "nested" in table.because


def test_ubiome_json_and_csv_are_one_profile(shared_data: Path) -> None:
    both = [profile_site(shared_data / (UBIOME + ending), "gut") for ending in ("json", "csv")]
    assert both[0].taxa == both[1].taxa
    assert both[0].guilds == both[1].guilds
    assert both[0].assay == "16S V4"


def test_ubiome_on_the_skin_cannot_name_s_aureus(shared_data: Path) -> None:
    guild = profile_site(shared_data / (UBIOME + "json"), "skin").guild("s_aureus")
    assert guild is not None
    assert guild.state is State.NOT_RESOLVED


def ubiome(tmp_path: Path, rows: list[dict[str, object]]) -> LabTable:
    return read(tmp_path, "u.json", json.dumps({"ubiome_bacteriacounts": rows}))


def taxon(taxid: int, parent: int, rank: str, name: str, count: object) -> dict[str, object]:
    return {"taxon": taxid, "parent": parent, "tax_rank": rank, "tax_name": name, "count": count, "count_norm": 1}


def test_ubiome_strains_count_to_their_species_and_edits_are_noticed(tmp_path: Path) -> None:
    """Root 100; genus 90, so 10 stop at the root; species 70, so 20 stop at the genus; its strain counts to it."""
    rows = [
        taxon(1, 0, "root", "root", 100),
        taxon(1279, 1, "genus", "Staphylococcus", 90),
        taxon(1280, 1279, "species", "Staphylococcus aureus", 70),
        taxon(46170, 1280, "subspecies", "Staphylococcus aureus subsp. aureus", 30),
    ]
    table = ubiome(tmp_path, rows)
    assert values(table, "u") == {"root": 10, "Staphylococcus": 20, "Staphylococcus aureus": 70}
    assert table.remarks == ()
    rows[2]["count"] = 95  # more than its genus holds: 95 - 90 = 5 too many
    assert [rule for rule, _ in ubiome(tmp_path, rows).remarks] == ["nested_sum"]
    assert "5 reads more" in ubiome(tmp_path, rows).remarks[0][1]


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([{"taxon": 1}], "'count' is missing"),
        ([taxon(1, 0, "root", "root", None)], "'count' is no number"),
        ([taxon(1, 0, "root", "root", -4)], "negative"),
        ([taxon(1, 0, "root", "root", 0)], "holds no read"),
        ([taxon(1, 0, "root", "root", 4)] * 2, "names a taxon twice"),
        ([], "names no taxon"),
    ],
)
def test_a_damaged_ubiome_export_is_told(tmp_path: Path, rows: list[dict[str, object]], word: str) -> None:
    with pytest.raises(LaboratoryMust, match=word):
        ubiome(tmp_path, rows)


def test_ubiome_taxa_that_are_their_own_ancestors_end(tmp_path: Path) -> None:
    table = ubiome(tmp_path, [taxon(5, 6, "genus", "Blautia", 3), taxon(6, 5, "family", "Lachnospiraceae", 9)])
    assert sum(values(table, "u").values()) == 6  # 9 - 3 stop at the family; 3 - 9 is less than nothing


# ---------------------------------------------------------------------------------------------------- mothur

SHARED = "label\tGroup\tnumOtus\tOtu001\tOtu002\tOtu003\n"
CONS = (
    "OTU\tSize\tTaxonomy\n"
    'Otu001\t7\tBacteria(100);"Firmicutes"(100);Bacilli(100);Bacillales(99);Staphylococcaceae(99);Staphylococcus(98);\n'
    "Otu002\t5\tBacteria(100);Firmicutes(100);Clostridia(99);Clostridiales(99);Lachnospiraceae(97);"
    "Lachnospiraceae_unclassified(97);\n"
    "Otu003\t3\tBacteria(100);Actinobacteria(100);Actinobacteria(100);Actinomycetales(90);"
    "Propionibacteriaceae(90);Cutibacterium(88);\n"
)


def test_mothur_shared_with_its_consensus_taxonomy(tmp_path: Path) -> None:
    (tmp_path / "final.opti_mcc.0.03.cons.taxonomy").write_text(CONS)
    table = read(tmp_path, "final.opti_mcc.shared", SHARED + "0.03\tA\t3\t4\t5\t0\n0.03\tB\t3\t3\t0\t3\n")
    assert table.samples == ("A", "B")
    assert values(table, "A") == {"Otu001": 4, "Otu002": 5}
    assert table.features[0].lineage[5] == "Staphylococcus"
    assert "cons.taxonomy" in table.because
    site = profile_site(tmp_path / "final.opti_mcc.shared", "skin", sample="A")
    # 4 of 9 reads; the family's reads have no genus.
    assert {t.name: t.share for t in site.taxa} == {"Lachnospiraceae (no genus)": 5 / 9, "Staphylococcus": 4 / 9}


def test_mothur_clusterings_are_not_added_up(tmp_path: Path) -> None:
    table = read(tmp_path, "x.shared", SHARED + "unique\tA\t3\t1\t1\t1\n0.03\tA\t3\t2\t1\t0\n")
    assert values(table, "A") == {"Otu001": 2, "Otu002": 1}
    assert [rule for rule, _ in table.remarks] == ["one_label_read"]
    with pytest.raises(LaboratoryMust, match="2 clusterings of the same reads"):
        read(tmp_path, "x.shared", SHARED + "unique\tA\t3\t1\t1\t1\n0.05\tA\t3\t2\t1\t0\n")


def test_a_cons_taxonomy_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(LaboratoryMust, match="a taxonomy, not a table"):
        read(tmp_path, "final.cons.taxonomy", CONS)


# --------------------------------------------------------------------------------- levels, EMP, phyloseq, Excel


def test_qiime2_level_table_leaves_the_metadata_columns_out(tmp_path: Path) -> None:
    text = f"index,{AUREUS},{ACNES},Unassigned;__;__;__;__;__;__,BarcodeSequence,Age,Sex\n"
    text += "S1,60,30,10,ACGTACGT,34,f\nS2,0,5,5,TTGGAACC,61,m\n"
    table = read(tmp_path, "level-7.csv", text)
    assert table.shape == (2, 3)
    assert list(table.row("S1")) == [60, 30, 10]  # 34 years are no reads
    assert [rule for rule, _ in table.remarks] == ["columns_left_out"]
    assert "BarcodeSequence, Age, Sex" in table.remarks[0][1]
    site = profile_site(tmp_path / "level-7.csv", "skin", sample="S1")
    assert {t.name: t.share for t in site.taxa}["Cutibacterium acnes"] == 0.3  # today's name


def test_genera_in_columns_beside_ages_and_words(tmp_path: Path) -> None:
    """Prefixed names decide by their majority; unprefixed ones by the words that clinics use."""
    text = "sample,g__Blautia,g__Roseburia,g__Alistipes,Age,Sex\nS1,5,3,2,34,f\nS2,1,1,0,61,m\nS3,2,2,2,50,f\n"
    assert read(tmp_path, "g.csv", text).shape == (3, 3)
    plain = text.replace("g__", "")
    table = read(tmp_path, "p.csv", plain)
    assert [feature.name for feature in table.features] == ["Blautia", "Roseburia", "Alistipes"]
    assert "Age, Sex" in table.remarks[0][1]


def test_emp_style_rows_of_lineages_or_a_taxonomy_column(tmp_path: Path) -> None:
    by_name = read(tmp_path, "emp.tsv", f"Taxon\tS1\tS2\n{AUREUS}\t6\t0\n{ACNES}\t4\t1\n")
    by_column = read(
        tmp_path, "emp2.tsv", f"OTU\tS1\tS2\tconfidence\ttaxonomy\n1\t6\t0\t0.9\t{AUREUS}\n2\t4\t1\t0.8\t{ACNES}\n"
    )
    assert by_name.samples == by_column.samples == ("S1", "S2")
    assert [f.lineage for f in by_name.features] == [f.lineage for f in by_column.features]
    assert list(by_column.row("S1")) == [6, 4]
    assert "confidence" in by_column.remarks[0][1]


@pytest.mark.parametrize(
    "name",
    [
        "gut_healthy_atlas1006/atlas1006_otu.csv",
        "gut_longitudinal_dietswap/dietswap_otu.csv",
        "gut_probiotic_trial_peerj32/peerj32_otu.csv",
        "phyloseq_globalpatterns_enterotype/enterotype_otu.csv",
        "phyloseq_globalpatterns_enterotype/globalpatterns_feces_skin_tongue_otu.csv",
    ],
)
def test_phyloseq_exports_in_both_orientations(shared_data: Path, tmp_path: Path, name: str) -> None:
    """The real export and the same turned by 90 degrees (taxa_are_rows = FALSE) give the numbers of pandas."""
    witness = pd.read_csv(shared_data / name, index_col=0)
    upright = read_laboratory_file(shared_data / name).table
    (tmp_path / "x_tax.csv").write_bytes((shared_data / name.replace("_otu", "_tax")).read_bytes())
    witness.T.to_csv(tmp_path / "x_otu.csv", index_label="", quoting=csv.QUOTE_NONNUMERIC)
    turned = read_laboratory_file(tmp_path / "x_otu.csv").table
    assert upright.samples == turned.samples == tuple(witness.columns)
    assert upright.features == turned.features
    for sample in upright.samples[::40]:
        assert np.array_equal(upright.row(sample), witness[sample].to_numpy())
        assert np.array_equal(turned.row(sample), witness[sample].to_numpy())
    assert "taxa stand in rows" in upright.because
    assert "taxa stand in columns" in turned.because


def test_phyloseq_psmelt_keeps_the_ranks(tmp_path: Path) -> None:
    text = '"","OTU","Sample","Abundance","Age","Kingdom","Phylum","Class","Order","Family","Genus","Species"\n'
    lineage = "Bacteria,Firmicutes,Bacilli,Bacillales,Staphylococcaceae,Staphylococcus,aureus"
    text += (
        f"1,ASV1,S1,8,30,{lineage}\n2,ASV2,S1,2,30,{lineage}\n3,ASV1,S2,0,41,{lineage}\n4,ASV2,S2,3,41,{lineage}\n"
    )
    table = read(tmp_path, "melt.csv", text)
    assert table.format == "phyloseq psmelt (long CSV)"
    assert values(table, "S1") == {"ASV1": 8, "ASV2": 2}
    site = profile_site(tmp_path / "melt.csv", "skin", sample="S1")
    assert [(t.name, t.reads) for t in site.taxa] == [("Staphylococcus aureus", 10)]


def test_decimal_commas_are_read_and_said_only_where_they_can_be_nothing_else(tmp_path: Path) -> None:
    table = read(tmp_path, "d.csv", "taxon;S1\nStaphylococcus aureus;0,75\nCutibacterium acnes;0,25\n")
    assert list(table.row("S1")) == [0.75, 0.25]
    assert "decimal commas were read as decimal points" in table.because
    with pytest.raises(LaboratoryMust, match="thousands separator"):  # 1,234: a thousand, or one and a bit?
        read(tmp_path, "t.csv", "taxon;S1\nStaphylococcus aureus;1,234\nCutibacterium acnes;2,500\n")


def test_a_column_of_totals_is_no_sample(tmp_path: Path) -> None:
    text = "taxon,S1,S2,Total\nStaphylococcus aureus,4,1,5\nCutibacterium acnes,2,2,4\n"
    table = read(tmp_path, "t.csv", text)
    assert table.samples == ("S1", "S2")
    assert [rule for rule, _ in table.remarks] == ["columns_left_out"]
    assert read(tmp_path, "t.csv", text.replace(",5\n", ",7\n")).samples == ("S1", "S2", "Total")  # no sum


def test_columns_of_words_are_left_out_and_said(tmp_path: Path) -> None:
    text = "taxon,S1,Comment\nStaphylococcus aureus,4,seen\nCutibacterium acnes,2,often\n"
    text += "Staphylococcus hominis,1,rare\n"
    table = read(tmp_path, "t.csv", text)
    assert table.samples == ("S1",)
    assert "Comment" in table.remarks[0][1]


def test_both_sides_that_look_like_taxa_are_said(tmp_path: Path) -> None:
    """A table of who lives beside whom: rows are taken, and the doubt is told."""
    names = ("Staphylococcus aureus", "Cutibacterium acnes", "Staphylococcus hominis")
    text = "taxon," + ",".join(names) + "\n" + "".join(f"{n},1,2,3\n" for n in names)
    assert "100 % of the other side's names look like taxa too" in read(tmp_path, "t.csv", text).because


# ---------------------------------------------------------------------------------------------- BIOM variants


@pytest.mark.parametrize("form", ["none", "one text", "rows of ranks", "lists", "group of ranks"])
def test_biom_2_with_taxonomy_in_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / "t.biom"
    lineages = [AUREUS.split(";"), ACNES.split(";")[:6]]
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs["format-version"] = (2, 0) if form == "one text" else (2, 1)
        file["observation/ids"] = ["1", "2"]
        file["sample/ids"] = ["S1"]
        file["sample/matrix/indptr"] = [0, 2]
        file["sample/matrix/indices"] = [0, 1]
        file["sample/matrix/data"] = [6.0, 4.0]
        key = "observation/metadata/taxonomy"
        if form == "one text":
            file[key] = ["; ".join(line) for line in lineages]
        elif form == "rows of ranks":
            file.create_dataset(key, data=[[*line, ""][:7] for line in lineages], dtype=text)
        elif form == "lists":
            cells = file.create_dataset(key, shape=(2,), dtype=h5py.vlen_dtype(text))
            cells[0], cells[1] = np.array(lineages[0], dtype=object), np.array(lineages[1], dtype=object)
        elif form == "group of ranks":
            for place, rank in enumerate(("Kingdom", "Phylum", "Class", "Order", "Family", "Genus", "Species")):
                file[f"{key}/{rank}"] = [line[place] if place < len(line) else "" for line in lineages]
    site = profile_site(path, "skin")
    found = {t.name: t.share for t in site.taxa}
    if form == "none":
        assert set(found) == {"feature 1", "feature 2"}
    else:
        assert found == {"Staphylococcus aureus": 0.6, "Propionibacterium": 0.4}
    assert site.format == ("BIOM 2.0 (HDF5)" if form == "one text" else "BIOM 2.1 (HDF5)")
