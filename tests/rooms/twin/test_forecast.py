"""Personalising: what measurements do to a forecast, and whether its intervals hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biflora.errors import ClinicianMust
from biflora.profile.patient import Condition, Laboratory, Patient
from biflora.profile.profile import Profile, Score
from biflora.twin import bank as bank_module
from biflora.twin.bands import bands, draws_of
from biflora.twin.bank import bank
from biflora.twin.cohort import simulate_arms, virtual_patients
from biflora.twin.evidence import Clue, evidence_of
from biflora.twin.forecast import ARMS, Forecast, Observation
from biflora.twin.observe import OBSERVED, PLACE, measured
from biflora.twin.run import forecast, personal
from biflora.twin.weigh import effective_size, resampled, weigh


def made_up(condition: Condition = Condition.ATOPIC_DERMATITIS, laboratory: dict[str, float] | None = None,
            **scores: float) -> Profile:  # fmt: skip
    patient = Patient(
        age_years=30, condition=condition, laboratory=Laboratory(**(laboratory or {})), synthetic=True
    )
    given = tuple(
        Score(instrument=key, label=key, value=value, minimum=0, maximum=103, computed=False)
        for key, value in scores.items()
    )
    return Profile.make("profile", release="test", patient=patient, scores=given)


def width(result: Forecast, key: str, week: int = 12) -> float:
    course = result.course("standard_care", key)
    assert course is not None
    return course.bands[week].q90 - course.bands[week].q10


def middle(result: Forecast, key: str, week: int = 12, **which: Any) -> float:
    course = result.course(which.pop("arm", "standard_care"), key, **which)
    assert course is not None
    return course.bands[week].median


def test_every_arm_and_observable_weekly_with_and_without_the_gut() -> None:
    result = forecast(made_up(scorad=58))
    for link in (True, False):
        for arm in ARMS:
            for key in OBSERVED:
                course = result.course(arm, key, gut_link=link)
                assert course is not None
                assert course.weeks == tuple(range(13))
                assert len(course.bands) == 13
                assert all(b.q2_5 <= b.q10 <= b.q25 <= b.median <= b.q75 <= b.q90 <= b.q97_5 for b in course.bands)
        assert result.difference("combination", "oral", "scorad", gut_link=link) is not None
    off = result.difference("oral", "standard_care", "scorad", gut_link=False)
    assert off is not None
    assert abs(off.bands[-1].q97_5) < 0.02
    assert off.probability_better == pytest.approx(0.5, abs=0.02)
    assert result.failed_trajectories == 0


def test_same_input_same_forecast() -> None:
    assert forecast(made_up(scorad=58)).id == forecast(made_up(scorad=58)).id


def test_measuring_narrows_and_moves() -> None:
    # the lesion's S. aureus and butyrate are wide without, narrower with
    little = forecast(made_up(scorad=58))
    much = forecast(
        made_up(scorad=58, laboratory={"s_aureus_log10_copies_per_cm2": 5.5, "faecal_butyrate_mmol_per_kg": 6.0})
    )
    none = forecast(made_up())
    assert width(much, "faecal_butyrate") < 0.7 * width(little, "faecal_butyrate")
    assert width(much, "s_aureus_log10", 0) < 0.7 * width(little, "s_aureus_log10", 0)
    assert width(little, "scorad") < width(none, "scorad")
    assert middle(forecast(made_up(scorad=75)), "scorad") > middle(forecast(made_up(scorad=35)), "scorad") + 10
    assert "faecal butyrate was not measured" in little.not_informed
    assert "faecal butyrate was not measured" not in much.not_informed


def test_a_later_visit_moves_the_forecast_towards_it() -> None:
    before = forecast(made_up(scorad=58))
    seen = [Observation(week=4, observable="scorad", value=22.0)]
    after = forecast(made_up(scorad=58), observations=seen)
    assert abs(middle(after, "scorad", 4) - 22.0) < 0.5 * abs(middle(before, "scorad", 4) - 22.0)
    assert middle(after, "scorad") < middle(before, "scorad") - 3
    assert width(after, "scorad") < width(before, "scorad")


def test_another_instrument_is_converted_and_said_so() -> None:
    result = forecast(made_up(viga_ad=3))
    assert any("estimate" in words for words in result.informed_by)
    assert any("converted" in item.what for item in result.assumptions)
    assert width(result, "scorad", 0) > width(forecast(made_up(scorad=46)), "scorad", 0)


def test_itch_alone_informs_and_says_that_signs_are_missing() -> None:
    itchy, calm = forecast(made_up(itch_nrs=9)), forecast(made_up(itch_nrs=2))
    assert middle(itchy, "scorad", 0) > middle(calm, "scorad", 0) + 5
    assert any("no score of the skin's signs" in words for words in itchy.not_informed)


def test_rare_patients_get_new_virtual_patients_and_it_is_said() -> None:
    # nearly no broken skin barrier, yet the worst score: nobody in the bank is like that
    strange = made_up(scorad=100, easi=2, laboratory={"tewl_g_per_m2_h": 4, "faecal_butyrate_mmol_per_kg": 110})
    result = forecast(strange)
    assert "tempered moves" in result.assumptions[0].what
    assert result.effective_sample_size > 50
    assert result.id == forecast(strange).id


def test_80_percent_intervals_hold_about_80_percent() -> None:
    # 60 new virtual patients of the same population; week 12 as measured, against the forecast from week 0
    held = bank()
    people = virtual_patients(60, seed=77)
    latent = simulate_arms(people, ("standard_care",), 12).values[0]
    truth = measured(latent, np.random.default_rng(78), limits=False)
    for key, low, high in (("scorad", 0.65, 0.95), ("s_aureus_log10", 0.65, 0.95)):
        inside = 0
        for one in truth:
            clues = evidence_of(made_up(scorad=float(one[0, PLACE["scorad"]]))).clues
            seen = draws_of(personal(held, clues, 5).on, 5, 12)
            band = next(c for c in seen.courses_of(key) if c.arm == "standard_care").bands[12]
            inside += band.q10 <= one[12, PLACE[key]] <= band.q90
        assert low <= inside / 60 <= high


def test_quantiles_by_hand() -> None:
    # of 1, 2, 3: the median is 2, the 0.9 quantile lies 0.8 of the way from 2 to 3, the 0.1 quantile 0.2 from 1
    found = bands(np.array([[3.0, 1.0, 2.0]], np.float32))[0]
    assert (found.median, found.q90, found.q10) == pytest.approx((2.0, 2.8, 1.2))


def test_resampling_keeps_the_weights() -> None:
    # weights .2, .5, .3 of 1,000 draws: 200, 500 and 300 of each, one more or less
    places = resampled(np.array([0.2, 0.5, 0.3]), 1000, np.random.default_rng(1))
    assert np.bincount(places) == pytest.approx([200, 500, 300], abs=1)
    assert effective_size(np.array([0.2, 0.5, 0.3])) == pytest.approx(1 / (0.04 + 0.25 + 0.09))


def test_chances_of_being_best_and_dots_agree_with_the_draws() -> None:
    result = forecast(made_up(scorad=58))
    chances = [c.probability for c in result.best_chances if c.observable == "scorad"]
    assert sum(chances) == pytest.approx(1.0)
    dots = next(d for d in result.dots if (d.arm, d.observable) == ("oral", "scorad"))
    course = result.course("oral", "scorad")
    assert course is not None
    assert len(dots.values) == 20
    assert sorted(dots.values) == list(dots.values)
    assert dots.values[9] <= course.bands[-1].median * 1.2 + 2  # widened bands share their median with the dots


def test_effective_size_of_equal_weights_is_the_bank() -> None:
    held = bank()
    assert weigh(held, ()).effective == pytest.approx(held.size)
    assert weigh(held, (Clue("scorad", 55.0, 5.0),)).effective < held.size


def test_a_damaged_bank_is_built_again(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_module, "_KEPT", {})
    first = bank(size=40, seed=9)
    (path,) = [p for p in cache_folder.glob("bank-*.npz") if p.stat().st_size < 1_000_000]
    path.write_bytes(path.read_bytes()[:2000])
    monkeypatch.setattr(bank_module, "_KEPT", {})
    again = bank(size=40, seed=9)
    assert np.array_equal(first.on, again.on)
    assert path.stat().st_size > 2000


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    monkeypatch.setenv("BIFLORA_CACHE", str(occupied))
    monkeypatch.setattr(bank_module, "_KEPT", {})
    assert bank(size=40, seed=9).size == 40


def test_conditions_without_a_model_show_trials_only() -> None:
    acne = forecast(made_up(Condition.ACNE))
    assert not acne.mechanistic
    assert {course.arm for course in acne.courses} == {"standard_care", "oral"}
    difference = acne.difference("oral", "standard_care", "lesions_change")
    assert difference is not None
    # Eguren 2024, all lesions; the 50 % against 29.4 % of its abstract are shares of patients, no changes
    assert difference.bands[-1].median == pytest.approx(-27.94 - -18.31)
    rosacea = forecast(made_up(Condition.ROSACEA))
    assert not rosacea.courses
    assert any("no trial found" in words for words in rosacea.not_informed)


def test_psoriasis_row_gives_the_published_share_of_pasi_75() -> None:
    # a normal distribution with the row's mean and sd must put 66.7 % (41.9 % control) below -75 %
    from statistics import NormalDist

    from biflora.knowledge.rates import condition_effects

    for key, share in (("psoriasis_oral", 0.667), ("psoriasis_control", 0.419)):
        row = condition_effects()[key]
        assert NormalDist(row.change, row.sd).cdf(-75) == pytest.approx(share, abs=0.03)


def test_too_far_ahead_is_refused() -> None:
    with pytest.raises(ClinicianMust, match="1 to 52"):
        forecast(made_up(scorad=50), weeks=60)


def test_old_banks_do_not_pile_up(tmp_path: Path) -> None:
    for age in range(12):
        path = tmp_path / f"bank-{age}.npz"
        path.write_text("old")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    bank_module._tidy(tmp_path)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [f"bank-{age}.npz" for age in range(bank_module.KEPT_FILES)]
