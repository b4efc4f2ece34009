"""What a trial of a given size can and cannot see."""

from __future__ import annotations

from math import sqrt


def two_sample_power(difference: float, sd: float, n_per_arm: int, *, alpha: float = 0.05) -> float:
    """Power of the two-sided two-sample t-test with equal arms (non-central t)."""
    from scipy.stats import nct, t

    df = 2 * n_per_arm - 2
    limit = t.ppf(1 - alpha / 2, df)
    shift = abs(difference) / (sd * sqrt(2 / n_per_arm))
    return float(nct.sf(limit, df, shift) + nct.cdf(-limit, df, shift))


def contrast_power(difference: float, se: float, df: float, *, alpha: float = 0.05) -> float:
    """Power to see `difference` when the estimate has this standard error."""
    from scipy.stats import nct, t

    limit = t.ppf(1 - alpha / 2, df)
    shift = abs(difference) / se
    return float(nct.sf(limit, df, shift) + nct.cdf(-limit, df, shift))


def detectable(se: float, df: float, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true effect that a contrast with this standard error shows with the given power.

    The usual sum of two t quantiles: (t[1 - alpha/2] + t[power]) x se.
    """
    from scipy.stats import t

    return float((t.ppf(1 - alpha / 2, df) + t.ppf(power, df)) * se)


def interaction_se(sd: float, n_per_arm: float) -> float:
    """Standard error of combination - oral - topical + standard care: four means of equal arms."""
    return sqrt(4 * sd**2 / n_per_arm)
