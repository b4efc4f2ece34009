"""Quantiles of the beta distribution and the log gamma function; witnesses are closed forms, SciPy and mpmath."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biflora.profile.numbers.special_functions import beta_quantiles, log_gamma

CHANCES = (0.001, 0.025, 0.25, 0.5, 0.975, 0.999)


def test_quantiles_are_scipys_from_half_a_read_to_a_million() -> None:
    """SciPy's inverse is exact on this grid; a parameter of 1,000 is left to the test with mpmath."""
    from scipy.special import betaincinv

    reads = np.array([0.5, 0.6, 1.0, 1.5, 2.5, 10.0, 40.0, 99.5, 316.0, 1e4, 1e5, 1e6])
    a, b = (grid.ravel() for grid in np.meshgrid(reads, reads))
    ours = beta_quantiles(CHANCES, a, b)
    theirs = np.array([betaincinv(a, b, chance) for chance in CHANCES])
    assert ours == pytest.approx(theirs, rel=1e-10, abs=0)


@pytest.mark.parametrize("chance", CHANCES)
def test_quantiles_in_closed_form(chance: float) -> None:
    """Beta(1/2, 1/2): sin^2(pi p / 2). Beta(1, b): 1 - (1 - p)^(1/b). Beta(a, 1): p^(1/a)."""
    arcsine = beta_quantiles((chance,), 0.5, 0.5)[0, 0]
    first_of_a_million = beta_quantiles((chance,), 1.0, 1e6)[0, 0]
    last_of_a_million = beta_quantiles((chance,), 1e6, 1.0)[0, 0]
    assert arcsine == pytest.approx(math.sin(math.pi * chance / 2) ** 2, rel=1e-11)
    assert first_of_a_million == pytest.approx(-math.expm1(math.log1p(-chance) / 1e6), rel=1e-10)
    assert last_of_a_million == pytest.approx(chance**1e-6, rel=1e-11)


def test_a_thousand_reads_of_a_very_deep_sample() -> None:
    """mpmath (40 digits) for Beta(1000, 1e9); SciPy 1.17 gives a lower limit of 1.9e-6, above the mean of 1e-6."""
    low, high = beta_quantiles((0.025, 0.975), 1000.0, 1e9)[:, 0]
    assert low == pytest.approx(9.389721085563963e-07, rel=1e-12)
    assert high == pytest.approx(1.062920055396207e-06, rel=1e-12)


def test_log_gamma_is_scipys() -> None:
    from scipy.special import gammaln

    x = np.concatenate([np.linspace(1, 50, 2000), np.geomspace(50, 1e12, 2000)])
    assert log_gamma(x) == pytest.approx(gammaln(x), rel=1e-13, abs=1e-13)


def test_log_gamma_of_whole_numbers_is_the_log_factorial() -> None:
    """gamma(n) = (n - 1)!: 0! = 1, 4! = 24, 19! = 121,645,100,408,832,000."""
    found = [float(log_gamma(n)) for n in (1.0, 5.0, 20.0)]
    assert found == pytest.approx([0.0, math.log(24), math.log(121_645_100_408_832_000)], abs=1e-13)
