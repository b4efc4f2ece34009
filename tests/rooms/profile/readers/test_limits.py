"""Files that would fill the memory are refused before they do; big lawful tables stay small in memory."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from biflora.clinic.reading import check_apart, read_apart
from biflora.errors import LaboratoryMust, NameAnother
from biflora.profile import sniff
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.patient import Condition, Patient
from biflora.profile.readers import numbers
from biflora.profile.sample import profile_site

MEASURE = """
    import json, sys
    from pathlib import Path
    import h5py
    from biflora.errors import BifloraError
    from biflora.profile.sample import profile_site
    def highest():  # ru_maxrss would count what the parent had when it forked
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
    before = highest()
    try:
        said = str(len(profile_site(Path(sys.argv[1]), "gut", sample=sys.argv[2]).taxa))
    except BifloraError as problem:
        said = str(problem)
    print(json.dumps({"said": said, "mb": (highest() - before) / 1024}))
"""


def measured(path: Path, sample: str) -> dict[str, Any]:
    """What reading came to, and the megabytes that it took beyond the program itself, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(path), sample],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def refused(path: Path, word: str) -> str:
    with pytest.raises(LaboratoryMust, match=word) as problem:
        profile_site(path, "gut", sample="S1")
    return str(problem.value)


@pytest.mark.parametrize("name", ["huge.biom", "huge.tsv", "huge.qza", "huge.fastq.gz"])
def test_ten_gigabytes_are_refused_by_size_before_a_byte_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(10_000_000_000)  # sparse: takes no room on the disk

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened")

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(Path, "read_bytes", opened)
    text = refused(path, r"10\.0 GB")
    assert ("raw reads" in text) == ("fastq" in name)


def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(NameAnother, match="pipe"):
        read_laboratory_file(tmp_path / "pipe.tsv")
    with pytest.raises(NameAnother, match="device"):
        read_laboratory_file(Path("/dev/zero"))


def test_a_gzip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    """1 GB of rows in 1 MB: a gzip file may have many members, here one of 10 MB a hundred times."""
    member = gzip.compress(b"S1,Blautia obeum,3\n" * 526_316)
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"sample,taxon,count\n") + member * 100)
    found = measured(tmp_path / "bomb.csv.gz", "S1")
    assert "unpacks to more than 0.3 GB" in found["said"]
    assert found["mb"] < 400


def test_a_zip_bomb_in_an_artifact_is_refused_by_its_declared_size(tmp_path: Path) -> None:
    root = "0a1b2c3d-0000-4000-8000-00000000abcd/"
    with zipfile.ZipFile(tmp_path / "bomb.qza", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(root + "metadata.yaml", "uuid: x\ntype: FeatureTable[Frequency]\n")
        with archive.open(root + "data/feature-table.biom", "w", force_zip64=True) as member:
            for _ in range(40):
                member.write(bytes(10_000_000))
    refused(tmp_path / "bomb.qza", "unpacks to 400000000 bytes")


def test_a_zip_that_lists_very_many_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for i in range(20_100):
            archive.writestr(str(i), b"")
    refused(tmp_path / "many.zip", "more than 20000 files")


def biom_2(path: Path, **parts: dict[str, Any]) -> Path:
    given: dict[str, dict[str, Any]] = {
        "observation/ids": {"data": [b"Blautia obeum", b"Roseburia faecis"]},
        "sample/ids": {"data": [b"S1"]},
        "sample/matrix/indptr": {"data": np.array([0, 2])},
        "sample/matrix/indices": {"data": np.array([0, 1])},
        "sample/matrix/data": {"data": np.array([3.0, 4.0])},
    }
    with h5py.File(path, "w") as file:
        for name, how in (given | {key.replace("__", "/"): value for key, value in parts.items()}).items():
            file.create_dataset(name, **how)
    return path


@pytest.mark.parametrize(
    ("part", "how"),
    [
        ("sample__matrix__data", {"shape": (10**12,), "dtype": "f8", "chunks": (1000,)}),
        ("sample__matrix__indices", {"shape": (10**11,), "dtype": "i4", "chunks": (1000,), "compression": "gzip"}),
        ("sample__ids", {"shape": (10**9,), "dtype": "S10", "chunks": (1000,)}),
        ("observation__ids", {"shape": (400_000,), "dtype": "S4", "chunks": (1000,)}),
        ("observation__metadata__taxonomy", {"shape": (2, 10**9), "dtype": "S10", "chunks": (2, 100)}),
        ("observation__ids", {"shape": (2,), "dtype": "S200000000", "chunks": (1,)}),
    ],
)
def test_hdf5_that_declares_more_than_memory_is_refused_by_its_shape(
    tmp_path: Path, part: str, how: dict[str, Any]
) -> None:
    refused(biom_2(tmp_path / "t.biom", **{part: how}), "holds more than")


def test_hdf5_that_points_out_of_itself_is_refused(tmp_path: Path) -> None:
    """A link or an external storage could name any file on the computer that reads."""
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"S1passwd")
    outside = {"shape": (1,), "dtype": "S8", "external": [(str(secret), 0, 8)]}
    assert "passwd" not in refused(biom_2(tmp_path / "a.biom", sample__ids=outside), "damaged")
    biom_2(tmp_path / "other.biom")
    biom_2(tmp_path / "b.biom")
    with h5py.File(tmp_path / "b.biom", "r+") as file:
        del file["sample/ids"]
        file["sample/ids"] = h5py.ExternalLink(str(tmp_path / "other.biom"), "/sample/ids")
    refused(tmp_path / "b.biom", "damaged")


