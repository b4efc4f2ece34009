"""A few hundred cases of the mutation fuzzer in every run of the suite; the long run is `mutate.py` itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzz import mutate
from tests.fuzz.seeds import Seed, generated, taxonomies

from biflora.profile.sample import profile_site

CASES = 500


def test_damaged_files_end_in_a_profile_or_a_sentence(tmp_path: Path) -> None:
    """With the real files where this machine has them. A hang in C that the guard answers is no failure."""
    out = tmp_path / "fuzz.json"
    program = Path(mutate.__file__)
    subprocess.run(
        [sys.executable, str(program), "--cases", str(CASES), "--seed", "7", "--jobs", "2", "--out", str(out)],
        check=True,
        timeout=120,
    )
    found = json.loads(out.read_text())
    assert found["cases"] == CASES, found["notable"]
    assert [case for case in found["notable"] if not case.get("answered by the guard")] == []
    assert found["profiles"] > CASES // 20  # the mishaps are small enough that some files still read
    assert found["peak_mb_over_start"] < 1000


@pytest.mark.parametrize("seed", generated(), ids=lambda seed: seed.name)
def test_what_the_fuzzer_starts_from_reads_well(tmp_path: Path, seed: Seed) -> None:
    path = tmp_path / seed.name
    path.write_bytes(seed.content)
    assert mutate.outcome(path, "skin") == {"kind": "profile"}


@pytest.mark.parametrize("beside", taxonomies(), ids=lambda seed: seed.name)
def test_the_taxonomies_it_starts_from_name_the_table(tmp_path: Path, beside: Seed) -> None:
    table = next(seed for seed in generated() if seed.name == "run.shared")
    path = mutate.Case(table.name, table.content, beside).write(tmp_path)
    assert profile_site(path, "skin", sample="S1").taxa[0].name == "Staphylococcus aureus"


def test_the_fuzzer_sees_a_traceback_and_an_unclear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own alarm works: a reader that fails in two wrong ways is reported."""
    from biflora.errors import LaboratoryMust

    path = tmp_path / "t.csv"
    path.write_text("sample,taxon,count\nS1,Blautia obeum,3\n")

    def broken(*_: object) -> None:
        raise KeyError("count")

    def vague(*_: object) -> None:
        raise LaboratoryMust("something is wrong")

    monkeypatch.setattr("biflora.profile.readers.long.read_long", broken)
    assert mutate.outcome(path, "skin")["kind"] == "traceback"
    monkeypatch.setattr("biflora.profile.readers.long.read_long", vague)
    assert mutate.outcome(path, "skin")["kind"] == "unclear"
