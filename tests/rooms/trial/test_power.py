"""Power. Witness: R's power.t.test and the trial research's printed figures."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.trial.power import contrast_power, detectable, interaction_se, two_sample_power
from biflora.trial.randomise import permuted_blocks


@pytest.mark.parametrize(("sd", "power"), [(20, 0.961), (25, 0.846), (30, 0.699061774), (35, 0.567)])
def test_power_of_combination_against_control(sd: float, power: float) -> None:
    """27.2 percentage points between the arms, 16 patients each (R power.t.test gives .699061774 at sd 30).

    R leaves out the tail on the wrong side (strict = FALSE), which is 4e-6 here; ours counts both.
    """
    tolerance = 5e-6 if sd == 30 else 6e-4
    assert two_sample_power(27.2, sd, 16) == pytest.approx(power, abs=tolerance)


@pytest.mark.parametrize(("sd", "interaction", "main"), [(20, 28.5, 14.2), (25, 35.6, 17.8), (30, 42.7, 21.4)])
def test_synergy_cannot_be_seen_with_65_patients(sd: float, interaction: float, main: float) -> None:
    """16 an arm: the interaction's SE is s/2, a main effect's s/4; 60 degrees of freedom."""
    assert interaction_se(sd, 16) == pytest.approx(sd / 2)
    assert detectable(interaction_se(sd, 16), 60) == pytest.approx(interaction, abs=0.06)
    assert detectable(interaction_se(sd, 16) / 2, 60) == pytest.approx(main, abs=0.06)


def test_contrast_power_is_two_sample_power_in_other_words() -> None:
    """With equal arms SE = sd sqrt(2/n): 25 sqrt(2/16) = 8.8388."""
    assert contrast_power(27.2, 25 * (2 / 16) ** 0.5, 30) == pytest.approx(
        two_sample_power(27.2, 25, 16), abs=1e-12
    )


def test_blocks_are_balanced_exact_and_repeatable() -> None:
    sizes = (16, 16, 16, 17)
    order = permuted_blocks(sizes, np.random.default_rng(3))
    assert [int(np.sum(order == a)) for a in range(4)] == list(sizes)
    for k in range(16):  # after each block of four, every arm has the same number
        assert sorted(order[4 * k : 4 * k + 4]) == [0, 1, 2, 3]
    assert np.array_equal(order, permuted_blocks(sizes, np.random.default_rng(3)))
    assert not np.array_equal(order, permuted_blocks(sizes, np.random.default_rng(4)))
