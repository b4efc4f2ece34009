"""One table as BIOM 1, BIOM 2.1, QIIME 2 artifact and TSV: the profiles are equal to the last bit."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import biom
import h5py
import numpy as np
import pytest

from biflora.profile.profile import SiteProfile
from biflora.profile.sample import profile_site

CHEN = "ad_skin_southafrica_chen2025/3_209766_feature_table_dedup_prev-filt-"
UUID = "0a1b2c3d-0000-4000-8000-00000000abcd"
LINEAGES = (
    "k__Bacteria; p__Firmicutes; c__Bacilli; o__Bacillales; f__Staphylococcaceae; g__Staphylococcus; s__aureus",
    "k__Bacteria; p__Firmicutes; c__Bacilli; o__Bacillales; f__Staphylococcaceae; g__Staphylococcus; s__hominis",
    "k__Bacteria; p__Actinobacteria; c__Actinobacteria; o__Actinomycetales; f__Propionibacteriaceae; "
    "g__Propionibacterium; s__acnes",
    "k__Bacteria; p__Firmicutes; c__Clostridia; o__Clostridiales; f__Lachnospiraceae; g__; s__",
)


def hdf5(table: biom.Table, path: Path) -> Path:
    with h5py.File(path, "w") as file:
        table.to_hdf5(file, "biom-format, in a test")
    return path


def qza(biom_file: Path, path: Path) -> Path:
    """The artifact that `qiime tools import` makes of a BIOM file, with its checksums."""
    inside = {
        "metadata.yaml": f"uuid: {UUID}\ntype: FeatureTable[Frequency]\nformat: BIOMV210DirFmt\n".encode(),
        "data/feature-table.biom": biom_file.read_bytes(),
    }
    sums = "".join(f"{hashlib.md5(c, usedforsecurity=False).hexdigest()}  {n}\n" for n, c in inside.items())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**inside, "checksums.md5": sums.encode()}.items():
            archive.writestr(f"{UUID}/{name}", content)
    return path


def what_it_says(site: SiteProfile) -> dict[str, Any]:
    """All but the file's own name, hash, format and provenance, and what follows from them (id)."""
    said = site.model_dump()
    for field in ("id", "file_name", "file_sha256", "format", "recognised_because", "provenance", "profiler"):
        said.pop(field)
    for finding in said["findings"]:
        finding.pop("subject")  # some findings are about the file and name it
    return said


def test_a_table_with_taxonomy_through_biom_format(tmp_path: Path) -> None:
    """biom-format writes all four; numbers with awkward decimals would show a path that rounds."""
    random = np.random.default_rng(5)
    counts = random.integers(0, 4000, (4, 3)).astype(float)
    counts[3, 0] = 0
    table = biom.Table(
        counts, [f"ASV{i}" for i in range(4)], ["S1", "S2", "S3"],
        observation_metadata=[{"taxonomy": line.split("; ")} for line in LINEAGES],
    )  # fmt: skip
    (tmp_path / "t.json").write_text(table.to_json("biom-format, in a test"))
    tsv = table.to_tsv(header_key="taxonomy", header_value="taxonomy", metadata_formatter="; ".join)
    (tmp_path / "t.tsv").write_text(tsv)
    second = hdf5(table, tmp_path / "t.biom")
    paths = [tmp_path / "t.json", second, qza(second, tmp_path / "t.qza"), tmp_path / "t.tsv"]
    for sample in ("S1", "S2", "S3"):
        sites = [profile_site(path, "skin", sample=sample) for path in paths]
        assert [what_it_says(site) for site in sites[1:]] == [what_it_says(sites[0])] * 3
        place = ["S1", "S2", "S3"].index(sample)
        aureus = next(taxon for taxon in sites[0].taxa if taxon.name == "Staphylococcus aureus")
        assert aureus.share == counts[0, place] / counts[:, place].sum()
    assert {site.format for site in sites} == {
        "BIOM 1.0 (JSON)", "BIOM 2.1 (HDF5)", "QIIME 2 artifact (FeatureTable[Frequency])", "OTU table (TSV)",
    }  # fmt: skip


def test_the_atopic_children_s_table_from_its_four_real_files(shared_data: Path, tmp_path: Path) -> None:
    """JSON and TSV hold the 10 % filter, BIOM 2 and qza all ASVs: these two are cut to the filter's ASVs."""
    one = shared_data / (CHEN + "10pct_json.biom")
    kept = biom.load_table(str(one)).ids("observation")
    whole = biom.load_table(str(shared_data / (CHEN + "0pct.biom")))
    with zipfile.ZipFile(shared_data / (CHEN + "0pct.qza")) as archive:
        inner = next(name for name in archive.namelist() if name.endswith(".biom"))
        (tmp_path / "inner.biom").write_bytes(archive.read(inner))
    artifact = biom.load_table(str(tmp_path / "inner.biom"))
    second = hdf5(whole.filter(kept, axis="observation", inplace=False), tmp_path / "second.biom")
    third = hdf5(artifact.filter(kept, axis="observation", inplace=False), tmp_path / "third.biom")
    paths = [one, second, qza(third, tmp_path / "third.qza"), shared_data / (CHEN + "10pct.tsv")]
    samples = [str(name) for name in biom.load_table(str(one)).ids()]
    for sample in samples[::60]:
        if biom.load_table(str(one)).data(sample, dense=True).sum() == 0:
            continue
        sites = [profile_site(path, "skin", sample=sample) for path in paths]
        assert [what_it_says(site) for site in sites[1:]] == [what_it_says(sites[0])] * 3
        assert sites[0].taxa


@pytest.mark.parametrize("sample", ["900344", None])
def test_the_real_biom_2_and_qza_are_one(shared_data: Path, sample: str | None) -> None:
    paths = [shared_data / (CHEN + "0pct.biom"), shared_data / (CHEN + "0pct.qza")]
    names = [str(name) for name in biom.load_table(str(paths[0])).ids()]
    chosen = sample if sample in names else names[7]
    two, artifact = (profile_site(path, "skin", sample=chosen) for path in paths)
    assert what_it_says(two) == what_it_says(artifact)
