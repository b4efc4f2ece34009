"""Forecasts of single persons. Witnesses: made-up folders worked by hand, and the trial's own files."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from biflora.errors import OperatorMust, TrialistMust
from biflora.twin.longitudinal import (
    Array,
    Case,
    CaseGiven,
    judge,
    last_value_forecaster,
    random_walk_forecaster,
    read_scorads,
)
from biflora.twin.scores import stacking_weights

SCORES = """Subject,ChlorineBath,Visit1_SCORAD,Visit2_SCORAD,Visit3_SCORAD,Visit4_SCORAd
1,0,50,40.5,NA,20
2,1,35,NA,NA,NA
3,1,30,20,10,5
4,1,NA,NA,NA,NA
"""
VISITS = """,Subject,Visit,Age,DateSampled
a,1,1,10,12/18/17
b,1,1,10,12/18/17
c,1,2,10,1/15/18
d,1-control,NA,NA,NA
"""
LIBRARIES = """SampleID	collection_date	host_age	sample_name_full_length
x	2018-02-12	10	S1_V4_Forearm
y	2018-01-01	7	S3_V2_Elbow
z	NA	NA	blank
"""


def folder_of(tmp_path: Path, scores: str = SCORES, visits: str = VISITS, libraries: str = LIBRARIES) -> Path:
    (tmp_path / "cleaned_scorads.csv").write_text(scores)
    (tmp_path / "meta_biological_replicates_merged.csv").write_text(visits)
    (tmp_path / "metatable_sra_16s_public.tsv").write_text(libraries)
    return tmp_path


# Child 1: 18 December to 15 January are 28 days, to 12 February (from the libraries) 56: weeks 0, 4, 8; visit 3
# is NA.
# Child 3 has one date, of visit 2: the others lie 4.33 weeks apart, so 0, 4.33, 8.66, 12.99. Child 4 has no score.
def test_a_made_up_folder_is_read_as_by_hand(tmp_path: Path) -> None:
    cases = {case.values[0]: case for case in read_scorads(folder_of(tmp_path))}
    assert set(cases) == {50, 35, 30}
    one, two, three = cases[50], cases[35], cases[30]
    assert one.weeks == pytest.approx((0, 4, 8))
    assert one.values == (50, 40.5, 20)
    assert (one.age_years, one.treatment, one.assumed_weeks) == (10, ("topical steroid and emollient",), ())
    assert (two.weeks, two.age_years) == ((0,), None)
    assert two.treatment == ("topical steroid and emollient", "dilute bleach baths")
    assert three.weeks == pytest.approx((0, 4.33, 8.66, 12.99))
    assert (three.age_years, three.assumed_weeks) == (7, (0, 2, 3))
    assert len({case.number for case in cases.values()}) == 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [({"scores": SCORES.replace("40.5", "4O.5")}, TrialistMust, "line 2, Visit2_SCORAD: must be a number"),
     ({"scores": SCORES.replace("40.5", "140.5")}, TrialistMust, "from 0 to 103"),
     ({"scores": SCORES.replace("3,1,30", "1,1,30")}, TrialistMust, "line 4: 'Subject' is empty or stands twice"),
     ({"scores": SCORES.replace("2,1,35", "2,Y,35")}, TrialistMust, "line 3: 'ChlorineBath' must be 0 or 1"),
     ({"scores": SCORES.replace("ChlorineBath", "Bath")}, OperatorMust, r"column\(s\) missing: ChlorineBath"),
     ({"scores": SCORES.splitlines()[0]}, OperatorMust, "no rated visit"),
     ({"visits": VISITS.replace("1/15/18", "15.1.18")}, TrialistMust, "line 4: the date must look like"),
     ({"visits": VISITS.replace("1/15/18", "1/15/17")}, TrialistMust, "do not rise"),
     ({"visits": VISITS.replace(",10,", ",310,")}, TrialistMust, "from 0 to 120")],
)  # fmt: skip
def test_broken_files_name_the_place_and_no_value(
    tmp_path: Path, change: dict[str, str], error: type[Exception], words: str
) -> None:
    if "visits" in change:
        change["libraries"] = LIBRARIES.replace("\t10\t", "\tNA\t")
    with pytest.raises(error, match=words) as refused:
        read_scorads(folder_of(tmp_path, **change))
    assert not any(cell in str(refused.value) for cell in ("4O.5", "140.5", "15.1.18", "310"))


def test_a_missing_file_is_the_operators(tmp_path: Path) -> None:
    with pytest.raises(OperatorMust, match=r"cleaned_scorads\.csv: cannot be read"):
        read_scorads(tmp_path)


def case(number: int, *values: float) -> Case:
    return Case(number, None, tuple(float(4 * place) for place in range(len(values))), values, ())


# The forecaster says 10, 20, 30 (equally likely) for every visit. Later values: 20 and 24 of the first person, 40
# of the second. Medians 20: errors 0, 4, 20, mean 8. Fair CRPS: mean |x - y| is 20/3, 24/3 and 20; the mean of the
# pairs' distances 10, 20, 10 is 40/3 and half of it 20/3: 0, 4/3 and 40/3, mean 44/9. The 50 % interval is
# 15 ... 25 (linear quantiles) and the 95 % interval 10.5 ... 29.5: 2 of 3 in both.
def test_judging_by_hand() -> None:
    told: list[CaseGiven] = []

    def flat(given: CaseGiven, /) -> Array:
        told.append(given)
        return np.repeat([[10.0], [20.0], [30.0]], len(given.later_weeks), axis=1)

    cases = [case(1, 50, 45, 20, 24), case(2, 30, 30, 40), case(3, 20, 10)]
    table = judge(cases, flat, name="flat", given=2)
    assert (table.persons, table.left_out, table.predictions, table.given) == (2, 1, 3, 2)
    assert [each.name for each in table.models] == ["flat", "random walk", "last value"]
    flat_row = table.model("flat")
    assert flat_row.absolute_error.value == pytest.approx(8)
    assert flat_row.mean_crps.value == pytest.approx(44 / 9)
    assert flat_row.coverage == pytest.approx({0.5: 2 / 3, 0.8: 2 / 3, 0.95: 2 / 3})
    # persons are drawn whole: 2 x the first gives (0 + 4/3) / 2, 2 x the second 40/3
    assert (flat_row.mean_crps.low, flat_row.mean_crps.high) == pytest.approx((2 / 3, 40 / 3))
    assert [(each.values, each.later_weeks) for each in told] == [((50, 45), (8, 12)), ((30, 30), (8,))]
    walk = table.model("random walk")
    assert walk.crps_ratios["random walk"].value == 1
    assert flat_row.crps_ratios["random walk"].value == pytest.approx(44 / 9 / walk.mean_crps.value)
    assert table.log_scores.shape == (3, 3)


def test_a_forecaster_is_compared_with_itself_as_equal() -> None:
    cases = [case(number, 40, 35, 20 + number, 25) for number in range(4)]
    table = judge(cases, last_value_forecaster(), name="same")
    same = table.model("same").crps_ratios["last value"]
    assert (same.value, same.low, same.high) == pytest.approx((1, 1, 1))
    assert table.model("same").coverage == table.model("last value").coverage


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(TrialistMust, match="two persons"):
        judge([case(1, 50, 45, 20)], random_walk_forecaster())
    with pytest.raises(ValueError, match="must give finite draws"):
        judge([case(1, 50, 45, 20), case(2, 50, 45, 20)], lambda given, /: np.zeros((5, 2)))


# Witness: the trial's files themselves, read here a second way, row by row.
def test_the_trials_children(shared_data: Path) -> None:
    folder = shared_data / "ad_skin_trial_khadka2021"
    cases = read_scorads(folder)
    with (folder / "cleaned_scorads.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    given = sorted([[float(cell) for cell in row[2:] if cell != "NA"] for row in rows])
    assert sorted(list(each.values) for each in cases) == given
    assert sum(len(each.treatment) == 2 for each in cases) == sum(row[1] == "1" for row in rows)
    with (folder / "meta_biological_replicates_merged.csv").open() as file:
        swabs = [swab for swab in csv.DictReader(file) if swab["DateSampled"] != "NA"]
    checked = 0
    for row in rows:
        own = {int(swab["Visit"]): swab for swab in swabs if swab["Subject"] == row[0]}
        if not all(visit in own for visit in (1, 2, 3, 4)) or "NA" in row:
            continue
        cells = [own[visit]["DateSampled"].split("/") for visit in (1, 2, 3, 4)]
        days = [date(2000 + int(y), int(m), int(d)).toordinal() for m, d, y in cells]
        found = next(each for each in cases if each.values == tuple(float(cell) for cell in row[2:]))
        assert found.weeks == pytest.approx([(day - days[0]) / 7 for day in days])
        assert found.age_years == float(own[1]["Age"])
        checked += 1
    assert checked >= 10
    assert sum(len(each.assumed_weeks) for each in cases) == 1  # one first visit has scores but no swab
    assert all(3 < later - before < 24 for each in cases
               for before, later in zip(each.weeks, each.weeks[1:], strict=False))  # fmt: skip


def test_the_baselines_on_the_trials_children(shared_data: Path) -> None:
    """No strawmen: with two visits given, 80 and 95 % intervals hold near their level, and both beat guessing."""

    def anyone(given: CaseGiven, /) -> Array:
        return np.random.default_rng(1).uniform(0, 103, (4_000, len(given.later_weeks)))

    table = judge(read_scorads(shared_data / "ad_skin_trial_khadka2021"), anyone, name="anyone")
    # 25 predictions: three binomial standard errors about 80 % are 24 points, about 95 % 13 points
    for name in ("random walk", "last value"):
        row = table.model(name)
        assert row.coverage[0.8] == pytest.approx(0.8, abs=0.24)
        assert row.coverage[0.95] == pytest.approx(0.95, abs=0.13)
        assert row.mean_crps.low < row.mean_crps.value < row.mean_crps.high
        assert table.model("anyone").crps_ratios[name].low > 1
    weights = stacking_weights(table.log_scores)
    assert weights[0] < 0.5
    assert weights.sum() == pytest.approx(1)
