"""`biflora cohort` and `biflora profile --out` from the terminal: all is written, or one sentence said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from biflora.cli.cohort import cohort
from biflora.cli.profile import profile
from biflora.errors import BifloraError, NameAnother, TrialistMust
from made_up_trial import made_up_trial

app = typer.Typer()
app.command("cohort")(cohort)
app.command("profile")(profile)
DESIGN = ("--site", "skin", "--formula", "arm * C(visit)", "--subject", "person", "--time", "visit")


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_folder_holds_report_tables_and_figures(tmp_path: Path) -> None:
    table, people = made_up_trial(tmp_path)
    out = tmp_path / "out"
    shown = run("cohort", table, people, *DESIGN, "--against", "score", "--permutations", "99", "--out", out)
    assert shown.exit_code == 0, shown.output
    names = {path.name for path in out.iterdir()}
    assert {"cohort.json", "report.html", "report.pdf", "permanova.csv", "samples.csv", "taxa.csv", "scores.csv",
            "diversity.csv", "ratios.csv", "ordination.svg", "ordination.csv"} <= names  # fmt: skip
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    assert len((out / "samples.csv").read_text().splitlines()) == 49  # 48 samples and the header
    html = (out / "report.html").read_text()
    assert "Malassezia (yeast): not measured in every sample" in html
    assert "rises with score" in html
    found = json.loads((out / "cohort.json").read_text())
    assert [row["term"] for row in found["permanova"]["rows"]] == ["arm", "visit", "arm:visit"]
    assert "not a medical device" in html or "no medical device" in html


def test_equal_input_and_seed_give_an_equal_answer(tmp_path: Path) -> None:
    table, people = made_up_trial(tmp_path)
    answers = [run("cohort", table, people, *DESIGN, "--permutations", "49", "--json").output for _ in range(2)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        (("--blocks", "visit"), TrialistMust, "changes within a subject"),
        (("--where", "visit"), NameAnother, "COLUMN=VALUE"),
        (("--against", "arm"), NameAnother, "no numbers"),
        (("--load", "arm=3"), BifloraError, "number is expected"),
        (("--distance", "weighted_unifrac"), TrialistMust, "--tree"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, changed: tuple[str, ...], kind: type[BifloraError], words: str
) -> None:
    table, people = made_up_trial(tmp_path)
    out = tmp_path / "out"
    shown = run("cohort", table, people, *DESIGN, "--permutations", "49", "--out", out, *changed)
    assert isinstance(shown.exception, kind), shown.exception
    assert words in str(shown.exception)
    assert not out.exists()


def test_a_level_that_is_not_there_stops_the_models_and_is_told(tmp_path: Path) -> None:
    table, people = made_up_trial(tmp_path)
    shown = run("cohort", table, people, *DESIGN, "--permutations", "49", "--reference", "arm=Z", "--json")
    assert "no level" in " ".join(json.loads(shown.output)["not_done"])


def test_a_profile_is_written_as_data_page_and_paper(tmp_path: Path) -> None:
    path = tmp_path / "skin.csv"
    path.write_text("sample,taxon,count\ns1,Staphylococcus aureus,900\ns1,Cutibacterium acnes,4100\n")
    out = tmp_path / "out"
    shown = run("profile", path, "--site", "skin", "--body-site", "cheek", "--age", "30", "--out", out)
    assert shown.exit_code == 0, shown.output
    assert {p.name for p in out.iterdir()} == {"profile.json", "profile.html", "profile.pdf"}
    data = json.loads((out / "profile.json").read_text())
    assert data["body_site"] == "cheek"
    assert data["placement"]["state"] == "no comparable reference"
    assert "No comparable reference" in shown.output


def test_blanks_of_the_run_name_contaminants_of_the_sample(tmp_path: Path) -> None:
    table, rows = tmp_path / "run.tsv", tmp_path / "rows.csv"
    names = [f"blank{i}" for i in range(5)] + [f"P{i}" for i in range(10)]
    table.write_text(
        "\t".join(["#OTU ID", *names]) + "\n"
        + "\t".join(["Ralstonia pickettii", *["50"] * 5, "300", *["0"] * 9]) + "\n"
        + "\t".join(["Cutibacterium acnes", *["0"] * 5, *["7000"] * 10]) + "\n"
    )  # fmt: skip
    rows.write_text(
        "sample,kind\n" + "".join(f"{n},{'blank' if n.startswith('b') else 'person'}\n" for n in names)
    )
    shown = run("profile", table, "--site", "skin", "--sample", "P0", "--descriptions", rows, "--control",
                "kind=blank")  # fmt: skip
    assert "Ralstonia" in shown.output
    with_nothing = run("profile", table, "--site", "skin", "--sample", "P0", "--control", "kind=blank")
    assert isinstance(with_nothing.exception, NameAnother)
