"""The population beside published baselines and trials, and what the arms may and may not do."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.errors import TrialistMust
from biflora.twin import cohort
from biflora.twin import state as at
from biflora.twin.cohort import Simulated, observe, simulate_arms, virtual_patients
from biflora.twin.equations import equations_markdown
from biflora.twin.forecast import ARMS
from biflora.twin.observe import PLACE
from biflora.twin.population import Patients


@pytest.fixture(scope="module")
def patients() -> Patients:
    return virtual_patients(600, seed=3)


@pytest.fixture(scope="module")
def on(patients: Patients) -> Simulated:
    return simulate_arms(patients, ARMS, 12)


@pytest.fixture(scope="module")
def off(patients: Patients) -> Simulated:
    return simulate_arms(patients, ARMS, 12, gut_link=False)


def test_baseline_looks_like_moderate_to_severe_disease(on: Simulated) -> None:
    # witnesses: SCORAD 62.1, EASI 29.9 (PMC9303952), register EASI median 17; lesion TEWL 28.7
    # (10.3390/jcm10020359), in children 31.1 (10.4103/jdds.jdds_33_20); lesional S. aureus
    # 3.8e3-1.15e5 CFU/cm2; butyrate 3.5-32.6 mmol/kg
    start = {key: on.of("standard_care", key)[:, 0] for key in PLACE}
    assert 40 < start["scorad"].mean() < 65
    assert 15 < start["easi"].mean() < 30
    assert 24 < start["tewl"].mean() < 32
    assert 4 < np.median(start["s_aureus_log10"]) < 5.2
    assert 1 < np.median(start["bifidobacterium"]) < 6
    assert 5 < np.median(start["faecal_butyrate"]) < 25


def test_standard_care_and_oral_lie_where_trials_lie(on: Simulated) -> None:
    # witnesses: placebo -18..-38 %, placebo with topical steroid EASI -48 %; pooled oral SCORAD -3.07
    # (-6.12 to -0.03) and -4.50 (-7.50 to -1.49)
    care = on.of("standard_care", "scorad")
    assert -0.45 < care[:, 12].mean() / care[:, 0].mean() - 1 < -0.25
    gain = on.of("oral", "scorad")[:, 12] - care[:, 12]
    like_theirs = (care[:, 0] > 30) & (care[:, 0] < 50)  # mild to severe, about 40 at entry
    assert -6.12 < gain[like_theirs].mean() < -1.49  # inside both pooled intervals
    assert np.mean(np.abs(gain) < 0.05) > 0.15  # the share in whom the gut does not reach the skin
    assert (gain > 0.05).any()  # and some are worse


def test_no_tuning_to_the_mission_s_trial(on: Simulated) -> None:
    # that trial: butyrate +91.5 % after oral; elsewhere unchanged
    butyrate = on.of("oral", "faecal_butyrate")
    assert np.median(butyrate[:, 12] / butyrate[:, 0] - 1) < 0.2


def test_without_the_gut_link_oral_does_nothing_to_the_skin(on: Simulated, off: Simulated) -> None:
    for key in ("scorad", "easi", "tewl", "s_aureus_log10"):
        gap = off.of("oral", key) - off.of("standard_care", key)
        assert np.abs(gap).max() < 0.01  # what remains is the solver's tolerance
    gut = on.of("oral", "faecal_butyrate")[:, 12] - off.of("oral", "faecal_butyrate")[:, 12]
    assert np.abs(gut).max() < 0.02  # the gut itself changes all the same


def test_regression_to_the_mean_comes_from_selection(patients: Patients) -> None:
    # those chosen for a high measured score measure lower when measured again
    high = virtual_patients(150, seed=5, entry={"scorad": (60.0, 103.0)})
    again = observe(simulate_arms(high, ("standard_care",), 0), seed=99)[0, :, 0, PLACE["scorad"]]
    assert np.mean(again < 60.0) > 0.05


def test_same_seed_same_patients() -> None:
    one, two, other = virtual_patients(40, seed=1), virtual_patients(40, seed=1), virtual_patients(40, seed=2)
    assert np.array_equal(one.states, two.states)
    assert not np.array_equal(one.states, other.states)


def test_entry_limits_that_nobody_meets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohort, "LARGEST_DRAW", 300)
    with pytest.raises(TrialistMust, match="meet the entry limits"):
        virtual_patients(20, seed=1, entry={"scorad": (102.9, 103.0), "easi": (0.0, 0.1)})


def test_the_page_of_equations_lists_every_rate() -> None:
    page = equations_markdown()
    assert all(f"| {key} |" in page for key in at.RATES)
