"""The four arms of a patient's forecast, as regimens."""

from __future__ import annotations

from collections.abc import Sequence

from biflora.twin.forecast import ARM_LABELS, Arm
from biflora.twin.regimen import (
    Emollient,
    OralProbiotic,
    Regimen,
    Timetable,
    TopicalCommensal,
    TopicalSteroid,
    joined,
    timetable,
)

_CARE = (Emollient(), TopicalSteroid(rule="reactive"))
REGIMENS: dict[Arm, Regimen] = {
    "standard_care": Regimen(label=ARM_LABELS["standard_care"], interventions=_CARE),
    "oral": Regimen(label=ARM_LABELS["oral"], interventions=(*_CARE, OralProbiotic())),
    "topical": Regimen(label=ARM_LABELS["topical"], interventions=(*_CARE, TopicalCommensal())),
    "combination": Regimen(
        label=ARM_LABELS["combination"], interventions=(*_CARE, OralProbiotic(), TopicalCommensal())
    ),
}
"""Standard care is emollient plus reactive topical anti-inflammatory treatment; it goes on in every arm."""


def timetable_of(arm: Arm, weeks: int, stop_week: int | None = None) -> Timetable:
    """The arm's timetable; oral and topical stop at `stop_week`, standard care goes on."""
    if stop_week is None:
        return timetable(REGIMENS[arm], weeks)
    return timetable_by_week([arm if week < stop_week else "standard_care" for week in range(weeks)])


def timetable_by_week(arms: Sequence[Arm]) -> Timetable:
    """The timetable of a patient whose arm may change from week to week."""
    return joined([REGIMENS[arm] for arm in arms])
