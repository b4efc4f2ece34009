"""What the twin assumes: rates with their spread, what it forecasts, how scores map, effects without a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table

Distribution = Literal["lognormal", "normal", "logit", "bernoulli", "constant"]
Factor = Literal["barrier", "immune", "microbe", "gut"]
FACTORS: tuple[Factor, ...] = ("barrier", "immune", "microbe", "gut")


class Rate(Row):
    """One parameter of the twin and how it varies between patients."""

    symbol: str
    meaning: str
    unit: str
    distribution: Distribution
    median: float
    """Median; the probability for `bernoulli`."""
    spread: float
    """`lognormal`: the 90 % range is median divided and multiplied by it; `normal` and `logit`: the standard
    deviation; else without meaning."""
    factor: Factor | None = None
    """Common factor that moves this rate together with others."""
    loading: float = 0.0
    """Correlation with that factor."""


class ObservableRow(Row):
    """What the twin forecasts and how well it can be measured."""

    label: str
    unit: str
    lower_is_better: bool
    scale: Literal["identity", "log1p", "log10"]
    """Scale on which the noise has one size."""
    noise_sd: float
    """Standard deviation of one measurement, on `scale`."""
    noise_source: str
    minimum: float
    maximum: float
    detection_limit: float | None = None
    smallest_important_difference: float | None = None
    difference_source: str = ""
    difference_verification: str = ""


class ScoreConversion(Row):
    """How another instrument speaks, weakly, for an observable: intercept + slope x score, with its sd."""

    instrument: str
    observable: str
    slope: float
    intercept: float
    sd: float


class ConditionEffect(Row):
    """Change of one outcome under one arm of one trial, where the trial reported it and its model is missing."""

    condition: str
    arm: str
    instrument: str
    """Key of what changed; the forecast's observable is `<instrument>_change`."""
    label: str
    unit: str
    weeks: int
    change: float
    """Mean change from the start, in `unit`; negative is better."""
    sd: float
    """Spread between patients in `unit` (assumed unless the source gives it)."""
    n: int
    """Patients in this arm."""
    sham: bool = False
    """True for the trial's comparator."""
    note: str = ""


class ForecastSetting(Row):
    """One number of how a forecast is told from the bank."""

    value: float
    unit: str
    note: str = ""


class StructureRow(Row):
    """One structure of the model, and how much it counts where forecasts are stacked."""

    label: str
    what: str
    weight: float
    """Stacking weight by `biflora twin validate`; the weights sum to 1."""


def structure_rows() -> Mapping[str, StructureRow]:
    return read_table("structures", StructureRow)


def rates() -> Mapping[str, Rate]:
    return read_table("rates", Rate)


def observables() -> Mapping[str, ObservableRow]:
    return read_table("observables", ObservableRow)


def score_conversions() -> Mapping[str, ScoreConversion]:
    return read_table("score_conversions", ScoreConversion)


def condition_effects() -> Mapping[str, ConditionEffect]:
    return read_table("condition_effects", ConditionEffect)


def _settings(name: str) -> Mapping[str, ForecastSetting]:
    return read_table(name, ForecastSetting)


def forecast_setting(key: str) -> ForecastSetting:
    """How a forecast is told. A missing row is a programming error and raises KeyError, as in the next two."""
    return _settings("forecast_settings")[key]


def population_setting(key: str) -> ForecastSetting:
    """What virtual patients are drawn by, beside the rates."""
    return _settings("population_settings")[key]


def calibration_setting(key: str) -> ForecastSetting:
    """What the calibration assumes of trials."""
    return _settings("calibration_settings")[key]


TABLES: dict[str, type[Row]] = {
    "rates": Rate,
    "forecast_settings": ForecastSetting,
    "population_settings": ForecastSetting,
    "calibration_settings": ForecastSetting,
    "observables": ObservableRow,
    "structures": StructureRow,
    "score_conversions": ScoreConversion,
    "condition_effects": ConditionEffect,
}
