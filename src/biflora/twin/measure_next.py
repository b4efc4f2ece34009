"""What to measure next: how much one further measurement would narrow the difference both − standard care.

Linear and Gaussian on the bank's virtual patients, who already hold every correlation that the model has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import observables as observable_table
from biflora.profile.profile import Profile
from biflora.twin.bank import Bank
from biflora.twin.evidence import evidence_of
from biflora.twin.forecast import ARMS, Arm
from biflora.twin.identified import NextMeasurement, WhatNext
from biflora.twin.linear import between_and_within, covariance, given
from biflora.twin.observe import OBSERVED, PLACE, to_scale
from biflora.twin.weigh import weigh

Array = NDArray[np.float64]


class Schedule(NamedTuple):
    """When what is measured, and under which arms."""

    weeks: tuple[int, ...]
    measures: tuple[str, ...]
    arms: tuple[Arm, ...]


def for_patient(
    held: Bank, asked: Schedule, arm: Arm, eligible: NDArray[np.int64], like: Profile | None = None
) -> WhatNext:
    """Single measurements of one patient under this arm, ranked by what they add to the design's.

    With `like` the virtual patients are weighed by what is known of her already.
    """
    if like is None:
        weights = np.zeros(held.size)
        weights[eligible] = 1.0 / len(eligible)
    else:
        weights = weigh(held, evidence_of(like).clues).values
    joint = covariance(np.column_stack([_gap(held, asked), _columns(held, arm, asked.weeks)]), weights)
    noise = np.diag([0.0, *_noise_of(asked.weeks)])
    return _ranked("patient", (arm,), asked, joint, noise, 1)


def patient_learns(held: Bank, asked: Schedule, arm: Arm, eligible: NDArray[np.int64], quantity: Array) -> float:
    """Part of the variance of a quantity (patient,) of the bank that one patient's measurements take away."""
    joint = covariance(np.column_stack([quantity[eligible], _columns(held, arm, asked.weeks)[eligible]]))
    noise = np.diag([0.0, *_noise_of(asked.weeks)])
    base = [
        1 + PLACE[key] * len(asked.weeks) + place for key in asked.measures for place in range(len(asked.weeks))
    ]
    left = float(given(joint, noise, base)[0, 0])
    return float(np.clip(1.0 - left / joint[0, 0], 0.0, 1.0)) if joint[0, 0] > 0.0 else 0.0


def for_trial(held: Bank, asked: Schedule, eligible: NDArray[np.int64], n: int) -> WhatNext:
    """Single measurements added in every arm of a trial of `n` per arm: how they narrow the populations' mean."""
    parts = [_columns(held, arm, asked.weeks)[eligible] for arm in asked.arms]
    values = np.column_stack([_gap(held, asked)[eligible], *parts])
    between, within = between_and_within(values, held.drawn().member[eligible])
    noise = np.zeros_like(within)
    width = len(OBSERVED) * len(asked.weeks)
    for place in range(len(asked.arms)):  # the arms hold different patients
        here = slice(1 + place * width, 1 + (place + 1) * width)
        noise[here, here] = (within[here, here] + np.diag(_noise_of(asked.weeks))) / n
    return _ranked("trial", asked.arms, asked, between, noise, len(asked.arms))


def _gap(held: Bank, asked: Schedule) -> Array:
    """SCORAD under both less under standard care at the last visit, per virtual patient."""
    last = held.on[:, PLACE["scorad"], max(asked.weeks)].astype(np.float64)
    return np.asarray(last[ARMS.index("combination")] - last[ARMS.index("standard_care")])


def _columns(held: Bank, arm: Arm, weeks: Sequence[int]) -> Array:
    """(patient, observable x week) on the scale of the noise."""
    table = observable_table()
    course = held.on[ARMS.index(arm)]
    return np.column_stack(
        [to_scale(table[key], course[PLACE[key], week].astype(np.float64)) for key in OBSERVED for week in weeks]
    )


def _noise_of(weeks: Sequence[int]) -> list[float]:
    table = observable_table()
    return [table[key].noise_sd ** 2 for key in OBSERVED for _ in weeks]


def _ranked(who: str, under: tuple[Arm, ...], asked: Schedule, joint: Array, noise: Array, arms: int) -> WhatNext:
    """The first column of `joint` is the difference; the others repeat (observable x week) for each arm."""
    width = len(OBSERVED) * len(asked.weeks)

    def places(observable: str, week: int) -> list[int]:
        column = PLACE[observable] * len(asked.weeks) + asked.weeks.index(week)
        return [1 + arm * width + column for arm in range(arms)]

    base = [p for key in asked.measures for week in asked.weeks for p in places(key, week)]
    design = max(float(given(joint, noise, base)[0, 0]), 0.0)
    table = observable_table()
    rows = []
    for key in OBSERVED:
        for week in asked.weeks:
            if key in asked.measures:
                continue
            after = max(float(given(joint, noise, base + places(key, week))[0, 0]), 0.0)
            rows.append(
                NextMeasurement(
                    observable=key, label=table[key].label, week=week,
                    reduction=round(1.0 - after / design, 4) if design > 0.0 else 0.0,
                    sd_before=round(design**0.5, 4), sd_after=round(after**0.5, 4),
                )
            )  # fmt: skip
    rows.sort(key=lambda row: -row.reduction)
    return WhatNext.model_validate({
        "who": who, "under": under, "week": max(asked.weeks), "sd_prior": round(float(joint[0, 0]) ** 0.5, 4),
        "sd_design": round(design**0.5, 4), "ranked": tuple(rows),
    })  # fmt: skip
