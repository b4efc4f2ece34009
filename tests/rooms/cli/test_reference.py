"""`biflora reference`: add, list, show, remove and build in the operator's own folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from biflora.cli.reference import reference_app
from biflora.errors import NameAnother, OperatorMust

TABLE = "sample,taxon,count\nS1,Cutibacterium acnes,900\nS2,Staphylococcus hominis,800\n"
SAMPLES = "sample,subject,age,place\nS1,Anna,30,AC\nS2,Bert,44,AC\n"
ADD = [
    "add", "table.csv", "samples.csv", "--name", "own-elbows", "--site", "skin", "--assay", "shotgun",
    "--profiler", "Kraken2, Bracken", "--licence", "own", "--source", "our study, 2026",
    "--body-site-column", "place", "--person-column", "subject", "--all-healthy",
]  # fmt: skip
AGES = ["--age-column", "age", "--age-unit", "years"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BIFLORA_REFERENCES", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(TABLE)
    (tmp_path / "samples.csv").write_text(SAMPLES)
    return tmp_path / "kept"


def run(*words: str) -> Result:
    return CliRunner().invoke(reference_app, list(words))


def test_a_reference_is_added_listed_shown_and_removed(folder: Path) -> None:
    added = run(*ADD, *AGES)
    assert added.exit_code == 0, added.output
    assert "2 persons (healthy persons), 2 samples, 30-44 years, each person's age known" in added.output
    assert "Fewer than 40 persons at every place" in added.output
    listed = run("list")
    assert "own-elbows: 2 persons, skin, shotgun, Kraken2, Bracken; healthy persons" in listed.output
    assert "atlas1006-gut: HITChip Atlas" in listed.output  # what could be built
    shown = json.loads(run("show", "own-elbows", "--json").output)
    assert (shown["name"], shown["body_sites"]) == ("own-elbows", {"antecubital_fossa": 2})
    assert "Anna" not in json.dumps(shown) + added.output
    assert json.loads(run("list", "--json").output)[0]["name"] == "own-elbows"
    assert run("remove", "own-elbows").exit_code == 0
    assert list(folder.iterdir()) == []
    assert isinstance(run("show", "own-elbows").exception, NameAnother)


def test_the_same_name_needs_replace() -> None:
    assert run(*ADD, *AGES).exit_code == 0
    assert isinstance(run(*ADD, *AGES).exception, OperatorMust)
    assert run(*ADD, *AGES, "--replace").exit_code == 0


def test_an_age_band_is_two_numbers() -> None:
    assert run(*ADD, "--age-band", "18-77").exit_code == 0
    assert "18-77 years, ages known as a band only" in run("show", "own-elbows").output
    for words in ("18", "adults", "77-18"):
        problem = run(*ADD, "--age-band", words, "--replace").exception
        assert isinstance(problem, OperatorMust)
        assert "LOWEST-HIGHEST" in str(problem)


def test_filters_may_be_given_several_times() -> None:
    assert run(*ADD, *AGES, "--where", "subject=Anna", "--where", "subject=Bert").exit_code == 0
    assert json.loads(run("show", "own-elbows", "--json").output)["persons"] == 2
    assert run(*ADD, *AGES, "--where", "subject=Anna", "--replace", "--json").exit_code == 0
    assert json.loads(run("show", "own-elbows", "--json").output)["persons"] == 1


def test_a_damaged_reference_is_said_and_can_be_removed(folder: Path) -> None:
    run(*ADD, *AGES)
    next(folder.glob("*.npz")).write_bytes(b"damaged")
    assert isinstance(run("show", "own-elbows").exception, OperatorMust)
    (folder / "own-elbows.json").write_text("{}")
    assert "own-elbows.json" in run("list").output
    assert run("remove", "own-elbows").exit_code == 0


def test_a_ready_made_reference_is_built(shared_data: Path) -> None:
    built = run("build", "hmp2-nonibd-gut", "--from", str(shared_data / "gut_longitudinal_hmp2_metaphlan"))
    assert built.exit_code == 0, built.output
    assert "26 persons" in built.output
    assert "MIT" in built.output
    assert isinstance(run("build", "hmp2-nonibd-gut", "--from", "kept").exception, OperatorMust)
    assert isinstance(run("build", "hmp3", "--from", "kept").exception, NameAnother)
