"""Files from outside are read in a process of their own: it may loop or break, the clinic goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import pytest

from biflora.clinic.reading import read_apart
from biflora.errors import BifloraError, LaboratoryMust
from biflora.profile.patient import Condition, Patient
from biflora.profile.read import read_profile

PATIENT = Patient(patient_id="T1", age_years=30, condition=Condition.ATOPIC_DERMATITIS, synthetic=True)
TABLE = "sample_id,taxon,count\nS1,Staphylococcus aureus,600\nS1,Cutibacterium acnes,400\n"


def written(tmp_path: Path, name: str, content: str) -> Path:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_a_good_file_gives_the_same_profile_as_reading_it_here(tmp_path: Path) -> None:
    path = written(tmp_path, "skin.csv", TABLE)
    assert read_apart(PATIENT, skin=path) == read_profile(PATIENT, skin=path)


def test_the_childs_error_is_ours_with_file_and_mend(tmp_path: Path) -> None:
    path = written(tmp_path, "letter.txt", "Dear colleague, the sample was lost.\n")
    with pytest.raises(LaboratoryMust, match=r"letter\.txt"):
        read_apart(PATIENT, gut=path)


def test_a_reader_that_never_ends_is_stopped_and_told(tmp_path: Path) -> None:
    """The child would run for 60 s; it has 0.3 s."""
    path = written(tmp_path, "skin.csv", TABLE)
    slow = (sys.executable, "-c", "import time; time.sleep(60)")
    with pytest.raises(LaboratoryMust, match=r"skin\.csv: reading took longer than 0\.3 s") as problem:
        read_apart(PATIENT, skin=path, seconds=0.3, reader=slow)
    assert "another format" in str(problem.value)


def test_a_reader_that_dies_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "skin.csv", TABLE)
    dying = (sys.executable, "-c", "import os; os.abort()")
    with pytest.raises(LaboratoryMust, match="the reader broke"):
        read_apart(PATIENT, skin=path, reader=dying)


def test_a_biom_with_flipped_bytes_ends_with_a_sentence(tmp_path: Path) -> None:
    """An HDF5 file whose object headers are overwritten; whatever the library does, the clinic gets a sentence."""
    path = tmp_path / "table.biom"
    with h5py.File(path, "w") as file:
        file.attrs["format-version"] = (2, 1)
        file.create_dataset("observation/ids", data=[b"Staphylococcus aureus"] * 200)
    content = bytearray(path.read_bytes())
    for place in range(96, len(content), 37):
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(BifloraError, match=r"table\.biom"):
        read_apart(PATIENT, skin=path, seconds=8)
