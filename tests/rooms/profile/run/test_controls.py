"""The controls of a run: who they are, who is suspect, what one sample holds, what is taken out when asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.metadata import Metadata, read_metadata
from biflora.profile.run.controls import ControlReport, name_controls
from biflora.profile.run.run_quality import otu_text, read_run
from biflora.profile.run.suspects import control_findings, read_controls, without_suspects
from biflora.profile.table import Feature, LabTable, from_dense

CSB5 = "ad_skin_shotgun_csb5_bracken"


def table(counts: dict[str, list[float]], samples: list[str]) -> LabTable:
    matrix = np.array(list(counts.values()), dtype=float).T
    starts, places, values = from_dense(samples, matrix)
    return LabTable(
        file_name="run.tsv", format="made up", because="a test", samples=tuple(samples),
        features=tuple(Feature(name) for name in counts), starts=starts, places=places, values=values,
        has_counts=True, assay="16S V4",
    )  # fmt: skip


def small_run() -> LabTable:
    """Four blanks, eight samples. Ralstonia is in every blank and one sample, S. epidermidis in every sample."""
    samples = [f"blank_{i}" for i in range(4)] + [f"P{i}" for i in range(8)]
    return table(
        {
            "Ralstonia pickettii": [50, 60, 40, 50, 300, 0, 0, 0, 0, 0, 0, 0],
            "Staphylococcus epidermidis": [0, 0, 0, 0, 600, 900, 800, 700, 900, 950, 900, 900],
            "Homo sapiens": [10, 10, 10, 10] + [100] * 8,
            "Cutibacterium acnes": [5, 0, 0, 0] + [100] * 8,
        },
        samples,
    )


def test_blanks_are_known_by_their_names_and_a_healthy_control_is_none() -> None:
    named = name_controls(["blank_1", "NTC-2", "neg.3", "H2O", "extraction control 1", "control_7", "P1", "negev"])
    assert named.negative == ("blank_1", "NTC-2", "neg.3", "H2O", "extraction control 1")


def test_a_column_of_the_descriptions_names_the_controls() -> None:
    rows = Metadata("m.csv", ("a", "b", "c"), {"kind": ("Blank", "skin", ""), "batch": ("1", "1", "2")})
    named = name_controls(("a", "b", "c"), rows, column="kind", values=["blank"], batch="batch")
    assert named.negative == ("a",)
    assert named.batches == {"a": "1", "b": "1", "c": "2"}


def test_without_a_control_the_error_says_where_and_repeats_no_cell() -> None:
    rows = Metadata("m.csv", ("a", "b"), {"kind": ("skin", "stool")})
    with pytest.raises(NameAnother, match="none of the 2 words in the column 'kind'"):
        name_controls(("a", "b"), rows, column="kind", values=["blank"])
    with pytest.raises(NameAnother, match="--column"):
        name_controls(("a", "b"))
    with pytest.raises(NameAnother, match="no regular expression"):
        name_controls(("a", "b"), pattern="(")


def test_a_taxon_of_the_blanks_is_suspect_and_one_of_the_skin_is_not() -> None:
    """Ralstonia 4 of 4 blanks, 1 of 8 samples: 5 seen of 12. P(X = 4) = C(4,4) C(8,1) / C(12,5) = 8/792;
    mid-p = half of it. S. epidermidis never in a blank: P(X >= 0) = 1, less half of P(X = 0) = 1/495."""
    run = small_run()
    report = read_controls(run, name_controls(run.samples))
    by_name = {taxon.name: taxon for taxon in report.taxa}
    assert by_name["Ralstonia pickettii"].prevalence_score == pytest.approx(8 / 792 / 2)
    assert by_name["Staphylococcus epidermidis"].prevalence_score == pytest.approx(1 - 1 / 495 / 2)
    assert [taxon.name for taxon in report.suspects] == ["Ralstonia pickettii"]
    assert report.suspects[0].suspect_by == ("prevalence",)
    assert report.suspects[0].usual_contaminant
    # the host is left out: P0 holds 300 + 600 + 100 microbial reads, so 0.3
    assert dict(report.suspects_in_samples)["P0"] == pytest.approx(0.3)
    assert "Homo sapiens" not in by_name


def test_one_sample_names_the_suspects_it_holds() -> None:
    run = small_run()
    controls = name_controls(run.samples)
    found = control_findings(run, "P0", controls)
    assert [finding.rule for finding in found] == ["suspects_in_sample", "low_biomass"]
    assert "Ralstonia pickettii 30.0 %" in found[0].message
    assert "Nothing was taken out" in found[0].message
    assert control_findings(run, "P1", controls) == ()


def test_the_frequency_score_joins_where_dna_was_measured() -> None:
    """A share of exactly 0.1/DNA is a contaminant by frequency: score 0, and 0 combined with anything is 0."""
    amounts = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0]
    samples = ["blank_1", "blank_2", "blank_3", *(f"P{i}" for i in range(6))]
    run = table(
        {
            "Ralstonia pickettii": [0, 10, 10] + [1000 / amount for amount in amounts],
            "Cutibacterium acnes": [10, 0, 0] + [10_000 - 1000 / amount for amount in amounts],
        },
        samples,
    )
    dna = ("", "", "", *(str(amount) for amount in amounts))
    rows = Metadata("m.csv", tuple(samples), {"dna": dna})
    report = read_controls(run, name_controls(samples, rows, concentration="dna"))
    by_name = {taxon.name: taxon for taxon in report.taxa}
    assert report.rules[0] == "combined"
    assert by_name["Ralstonia pickettii"].combined_score == pytest.approx(0.0, abs=1e-12)
    assert by_name["Ralstonia pickettii"].suspect_by == ("combined",)
    assert not by_name["Cutibacterium acnes"].suspect_by


def test_a_suspect_of_one_batch_says_nothing_of_another() -> None:
    """In batch two the same taxon is in every sample and in no blank."""
    samples = [f"blank_{i}" for i in range(8)] + [f"P{i}" for i in range(8)]
    bad = [50] * 4 + [0] * 8 + [500] * 4
    good = [10] * 8 + [1000] * 8
    run = table({"Ralstonia pickettii": bad, "Cutibacterium acnes": good}, samples)
    batch = ("1",) * 4 + ("2",) * 4 + ("1",) * 4 + ("2",) * 4
    controls = name_controls(samples, Metadata("m.csv", tuple(samples), {"batch": batch}), batch="batch")
    report = read_controls(run, controls)
    ralstonia = next(taxon for taxon in report.taxa if taxon.name == "Ralstonia pickettii")
    # batch 1: 4 of 4 blanks, 0 of 4 samples: P = 1/70, mid-p 1/140; the joined score is the smaller
    assert ralstonia.prevalence_score == pytest.approx(1 / 140)


def test_the_table_without_suspects_loses_them_and_says_so(tmp_path: Path) -> None:
    run = small_run()
    report = read_controls(run, name_controls(run.samples))
    cleaned, removed = without_suspects(run, report)
    assert [taxon.name for taxon in removed] == ["Ralstonia pickettii"]
    assert run.totals()[4] - cleaned.totals()[4] == 300
    assert cleaned.row("P0").tolist() == [600, 100, 100]
    assert ("suspects_removed", "1 contamination suspects were taken out.") in cleaned.remarks
    path = tmp_path / "clean.tsv"
    path.write_text(otu_text(cleaned))
    again = read_laboratory_file(path).table
    assert again.samples == run.samples
    assert again.row("P0").tolist() == [600, 100, 100]


def test_few_controls_and_deep_controls_are_said() -> None:
    samples = ["blank", *(f"P{i}" for i in range(6))]
    run = table({"Ralstonia pickettii": [5000] + [10] * 6, "Cutibacterium acnes": [5] + [900] * 6}, samples)
    report = read_controls(run, name_controls(samples))
    assert {"few_controls", "deep_controls"} <= {finding.rule for finding in report.findings}


def test_a_run_of_blanks_only_is_refused() -> None:
    run = table({"Ralstonia pickettii": [5, 6]}, ["blank_1", "blank_2"])
    with pytest.raises(LaboratoryMust, match="no sample with reads"):
        read_controls(run, name_controls(run.samples))


@pytest.fixture(scope="module")
def csb5(shared_data: Path) -> tuple[LabTable, ControlReport]:
    folder = shared_data / CSB5
    run = read_laboratory_file(folder / "bracken_species_counts.biom").table
    rows = read_metadata(folder / "sample_metadata_counts.tsv", wanted=run.samples)
    controls = name_controls(
        run.samples, rows, column="sample_category", values=["handling_control", "blank"], batch="batch"
    )
    return run, read_controls(run, controls)


def test_real_skin_run_points_to_achromobacter_and_not_to_skin_bacteria(
    csb5: tuple[LabTable, ControlReport],
) -> None:
    """Witness: the authors' own decontaminated table lacks Achromobacter and keeps the skin bacteria."""
    _, report = csb5
    suspect = {taxon.name for taxon in report.suspects}
    assert len(report.controls) == 58
    assert "Achromobacter xylosoxidans" in suspect
    for name in ("Staphylococcus aureus", "Staphylococcus epidermidis", "Cutibacterium acnes"):
        assert name not in suspect, name


