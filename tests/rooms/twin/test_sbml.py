"""Another simulator runs the exported model to the engine's numbers, and SBML's own checker finds no error.

Witnesses: libRoadRunner's CVODE at 1e-9 (another program, reading only the file), libSBML's consistency check.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from biflora.cli.main import app
from biflora.twin import state as at
from biflora.twin.arms import timetable_of
from biflora.twin.engine import run
from biflora.twin.forecast import ARMS, Arm
from biflora.twin.observe import OBSERVED
from biflora.twin.sbml import Written, document, drawn_patient, median_patient, of_patient

WEEKS = 12
Array = NDArray[np.float64]
PATIENTS = {
    "median": lambda arm: median_patient(arm, WEEKS),
    "second": lambda arm: drawn_patient(2, 2026, arm, WEEKS),
    "fifth": lambda arm: drawn_patient(5, 2026, arm, WEEKS),
}


def ours(patient: Written, arm: Arm) -> tuple[Array, NDArray[np.float32]]:
    """States and observables at every visit by the engine, the steroid always due as in the file."""
    rates = patient.rates.copy()
    rates[at.STEROID_START], rates[at.STEROID_STOP] = -1.0, -2.0
    _, seen, course, status = run(
        patient.states[None], rates[None], np.zeros(1, np.uint64), timetable_of(arm, WEEKS), np.ones((1, WEEKS)),
        perfect=True, rtol=1e-8, want_states=True,
    )  # fmt: skip
    assert status[0] == 0
    return course[0], seen[0]


def theirs(text: str) -> Array:
    """(weeks + 1, states + observables) by libRoadRunner."""
    roadrunner = pytest.importorskip("roadrunner", reason="libRoadRunner is not installed")
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-12
    return np.array(runner.simulate(0.0, 7.0 * WEEKS, WEEKS + 1, [*at.STATES, *OBSERVED]))


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("who", PATIENTS)
def test_libroadrunner_runs_the_file_to_our_numbers(who: str, arm: Arm) -> None:
    # both at 1e-8 or finer, observables are kept in single precision (6e-8): 1e-4 leaves room for neither model
    patient = PATIENTS[who](arm)
    found = theirs(document(patient))
    course, seen = ours(patient, arm)
    states, observables = found[:, : len(at.STATES)], found[:, len(at.STATES) :]
    assert np.max(np.abs(states - course) / (np.abs(course) + 1e-3)) < 1e-4
    assert np.max(np.abs(observables - seen) / (np.abs(seen) + 1e-3)) < 1e-4


def test_every_lever_is_in_the_file() -> None:
    # an input that the arm does not use can be set by who reads the file: 5 washes a week kill S. aureus
    roadrunner = pytest.importorskip("roadrunner", reason="libRoadRunner is not installed")
    runner = roadrunner.RoadRunner(document(median_patient("standard_care", WEEKS)))
    before = runner.simulate(0.0, 28.0, 5, ["s_aureus_ln"])[-1, 0]
    runner.reset()
    for key in at.INPUTS:
        assert f"input_{key}" in runner.model.getGlobalParameterIds()
    runner.setValue("input_use_wash", 2.5)
    assert runner.simulate(0.0, 28.0, 5, ["s_aureus_ln"])[-1, 0] < before


def test_libsbml_finds_no_error() -> None:
    libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    read = libsbml.readSBMLFromString(document(median_patient("combination", WEEKS)))
    read.checkConsistency()
    problems = [read.getError(i) for i in range(read.getNumErrors())]
    assert [p.getMessage() for p in problems if p.getSeverity() >= libsbml.LIBSBML_SEV_ERROR] == []
    assert (read.getLevel(), read.getVersion()) == (3, 2)


def test_a_broken_file_is_found_out() -> None:
    # the checker is no formality: a rule for something that does not exist is an error
    libsbml = pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    text = document(median_patient("combination", WEEKS)).replace('variable="tone"', 'variable="tune"')
    read = libsbml.readSBMLFromString(text)
    read.checkConsistency()
    assert read.getNumErrors(libsbml.LIBSBML_SEV_ERROR) > 0


def test_the_plan_of_the_arm_and_the_held_butyrate_are_the_inputs() -> None:
    # the combination gives every reference dose once: 1 emollient, 1 steroid, 1 oral, 1 topical, drive 1, link 1
    median = median_patient("combination", WEEKS)
    states = np.arange(float(len(at.STATES)))
    inputs = of_patient(median.rates, states, "combination", WEEKS, "x").inputs
    given = dict(zip(at.INPUTS, inputs, strict=True))
    assert {key for key, dose in given.items() if dose == 1.0} == {
        "use_emollient", "use_steroid", "use_oral", "use_topical", "drive", "gut_link",
    }  # fmt: skip
    assert given["butyrate_held"] == states[at.BUTYRATE]


def test_the_command_writes_the_patient_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "twin.xml"
    told = CliRunner().invoke(app, ["twin", "export", "--sbml", str(path), "--arm", "oral", "--patient", "2"])
    assert told.exit_code == 0, told.output
    assert path.read_text(encoding="utf-8") == document(drawn_patient(2, 2026, "oral", 12))
    assert "84 days" in told.output  # 12 weeks of 7 days
