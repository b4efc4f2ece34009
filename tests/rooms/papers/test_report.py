"""The report holds together in every case a clinic meets, on screen and on paper."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import sample_formula

from biflora.followup.track_record import track_record
from biflora.formula.formula import Formula
from biflora.papers.report import report_html, report_pdf
from biflora.papers.sheet import formula_sheet, strength
from biflora.profile.patient import Condition
from biflora.twin.forecast import Forecast


def values(**changes: Any) -> dict[str, Any]:
    whole = {
        "profile": sample.profile(),
        "forecast": sample.forecast(),
        "plan": sample.plan(),
        "formula": sample_formula.formula(),
    }
    return {**whole, **changes, "made_at": sample.MADE_AT}


def no_courses() -> Forecast:
    return sample.forecast(
        mechanistic=False,
        weeks=(),
        courses=(),
        differences=(),
        courses_gut_link_off=(),
        differences_gut_link_off=(),
        goals=(),
    )


OLD = sample.forecast(dots=(), best_chances=(), structures=(), ranking_flips=(), population="")
"""A forecast as it was kept before it had these fields."""

CASES: dict[str, dict[str, Any]] = {
    "all given": {},
    "with visits": {"record": track_record(*sample.kept())},
    "an old forecast": {"forecast": OLD},
    "no skin sample": {"profile": sample.profile(skin=None)},
    "no gut sample": {"profile": sample.profile(gut=None)},
    "neither sample": {"profile": sample.profile(skin=None, gut=None, scores=())},
    "red flag": {"plan": sample.stopped_plan(), "formula": None},
    "impossible": {"formula": sample_formula.impossible()},
    "no topical wanted": {"formula": None},
    "not mechanistic": {
        "profile": sample.profile(patient=sample.patient(condition=Condition.ROSACEA)),
        "forecast": no_courses(),
        "plan": sample.plan(condition=Condition.ROSACEA, arms=()),
    },
}


def text_of(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(pages[i].get_textpage().get_text_range() for i in range(len(pages))).split())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_report_holds_in_every_case(case: dict[str, Any]) -> None:
    given = values(**case)
    html, pdf = report_html(**given), report_pdf(**given)
    headings = ["Now", "What would happen", "What we propose", "The formula", "What we do not know"]
    places = [re.search(rf"<h2[^>]*>{heading}</h2>", html).start() for heading in headings]  # type: ignore[union-attr]
    assert places == sorted(places)
    paper = text_of(pdf)
    for word in (*headings, "SYNTHETIC", "demo-001", "no medical device"):
        assert word in html
        assert word in paper
    for bad in ("NaN", "None", "undefined"):
        assert bad not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL), bad
    assert 2 <= len(pypdfium2.PdfDocument(pdf)) <= 6


def test_the_file_asks_nothing_of_the_network() -> None:
    html = report_html(**values())
    assert "<script" not in html
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', html) == []
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html


def test_a_name_with_markup_is_written_as_text() -> None:
    patient = sample.patient(name="<script>alert(1)</script> #let x", allergies=("<b>wool</b>",))
    html = report_html(**values(profile=sample.profile(patient=patient)))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<script>alert(1)</script> #let x" in text_of(
        report_pdf(**values(profile=sample.profile(patient=patient)))
    )


def test_red_flags_come_first_and_leave_no_formula() -> None:
    given = values(plan=sample.stopped_plan(), formula=sample_formula.formula())
    html = report_html(**given)
    assert html.index("Punched-out erosions") < html.index('id="now"')
    assert "Niacinamide" not in html
    assert "No formula is designed while a red flag stands" in html
    assert "Niacinamide" not in text_of(report_pdf(**given))


def test_reasons_are_grouped_by_who_can_lift_them() -> None:
    html = report_html(**values(formula=sample_formula.impossible()))
    patient, chemistry = html.index("patient preference"), html.index("chemistry")
    assert patient < html.index("Only an aqueous gel") < chemistry < html.index("Every preservative")
    assert "Allow an oil-in-water cream." in html


def test_a_finding_stands_beside_the_line_that_causes_it_and_only_there() -> None:
    sheet = formula_sheet(sample_formula.formula())
    lines = {line.name: line.findings for phase in sheet.phases for line in phase.lines}
    assert [f.rule for f in lines["Niacinamide"]] == ["strength"]
    assert not any(found for name, found in lines.items() if name != "Niacinamide")
    assert sheet.other_findings == ()


def test_alternatives_mark_only_what_differs() -> None:
    # alternative: another vehicle, pH 5.4 for 5.2, niacinamide 2 % for 4 %, no ceramide, lower benefit
    rows = {row.name: row.cells[1].changed for row in formula_sheet(sample_formula.formula()).alternatives}
    changed = {name for name, is_changed in rows.items() if is_changed}
    assert changed == {"Vehicle", "pH", "Niacinamide", "Ceramide NP", "Benefit (points)"}


def test_the_sheet_keeps_every_gram() -> None:
    # 65.5 + 7 + 4 + 15 + 0.5 + 7 + 1 = 100
    formula: Formula = sample_formula.formula()
    sheet = formula_sheet(formula)
    assert sheet.total_percent == "100.00"
    assert sum(float(line.grams) for phase in sheet.phases for line in phase.lines) == pytest.approx(100)
    assert strength(500) == "0.05"
    assert strength(125) == "0.0125"


def test_paper_carries_findings_null_trials_and_what_is_only_remembered() -> None:
    paper = text_of(report_pdf(**values()))
    for words in (
        "may sting on open skin",
        "null in 1: Lacticaseibacillus rhamnosus LGG",
        "from memory, source not read",
        "cannot be separated",
        "not measured",
        "below detection",
        "not resolved",
        "1 of",
        "2026.1",
    ):
        assert words in paper, words


def test_arms_without_a_forecast_stand_in_words() -> None:
    arms = tuple(a.model_copy(update={"improvement": None}) for a in sample.plan().arms)
    html = report_html(**values(forecast=no_courses(), plan=sample.plan(arms=arms)))
    assert "The arms; none could be forecast" in html
    assert "Fall by week 12" not in html


def test_screen_and_paper_say_the_same_of_the_forecast() -> None:
    given = values(record=track_record(*sample.kept()))
    html = re.sub(r"<[^>]+>", " ", report_html(**given))
    for text in (" ".join(html.split()), text_of(report_pdf(**given))):
        for words in (
            "In 7 of 20 patients like this one SCORAD is at least halved at week 12 under topical; 10 of",
            "Best of the arms at week 12: both in 43 %, topical in 41 %, oral in 10 %, standard care in 6 %",
            "No arm reaches 80 %: by this count the arms cannot be separated.",
            "Without the gut compartment topical comes first instead of both.",
            "The same patient by other structures: SCORAD at week 12",
            "1 of 2 visits fell inside the 80 % interval that was forecast before them; about 1.6 of 2",
            "Week 8, SCORAD",
            "outside 95 %",
            "made-up-adults",
        ):
            assert words in text, words


def test_no_visit_is_said_and_an_old_forecast_leaves_no_empty_heading() -> None:
    given = values(forecast=OLD)
    html = re.sub(r"<style>.*?</style>", "", report_html(**given), flags=re.DOTALL)
    for text in (html, text_of(report_pdf(**given))):
        assert "No forecast of this patient has been tested by a visit yet." in text
        for words in ("Best of the arms", "other structures", "Ranking flips", "equally likely", "Population"):
            assert words not in text, words


def test_a_closed_arm_is_named_and_a_stopped_plan_ranks_nothing() -> None:
    arms = tuple(a.model_copy(update={"allowed": a.arm != "oral"}) for a in sample.plan().arms)
    assert "oral (closed here) in 10 %" in report_html(**values(plan=sample.plan(arms=arms)))
    assert "Best of the arms" not in report_html(**values(plan=sample.stopped_plan(), formula=None))


def test_fifteen_observables_add_rows_and_no_charts() -> None:
    """Eleven more observables than the sample's four: as many charts, eleven more rows of one table."""
    small = sample.forecast()
    about, courses = small.observables[2], [c for c in small.courses if c.observable == "tewl"]
    more = [f"marker_{place}" for place in range(11)]
    many = sample.forecast(
        observables=(*(about.model_copy(update={"key": key, "label": key}) for key in more), *small.observables),
        courses=(*(c.model_copy(update={"observable": key}) for key in more for c in courses), *small.courses),
    )
    html, before = report_html(**values(forecast=many)), report_html(**values())
    assert html.count("<figure") == before.count("<figure")
    table = html[html.index("<caption>Week 12: median and 80 % interval") :]
    rows = re.findall(r'<th scope="row">([^<]+)</th>', table[: table.index("</table>")])
    assert len(rows) == 15
    assert rows[0] == "SCORAD (points)"
    assert len(pypdfium2.PdfDocument(report_pdf(**values(forecast=many)))) <= 6


def test_equal_values_give_equal_bytes() -> None:
    assert report_pdf(**values()) == report_pdf(**values())
    assert report_html(**values()) == report_html(**values())
