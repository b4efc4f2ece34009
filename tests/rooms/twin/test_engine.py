"""The engine against SciPy's Radau, and what must hold of every trajectory."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.arms import schedule, uses
from biflora.twin.engine import N_INPUTS, N_STATES, factorise, jacobian, run, solve
from biflora.twin.model import rates
from biflora.twin.population import Patients, at_first_visit, flares

Array = NDArray[np.float64]
WEEKS = 1


@pytest.fixture(scope="module")
def patients() -> Patients:
    return at_first_visit(100, 11)


def radau(patients: Patients, i: int, levers: Array, drive: Array) -> Array:
    y, p = patients.states[i].copy(), patients.rates[i]
    u, slope = np.empty(N_INPUTS), np.empty(N_STATES)
    u[at.GUT_LINK], u[at.BUTYRATE_HELD] = 1.0, y[at.BUTYRATE]

    def right_side(_: float, now: Array) -> Array:
        rates(now, p, u, slope)
        return slope.copy()

    def slopes_of(_: float, now: Array) -> Array:  # only steers Radau's Newton steps, not what it converges to
        rates(now, p, u, slope)
        matrix = np.empty((N_STATES, N_STATES))
        jacobian(now.copy(), p, u, slope.copy(), matrix, np.empty(N_STATES))
        return matrix

    for week in range(drive.shape[1]):
        u[:4], u[at.DRIVE] = levers[i, week], drive[i, week]
        y = solve_ivp(right_side, (0, 7), y, method="Radau", jac=slopes_of, rtol=1e-10, atol=1e-12).y[:, -1]
    return y


def test_agrees_with_radau_over_100_random_patients(patients: Patients) -> None:
    # witness: SciPy's Radau at 1e-10; treatment always on, so that both see the same input
    always = Patients(patients.rates.copy(), patients.states, patients.flare, patients.seed)
    always.rates[:, at.STEROID_START], always.rates[:, at.STEROID_STOP] = -1.0, -2.0
    drive, _ = flares(always.rates, WEEKS, always.flare, np.random.default_rng(1))
    levers = uses("combination", always.rates, WEEKS)
    ends, _, _, status = run(always.states, always.rates, levers, drive)
    truth = np.array([radau(always, i, levers, drive) for i in range(len(always))])
    assert status.max() == 0
    assert np.max(np.abs(ends - truth) / (np.abs(truth) + 1e-3)) < 1e-3


def test_amounts_stay_positive_and_barrier_is_a_share(patients: Patients) -> None:
    drive, _ = flares(patients.rates, 12, patients.flare, np.random.default_rng(1))
    _, _, course, status = run(
        patients.states, patients.rates, uses("combination", patients.rates, 12), drive, want_states=True
    )
    assert status.max() == 0
    assert course[:, :, at.STRAIN].min() >= 0.0
    assert course[:, :, at.STEROID :].min() >= 0.0
    assert course[:, :, at.BARRIER].min() > 0.0
    assert course[:, :, at.BARRIER].max() < 1.0


def test_same_bits_whatever_the_number_of_threads(patients: Patients) -> None:
    drive, _ = flares(patients.rates, 4, patients.flare, np.random.default_rng(1))
    levers = uses("oral", patients.rates, 4)
    before = numba.get_num_threads()
    many, _, _, _ = run(patients.states, patients.rates, levers, drive)
    try:
        numba.set_num_threads(1)
        one, _, _, _ = run(patients.states, patients.rates, levers, drive)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(many, one)


def test_a_patient_does_not_depend_on_who_stands_beside_her(patients: Patients) -> None:
    drive, _ = flares(patients.rates, 4, patients.flare, np.random.default_rng(1))
    levers = uses("oral", patients.rates, 4)
    alone, _, _, _ = run(patients.states[7:8], patients.rates[7:8], levers[7:8], drive[7:8])
    together, _, _, _ = run(patients.states, patients.rates, levers, drive)
    assert np.array_equal(alone[0], together[7])


def test_a_trajectory_that_cannot_be_finished_has_a_status_and_no_later_weeks(patients: Patients) -> None:
    broken = patients.rates.copy()
    broken[3, at.TONE_RATE] = np.nan
    drive, _ = flares(patients.rates, 2, patients.flare, np.random.default_rng(1))
    _, seen, _, status = run(patients.states, broken, uses("oral", patients.rates, 2), drive)
    assert status[3] != 0
    assert np.isnan(seen[3, 1:, 0]).all()
    assert np.count_nonzero(status) == 1


def test_linear_solver_against_numpy() -> None:
    random = np.random.default_rng(3)
    matrix, right = random.standard_normal((12, 12)), random.standard_normal(12)
    factors, pivot, x = matrix.copy(), np.empty(12, np.int64), right.copy()
    assert factorise(factors, pivot)
    solve(factors, pivot, x)
    assert np.allclose(x, np.linalg.solve(matrix, right), rtol=1e-9)


def test_levers_wash_out_after_stopping(patients: Patients) -> None:
    # r_P - k_tr is about -0.5 a day and r_S - w_S about -0.4: 12 weeks after stopping nothing is left
    drive = np.ones((len(patients), 20))
    levers = schedule(["combination"] * 8 + ["standard_care"] * 12, patients.rates)
    _, _, course, _ = run(patients.states, patients.rates, levers, drive, want_states=True)
    for place in (at.PROBIOTIC, at.STRAIN):
        assert np.median(course[:, 8, place]) > 0.05
        assert np.quantile(course[:, 20, place], 0.95) < 0.01 * np.median(course[:, 8, place])


def test_names_of_rates_are_those_of_the_table() -> None:
    assert tuple(rate_table()) == at.RATES
    assert len(set(at.RATES)) == len(at.RATES)
