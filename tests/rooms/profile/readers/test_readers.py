"""Every laboratory format, read from a real file; the witness is another program's number on the same file."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import biom
import h5py
import numpy as np
import pandas as pd
import pytest

from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.names import name_feature
from biflora.profile.table import LabTable

CSB5 = "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
CHEN = "ad_skin_southafrica_chen2025/"
GLOBAL = "phyloseq_globalpatterns_enterotype/globalpatterns_feces_skin_tongue_otu.csv"


def table(shared_data: Path, name: str) -> LabTable:
    return read_laboratory_file(shared_data / name).table


def dense(given: LabTable) -> pd.DataFrame:
    names = [feature.name for feature in given.features]
    return pd.DataFrame([given.row(sample) for sample in given.samples], index=list(given.samples), columns=names)


def guild_sum(given: LabTable, sample: str, guild: str) -> float:
    row = given.row(sample)
    return float(
        sum(v for feature, v in zip(given.features, row, strict=True) if guild in name_feature(feature).guilds)
    )


@pytest.mark.parametrize(
    "name",
    [
        CSB5,
        CHEN + "1_209766_feature_table.biom",
        CHEN + "3_209766_feature_table_dedup_prev-filt-10pct_json.biom",
        "moving_pictures_qiime2/table.biom",
        "format_examples/unifrac_crawford/crawford.biom",
        "format_examples/phyloseq_extdata/rich_dense_otu_table.biom",
        "format_examples/phyloseq_extdata/rich_sparse_otu_table.biom",
        "format_examples/phyloseq_extdata/min_sparse_otu_table.biom",
    ],
)
def test_biom_1_and_2_give_the_numbers_of_biom_format(shared_data: Path, name: str) -> None:
    witness = biom.load_table(str(shared_data / name))
    ours = table(shared_data, name)
    assert list(ours.samples) == list(witness.ids())
    assert [f.name for f in ours.features] == list(witness.ids("observation"))
    matrix = np.array([ours.row(sample) for sample in ours.samples[:40]])
    assert np.array_equal(matrix, witness.matrix_data.T.toarray()[:40])
    assert np.array_equal(ours.totals(), witness.sum("sample"))
    assert ours.has_counts


def test_biom_taxonomy_is_that_of_biom_format(shared_data: Path) -> None:
    witness = biom.load_table(str(shared_data / "format_examples/unifrac_crawford/crawford.biom"))
    ours = table(shared_data, "format_examples/unifrac_crawford/crawford.biom")
    for feature, metadata in zip(ours.features, witness.metadata(axis="observation"), strict=True):
        assert list(feature.lineage) == list(metadata["taxonomy"])


def test_hdf5_directly_agrees_for_one_library(shared_data: Path) -> None:
    ours = table(shared_data, CSB5)
    with h5py.File(shared_data / CSB5) as file:
        ids = [i.decode() for i in file["sample/ids"][()]]
        place = ids.index("MBT272")
        start, end = file["sample/matrix/indptr"][place : place + 2]
        witness = file["sample/matrix/data"][start:end].sum()
    assert ours.row("MBT272").sum() == witness
    assert ours.shape == (335, 4399)
    assert ours.assay == "shotgun"


def test_one_ad_table_reads_the_same_from_biom_1_biom_2_qza_and_tsv(shared_data: Path) -> None:
    whole = dense(table(shared_data, CHEN + "3_209766_feature_table_dedup_prev-filt-0pct.biom"))
    artifact = dense(table(shared_data, CHEN + "3_209766_feature_table_dedup_prev-filt-0pct.qza"))
    common = dense(table(shared_data, CHEN + "3_209766_feature_table_dedup_prev-filt-10pct_json.biom"))
    text = dense(table(shared_data, CHEN + "3_209766_feature_table_dedup_prev-filt-10pct.tsv"))
    assert whole.equals(artifact)
    assert common.equals(text.loc[common.index, common.columns])
    # The filtered table is the whole one's columns of ASVs present in at least a tenth of the samples.
    assert common.equals(whole.loc[common.index, common.columns])
    assert table(shared_data, CHEN + "3_209766_feature_table_dedup_prev-filt-0pct.qza").assay == "16S V4"


def test_qza_takes_its_taxonomy_from_the_artifact_beside_it(shared_data: Path) -> None:
    ours = table(shared_data, "moving_pictures_qiime2/table.qza")
    counts = biom.load_table(str(shared_data / "moving_pictures_qiime2/table.biom")).to_dataframe(dense=True)
    lineages = pd.read_csv(shared_data / "moving_pictures_qiime2/taxonomy.tsv", sep="\t", index_col=0)["Taxon"]
    witness = counts[lineages.reindex(counts.index).str.contains("g__Bacteroides")].sum()
    for sample in ours.samples:
        assert guild_sum(ours, sample, "bacteroides") == witness[sample]
    assert "d1ea518e-b33a-43cf-a246-e5db93d2db0d" in ours.because  # the artifact's uuid is kept
    assert "taxonomy.qza" in ours.because


def test_qza_of_shares_is_not_taken_for_counts(shared_data: Path) -> None:
    ours = table(shared_data, "gut_longitudinal_ecam/ecam-table-taxa.qza")
    with zipfile.ZipFile(shared_data / "gut_longitudinal_ecam/ecam-table-taxa.qza") as archive:
        inner = next(name for name in archive.namelist() if name.endswith(".biom"))
        with h5py.File(archive.open(inner)) as file:
            assert ours.shape == (len(file["sample/ids"]), len(file["observation/ids"]))
    assert not ours.has_counts
    assert ours.totals() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("metaphlan3_MOCK_001.txt", "MetaPhlAn 3"), ("metaphlan4_ERR7569997.txt", "MetaPhlAn 4")],
)
def test_metaphlan_3_and_4_species_agree_with_pandas(shared_data: Path, name: str, format_name: str) -> None:
    ours = table(shared_data, "format_examples/" + name)
    witness = pd.read_csv(shared_data / "format_examples" / name, sep="\t", comment="#", header=None, index_col=0)[
        2
    ]
    witness = witness[witness.index.str.contains(r"\|s__[^|]+$")]
    assert ours.format == format_name
    assert [f.name for f in ours.features] == [index.split("|")[-1] for index in witness.index]
    assert dense(ours).iloc[0].to_numpy() == pytest.approx(witness.to_numpy() / 100, rel=1e-12)


def test_kefir_profile_shares_are_of_what_was_classified(shared_data: Path) -> None:
    """GMWI2's authors divide by 100 - UNKNOWN; so do we."""
    from biflora.profile.sample import profile_site

    path = shared_data / "gut_kefir_metaphlan3_gmwi2/Subj007_time1_S5_metaphlan.txt"
    rows = [line.rstrip("\n").split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    unknown = next(float(row[2]) for row in rows if row[0] == "UNKNOWN")
    vulgatus = next(float(row[2]) for row in rows if row[0].endswith("s__Bacteroides_vulgatus"))
    ours = profile_site(path, "gut")
    taxon = next(taxon for taxon in ours.taxa if taxon.name == "Phocaeicola vulgatus")  # today's name
    assert unknown == 53.67618
    assert taxon.share == pytest.approx(vulgatus / (100 - unknown), rel=1e-5)
    assert sum(taxon.share for taxon in ours.taxa) == pytest.approx(1.0, abs=1e-12)


def test_merged_metaphlan_table(shared_data: Path, tmp_path: Path) -> None:
    """Two real kefir profiles merged as merge_metaphlan_tables.py lays them out."""
    columns = {}
    for name in ("Subj008_time1_S6", "Subj011_time1_S8"):
        frame = pd.read_csv(
            shared_data / f"gut_kefir_metaphlan3_gmwi2/{name}_metaphlan.txt",
            sep="\t",
            comment="#",
            header=None,
            index_col=0,
        )
        columns[name] = frame[2]
    merged = pd.DataFrame(columns).fillna(0.0)
    path = tmp_path / "merged.txt"
    path.write_text("#mpa_v30_CHOCOPhlAn_201901\n" + merged.to_csv(sep="\t", index_label="clade_name"))
    ours = read_laboratory_file(path).table
    assert ours.samples == ("Subj008_time1_S6", "Subj011_time1_S8")
    alone = table(shared_data, "gut_kefir_metaphlan3_gmwi2/Subj008_time1_S6_metaphlan.txt")
    assert ours.row("Subj008_time1_S6").sum() == pytest.approx(alone.totals()[0], rel=1e-12)


def test_metaphlan_whose_family_rank_sums_to_77_is_reported(shared_data: Path) -> None:
    """The file's families are 65.25681 + 12.0 = 77.25681, where 100 is due."""
    ours = table(shared_data, "format_examples/metaphlan_INVALID_abundance_sum.tsv")
    assert [rule for rule, _ in ours.remarks] == ["metaphlan_sum"]
    assert "family 77.3" in ours.remarks[0][1]


def test_kraken2_report(shared_data: Path) -> None:
    """96 reads of S. cerevisiae S288C go to their species, 23 to Homo sapiens; 787,758 stay unclassified."""
    ours = table(shared_data, "format_examples/kraken2_report_ERR5766174.txt")
    assert dict(zip([f.name for f in ours.features], ours.row(ours.samples[0]), strict=True)) == {
        "Saccharomyces cerevisiae": 96,
        "Homo sapiens": 23,
    }
    assert [f.taxid for f in ours.features] == [4932, 9606]
    assert list(ours.unclassified_reads.values()) == [787_758]
    assert ours.names_fungi


def test_bracken(shared_data: Path) -> None:
    ours = table(shared_data, "format_examples/bracken_S_ERR5766174.tsv")
    witness = pd.read_csv(shared_data / "format_examples/bracken_S_ERR5766174.tsv", sep="\t")
    assert list(ours.row(ours.samples[0])) == list(witness["new_est_reads"])
    assert [f.taxid for f in ours.features] == list(witness["taxonomy_id"])


def test_emu(shared_data: Path) -> None:
    ours = table(shared_data, "format_examples/emu_rel-abundance_simreads.tsv")
    witness = pd.read_csv(shared_data / "format_examples/emu_rel-abundance_simreads.tsv", sep="\t")
    witness = witness[witness["tax_id"].astype(str).str.isdigit()]  # without Emu's unmapped reads
    assert ours.row(ours.samples[0]) == pytest.approx(witness["estimated counts"].to_numpy(), rel=1e-12)
    assert guild_sum(ours, ours.samples[0], "lactobacillaceae") == pytest.approx(
        23.0
    )  # Limosilactobacillus fermentum


def test_dada2_seqtab_with_the_taxa_beside_it(shared_data: Path) -> None:
    ours = table(shared_data, "format_examples/dada2_seqtab_nochim.csv")
    counts = pd.read_csv(shared_data / "format_examples/dada2_seqtab_nochim.csv", index_col=0)
    taxa = pd.read_csv(shared_data / "format_examples/dada2_taxa.csv", index_col=0)
    witness = counts.T.groupby(taxa["Species"]).sum().T["Staphylococcus aureus"]
    for sample in ours.samples:
        assert guild_sum(ours, sample, "s_aureus") == witness[sample]
    assert ours.assay == "16S V1-V3"


def test_featurefile_with_taxonomy_columns(shared_data: Path) -> None:
    name = "ad_skin_antiIL22_rauer2023/Anti-IL22-baseline_featurefile.txt"
    ours = table(shared_data, name)
    frame = pd.read_csv(shared_data / name, sep="\t")
    witness = frame.groupby("Species")[list(ours.samples)].sum()
    assert ours.shape == (95, 4372)
    for sample in ours.samples[:20]:
        assert guild_sum(ours, sample, "s_aureus") == witness.loc["Staphylococcus aureus", sample]


def test_phyloseq_export_with_its_tax_table(shared_data: Path) -> None:
    ours = table(shared_data, GLOBAL)
    counts = pd.read_csv(shared_data / GLOBAL, index_col=0)
    genus = pd.read_csv(shared_data / GLOBAL.replace("_otu", "_tax"), index_col=0)["Genus"]
    witness = counts.groupby(genus.reindex(counts.index)).sum()
    assert ours.totals() == pytest.approx(counts.sum().to_numpy())
    for sample in ours.samples:
        assert guild_sum(ours, sample, "bifidobacterium") == witness.loc["Bifidobacterium", sample]


def test_lineages_as_columns_khadka(shared_data: Path) -> None:
    """S. aureus and Shannon per sample against the derived endpoints (made in R) beside the trial's table."""
    from biflora.profile.composition import compose
    from biflora.profile.numbers.quantities import shannon

    ours = table(shared_data, "ad_skin_trial_khadka2021/sample_per_timepoint_no_forearm.csv")
    with (shared_data / "ad_skin_trial_khadka2021/derived_per_sample_endpoints.csv").open() as file:
        witness = {row["SampleName"]: row for row in csv.DictReader(file)}
    compared = 0
    for sample in ours.samples:
        if sample not in witness:
            continue
        composition = compose(ours, sample)
        assert composition is not None
        share = composition.shares[composition.of_guild("s_aureus")].sum()
        assert share == pytest.approx(float(witness[sample]["sa"]), abs=1e-9)
        assert shannon(composition.values) == pytest.approx(float(witness[sample]["H"]), rel=1e-9)
        compared += 1
    assert compared >= 50


def test_taxa_as_columns_hmp2(shared_data: Path) -> None:
    name = "gut_longitudinal_hmp2_metaphlan/HMP2_taxonomy.tsv"
    ours = table(shared_data, name)
    witness = pd.read_csv(shared_data / name, sep="\t", index_col=0)
    assert ours.shape == witness.shape == (1527, 151)
    assert ours.totals() == pytest.approx(witness.sum(axis=1).to_numpy(), rel=1e-12)
    bacteroides = [c for c in witness.columns if c.startswith(("Bacteroides_", "Phocaeicola_"))]
    assert guild_sum(ours, "CSM5FZ3N_P", "bacteroides") == pytest.approx(
        witness.loc["CSM5FZ3N_P", bacteroides].sum()
    )


def test_simple_long_csv(shared_data: Path, tmp_path: Path) -> None:
    """The real CSB5 counts of three libraries, written in the long form."""
    witness = biom.load_table(str(shared_data / CSB5)).to_dataframe(dense=True)[["MBT272", "MBT273", "MBT274"]]
    long = witness.stack().reset_index()
    long.columns = ["taxon", "sample", "count"]
    long[long["count"] > 0].to_csv(tmp_path / "long.csv", index=False)
    ours = read_laboratory_file(tmp_path / "long.csv").table
    assert ours.has_counts
    for sample in witness.columns:
        assert ours.row(sample).sum() == witness[sample].sum()
        staphylococci = [n for n in witness.index if n.startswith("Staphylococcus aureus")]
        assert guild_sum(ours, sample, "s_aureus") == witness.loc[staphylococci, sample].sum()


def test_gzipped_text_is_read_as_the_text(shared_data: Path, tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "report.tsv.gz"
    path.write_bytes(gzip.compress((shared_data / "format_examples/bracken_S_ERR5766174.tsv").read_bytes()))
    table = read_laboratory_file(path).table
    assert table.format == "Bracken"
    assert table.because.startswith("unpacked from gzip; ")
