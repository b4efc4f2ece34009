"""How the last forecasts did: every count and every tail worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from biflora.followup.outcome import Outcome
from biflora.followup.track_record import NONE_TESTED, band_at, fell_in, in_words, track_record
from biflora.profile.profile import Score
from biflora.twin.forecast import Arm, Course, Forecast, Observable
from biflora.values import Band

ON = date(2026, 12, 21)


def band(median: float) -> Band:
    """50 % within 2 of the median, 80 % within 5, 95 % within 10."""
    return Band(
        median=median, q25=median - 2, q75=median + 2, q10=median - 5, q90=median + 5, q2_5=median - 10,
        q97_5=median + 10,
    )  # fmt: skip


def forecast(
    start: float, end: float, *parents: str, arm: Arm = "topical", keys: tuple[str, ...] = ("scorad",)
) -> Forecast:
    """From `start` at week 0 in a line to `end` at week 12."""
    return Forecast.make(
        "forecast", release="test", parents=parents, weeks=(0, 12),
        observables=tuple(Observable(key=k, label=k.upper(), unit="points", lower_is_better=True) for k in keys),
        courses=tuple(
            Course(arm=arm, observable=key, weeks=(0, 12), bands=(band(start), band(end))) for key in keys
        ),
    )  # fmt: skip


def visit(week: float, before: Forecast | None, arm: Arm = "topical", **scores: float) -> Outcome:
    return Outcome.make(
        "outcome", release="test", parents=(before.id,) if before else (), patient_id="P01", week=week, on=ON,
        arm=arm,
        scores=tuple(
            Score(instrument=key, label=key, value=value, minimum=0, maximum=103, computed=False)
            for key, value in scores.items()
        ),
    )  # fmt: skip


def test_each_visit_is_read_against_the_forecast_before_it() -> None:
    """Week 4: 60 - 4/12 * 36 = 48; 52 is 4 above, outside 50 %, inside 80 %.

    The redrawn forecast starts at 66: week 8 is 66 - 8/12 * 36 = 42; 60 is 18 above, outside. The first forecast
    would have said 36 there, 24 off.
    """
    first = forecast(60, 24)
    week_4 = visit(4, first, scorad=52)
    redrawn = forecast(66, 30, first.id, week_4.id)
    week_8 = visit(8, redrawn, scorad=60)
    newest = forecast(70, 40, redrawn.id, week_8.id)
    record = track_record([first, redrawn, newest], [week_8, week_4])
    assert [(r.week, r.forecast.median, r.observed, r.fell_in, r.absolute_error) for r in record.rows] == [
        (4, pytest.approx(48), 52, "80 %", pytest.approx(4)),
        (8, pytest.approx(42), 60, "outside", pytest.approx(18)),
    ]
    assert [r.forecast_id for r in record.rows] == [first.id, redrawn.id]
    assert [r.weeks_ahead for r in record.rows] == [4, 4]
    assert (record.visits, record.inside_50, record.inside_80, record.inside_95) == (2, 0, 1, 1)
    assert record.expected_80 == pytest.approx(1.6)
    assert record.median_absolute_error == pytest.approx((4 + 18) / 2)
    assert record.sentence == (
        "1 of 2 visits fell inside the 80 % interval that was forecast before them; about 1.6 of 2 are expected; "
        "too few to judge."
    )


def test_all_that_was_measured_is_listed_and_severity_alone_counts_the_visit() -> None:
    """SCORAD 48 forecast, 49 seen: inside 50 %. Itch is listed too, but one visit is one count."""
    made = forecast(60, 24, keys=("itch_nrs", "scorad"))
    record = track_record([made], [visit(4, made, itch_nrs=90, scorad=49)])
    assert {r.observable: r.fell_in for r in record.rows} == {"itch_nrs": "outside", "scorad": "50 %"}
    assert (record.visits, record.inside_50) == (1, 1)


def test_what_cannot_be_compared_is_left_out() -> None:
    """Another arm than forecast, a week beyond the last, a forecast that was not kept, nothing scored."""
    made = forecast(60, 24)
    left_out = [
        visit(4, made, "oral", scorad=50), visit(13, made, scorad=20), visit(4, None, scorad=50), visit(6, made),
    ]  # fmt: skip
    record = track_record([made], left_out)
    assert record.rows == ()
    assert record.sentence == NONE_TESTED
    assert track_record([], []).sentence == NONE_TESTED


@pytest.mark.parametrize(
    ("value", "where"),
    [(48, "50 %"), (50, "50 %"), (50.1, "80 %"), (43, "80 %"), (42.9, "95 %"), (58, "95 %"), (58.1, "outside")],
)
def test_the_narrowest_interval_that_holds_it(value: float, where: str) -> None:
    assert fell_in(band(48), value) == where


def test_a_band_between_two_weeks() -> None:
    course = forecast(60, 24).courses[0]
    third = band_at(course, 4)
    assert third is not None
    assert (third.median, third.q10, third.q97_5) == pytest.approx((48, 43, 58))
    assert band_at(course, 12.5) is None
    assert band_at(course, 0) == band(60)


@pytest.mark.parametrize(
    ("inside", "visits", "words"),
    [
        # P(0 of 2) = 0.2^2 = 0.04; P(0 or 1 of 3) = 0.008 + 3 * 0.8 * 0.04 = 0.104; P(2 or fewer of 5) = 0.058
        (0, 2, "too narrow"), (1, 3, "too few to judge"), (2, 5, "too few to judge"), (1, 5, "too narrow"),
        # 0.8^13 = 0.055, 0.8^14 = 0.044: from 14 on a full count would tell, and 11 of 14 lies between the tails
        (13, 13, "too few to judge"), (14, 14, "wider than they need be"), (11, 14, "as many as honest intervals"),
        (0, 0, "No forecast of this patient has been tested"),
    ],
)  # fmt: skip
def test_when_a_count_speaks_against_the_intervals(inside: int, visits: int, words: str) -> None:
    assert words in in_words(inside, visits)


def test_the_tails_are_scipys() -> None:
    """Witness: SciPy's binomial distribution decides the same for every count of up to 20 visits."""
    from scipy.stats import binom

    for visits in range(1, 21):
        for inside in range(visits + 1):
            said = in_words(inside, visits)
            assert ("too narrow" in said) is bool(binom.cdf(inside, visits, 0.8) < 0.05)
            assert ("wider than" in said) is bool(binom.sf(inside - 1, visits, 0.8) < 0.05)
