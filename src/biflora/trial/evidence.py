"""The Evidence: what a trial, virtual or real, shows."""

from __future__ import annotations

from biflora.twin.forecast import Arm
from biflora.values import Band, Finding, Record, Value


class ArmResult(Value):
    arm: Arm
    n: int
    baseline_mean: float
    baseline_sd: float
    week12_mean: float
    percent_change: Band
    """Predictive distribution of the arm's mean percent change over repeated trials of this size."""


class Contrast(Value):
    """A between-arm difference in one analysed trial, and its distribution over repeated trials."""

    arm: Arm
    against: Arm
    endpoint: str
    unit: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    predictive: Band
    power: float
    """Share of repeated virtual trials with p < 0.05."""


class Comparison(Value):
    """One published figure beside what was predicted before seeing it."""

    figure: str
    published: float
    unit: str
    predicted: Band
    surprise: float
    """Two-sided predictive tail probability of a figure at least this far from the middle."""
    reading: str
    """In words: not surprising / surprising / hardly compatible."""
    source: str
    verification: str


class Evidence(Record):
    trial: str
    design: str
    seed: int
    repeats: int
    arms: tuple[ArmResult, ...]
    contrasts: tuple[Contrast, ...]
    comparisons: tuple[Comparison, ...]
    not_identified: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
