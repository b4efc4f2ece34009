"""`biflora controls` and `biflora change` from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from biflora.cli.quality import change, controls
from biflora.errors import NameAnother, OperatorMust

app = typer.Typer()
app.command("controls")(controls)
app.command("change")(change)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "run.tsv"
    names = [f"blank_{i}" for i in range(4)] + [f"P{i}" for i in range(8)]
    path.write_text(
        "\t".join(["#OTU ID", *names])
        + "\n"
        + "\t".join(["Ralstonia pickettii", *["50"] * 4, "300", *["0"] * 7])
        + "\n"
        + "\t".join(["Cutibacterium acnes", "5", *["0"] * 3, *["700"] * 8])
        + "\n"
    )
    return path


def samples(tmp_path: Path) -> list[str]:
    paths = []
    for name, akkermansia in (("early", 4), ("late", 40_000)):
        path = tmp_path / f"{name}.csv"
        path.write_text(
            f"sample,taxon,count\nS,Akkermansia muciniphila,{akkermansia}\n"
            f"S,Prevotella copri,{100_000 - akkermansia}\n"
        )
        paths.append(str(path))
    return paths


def test_controls_names_suspects_and_takes_nothing_out(table: Path) -> None:
    shown = run("controls", str(table))
    assert shown.exit_code == 0, shown.output
    assert "Ralstonia pickettii" in shown.output
    assert "Nothing was taken out" in shown.output


def test_a_table_without_suspects_is_written_only_when_asked_for(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean.tsv"
    shown = run("controls", str(table), "--remove", "suspects", "--out", str(out))
    assert shown.exit_code == 0, shown.output
    assert "without 1 taxa: Ralstonia pickettii" in " ".join(shown.output.split())
    assert "Ralstonia" not in out.read_text()
    for half in (["--remove", "suspects"], ["--out", str(out)]):
        assert isinstance(run("controls", str(table), *half).exception, NameAnother)
    nowhere = str(tmp_path / "no" / "clean.tsv")
    refused = run("controls", str(table), "--remove", "suspects", "--out", nowhere)
    assert isinstance(refused.exception, OperatorMust)


def test_controls_as_json_holds_everything(table: Path) -> None:
    told = json.loads(run("controls", str(table), "--sample", "P0", "--json").output)
    assert [taxon["suspect_by"] for taxon in told["controls"]["taxa"]] == [["prevalence"], []]
    assert told["of_sample"][0]["rule"] == "suspects_in_sample"
    assert told["removed"] == []


def test_change_shows_verdicts_and_the_given_species(tmp_path: Path) -> None:
    shown = run(
        "change", *samples(tmp_path), "--site", "gut", "--on", "2026-01-01", "--on", "2026-01-15",
        "--strain", "Akkermansia muciniphila",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.output.split())
    assert "14 days apart" in text
    assert "A species is not a strain" in text


def test_change_as_json(tmp_path: Path) -> None:
    told = json.loads(run("change", *samples(tmp_path), "--site", "gut", "--json").output)
    assert len(told["steps"]) == 1
    assert told["course"] is None
    assert told["engraftment"] is None


@pytest.mark.parametrize("more", [["--on", "2026-01-01"], ["--sample", "S"], ["--on", "first", "--on", "second"]])
def test_options_that_do_not_fit_the_files_are_refused(tmp_path: Path, more: list[str]) -> None:
    assert isinstance(run("change", *samples(tmp_path), "--site", "gut", *more).exception, NameAnother)


def test_one_file_alone_is_refused(tmp_path: Path) -> None:
    assert isinstance(run("change", samples(tmp_path)[0], "--site", "gut").exception, NameAnother)
