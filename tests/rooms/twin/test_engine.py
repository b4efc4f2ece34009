"""The engine against SciPy's Radau, and what must hold of every trajectory."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.stats import binom

from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.arms import timetable_by_week, timetable_of
from biflora.twin.engine import N_INPUTS, N_STATES, run, taken, uniform
from biflora.twin.model import jacobian, rates
from biflora.twin.population import Patients, at_first_visit
from biflora.twin.regimen import (
    AntisepticWash,
    Emollient,
    Fibre,
    OralProbiotic,
    Regimen,
    Timetable,
    TopicalCommensal,
    TopicalFormula,
    TopicalSteroid,
    Type2Blockade,
    timetable,
)
from biflora.twin.structured import WORK, factorise, solve

Array = NDArray[np.float64]
EVERYTHING = Regimen(
    interventions=(
        Emollient(), TopicalSteroid(rule="daily"), OralProbiotic(pattern="pulsed"), Fibre(), TopicalCommensal(),
        TopicalFormula(anti_staphylococcal=0.5, barrier=0.5, anti_inflammatory=0.5, prebiotic=1.0),
        AntisepticWash(from_week=1), Type2Blockade(to_week=2),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def patients() -> Patients:
    return at_first_visit(100, 11)


@pytest.fixture(scope="module")
def always(patients: Patients) -> Patients:
    """Treatment always on, so that another solver sees the same input."""
    changed = patients.some(np.arange(len(patients)))
    changed.rates[:, at.STEROID_START], changed.rates[:, at.STEROID_STOP] = -1.0, -2.0
    return changed


def radau(patients: Patients, i: int, table: Timetable, drive: Array) -> Array:
    """States at every week by SciPy, started anew at every edge."""
    y, p = patients.states[i].copy(), patients.rates[i]
    u, slope = np.zeros(N_INPUTS), np.empty(N_STATES)
    u[at.GUT_LINK], u[at.BUTYRATE_HELD] = 1.0, y[at.BUTYRATE]

    def right_side(_: float, now: Array) -> Array:
        rates(now, p, u, slope)
        return slope.copy()

    def slopes_of(_: float, now: Array) -> Array:  # only steers Radau's Newton steps, not what it converges to
        matrix = np.zeros((N_STATES, N_STATES))
        jacobian(now, p, u, matrix)
        return matrix

    course = [y]
    for place, plan in enumerate(table.plan):
        start, end = table.edges[place], table.edges[place + 1]
        u[: at.STEROID_BETWEEN], u[at.DRIVE] = plan[: at.STEROID_BETWEEN], drive[i, int(start / 7 + 1e-9)]
        visits = [day for day in 7.0 * np.arange(1, table.weeks + 1) if start < day < end]
        found = solve_ivp(
            right_side, (start, end), y, method="Radau", jac=slopes_of, rtol=1e-10, atol=1e-12,
            t_eval=[*visits, end],
        )  # fmt: skip
        y = found.y[:, -1]
        course += [found.y[:, k] for k in range(len(visits))]
        if abs(end / 7.0 - round(end / 7.0)) < 1e-9:
            course.append(y)
    return np.array(course)


def worst(found: Array, truth: Array) -> float:
    return float(np.max(np.abs(found - truth) / (np.abs(truth) + 1e-3)))


def test_derivatives_against_differences_of_the_rates(patients: Patients) -> None:
    # central differences of order h^2 with h = 1e-6: about 1e-6 of each derivative
    u = np.array([0.7, 0.5, 1.0, 0.5, 1.0, 0.3, 0.4, 0.2, 0.6, 0.5, 0.4, 1.2, 1.0, 9.0])
    up, down = np.empty(N_STATES), np.empty(N_STATES)
    for i in range(40):
        y, p = patients.states[i].copy(), patients.rates[i]
        y[at.STRAIN], y[at.STEROID], y[at.PROBIOTIC] = 0.3, 0.4, 0.5
        exact, close = np.zeros((N_STATES, N_STATES)), np.zeros((N_STATES, N_STATES))
        jacobian(y, p, u, exact)
        for j in range(N_STATES):
            step, moved = 1e-6 * max(abs(y[j]), 1e-2), y.copy()
            moved[j] = y[j] + step
            rates(moved, p, u, up)
            moved[j] = y[j] - step
            rates(moved, p, u, down)
            close[:, j] = (up - down) / (2 * step)
        assert np.max(np.abs(exact - close) / (np.abs(close) + 1e-3)) < 1e-5


def test_block_solver_against_numpy(patients: Patients) -> None:
    random, u = np.random.default_rng(3), np.full(N_INPUTS, 0.5)
    for i in range(20):
        matrix = np.zeros((N_STATES, N_STATES))
        jacobian(patients.states[i], patients.rates[i], u, matrix)
        right, work = random.standard_normal(N_STATES), np.empty(WORK)
        g = float(random.uniform(0.5, 40.0))
        assert factorise(matrix, g, work)
        x = right.copy()
        solve(matrix, work, x)
        assert np.allclose(x, np.linalg.solve(g * np.eye(N_STATES) - matrix, right), rtol=1e-8, atol=1e-12)


def test_agrees_with_radau_over_100_random_patients(always: Patients) -> None:
    # witness: SciPy's Radau at 1e-10 over two weeks, all levers of the dual plan
    table, drive = timetable_of("combination", 2), always.drive(2)
    _, _, course, status = run(
        always.states, always.rates, always.latent.keys, table, drive, perfect=True, want_seen=False,
        want_states=True,
    )  # fmt: skip
    assert status.max() == 0
    for i in range(len(always)):
        assert worst(course[i], radau(always, i, table, drive)) < 1e-3


def test_stops_exactly_at_dosing_changes_inside_a_week(always: Patients) -> None:
    # proactive treatment changes on day 5, pulses after two weeks, washes begin in week 1, blockade ends in 2
    table, drive = timetable(EVERYTHING, 4), always.drive(4)
    _, _, course, _ = run(
        always.states[:12], always.rates[:12], always.latent.keys[:12], table, drive[:12], perfect=True,
        want_seen=False, want_states=True,
    )  # fmt: skip
    for i in range(12):
        assert worst(course[i], radau(always, i, table, drive)) < 1e-3


def test_visits_without_a_change_are_seen_by_dense_output(always: Patients) -> None:
    # constant input: the engine crosses all weeks without a stop, Radau is asked for every visit
    table = timetable(Regimen(interventions=(Emollient(), OralProbiotic(), TopicalCommensal())), 8)
    drive = np.ones((len(always), 8))
    _, _, course, _ = run(
        always.states[:30], always.rates[:30], always.latent.keys[:30], table, drive[:30], perfect=True,
        want_seen=False, want_states=True,
    )  # fmt: skip
    one = Timetable(np.array([0.0, 56.0]), table.plan[:1])
    for i in range(30):
        assert worst(course[i], radau(always, i, one, drive)) < 1e-3


def test_amounts_stay_positive_and_barrier_is_a_share(patients: Patients) -> None:
    _, _, course, status = run(
        patients.states, patients.rates, patients.latent.keys, timetable(EVERYTHING, 12), patients.drive(12),
        want_states=True,
    )  # fmt: skip
    assert status.max() == 0
    assert course[:, :, at.STRAIN].min() >= 0.0
    assert course[:, :, at.STEROID :].min() >= 0.0
    assert course[:, :, at.BARRIER].min() > 0.0
    assert course[:, :, at.BARRIER].max() < 1.0


def test_same_bits_whatever_the_number_of_threads(patients: Patients) -> None:
    given = (patients.states, patients.rates, patients.latent.keys, timetable_of("oral", 4), patients.drive(4))
    before = numba.get_num_threads()
    many, _, _, _ = run(*given)
    try:
        numba.set_num_threads(1)
        one, _, _, _ = run(*given)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(many, one)


def test_a_patient_does_not_depend_on_who_stands_beside_her(patients: Patients) -> None:
    table, drive = timetable_of("oral", 4), patients.drive(4)
    alone, _, _, _ = run(
        patients.states[7:8], patients.rates[7:8], patients.latent.keys[7:8], table, drive[7:8]
    )  # fmt: skip
    together, _, _, _ = run(patients.states, patients.rates, patients.latent.keys, table, drive)
    assert np.array_equal(alone[0], together[7])


def test_a_trajectory_that_cannot_be_finished_has_a_status_and_no_later_weeks(patients: Patients) -> None:
    broken = patients.rates.copy()
    broken[3, at.TONE_RATE] = np.nan
    _, seen, _, status = run(
        patients.states, broken, patients.latent.keys, timetable_of("oral", 2), patients.drive(2)
    )  # fmt: skip
    assert status[3] != 0
    assert np.isnan(seen[3, 1:, 0]).all()
    assert np.count_nonzero(status) == 1


def test_missed_doses_are_binomial() -> None:
    # witness: SciPy's binomial of seven doses at adherence .8; 20,000 weeks, SE of a share at most .0035
    counts = [round(7 * taken(0.8, uniform(k, 3, 2))) for k in range(20_000)]
    for dose in range(8):
        assert np.mean([c == dose for c in counts]) == pytest.approx(binom.pmf(dose, 7, 0.8), abs=0.012)
    assert taken(1.0, 0.999) == 1.0


def test_levers_wash_out_after_stopping(patients: Patients) -> None:
    # r_P - k_tr is about -0.5 a day and r_S - w_S about -0.4: 12 weeks after stopping nothing is left
    table = timetable_by_week(["combination"] * 8 + ["standard_care"] * 12)
    _, _, course, _ = run(
        patients.states, patients.rates, patients.latent.keys, table, np.ones((len(patients), 20)),
        want_states=True,
    )  # fmt: skip
    for place in (at.PROBIOTIC, at.STRAIN):
        assert np.median(course[:, 8, place]) > 0.05
        assert np.quantile(course[:, 20, place], 0.95) < 0.01 * np.median(course[:, 8, place])


def test_names_of_rates_are_those_of_the_table() -> None:
    assert tuple(rate_table()) == at.RATES
    assert len(set(at.RATES)) == len(at.RATES)


def test_a_step_that_overflows_is_taken_back_and_not_accepted(patients: Patients) -> None:
    # a flare 3,000 times its mean throws the first trial step out of range; the trajectory must come through
    drive = np.ones((len(patients), 2))
    drive[:, 1] = 3000.0
    _, _, course, status = run(
        patients.states, patients.rates, patients.latent.keys, timetable_of("standard_care", 2), drive,
        want_states=True,
    )  # fmt: skip
    assert status.max() == 0
    assert np.isfinite(course).all()
