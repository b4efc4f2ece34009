"""Timetables: what stands in each segment, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from biflora.twin import state as at
from biflora.twin.regimen import (
    Emollient,
    Fibre,
    OralProbiotic,
    Regimen,
    TopicalCommensal,
    TopicalSteroid,
    joined,
    timetable,
)


def dose_on(table: object, day: float, lever: int) -> float:
    edges, plan = table.edges, table.plan  # type: ignore[attr-defined]
    return float(plan[np.searchsorted(edges, day, side="right") - 1, lever])


def test_doses_are_relative_to_the_reference() -> None:
    # references: 1e10 CFU a day by mouth, 1e6 CFU/cm2 twice a day = 2e6, 10 g of fibre
    table = timetable(
        Regimen(
            interventions=(
                OralProbiotic(cfu_per_day=2e10, survival=0.1), Fibre(grams_per_day=5),
                TopicalCommensal(cfu_per_cm2=1e6, times_per_day=1),
            )
        ),
        2,
    )  # fmt: skip
    assert table.plan[0, at.USE_ORAL] == pytest.approx(4.0)  # twice the dose, twice the survival of 5 %
    assert table.plan[0, at.USE_FIBRE] == pytest.approx(0.5)
    assert table.plan[0, at.USE_TOPICAL] == pytest.approx(0.5)


def test_from_to_and_patterns() -> None:
    table = timetable(
        Regimen(
            interventions=(
                Emollient(from_week=1, to_week=3), OralProbiotic(pattern="pulsed"),
                Fibre(pattern="tapering", to_week=6), TopicalCommensal(pattern="weekend"),
            )
        ),
        6,
    )  # fmt: skip
    assert [dose_on(table, day, at.USE_EMOLLIENT) for day in (6.9, 7, 20.9, 21)] == [0, 1, 1, 0]
    assert [dose_on(table, day, at.USE_ORAL) for day in (0, 13.9, 14, 27.9, 28)] == [1, 1, 0, 0, 1]
    assert [dose_on(table, d, at.USE_FIBRE) for d in (0, 14, 28, 41.9)] == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])
    assert [dose_on(table, day, at.USE_TOPICAL) for day in (4.9, 5, 6.9, 7)] == [0, 1, 1, 0]


def test_rules_of_topical_steroid() -> None:
    for rule, between in (("reactive", [0, 0]), ("proactive", [0, 1]), ("daily", [1, 1])):
        table = timetable(Regimen(interventions=(TopicalSteroid(rule=rule),)), 1)
        assert dose_on(table, 2, at.USE_STEROID) == 1.0
        assert [dose_on(table, day, at.STEROID_BETWEEN) for day in (2, 6)] == between
    potent = timetable(Regimen(interventions=(TopicalSteroid(potency="potent"),)), 1)
    assert potent.plan[0, at.USE_STEROID] == pytest.approx(1.8)  # the row steroid_potent


def test_one_regimen_after_the_other() -> None:
    oral, none = Regimen(interventions=(OralProbiotic(),)), Regimen()
    table = joined([oral, oral, none])
    assert table.weeks == 3
    assert [dose_on(table, day, at.USE_ORAL) for day in (0, 13.9, 14, 20)] == [1, 1, 0, 0]


def test_the_combination_is_the_sum_of_its_parts() -> None:
    from biflora.twin.arms import timetable_of

    both, oral, topical = (timetable_of(arm, 3).plan for arm in ("combination", "oral", "topical"))
    assert np.array_equal(both, np.maximum(oral, topical))
    assert not [key for key in at.RATES if "combination" in key or "synergy" in key or "interaction" in key]


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(ValidationError, match="to_week must lie after from_week"):
        Emollient(from_week=4, to_week=2)
