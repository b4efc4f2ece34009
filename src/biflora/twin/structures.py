"""The same patient by other structures of the model: what would be said if the twin were built otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from biflora.knowledge.rates import forecast_setting, observables, structure_rows
from biflora.twin.bands import Draws, bands, draws_of
from biflora.twin.bank import bank
from biflora.twin.evidence import Clue
from biflora.twin.forecast import ARM_LABELS, ARMS, Arm, Structure
from biflora.twin.observe import TAILS
from biflora.twin.statistical import STATISTICAL, Seen, weekly
from biflora.twin.weigh import DRAWS, resampled, weigh

Array = NDArray[np.float64]
OBSERVABLE = "scorad"
MIYANO_PATIENTS = 4000


def structures_of(
    on: Draws, off: Draws, clues: Sequence[Clue], weeks: int, seed: int
) -> tuple[tuple[Structure, ...], tuple[str, ...]]:
    """Every structure's view of SCORAD at the last week, all stacked, and in words where another arm comes first.

    `on`, `off`: the twin's draws with and without the gut link. Structures that need a SCORAD at the first visit
    are left out where there is none; the four-state model also where it knows no such patient.
    """
    random = np.random.default_rng([seed, 8])
    found: dict[str, Mapping[Arm, Array]] = {
        "twin": _last_of(on), "no_gut": _last_of(off), "no_agr": _without_quorum(clues, weeks, seed, random),
    }  # fmt: skip
    scores = {clue.week: clue.value for clue in clues if clue.observable == OBSERVABLE}
    if 0.0 in scores:
        found |= _four_states(scores[0.0], weeks, seed, random)
        seen = Seen("scorad", tuple(sorted(scores)), tuple(scores[week] for week in sorted(scores)))
        for key, model in STATISTICAL.items():
            last = weekly(model, seen, weeks, n_draws=DRAWS, seed=seed)[:, -1]
            found[key.replace(" ", "_")] = dict.fromkeys(ARMS, last)
    total = sum(structure_rows()[key].weight for key in found)
    told = tuple(_told(key, last, structure_rows()[key].weight / total) for key, last in found.items())
    together = {arm: stacked({key: last[arm] for key, last in found.items()}, DRAWS, seed) for arm in ARMS}
    return (*told, _told("stacked", together, 1.0)), _flips(told)


def stacked(found: Mapping[str, Array], count: int, seed: int) -> Array:
    """Draws of the mixture of structures by their weights; `found` holds each structure's draws."""
    random = np.random.default_rng([seed, 9])
    weights = np.array([structure_rows()[key].weight for key in found])
    which = random.choice(len(weights), size=count, p=weights / weights.sum())
    columns = list(found.values())
    return np.array([columns[k][random.integers(0, len(columns[k]))] for k in which])


def _last_of(draws: Draws) -> dict[Arm, Array]:
    return {arm: draws.seen(arm, OBSERVABLE)[-1].astype(np.float64) for arm in ARMS}


def _without_quorum(clues: Sequence[Clue], weeks: int, seed: int, random: np.random.Generator) -> dict[Arm, Array]:
    held = bank(weeks, quorum=False)
    places = resampled(weigh(held, clues).values, DRAWS, random)
    return _last_of(draws_of(held.on[..., places], seed, weeks))


def _four_states(
    start: float, weeks: int, seed: int, random: np.random.Generator
) -> dict[str, Mapping[Arm, Array]]:
    from biflora.twin.miyano import reweighted_scorad

    row = observables()[OBSERVABLE]
    told = reweighted_scorad(start, row.noise_sd, ARMS, weeks, MIYANO_PATIENTS, 2026)
    if not told.knows_such_a_patient:
        return {}
    noise = random.standard_t(TAILS, MIYANO_PATIENTS) * row.noise_sd / np.sqrt(TAILS / (TAILS - 2.0))
    return {"miyano": {arm: np.clip(told.scorad[arm][:, weeks] + noise, 0.0, row.maximum) for arm in ARMS}}


def _told(key: str, last: Mapping[Arm, Array], weight: float) -> Structure:
    row = structure_rows()[key]
    medians = {arm: float(np.median(last[arm])) for arm in ARMS}
    gaps = {arm: last[arm] - last["standard_care"] for arm in ARMS[1:]}
    same = all(np.ptp(gap) == 0.0 for gap in gaps.values())
    return Structure(
        key=key, label=row.label, what=row.what, weight=round(weight, 4), observable=OBSERVABLE,
        bands=tuple((arm, bands(last[arm][None, :].astype(np.float32))[0]) for arm in ARMS),
        differences=() if same else tuple(
            (arm, bands(gap[None, :].astype(np.float32))[0]) for arm, gap in gaps.items()
        ),
        best=None if same else min(ARMS, key=lambda arm: round(medians[arm], 1)),
    )  # fmt: skip


def _flips(told: Sequence[Structure]) -> tuple[str, ...]:
    """In words, where another structure clearly puts another arm first than the twin does."""
    ours = told[0].best
    least = forecast_setting("structure_flip_points").value
    said = []
    for other in told[1:]:
        if other.best is None or other.best == ours or ours is None:
            continue
        medians = {arm: band.median for arm, band in other.bands}
        if medians[ours] - medians[other.best] >= least:
            said.append(
                f"{other.label}: {ARM_LABELS[other.best].lower()} comes first at the last week, not "
                f"{ARM_LABELS[ours].lower()} (by {medians[ours] - medians[other.best]:.0f} SCORAD points)."
            )
    return tuple(said)
