"""Structures beside the twin: who is told, who flips, and how they are stacked."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.knowledge.rates import structure_rows
from biflora.twin import state as at
from biflora.twin.bands import draws_of
from biflora.twin.bank import bank, without_quorum
from biflora.twin.evidence import Clue
from biflora.twin.forecast import ARMS, Structure
from biflora.twin.run import personal
from biflora.twin.structures import _flips, stacked, structures_of
from biflora.values import Band


def told(key: str, medians: tuple[float, ...]) -> Structure:
    def band(m: float) -> Band:
        return Band(median=m, q25=m, q75=m, q10=m, q90=m, q2_5=m, q97_5=m)

    best = min(zip(ARMS, medians, strict=True), key=lambda pair: pair[1])[0]
    return Structure(
        key=key, label=key, what="", weight=0.5, observable="scorad",
        bands=tuple((arm, band(m)) for arm, m in zip(ARMS, medians, strict=True)), best=best,
    )  # fmt: skip


def test_a_flip_is_told_when_another_arm_is_clearly_ahead() -> None:
    ours = told("twin", (30, 27, 28, 25))  # combination first
    assert _flips([ours, told("other", (30, 29, 24, 27))]) == (
        "other: topical comes first at the last week, not both (by 3 SCORAD points).",
    )
    assert _flips([ours, told("other", (30, 29, 26.5, 27))]) == ()  # half a point is chance
    assert _flips([ours, told("other", (30, 28, 27, 26))]) == ()


def test_structures_of_a_patient() -> None:
    held = bank()
    clues = [Clue("scorad", 60.0, 5.0)]
    like = personal(held, clues, 1)
    found, _ = structures_of(draws_of(like.on, 1, 12), draws_of(like.off, 1, 12, gut_link=False), clues, 12, 1)
    by = {structure.key: structure for structure in found}
    assert list(by) == ["twin", "no_gut", "no_agr", "miyano", "random_walk", "last_value", "stacked"]
    assert sum(structure.weight for structure in found[:-1]) == pytest.approx(1.0, abs=1e-3)
    middles = [dict(structure.bands)["oral"].median for structure in found[:-1]]
    assert min(middles) < dict(by["stacked"].bands)["oral"].median < max(middles)
    assert by["random_walk"].best is None  # it knows no treatment
    gut_off = dict(by["no_gut"].differences)["oral"]
    assert abs(gut_off.q97_5) < 0.1
    assert set(dict(by["twin"].bands)) == set(ARMS)


def test_without_a_score_only_structures_that_need_none_are_told() -> None:
    held = bank()
    like = personal(held, [], 1)
    found, _ = structures_of(draws_of(like.on, 1, 12), draws_of(like.off, 1, 12, gut_link=False), [], 12, 1)
    assert [structure.key for structure in found] == ["twin", "no_gut", "no_agr", "stacked"]


def test_stacked_draws_follow_the_weights() -> None:
    # each structure draws its own number: the shares of the mixture are the weights
    rows = structure_rows()
    drawn = stacked({key: np.full(5, float(i)) for i, key in enumerate(rows)}, 40_000, 1)
    for i, row in enumerate(rows.values()):
        assert np.mean(drawn == i) == pytest.approx(row.weight, abs=0.01)


def test_without_quorum_virulence_is_plain_saturation() -> None:
    # slope 1 on the logarithm is load / (load + threshold), and no commensal moves the threshold
    rates = np.full((2, len(at.RATES)), 3.0)
    plain = without_quorum(rates)
    assert (plain[:, at.QUORUM_SLOPE] == 1.0).all()
    assert (plain[:, at.QUORUM_BLOCK] == 0.0).all()
    assert (rates[:, at.QUORUM_SLOPE] == 3.0).all()
