"""Reading and analysing one trial's table. Witness: the hand-worked example of test_ancova."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from biflora.errors import TrialistMust
from biflora.trial.analyse import analyse, read_trial

HAND = """subject,arm,baseline,week12
a,standard_care,1,2
b,standard_care,2,4
c,standard_care,3,3
d,topical,3,1
e,topical,4,3
f,topical,5,2
g,topical,4,NA
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "trial.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_hand_worked_trial(tmp_path: Path) -> None:
    evidence = analyse(write(tmp_path, HAND))
    (topical,) = evidence.contrasts
    assert (topical.arm, topical.against) == ("topical", "standard_care")
    assert topical.estimate == pytest.approx(-2.0)
    assert topical.se == pytest.approx((5 / 3) ** 0.5)
    # t(0.975; 3) = 3.182446; 3.182446 x 1.290994 = 4.108520
    assert (topical.ci_low, topical.ci_high) == pytest.approx((-6.108520, 2.108520), abs=1e-5)
    assert topical.predictive.q2_5 == pytest.approx(topical.ci_low)
    control, treated = evidence.arms
    assert (control.n, control.baseline_mean, control.week12_mean) == (3, 2.0, 3.0)
    assert control.percent_change.median == pytest.approx(50.0)  # 100 x (3/2 - 1)
    assert (treated.n, treated.percent_change.median) == (3, pytest.approx(-50.0))  # 100 x (2/4 - 1)
    assert any("1 patient(s) without the last visit" in text for text in evidence.not_identified)
    assert evidence.id.startswith("evidence-")


def test_a_real_trial_from_a_table(shared_data: Path, tmp_path: Path) -> None:
    """Khadka 2021, bath as the topical arm: 14 patients in the file, two without visit 4."""
    source = shared_data / "ad_skin_trial_khadka2021" / "cleaned_scorads.csv"
    lines = ["subject,arm,baseline,week12"]
    with source.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            arm = "topical" if row["ChlorineBath"] == "1" else "standard_care"
            lines.append(f"{row['Subject']},{arm},{row['Visit1_SCORAD']},{row['Visit4_SCORAd']}")
    evidence = analyse(write(tmp_path, "\n".join(lines)))
    assert sum(arm.n for arm in evidence.arms) == 12
    control = next(arm for arm in evidence.arms if arm.arm == "standard_care")
    # visit 1: 29.8 43 63.4 26.5 59 54; visit 4: 3.5 19.9 33.9 40.6 50.4 15.8
    assert control.baseline_mean == pytest.approx(275.7 / 6)
    assert control.week12_mean == pytest.approx(164.1 / 6)


def test_percent_change_of_each_patient(tmp_path: Path) -> None:
    """Baselines 10 20 10 20; changes: control 0 and 0, oral -50 and -50, except one -40: the arms differ by -45.

    Baseline is balanced (mean 15 in both), so the difference of arm means stands: (-50 - 40) / 2 - 0 = -45.
    """
    rows = "a,standard_care,10,10\nb,standard_care,20,20\nc,oral,10,5\nd,oral,20,12\n"
    evidence = analyse(write(tmp_path, "subject,arm,baseline,week12\n" + rows), endpoint="percent change")
    (oral,) = evidence.contrasts
    assert oral.estimate == pytest.approx(-45.0)
    assert oral.unit == "percentage points"
    text = "subject,arm,baseline,week12\n" + rows.replace("a,standard_care,10", "a,standard_care,0")
    path = write(tmp_path, text)
    with pytest.raises(TrialistMust, match="zero or below"):
        analyse(path, endpoint="percent change")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("subject,arm,baseline\na,oral,1", r"column\(s\) missing: week12"),
        ("subject,arm,baseline,week12\na,cream,1,2", "line 2: 'arm' must be one of standard_care"),
        ("subject,arm,baseline,week12\na,oral,one,2", "line 2: 'baseline' must be a number"),
        ("subject,arm,baseline,week12\na,oral,inf,2", "line 2: 'baseline' must be a number"),
        ("subject,arm,baseline,week12\na,oral,1,2\na,oral,1,2", "line 3: this subject stands twice"),
        ("subject,arm,baseline,week12\n", "no patient in it"),
    ],
)
def test_bad_tables_name_the_place_and_not_the_value(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TrialistMust, match=words):
        read_trial(write(tmp_path, text))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "trial.csv"
    path.write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(TrialistMust, match="cannot be read as text"):
        read_trial(path)
