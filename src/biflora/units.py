"""The names of units that tables and values may use, and the few conversions between them."""

from __future__ import annotations

import math
import re

NAMES = frozenset(
    """
    % percent share probability fraction relative factor fold -fold ratio correlation logit tone tone-unit
    g kg mg µg ng L mL µL cm2 cm² m2 m² mmol µmol mol h d day days week weeks year years
    CFU copies cells reads IU U AU nmol FTU USD HLB pH dose points grade
    event events visit visits patients persons trials ingredient ingredients samples
    """.split()  # noqa: SIM905 (a list literal would fill sixty lines)
) | {
    "1",
    "germs",
    "irritancy",
    "pair",
    "group",
    "group of germs",
    "irritancy point",
    "percent w/w",
    "percent BSA",
    "percentage points",
    "water activity",
    "smallest important differences",
    "range",
    "gut reads",
    "skin reads",
    "pg",
    "baseline",
    "weight",
    "strength",
    "oil phase",
    "the strain ingredient",
    "lesions",
    "mean difference",
    "mean difference as stated (looks standardised)",
}
"""Words from which a unit is put together with `/`, `per`, `x` and `of`."""

_JOINTS = re.compile(r"/| per | x | of | to ")
_SCALES = re.compile(r"^(?:1e\d+|\d+(?:\.\d+)?|log10|ln|LS mean)\s*")
_ENDINGS = re.compile(r"\s+(?:change|increase|reduction|responders|patients|oil phase|ingredient)$")


def is_unit(text: str) -> bool:
    """True when every word of the unit is known, e.g. `g per g oil phase`, `log10 CFU/cm2`, `1e9 CFU/g/d`."""
    text = text.strip()
    return bool(text) and (text in NAMES or all(_is_word(part.strip()) for part in _JOINTS.split(f" {text}")))


def _is_word(part: str) -> bool:
    bare = _SCALES.sub("", part)
    return any(each in NAMES or each == "" for each in (part, bare, _ENDINGS.sub("", bare)))


def percent_to_ppm(percent: float) -> int:
    """Whole parts per million of a percentage by mass (1 % is 10 000 ppm)."""
    return round(percent * 10_000)


def ppm_to_percent(ppm: float) -> float:
    return ppm / 10_000


def mmol_per_kg_to_umol_per_g(value: float) -> float:
    """The same number: 1 mmol/kg is 1 µmol/g."""
    return value


def log10_to_fold(log10_ratio: float) -> float:
    return float(10**log10_ratio)


def fold_to_log10(fold: float) -> float:
    """Raises ValueError when `fold` is not above zero."""
    return math.log10(fold)


def grams_to_milligrams(grams: float) -> float:
    return grams * 1_000


def milligrams_to_grams(milligrams: float) -> float:
    return milligrams / 1_000
