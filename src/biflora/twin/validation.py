"""`biflora twin validate`: held-out trials, the comparator's paper, simulation-based calibration, real persons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from biflora.twin.calibrate import emulator_of, figures_of
from biflora.twin.calibrated import name as population_name
from biflora.twin.longitudinal import Forecaster, JudgedTable, judge_several, read_scorads
from biflora.twin.personal_checks import (
    DESIGNS,
    four_state_forecaster,
    rank_test,
    stacked_forecaster,
    twin_forecaster,
)
from biflora.twin.report import Validation
from biflora.twin.ship import kept_campaign
from biflora.twin.validate import hold_out

PERSONS = "ad_skin_trial_khadka2021"
RANK_PATIENTS = (1000, 300, 120)
"""Virtual patients for each of `personal_checks.DESIGNS`; tempered moves take most of a second each."""
GIVEN = 2


def validate(
    populations: int, seed: int, shared: Path | None, *, command: str, made_on: str,
    on_step: Callable[[str], None] = lambda step: None,
) -> Validation:  # fmt: skip
    """Everything that the published page reports. `shared` is the folder whose data/ holds real scores."""
    from biflora.twin.miyano import week_16_table

    campaign = kept_campaign(populations, seed, lambda part: on_step(f"Simulating every trial: {part:.0%}"))
    figures = figures_of(campaign)
    emulator = emulator_of(campaign, seed)
    trials = hold_out(
        emulator, figures, seed, on_progress=lambda part: on_step(f"Leaving each trial out: {part:.0%}")
    )  # fmt: skip
    on_step("Reproducing the four-state model's paper")
    four_states = week_16_table()
    ranks = []
    for place, (design, count) in enumerate(zip(DESIGNS, RANK_PATIENTS, strict=True), start=1):
        on_step(f"Ranking the truth among forecasts: {design}")
        # other patients for each: with the same ones the tests would stand and fall together
        ranks.append(rank_test(design, count, seed + 1000 * place))
    on_step("Forecasting real persons")
    return Validation(
        made_on=made_on, seed=seed, command=command, population=population_name(), trials=trials,
        four_states=dict(four_states), ranks=tuple(ranks), persons=persons_judged(shared, seed),
    )  # fmt: skip


def persons_judged(shared: Path | None, seed: int) -> JudgedTable | None:
    """Every structure and their stack on the real longitudinal scores; None where they are not on this machine."""
    folder = None if shared is None else shared / "data" / PERSONS
    if folder is None or not folder.is_dir():
        return None
    from biflora.twin.longitudinal import last_value_forecaster, random_walk_forecaster

    structures: dict[str, Forecaster] = {
        "twin": twin_forecaster(seed), "no_gut": twin_forecaster(seed, gut_link=False),
        "no_agr": twin_forecaster(seed, quorum=False), "miyano": four_state_forecaster(seed),
    }  # fmt: skip
    statistical = {"random_walk": random_walk_forecaster(), "last_value": last_value_forecaster()}
    stack = stacked_forecaster({**structures, **statistical}, seed)
    return judge_several(read_scorads(folder), {**structures, "stacked": stack}, given=GIVEN)