def test_deep_shotgun_is_saturated_so_presence_says_nothing(csb5: tuple[LabTable, ControlReport]) -> None:
    """Achromobacter is in all 58 controls and 276 of 277 samples: decontam's prevalence score alone misses it."""
    _, report = csb5
    worst = report.taxa[0]
    assert worst.name == "Achromobacter xylosoxidans"
    assert (worst.controls_with, worst.samples_with) == (58, 276)
    assert worst.prevalence_score is not None
    assert worst.prevalence_score > 0.1
    assert not report.prevalence_tells
    assert report.rules == ("share",)


def test_of_the_species_that_the_authors_kept_few_are_flagged(
    csb5: tuple[LabTable, ControlReport], shared_data: Path
) -> None:
    """bracken_filtered_taxa_df.tsv keeps 41 species; those that we flag all come from water and soil."""
    _, report = csb5
    header = (shared_data / CSB5 / "bracken_filtered_taxa_df.tsv").open().readline().rstrip("\n").split("\t")
    kept = {name.replace("_", " ") for name in header[1:]}
    suspect = {taxon.name for taxon in report.suspects}
    assert len(kept) == 41
    assert kept & suspect == {
        "Pseudomonas aeruginosa",
        "Sphingomonas melonis",
        "Roseomonas sp. FDAARGOS 362",
        "Magnetospirillum gryphiswaldense",
    }


def test_a_whole_run_is_read_with_a_mock_and_wells(tmp_path: Path) -> None:
    """The mock community is no patient: its members are not counted among the samples."""
    run = small_run()
    lines = otu_text(run).splitlines()
    path, about = tmp_path / "run.tsv", tmp_path / "about.csv"
    path.write_text("\n".join(lines) + "\n")
    about.write_text(
        "sample,kind,well\n"
        + "".join(f"{s},{'blank' if s.startswith('b') else 'skin'},A{i + 1}\n" for i, s in enumerate(run.samples))
    )
    result, cleaned = read_run(
        path, about, column="kind", values=["blank"], well="well", mocks=["P7=D6300"], sample="P0", remove=True
    )
    assert result.controls.samples == 7
    assert [taxon.name for taxon in result.removed] == ["Ralstonia pickettii"]
    assert len(cleaned.features) == 3
    assert result.mocks[0].mock == "zymo_d6300"
    assert result.of_sample[0].rule == "suspects_in_sample"


def test_a_column_without_descriptions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.tsv"
    path.write_text(otu_text(small_run()))
    with pytest.raises(NameAnother, match="descriptions"):
        read_run(path, column="kind", values=["blank"])
