"""What a file says of its own making is kept: QIIME 2's actions in order, BIOM's program, MetaPhlAn's database."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import yaml

from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.readers.provenance import generated_line, profiler_of, read_action

PICTURES = "moving_pictures_qiime2/"


class Plain(yaml.SafeLoader):
    """QIIME 2's own tags as their texts: the witness reads all of YAML."""


for tag in ("!ref", "!cite", "!color", "!set", "!metadata", "!no-provenance"):
    Plain.add_constructor(tag, lambda loader, node: str(node.value))


def test_every_action_of_a_real_artifact_reads_as_yaml_reads_it(shared_data: Path) -> None:
    compared = 0
    for name in ("table.qza", "taxonomy.qza", "distance.qza", "rooted-tree.qza"):
        with zipfile.ZipFile(shared_data / PICTURES / name) as archive:
            for member in archive.namelist():
                if not member.endswith("action/action.yaml"):
                    continue
                text = archive.read(member).decode()
                witness = yaml.load(text, Plain)
                ours = read_action(text)
                kind = witness["action"]
                assert ours.action == kind.get("action", kind["type"])
                assert ours.plugin == kind.get("plugin", "").split(":")[-1]
                assert ours.framework == witness["environment"]["framework"]["version"]
                plugins = witness["environment"]["plugins"]
                assert ours.plugin_version == plugins.get(ours.plugin, {}).get("version", "")
                assert ours.started[:10] == str(witness["execution"]["runtime"]["start"])[:10]
                compared += 1
    assert compared >= 15


def test_a_qza_keeps_its_uuid_and_steps_and_the_taxonomy_adds_its_own(shared_data: Path) -> None:
    table = read_laboratory_file(shared_data / PICTURES / "table.qza").table
    assert table.provenance[0] == "QIIME 2 artifact d1ea518e-b33a-43cf-a246-e5db93d2db0d, FeatureTable[Frequency]"
    steps = [line for line in table.provenance if line.startswith("QIIME 2 2019.1.0")]
    assert steps[:3] == [
        "QIIME 2 2019.1.0, import, 2019-01-31",
        "QIIME 2 2019.1.0, demux emp-single (demux 2019.1.0), 2019-01-31",
        "QIIME 2 2019.1.0, dada2 denoise-single (dada2 2019.1.0), 2019-01-31",
    ]
    assert any("classify-sklearn" in line for line in steps[3:])
    assert any("primers GTGCCAGCMGCCGCGGTAA and GGACTACHVGGGTWTCTAAT" in line for line in steps)
    assert table.assay == "16S V4"
    assert "trained on reads between the primers of 16S V4" in table.assay_because
    assert table.profiler == "DADA2 2019.1.0; feature-classifier classify-sklearn 2019.1.0"


def test_biom_says_who_made_it(shared_data: Path) -> None:
    name = "format_examples/unifrac_crawford/crawford.biom"
    with h5py.File(shared_data / name) as file:
        by, day = file.attrs["generated-by"], file.attrs["creation-date"][:10]
    assert read_laboratory_file(shared_data / name).table.provenance == (f"made by {by}, {day}",)
    json_table = read_laboratory_file(
        shared_data / "format_examples/phyloseq_extdata/rich_dense_otu_table.biom"
    ).table
    assert json_table.provenance == ("made by QIIME revision XYZ, 2011-12-19",)


def test_profilers_are_named_with_the_database_where_the_file_says_it(shared_data: Path) -> None:
    examples = shared_data / "format_examples"
    found = {
        name: read_laboratory_file(examples / name).table.profiler
        for name in ("metaphlan3_MOCK_001.txt", "metaphlan4_ERR7569997.txt", "kraken2_report_ERR5766174.txt")
    }
    assert found == {
        "metaphlan3_MOCK_001.txt": "MetaPhlAn 3, mpa_v31_CHOCOPhlAn_201901",
        "metaphlan4_ERR7569997.txt": "MetaPhlAn 4, mpa_vOct22_CHOCOPhlAnSGB_202212",
        "kraken2_report_ERR5766174.txt": "Kraken2 (database not in the file)",
    }


def test_database_and_denoiser_are_taken_only_where_the_action_says_so() -> None:
    classify = (
        "action:\n    type: method\n    plugin: !ref 'environment:plugins:feature-classifier'\n"
        "    action: classify_sklearn\n    parameters:\n    -   classifier: silva-138-99-nb-classifier.qza\n"
        "environment:\n    framework:\n        version: 2020.2.0\n    plugins:\n        feature-classifier:\n"
        "            version: 2020.2.0\n    python-packages:\n        deblur: 1.1.0\n        greengenes: 1\n"
    )
    deblur = classify.replace("feature-classifier", "deblur").replace("classify_sklearn", "denoise_16S")
    said = profiler_of([read_action(deblur.replace("silva-138-99-nb-classifier.qza", "x")), read_action(classify)])
    assert said == "Deblur 2020.2.0; feature-classifier classify-sklearn 2020.2.0, silva-138-99-nb-classifier.qza"


def test_a_generating_program_cannot_write_lines_of_its_own() -> None:
    assert generated_line("x\n\x1b[31mred", "2026-01-02T03:04") == "made by x [31mred, 2026-01-02"
    assert generated_line(None, "2026-01-02") == ""
