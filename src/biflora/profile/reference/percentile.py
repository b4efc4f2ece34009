"""Where a number stands among persons, with the interval that their number leaves."""

from __future__ import annotations

from typing import NamedTuple

from biflora.profile.numbers.special_functions import beta_quantiles
from biflora.profile.profile import Percentile


class Standing(NamedTuple):
    """How many persons are surely below, how many equal or not to be told apart, and how many there are."""

    below: int
    unclear: int
    n: int


def exact_limits(count_low: int, count_high: int, n: int) -> tuple[float, float]:
    """95 % limits of a proportion after Clopper and Pearson (1934), lower from one count, upper from the other.

    The counts differ where persons could not be told to lie below or above.
    """
    low = float(beta_quantiles((0.025,), count_low, n - count_low + 1)[0, 0]) if count_low > 0 else 0.0
    high = float(beta_quantiles((0.975,), count_high + 1, n - count_high)[0, 0]) if count_high < n else 1.0
    return low, high


def percentile(quantity: str, label: str, unit: str, value: float, standing: Standing) -> Percentile:
    """Percent of the persons below, those not to be told apart by half; the interval counts them both ways."""
    below, unclear, n = standing
    low, high = exact_limits(below, below + unclear, n)
    return Percentile(
        quantity=quantity,
        label=label,
        unit=unit,
        value=value,
        percent=100 * (below + unclear / 2) / n,
        low=100 * low,
        high=100 * high,
        n=n,
    )


def at_most(quantity: str, label: str, unit: str, limit: float, not_above: int, n: int) -> Percentile:
    """The upper bound of a percentile when all that is known is that the number lies below `limit`."""
    _, high = exact_limits(0, not_above, n)
    return Percentile(
        quantity=quantity,
        label=f"{label}: below detection, so at most",
        unit=unit,
        value=limit,
        percent=100 * not_above / n,
        low=0.0,
        high=100 * high,
        n=n,
        at_most=True,
    )
