"""Depth against the run, and samples of little but human DNA."""

from __future__ import annotations

from pathlib import Path

import pytest

from biflora.profile.sample import profile_site


def run(tmp_path: Path, depths: list[int], human: int = 0) -> Path:
    path = tmp_path / "run.csv"
    lines = ["sample,taxon,count"]
    for number, depth in enumerate(depths):
        lines.append(f"P{number},Cutibacterium acnes,{depth - human}")
        if human:
            lines.append(f"P{number},Homo sapiens,{human}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("depths", "said"),
    # the median of the run is 100,000; a tenth is allowed
    [([9_000] + [100_000] * 8, True), ([11_000] + [100_000] * 8, False), ([9_000] + [100_000] * 3, False)],
)
def test_a_sample_far_below_its_run_is_named(tmp_path: Path, depths: list[int], said: bool) -> None:
    found = profile_site(run(tmp_path, depths), "skin", sample="P0").findings
    assert ("shallow_in_its_run" in {finding.rule for finding in found}) is said


@pytest.mark.parametrize(("human", "said"), [(96_000, True), (90_000, False)])
def test_hardly_anything_but_human_hints_at_few_microbes(tmp_path: Path, human: int, said: bool) -> None:
    """The limit is 95 % of the classified reads."""
    found = profile_site(run(tmp_path, [100_000], human), "skin", sample="P0").findings
    assert ("low_biomass" in {finding.rule for finding in found}) is said


def test_phages_in_the_whole_are_told(shared_data: Path) -> None:
    """Kefir S1 by MetaPhlAn 3: viruses 25.70 of the 100 - 47.21 that could be named, by the file's own rows."""
    path = shared_data / "gut_kefir_metaphlan3_gmwi2/Subj001_time1_S1_metaphlan.txt"
    rows = {line.split("\t")[0]: line.split("\t") for line in path.read_text().splitlines()}
    viruses = 100 * float(rows["k__Viruses"][2]) / (100 - float(rows["UNKNOWN"][2]))
    assert round(viruses) == 49
    found = {finding.rule: finding for finding in profile_site(path, "gut").findings}
    assert found["viruses_in_the_whole"].level == "warn"  # a tenth is the limit
    assert found["viruses_in_the_whole"].message.startswith(f"{viruses:.0f} % of the whole are viruses")


@pytest.mark.parametrize(("known", "level"), [(60, "note"), (40, "warn")])
def test_mostly_unknown_names_are_a_warning(tmp_path: Path, known: int, level: str) -> None:
    """Half is the limit."""
    path = tmp_path / "run.csv"
    path.write_text(
        f"sample,taxon,count\nP0,Cutibacterium acnes,{known * 1000}\n"
        f"P0,Madeupia imaginaria,{(100 - known) * 1000}\n"
    )
    found = {finding.rule: finding for finding in profile_site(path, "skin").findings}
    assert found["unmatched_names"].level == level


def test_organelles_are_told(shared_data: Path) -> None:
    """A palm by 16S V4: 90 reads of mitochondria and 64 of Streptophyta (Greengenes' chloroplasts) of 4,112."""
    found = profile_site(shared_data / "moving_pictures_qiime2/table.qza", "skin", sample="L2S155").findings
    said = next(finding.message for finding in found if finding.rule == "organelles_in_the_whole")
    assert said.startswith(f"{100 * (90 + 64) / 4112:.1f} % of the reads")  # 3.7 %


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "gut_kefir_metaphlan3_gmwi2/Subj001_time1_S1_metaphlan.txt",
            "47 % of what was sequenced",
        ),  # UNKNOWN 47.2
        ("format_examples/kraken2_report_ERR5766174.txt", "% of what was sequenced matched nothing"),
    ],
)
def test_what_the_classifier_could_not_name_is_told(shared_data: Path, file: str, words: str) -> None:
    path = shared_data / file
    said = next(each.message for each in profile_site(path, "gut").findings if each.rule == "unclassified")
    assert words in said
    if "kraken2" in file:  # the report's first line is the witness: percent of reads without a name
        percent = next(line.split("\t")[0] for line in path.read_text().splitlines() if "unclassified" in line)
        assert said.startswith(f"{float(percent):.0f} %")
