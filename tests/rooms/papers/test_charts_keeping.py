"""The charts of keeping say the first active to fall, draw nothing from outside and can be read unseen."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "formula"))
from keeping_jars import formula

from biflora.papers.chart import Chart
from biflora.papers.charts_keeping import keeping_courses

PEROXIDE: dict[str, float | str] = {"peg_400": "qs", "peg_3350": 40, "benzoyl_peroxide": 5}
LIVE: dict[str, float | str] = {"petrolatum": "qs", "beeswax": 10, "reuteri_dsm_17938_live": 1}
CREAM: dict[str, float | str] = {
    "purified_water": "qs", "petrolatum": 20, "cetearyl_glucoside": 3, "tretinoin": 0.05, "niacinamide": 4,
    "phenoxyethanol": 0.9, "ethylhexylglycerin": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def charts() -> list[Chart]:
    return [
        *keeping_courses(formula("peg_ointment", PEROXIDE)),
        *keeping_courses(formula("ow_cream", CREAM, ph=5.5, preservative_system="phenoxyethanol_ehg")),
        *keeping_courses(formula("balm", LIVE)),
    ]


def test_each_has_a_name_a_sentence_and_a_table(charts: list[Chart]) -> None:
    assert [chart.key for chart in charts] == [
        "keeping-benzoyl_peroxide",
        "keeping-tretinoin",
        "keeping-reuteri_dsm_17938_live",
    ]
    for chart in charts:
        root = ElementTree.fromstring(chart.svg_print)
        assert [child.tag.split("}")[1] for child in root][:2] == ["title", "desc"]
        assert root.attrib["role"] == "img"
        assert chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)


def test_nothing_comes_from_outside_and_no_number_is_missing(charts: list[Chart]) -> None:
    for chart in charts:
        assert "http" not in chart.svg
        assert not re.search(r"NaN|undefined|Infinity|null", chart.svg)
        assert not re.search(r"#[0-9a-fA-F]{6}", chart.svg)
        assert "var(--" not in chart.svg_print
        width = float(re.search(r'viewBox="0 0 ([0-9.]+)', chart.svg)[1])  # type: ignore[index]
        sizes = [float(size) for size in re.findall(r'font-size="([0-9.]+)(?:px)?"', chart.svg)]
        assert min(sizes) * 328 / width >= 11, chart.key


def test_the_title_says_which_falls_first_and_when(charts: list[Chart]) -> None:
    # benzoyl peroxide in macrogol: ln(10/9)/0.0324 = 3.3 d (2.1 to 5.3)
    assert charts[0].title == (
        "Benzoyl peroxide is the first to fall below 90 %: after about 3.3 days (2.1 to 5.3) at room temperature"
    )
    assert "day 180" in charts[0].sentence
    # tretinoin 5e-4 a day falls before niacinamide 7e-5 a day: 0.10536/5e-4 = 211 d
    assert charts[1].title.startswith("Tretinoin is the first to fall below 90 %: after about 211 days")
    assert [row[0] for row in charts[1].rows] == ["Tretinoin", "Niacinamide"]
    assert "day 35" in charts[1].sentence


def test_live_cells_start_at_the_dose_and_end_below_the_least(charts: list[Chart]) -> None:
    # 10^9 x 1 % = 10^7 on day 0; 10^5.3 on day 180 at 5 C (test_keeping)
    live = charts[2]
    assert live.title.endswith("too few are alive on day 180 at 5 °C")
    assert live.rows[0][0] == "0"
    assert live.rows[0][1].startswith("7.0 ")
    assert live.rows[-1][0] == "180"
    assert live.rows[-1][1].startswith("5.3 ")


def test_the_label_s_storage_is_solid_and_the_others_dashed(charts: list[Chart]) -> None:
    for chart in charts:
        assert len(re.findall(r'stroke-dasharray="[1-9]', chart.svg)) == 2


def test_without_a_known_rate_there_is_no_chart() -> None:
    assert keeping_courses(formula("hydrocarbon_ointment", {"petrolatum": "qs"})) == []
    assert keeping_courses(formula("snail_slime", {"petrolatum": "qs"})) == []
