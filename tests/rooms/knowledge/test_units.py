"""Unit names and conversions, by hand."""

from __future__ import annotations

import math

import pytest

from biflora import units


@pytest.mark.parametrize(
    "unit",
    ["percent", "g/m2/h", "log10 copies/cm²", "1e5 CFU/cm2/d", "g per g oil phase", "per day", "USD per 100 g"],
)
def test_units_of_the_tables_are_known(unit: str) -> None:
    assert units.is_unit(unit)


@pytest.mark.parametrize("unit", ["furlong", "g/furlong", "", "percents w/w"])
def test_other_words_are_not_units(unit: str) -> None:
    assert not units.is_unit(unit)


def test_conversions() -> None:
    assert units.percent_to_ppm(0.005) == 50
    assert units.ppm_to_percent(13_700) == 1.37
    assert units.log10_to_fold(2) == 100
    assert units.fold_to_log10(1_000) == pytest.approx(3)
    assert units.grams_to_milligrams(0.09) == pytest.approx(90)
    assert units.milligrams_to_grams(57) == pytest.approx(0.057)
    assert units.mmol_per_kg_to_umol_per_g(18) == 18
    with pytest.raises(ValueError, match=r"math domain|positive"):
        units.fold_to_log10(-math.e)
