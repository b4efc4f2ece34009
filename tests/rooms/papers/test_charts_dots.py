"""Twenty outcomes of each arm: as many dots as values, filled where the goal is reached, each on its own side."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from biflora.papers import charts
from biflora.papers.charts_dots import Outlook, drawn_goals, outlooks, severity_limits
from biflora.papers.forecast_content import charted_goals, other_goals
from biflora.papers.tokens import ARM_TOKEN
from biflora.twin.forecast import ARMS, Dots, GoalChance

CIRCLE = re.compile(r'<circle cx="([0-9.]+)" cy="([0-9.]+)" r="[0-9.]+" fill="([^"]+)" stroke="([^"]+)"')


def one_arm(*values: float) -> Outlook:
    """The oral arm alone, from a score of 40."""
    dots = (Dots(arm="oral", observable="scorad", week=12, values=values),)
    (row,) = outlooks(sample.forecast(dots=dots), "scorad", start=40)
    return row


def test_as_many_filled_as_are_said_in_words_and_in_the_table() -> None:
    """Half of 58 is 29; the spread is 9.512. Standard care 46: (29 - 46) / 9.512 = -1.79, so 3.7 % lie below.

    Of the quantiles 2.5 %, 7.5 %, ... that is one. Oral 41: 10.4 %, two. Topical 33: 33.7 %, seven. Both 30:
    45.8 %, nine.
    """
    (chart,) = charts.outcome_dots(sample.forecast(), "scorad", start=58)
    assert [row[1] for row in chart.rows] == ["1 of 20", "2 of 20", "7 of 20", "9 of 20"]
    circles = CIRCLE.findall(chart.svg)
    assert len(circles) == 80
    for arm, reached in zip(ARMS, (1, 2, 7, 9), strict=True):
        own = [c for c in circles if c[3] == f"var(--{ARM_TOKEN[arm]})"]
        assert len(own) == 20
        assert sum(c[2] != "none" for c in own) == reached
    assert "In 7 of 20 patients like this one SCORAD is at least halved at week 12 under topical" in chart.sentence
    assert "Halved: 29 or lower, from 58." in chart.sentence


def test_all_dots_stand_on_their_side_of_the_goal_and_none_on_another() -> None:
    (chart,) = charts.outcome_dots(sample.forecast(), "scorad", start=58)
    goal = re.search(r'<path d="M([0-9.]+),4V[^"]*"[^>]*stroke-dasharray', chart.svg)
    assert goal is not None
    circles = CIRCLE.findall(chart.svg)
    assert all((float(x) < float(goal[1])) is (fill != "none") for x, _, fill, _ in circles)
    assert len({(x, y) for x, y, _, _ in circles}) == 80


def test_a_score_on_the_goal_reaches_it() -> None:
    """Half of 40 is 20: 10 and 20 reach it, 20.2 and 30 do not."""
    row = one_arm(10, 20, 20.2, 30)
    assert (row.goal, row.reached) == (20, 2)


def test_the_words_about_the_median_count_the_dots_below_the_printed_number() -> None:
    """The middle of 21 and 24.2 is 22.6, printed as 23 on a span of 30: two of four lie below 23. That of 22.8 and
    22.9 is printed as 23 too, and three lie below."""
    assert "2 of 4 end below 23" in one_arm(10, 21, 24.2, 40).sentence
    assert "3 of 4 end below 23" in one_arm(10, 22.8, 22.9, 40).sentence


def test_twenty_equal_outcomes_are_still_drawn() -> None:
    dots = (Dots(arm="oral", observable="scorad", week=12, values=(12.0,) * 20),)
    (chart,) = charts.outcome_dots(sample.forecast(dots=dots), "scorad", start=40)
    places = CIRCLE.findall(chart.svg)
    assert len({x for x, *_ in places}) == 1
    assert len({y for _, y, *_ in places}) == 20


def test_nothing_without_dots_and_no_goal_without_one_in_the_forecast() -> None:
    assert charts.outcome_dots(sample.forecast(dots=()), "scorad") == []
    assert charts.outcome_dots(sample.forecast(), "easi") == []
    (row, *_) = outlooks(sample.forecast(goals=()), "scorad")
    assert row.goal is None
    assert row.sentence == "10 of 20 patients like this one end below 46 at week 12 under standard care."


def test_the_start_is_the_first_median_when_nothing_was_measured() -> None:
    (row, *_) = outlooks(sample.forecast(), "scorad")
    assert row.start == pytest.approx(58)


def test_the_severity_bands_are_those_of_the_instrument() -> None:
    """Witness: the ETFAD bands, mild below 25, severe above 50; SCORAD ends at 103."""
    assert severity_limits("scorad") == [("mild", 25), ("moderate", 50), ("severe", 103)]
    assert severity_limits("tewl") == []
    (chart,) = charts.outcome_dots(sample.forecast(), "scorad", start=58)
    assert chart.columns[-3:] == ("Mild", "Moderate", "Severe")
    for row in chart.rows:
        assert sum(int(cell.split()[0]) for cell in row[-3:]) == 20


def test_one_goal_is_counted_in_one_way_only() -> None:
    """Halved SCORAD is drawn among the outcomes; another goal of SCORAD has its dots, EASI's stands in a table."""
    goals = (
        *sample.forecast().goals,
        GoalChance(arm="oral", goal="SCORAD lower by at least 35 %", observable="scorad", probability=0.4),
        GoalChance(arm="oral", goal="EASI-50", observable="easi", probability=0.3),
    )
    forecast = sample.forecast(goals=goals)
    assert {g.goal for g in drawn_goals(forecast, "scorad")} == {"SCORAD at least halved at week 12"}
    assert [g.goal for g in charted_goals(forecast, "scorad")] == ["SCORAD lower by at least 35 %"]
    table = other_goals(forecast, "scorad")
    assert table is not None
    assert table.rows == (("EASI-50", "–", "6", "–", "–"),)  # 0.3 * 20
    old = sample.forecast(goals=goals, dots=())
    assert len(charted_goals(old, "scorad")) == 5
