"""The terminal as its user meets it: real processes, exit statuses, one clear sentence for bad input."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BIFLORA = Path(sys.executable).with_name("biflora")

PATIENT = """
patient_id = "terminal-1"
age_years = 34
sex = "female"
condition = "atopic_dermatitis"
pregnancy = "no"
immune_status = "normal"
state = "CA"
allergies = ["parabens"]
synthetic = true

[scores]
scorad = 52
easi = 21

[[sites]]
site = "flexures"
area_percent_bsa = 6
"""

LONG_CSV = """sample,taxon,count
S1,Staphylococcus aureus,5200
S1,Staphylococcus epidermidis,1800
S1,Cutibacterium acnes,1400
S1,Corynebacterium tuberculostearicum,600
"""


def biflora(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIFLORA, *map(str, words)], cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ}
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "patient.toml").write_text(PATIENT)
    (tmp_path / "skin.csv").write_text(LONG_CSV)
    return tmp_path


def files_in(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def test_a_plan_is_written_and_printed_as_the_same_json(desk: Path) -> None:
    done = biflora("plan", "--patient", "patient.toml", "--skin", "skin.csv", "--out", "plan", "--json", cwd=desk)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed == json.loads((desk / "plan" / "plan.json").read_text())
    assert (desk / "plan" / "report.html").read_text().startswith("<!doctype html>")
    assert (desk / "plan" / "report.pdf").read_bytes().startswith(b"%PDF-")
    assert files_in(desk / "plan") == {"plan.json", "report.html", "report.pdf"}
    ids = {printed[room]["id"] for room in ("profile", "forecast", "plan", "formula")}
    assert len(ids) == 4
    assert printed["profile"]["id"] in printed["forecast"]["parent_ids"]


def test_a_red_flag_stops_with_status_1_and_says_why(desk: Path) -> None:
    (desk / "patient.toml").write_text(
        PATIENT.replace('state = "CA"', 'state = "CA"\nsigns = ["punched_out_erosions"]')
    )
    done = biflora("plan", "--patient", "patient.toml", "--out", "plan", "--json", cwd=desk)
    assert done.returncode == 1
    plan = json.loads(done.stdout)["plan"]
    assert any(flag["level"] == "stop" and flag["source"] for flag in plan["red_flags"])
    assert plan["needs"] is None


BAD_PATIENTS = {
    "no condition": (PATIENT.replace('condition = "atopic_dermatitis"\n', ""), "condition"),
    "an impossible score": (PATIENT.replace("scorad = 52", "scorad = 152"), "scorad"),
    "an unknown allergy": (PATIENT.replace("parabens", "parrabenz"), "paraben"),
    "an unknown field": (PATIENT.replace("sex =", "sexx ="), "sexx"),
    "broken TOML": (PATIENT + "\n[[[", "patient.toml"),
}


@pytest.mark.parametrize("what", BAD_PATIENTS)
def test_a_bad_patient_is_refused_in_one_message_and_nothing_is_written(what: str, desk: Path) -> None:
    text, word = BAD_PATIENTS[what]
    (desk / "patient.toml").write_text(text)
    before = files_in(desk)
    done = biflora("plan", "--patient", "patient.toml", "--out", "plan", cwd=desk)
    assert done.returncode == 2
    assert word.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert files_in(desk) == before


BAD_TABLES = {
    "foreign": b"%PDF-1.7 not a table",
    "picture": b"\x89PNG\r\n\x1a\n\x00\x00",
    "empty": b"",
    "negative": b"sample,taxon,count\nS1,Staphylococcus aureus,-4\nS1,Cutibacterium acnes,9\n",
    "not finite": b"sample,taxon,count\nS1,Staphylococcus aureus,nan\nS1,Cutibacterium acnes,9\n",
    "all zero": b"sample,taxon,count\nS1,Staphylococcus aureus,0\n",
    "two samples": b"sample,taxon,count\nS1,Staphylococcus aureus,4\nS2,Cutibacterium acnes,9\n",
}


@pytest.mark.parametrize("what", BAD_TABLES)
def test_a_bad_table_is_refused_in_one_message_and_nothing_is_written(what: str, desk: Path) -> None:
    (desk / "skin.csv").write_bytes(BAD_TABLES[what])
    before = files_in(desk)
    done = biflora("plan", "--patient", "patient.toml", "--skin", "skin.csv", "--out", "plan", cwd=desk)
    assert done.returncode == 2, done.stderr
    assert "skin.csv" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_in(desk) == before


def test_an_absent_file_and_an_absent_sample_are_named(desk: Path) -> None:
    gone = biflora("profile", "nowhere.biom", "--site", "skin", cwd=desk)
    assert (gone.returncode, "nowhere.biom" in gone.stderr) == (2, True)
    absent = biflora("profile", "skin.csv", "--site", "skin", "--sample", "S7", cwd=desk)
    assert (absent.returncode, "S1" in absent.stderr) == (2, True)


def test_knowledge_is_in_order_and_the_version_names_the_release(desk: Path) -> None:
    check = biflora("knowledge", "check", cwd=desk)
    assert check.returncode == 0, check.stdout + check.stderr
    assert "2026.4" in biflora("--version", cwd=desk).stdout


@pytest.mark.parametrize(
    "words",
    [(), ("plan",), ("profile",), ("formula", "design"), ("formula", "check"), ("twin", "forecast"),
     ("trial", "replicate"), ("knowledge", "check"), ("serve",)],
)  # fmt: skip
def test_every_command_has_help_with_an_example(words: tuple[str, ...], desk: Path) -> None:
    done = biflora(*words, "--help", cwd=desk)
    assert done.returncode == 0
    assert "Example: biflora" in done.stdout


def test_bad_usage_is_status_2(desk: Path) -> None:
    assert biflora("profile", "skin.csv", "--site", "elbow", cwd=desk).returncode == 2
    assert biflora("trial", "replicate", "no-such-trial", cwd=desk).returncode == 2


def test_the_missing_gut_file_widens_nothing_silently(desk: Path) -> None:
    """Without the gut file the plan lists what it could not know."""
    done = biflora("plan", "--patient", "patient.toml", "--skin", "skin.csv", "--out", "plan", "--json", cwd=desk)
    not_known = " ".join(json.loads(done.stdout)["plan"]["not_known"]).lower()
    assert "gut" in not_known


BAD_FOLDERS = {"a file": "patient.toml", "below a file": "patient.toml/plan", "an endless name": "y" * 300}


@pytest.mark.parametrize("what", BAD_FOLDERS)
def test_an_impossible_folder_is_refused_before_any_work(what: str, desk: Path) -> None:
    before = files_in(desk)
    done = biflora("plan", "--patient", "patient.toml", "--out", BAD_FOLDERS[what], "--json", cwd=desk)
    assert (done.returncode, done.stdout) == (2, "")
    assert "name another one with --out" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_in(desk) == before
    assert (desk / "patient.toml").read_text() == PATIENT


def test_other_files_in_the_folder_survive(desk: Path) -> None:
    (desk / "plan").mkdir()
    (desk / "plan" / "notes.txt").write_text("keep me")
    assert biflora("plan", "--patient", "patient.toml", "--out", "plan", cwd=desk).returncode == 0
    assert files_in(desk / "plan") == {"notes.txt", "plan.json", "report.html", "report.pdf"}
    assert (desk / "plan" / "notes.txt").read_text() == "keep me"


def test_a_folder_in_the_place_of_a_file_leaves_everything_as_it_was(desk: Path) -> None:
    (desk / "plan" / "report.pdf").mkdir(parents=True)
    done = biflora("plan", "--patient", "patient.toml", "--out", "plan", cwd=desk)
    assert (done.returncode, "report.pdf" in done.stderr) == (2, True)
    assert files_in(desk / "plan") == {"report.pdf"}


def test_ctrl_c_while_the_formula_is_designed_writes_nothing(desk: Path) -> None:
    """The solver must not swallow the signal and let the plan be written with what it had."""
    words = [BIFLORA, "plan", "--patient", "patient.toml", "--skin", "skin.csv", "--out", "plan"]
    screen, keyboard = pty.openpty()
    with subprocess.Popen(words, cwd=desk, stdout=subprocess.PIPE, stderr=keyboard, text=True) as running:
        os.close(keyboard)
        seen = ""
        while "Designing" not in seen:
            seen += os.read(screen, 4096).decode(errors="replace")
        running.send_signal(signal.SIGINT)
        printed = running.stdout.read() if running.stdout else ""
    os.close(screen)
    assert running.returncode == 130
    assert printed == ""
    assert not (desk / "plan").exists()


def test_progress_is_for_a_terminal_only(desk: Path) -> None:
    """The test above saw the steps on a terminal; into a pipe goes the result alone."""
    done = biflora("plan", "--patient", "patient.toml", "--out", "plan", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Designing the formula" not in done.stdout


@pytest.mark.parametrize("columns", ["80", "100"])
def test_no_number_is_cut_or_broken_on_a_narrow_terminal(columns: str, desk: Path) -> None:
    done = subprocess.run(
        [BIFLORA, "twin", "forecast", "patient.toml"], cwd=desk, capture_output=True, text=True, timeout=120,
        env={**os.environ, "COLUMNS": columns},
    )  # fmt: skip
    assert done.returncode == 0
    assert "…" not in done.stdout
    lines = done.stdout.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("SCORAD")) + 2
    for arm, line in zip(("Standard care", "Oral", "Topical", "Both"), lines[first : first + 4], strict=True):
        assert re.fullmatch(rf"{arm} +\d+ \(\d+–\d+\)", line.rstrip())
    assert "-0" not in done.stdout


def test_what_the_optimiser_wrote_the_checker_reads(desk: Path) -> None:
    planned = biflora("plan", "--patient", "patient.toml", "--out", "plan", "--json", cwd=desk)
    formula = json.loads(planned.stdout)["formula"]
    (desk / "formula.json").write_text(json.dumps(formula))
    checked = biflora("formula", "check", "formula.json", "--json", cwd=desk)
    assert checked.returncode == 0, checked.stdout
    assert all(finding["level"] != "stop" for finding in json.loads(checked.stdout))


TRIAL = {
    "label": "made up", "baseline": {"scorad": {"mean": 45, "sd": 13}},
    "arms": [
        {"name": "care", "n": 20, "interventions": [{"name": "emollient"}]},
        {"name": "oral", "n": 20, "interventions": [{"name": "emollient"}, {"name": "oral_probiotic"}]},
    ],
    "endpoints": [{"observable": "scorad", "week": 4}],
}  # fmt: skip


def test_a_trial_is_predicted_and_an_unknown_intervention_is_refused(desk: Path) -> None:
    (desk / "trial.json").write_text(json.dumps(TRIAL))
    done = biflora("twin", "predict-trial", "trial.json", "--json", cwd=desk)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {arm["arm"] for arm in found["arms"]} == {"care", "oral"}
    (desk / "bad.json").write_text(json.dumps(TRIAL).replace("oral_probiotic", "moon_water"))
    refused = biflora("twin", "predict-trial", "bad.json", cwd=desk)
    assert refused.returncode == 2
    assert "'moon_water' is no intervention" in refused.stderr


def test_a_later_visit_moves_the_forecast_in_the_terminal(desk: Path) -> None:
    seen = {"observations": [{"week": 4, "observable": "scorad", "value": 15, "arm": "standard_care"}]}
    (desk / "visits.json").write_text(json.dumps(seen))

    def median(*more: str) -> float:
        done = biflora("twin", "forecast", "patient.toml", "--json", *more, cwd=desk)
        assert done.returncode == 0, done.stderr
        course = next(c for c in json.loads(done.stdout)["courses"] if c["arm"] == "standard_care")
        return float(course["bands"][12]["median"])

    assert median("--observations", "visits.json") < median() - 3
    (desk / "visits.json").write_text(json.dumps(seen).replace("scorad", "mood"))
    refused = biflora("twin", "forecast", "patient.toml", "--observations", "visits.json", cwd=desk)
    assert refused.returncode == 2
    assert "'mood' is no observable" in refused.stderr


def test_ctrl_c_that_a_library_swallowed_still_ends_the_work() -> None:
    from biflora.cli import terminal

    reached = []

    def work() -> None:
        with terminal.working("Reading") as say:
            with contextlib.suppress(BaseException):  # as an import guarded by a bare except would
                signal.raise_signal(signal.SIGINT)
            reached.append("reading")
            say("Writing")
            reached.append("writing")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["reading"]


@pytest.mark.parametrize(
    "words",
    [("twin", "calibrate", "--out"), ("twin", "validate", "--report"), ("twin", "export", "--sbml")],
    ids=lambda words: words[1],
)
def test_a_file_that_cannot_be_written_is_refused_before_any_work(words: tuple[str, ...], desk: Path) -> None:
    # minutes of work would stand behind calibrate and validate: the time limit of the test is the witness
    before = files_in(desk)
    for place, why in (("no/such/folder.x", "folder does not exist"), (".", "a folder stands there")):
        done = biflora(*words, place, cwd=desk)
        assert done.returncode == 2
        assert why in done.stderr
        assert f"name another one with {words[-1]}" in done.stderr
    assert files_in(desk) == before
