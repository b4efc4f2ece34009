"""Formulas for many patients: real processes, killed and stopped for real, and the file that is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from biflora.formula.batch import Job, MadeWith, Result, design_all, design_one, jobs_of
from biflora.formula.formulate import formulate
from biflora.formula.read import needs_from

BIFLORA = Path(sys.executable).with_name("biflora")
PATIENTS = 40
NO_HURRY = ("--time-limit", "60")
"""On a busy machine a search that runs out of time may end elsewhere; what is compared here must not."""


def needs(number: int, **changes: Any) -> dict[str, Any]:
    """Quick to design: one vehicle without water, one or two wanted effects."""
    effects = ["barrier_repair", "hydration", "anti_itch"]
    wanted = [
        {"effect": effects[(number + n) % 3], "weight": 0.9 - 0.01 * number, "confidence": 0.8} for n in (0, 1)
    ]
    return {
        "patient": f"P{number:03d}", "condition": "atopic_dermatitis", "age_years": 30 + number, "sites": ["arms"],
        "vehicles": ["hydrocarbon_ointment"], "pregnancy": "no", "needs": wanted, "max_ingredients": 5,
    } | changes  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    lines = [json.dumps(needs(number)) for number in range(PATIENTS)]
    lines[3] = json.dumps(needs(3, age_years=400))  # no such age
    lines[4] = '{"patient": "P004", "condition'  # torn
    lines[5] = json.dumps(needs(5, allergies=["Zzq-secret"]))  # no such substance
    lines[6] = json.dumps(needs(6, must_include=["sodium_hyaluronate", "petrolatum"], allergies=["petrolatum"]))
    (tmp_path / "patients.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def batch(desk: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = [
        BIFLORA,
        "formula",
        "batch",
        "patients.jsonl",
        "--out",
        "out.jsonl",
        "--alternatives",
        "0",
        *NO_HURRY,
        *more,
    ]
    return subprocess.run(words, cwd=desk, capture_output=True, text=True, timeout=300, env={**os.environ})


def results(desk: Path) -> list[Result]:
    return [Result.model_validate_json(line) for line in (desk / "out.jsonl").read_text().splitlines()]


def content(desk: Path) -> dict[str, tuple[str, str]]:
    """What must not depend on when and in which process a patient was designed."""
    found = {}
    for each in results(desk):
        made = each.formula or each.impossible
        found[each.id] = (each.status, each.error if made is None else made.id)
    return found


def started(desk: Path, *, lines: int) -> subprocess.Popen[str]:
    """A run of which at least `lines` results are written and not all."""
    words = [BIFLORA, "formula", "batch", "patients.jsonl", "--out", "out.jsonl", "--alternatives", "0", *NO_HURRY]
    running = subprocess.Popen(
        words, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    end = time.monotonic() + 120
    while time.monotonic() < end and running.poll() is None:
        out = desk / "out.jsonl"
        if out.exists() and out.read_bytes().count(b"\n") >= lines:
            return running
        time.sleep(0.01)
    raise AssertionError("the run ended, or wrote nothing, before it could be stopped")


def test_killed_and_torn_and_gone_on_with_it_is_as_if_never_stopped(desk: Path) -> None:
    running = started(desk, lines=5)
    running.kill()  # nothing of ours can run any more
    running.communicate()
    left = (desk / "out.jsonl").read_bytes()
    whole = left[: left.rfind(b"\n") + 1]
    kept = whole.count(b"\n")
    assert 5 <= kept < PATIENTS
    (desk / "out.jsonl").write_bytes(whole + b'{"id":"needs-00')  # cut short in the middle of a write
    done = batch(desk, "--json")
    assert done.returncode == 1, done.stderr  # three patients' needs are wrong
    summary = json.loads(done.stdout)
    assert summary["kept"] == kept
    assert summary["patients"] == PATIENTS
    assert (desk / "out.jsonl").read_bytes().startswith(whole)
    resumed = content(desk)
    assert len(resumed) == PATIENTS
    (desk / "out.jsonl").unlink()
    straight = batch(desk, "--workers", "1")
    assert f"{PATIENTS} patients: 36 designed, 1 impossible, 3 errors" in straight.stdout
    assert content(desk) == resumed
    before = (desk / "out.jsonl").read_bytes()
    again = batch(desk)
    assert f"({PATIENTS} kept from an earlier run)" in again.stdout
    assert (desk / "out.jsonl").read_bytes() == before


def test_ctrl_c_leaves_whole_lines_and_says_how_to_go_on(desk: Path) -> None:
    running = started(desk, lines=2)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: to the run and to its processes
    printed, complained = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "the same command goes on from there" in printed
    assert complained == ""
    assert (desk / "out.jsonl").read_bytes().endswith(b"\n")
    assert 2 <= len(results(desk)) < PATIENTS


def test_wrong_needs_become_error_lines_without_the_patient_s_words(desk: Path) -> None:
    lines = (desk / "patients.jsonl").read_text().splitlines()[:8]
    (desk / "patients.jsonl").write_text("\n".join(lines))
    done = batch(desk)
    assert (done.returncode, done.stderr) == (1, "")
    by_patient = {each.patient: each for each in results(desk)}
    assert by_patient["P003"].error.startswith("patients.jsonl: line 4: 'age_years'")
    assert by_patient["P003"].who == "the clinician"
    assert "allergies, entry 1" in by_patient["P005"].error
    assert "not valid JSON" in by_patient[None].error
    written = (desk / "out.jsonl").read_text()
    assert "Zzq" not in written
    assert "400" not in by_patient["P003"].error
    impossible = by_patient["P006"]
    assert impossible.status == "impossible"
    assert impossible.impossible is not None
    assert impossible.impossible.reasons
    # mended needs are designed, and the error line of the broken ones goes
    (desk / "patients.jsonl").write_text("\n".join(lines).replace('"age_years": 400', '"age_years": 33'))
    mended = batch(desk)
    assert "8 patients: 5 designed, 1 impossible, 2 errors (7 kept" in mended.stdout


def test_a_result_is_the_one_that_design_gives(desk: Path) -> None:
    (job,) = jobs_of([("a.json", json.dumps(needs(1)))])
    made_with = MadeWith(alternatives=0, time_limit_seconds=60)
    here = design_one(job, made_with)
    (there,) = design_all([job], made_with, workers=3)
    fields = {name: value for name, value in needs(1).items() if name != "patient"}
    alone = formulate(needs_from(fields, where="a.json"), alternatives=0, time_limit_seconds=60)
    assert here.formula is not None
    assert there.formula is not None
    assert here.formula.id == there.formula.id == alone.id
    assert (there.id, there.patient, there.status) == (job.id, "P001", "designed")


def test_ids_hold_whatever_the_order_and_the_spelling() -> None:
    one, two = json.dumps(needs(1)), json.dumps(needs(2), indent=1)
    first = [job.id for job in jobs_of([("x: line 1", one), ("x: line 2", two)])]
    second = [job.id for job in jobs_of([("x: line 1", json.dumps(needs(2))), ("x: line 2", one)])]
    assert first == second[::-1]
    assert jobs_of([("x", json.dumps(needs(1, patient="other")))])[0].id != first[0]
    twice = [job.id for job in jobs_of([("x: line 1", one), ("x: line 2", one)])]
    assert twice == [first[0], f"{first[0]}-2"]


def test_a_folder_of_needs_files(desk: Path) -> None:
    folder = desk / "patients.jsonl"
    folder.unlink()
    folder.mkdir()
    plain = {name: value for name, value in needs(1).items() if name != "patient"}
    (folder / "ann.json").write_text(json.dumps(plain))
    (folder / "bob.toml").write_text(
        'condition = "acne"\nage_years = 20\nvehicles = ["hydrocarbon_ointment"]\n'
        '[[needs]]\neffect = "hydration"\nweight = 1\nconfidence = 1\n'
    )
    (folder / "cut.json").write_text("{")
    (folder / "notes.txt").write_text("not a patient")
    assert batch(desk).returncode == 1
    found = {each.patient: each.status for each in results(desk)}
    assert found == {"ann": "designed", "bob": "designed", None: "error"}
    assert any("cut.json" in each.error for each in results(desk))


OTHERWISE = {
    "other options": (("--time-limit", "3"), "time limit seconds 60.0, now 3.0"),
    "another input": ((), "holds 1 results for needs that this input does not hold"),
    "another release": ((), "knowledge release 1999.1, now"),
    "no results": ((), "no file of results"),
    "no folder": (("--out", "no/such/out.jsonl"), "its folder does not exist"),
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_a_file_that_was_made_otherwise_is_refused_and_left_alone(what: str, desk: Path) -> None:
    more, says = OTHERWISE[what]
    (desk / "patients.jsonl").write_text(json.dumps(needs(1)))
    assert batch(desk).returncode == 0
    if what == "another input":
        (desk / "patients.jsonl").write_text(json.dumps(needs(2)))
    if what == "another release":
        text = (desk / "out.jsonl").read_text()
        release = MadeWith().knowledge_release
        old = '"alternatives":0,"time_limit_seconds":60.0}'
        assert text.rstrip().endswith(old + "}")
        (desk / "out.jsonl").write_text(
            text.replace(f'"knowledge_release":"{release}",{old}', f'"knowledge_release":"1999.1",{old}')
        )
    if what == "no results":
        (desk / "out.jsonl").write_text("name,grams\nurea,3\n")
    before = (desk / "out.jsonl").read_bytes()
    refused = batch(desk, *more)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert says in refused.stderr
    assert (desk / "out.jsonl").read_bytes() == before


def test_two_runs_never_write_into_one_file(desk: Path) -> None:
    running = started(desk, lines=1)
    try:
        refused = batch(desk)
        assert refused.returncode == 2
        assert "Another run is writing" in refused.stderr
    finally:
        running.kill()
        running.communicate()


def test_a_process_that_dies_costs_its_own_patient_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel kills a process that has no memory: the patient gets an error line, the others theirs."""
    jobs = jobs_of((f"x: line {n}", json.dumps(needs(n))) for n in range(3))

    def results_with_a_death() -> Iterator[Result]:
        import multiprocessing

        found = design_all(jobs, MadeWith(alternatives=0, time_limit_seconds=60), workers=1)
        for child in [next(found)] and multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
        yield from found

    rest = list(results_with_a_death())
    assert [each.status for each in rest] == ["error", "designed"]
    assert "the process that designed it died" in rest[0].error
    assert isinstance(jobs[0], Job)