def test_an_index_that_runs_backwards_is_not_followed(tmp_path: Path) -> None:
    wrong = biom_2(
        tmp_path / "t.biom", sample__ids={"data": [b"S1", b"S2"]}, sample__matrix__indptr={"data": [0, 5, 2]}
    )
    refused(wrong, "does not fit the list of samples")


def test_json_whose_shape_is_not_its_table(tmp_path: Path) -> None:
    table = {
        "format": "Biological Observation Matrix 1.0.0", "matrix_type": "sparse", "shape": [10**12, 10**12],
        "rows": [{"id": "Blautia obeum"}], "columns": [{"id": "S1"}], "data": [[0, 0, 5]],
    }  # fmt: skip
    (tmp_path / "t.biom").write_text(json.dumps(table))
    refused(tmp_path / "t.biom", "'shape' does not fit")
    (tmp_path / "t.biom").write_text(json.dumps({**table, "shape": [1, 1], "data": [[10**12, 0, 5]]}))
    refused(tmp_path / "t.biom", "points beyond rows or columns")
    many = '{"matrix_type": "dense", "rows": [' + "{}," * 700_000 + "{}]}"
    (tmp_path / "t.biom").write_text(many)
    refused(tmp_path / "t.biom", "holds more than")


def test_a_line_of_very_many_cells_is_not_split(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("#OTU ID" + "\tS" * (numbers.MOST_COLUMNS + 1) + "\n")
    refused(tmp_path / "t.tsv", "cells; send the one")


def test_wide_letters_have_a_smaller_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniff, "LARGEST_WIDE_TEXT", 1000)
    (tmp_path / "t.tsv").write_text("taxon\tS1\n" + "Blautia \U0001f9eb\t5\n" * 100, encoding="utf-8")
    refused(tmp_path / "t.tsv", "not plain ASCII")


def test_spent_memory_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spent(*_: object) -> None:
        raise MemoryError

    (tmp_path / "t.csv").write_text("sample,taxon,count\nS1,Blautia obeum,3\n")
    monkeypatch.setattr("biflora.profile.readers.long.read_long", spent)
    refused(tmp_path / "t.csv", "needs more memory")


@pytest.mark.parametrize("form", ["hdf5", "json", "tsv"])
def test_a_thousand_samples_by_two_thousand_taxa_stay_small(tmp_path: Path, form: str) -> None:
    """200,000 values above zero: as numbers with two indices they are 5 MB, the profile may take 100 MB.

    The full size (5,000 taxa) is measured by benchmarks/profile.py.
    """
    random = np.random.default_rng(3)
    taxa, samples = np.divmod(np.sort(random.choice(2_000_000, 200_000, replace=False)), 1000)
    reads = random.integers(1, 5000, 200_000)
    path = tmp_path / "t.biom"
    if form == "json":
        table = {
            "format": "Biological Observation Matrix 1.0.0", "matrix_type": "sparse", "shape": [2000, 1000],
            "rows": [{"id": f"F{i}"} for i in range(2000)], "columns": [{"id": f"S{i}"} for i in range(1000)],
            "data": np.column_stack([taxa, samples, reads]).tolist(),
        }  # fmt: skip
        path.write_text(json.dumps(table))
    elif form == "hdf5":
        order = np.lexsort((taxa, samples))
        starts = np.concatenate([[0], np.cumsum(np.bincount(samples, minlength=1000))])
        biom_2(
            path,
            observation__ids={"data": [f"F{i}".encode() for i in range(2000)]},
            sample__ids={"data": [f"S{i}".encode() for i in range(1000)]},
            sample__matrix__indptr={"data": starts},
            sample__matrix__indices={"data": taxa[order], "compression": "gzip"},
            sample__matrix__data={"data": reads[order].astype(float), "compression": "gzip"},
        )
    else:
        dense = np.zeros((2000, 1000), dtype=int)
        dense[taxa, samples] = reads
        lines = (f"F{i}\t" + "\t".join(map(str, row)) for i, row in enumerate(dense.tolist()))
        path.write_text("#OTU ID\t" + "\t".join(f"S{i}" for i in range(1000)) + "\n" + "\n".join(lines) + "\n")
    found = measured(path, "S17")
    assert found["said"] == str(int((samples == 17).sum()))  # every taxon of the sample, counted apart
    assert found["mb"] < 100


def test_the_child_that_reads_has_a_memory_limit(tmp_path: Path) -> None:
    """A child that asks for 3 GB gets a MemoryError, and the clinic a sentence."""
    path = biom_2(tmp_path / "t.biom")
    program = (
        "import biflora.clinic.reading as reading, biflora.profile.laboratory_file as file\n"
        "file.read_laboratory_file = lambda path: bytearray(3_000_000_000)\n"
        "reading.main()\n"
    )
    with pytest.raises(LaboratoryMust, match=r"t\.biom: reading needs more than 0.9 GB"):
        check_apart(path, reader=(sys.executable, "-c", program))


def test_a_file_is_checked_apart_before_it_is_read_here(tmp_path: Path) -> None:
    """HDF5 is read in a child, which may loop or die; a text is not, so that a broken child is not even asked."""
    dying = (sys.executable, "-c", "import os; os.abort()")
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    good = biom_2(tmp_path / "t.biom")
    check_apart(good)
    with pytest.raises(LaboratoryMust, match=r"t\.biom: the reader broke"):
        check_apart(good, reader=dying)
    with pytest.raises(LaboratoryMust, match=r"t\.biom: reading took longer than 0\.3 s"):
        check_apart(good, seconds=0.3, reader=slow)
    (tmp_path / "cut.biom").write_bytes(good.read_bytes()[:900])
    with pytest.raises(LaboratoryMust, match=r"cut\.biom: the HDF5 file is cut off"):
        check_apart(tmp_path / "cut.biom")
    (tmp_path / "t.csv").write_text("sample,taxon,count\nS1,Blautia obeum,3\n")
    check_apart(tmp_path / "t.csv", reader=dying)
    check_apart(tmp_path / "none.biom", reader=dying)


def test_errors_from_the_child_keep_their_kind(tmp_path: Path) -> None:
    patient = Patient(patient_id="T1", age_years=30, condition=Condition.ATOPIC_DERMATITIS, synthetic=True)
    with pytest.raises(NameAnother, match="no such file"):
        read_apart(patient, gut=tmp_path / "none.csv")
