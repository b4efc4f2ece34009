"""Every chart can be read without seeing it, draws nothing from outside, and says what the value holds."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample

from biflora.errors import ClinicianMust
from biflora.papers import charts
from biflora.papers.chart import Chart
from biflora.papers.charts_forecast import _fan_spec
from biflora.papers.charts_goals import of_twenty
from biflora.papers.charts_microbiome import in_the_bar, outside_in_words, share_beside
from biflora.papers.vega import complete
from biflora.papers.wording import chance, number, percent, share_interval, signed
from biflora.profile.profile import GuildShare, Reference
from biflora.twin.forecast import ARM_LABELS, Observation
from biflora.values import State


@pytest.fixture(scope="module")
def all_charts() -> list[Chart]:
    forecast = sample.forecast()
    seen = (Observation(week=0, observable="scorad", value=58, arm="topical"),)
    return [
        *charts.forecast_fans(forecast, "scorad", observed=seen),
        *charts.difference_fans(forecast, "scorad"),
        *charts.twenty_dots(forecast.goals),
        *charts.outcome_dots(forecast, "scorad", start=58),
        charts.composition(sample.skin()),
        charts.composition(sample.gut()),
        *charts.log_ratio(sample.skin(), sample.skin()),
        charts.outcome_course(forecast, sample.outcomes()),
        *charts.trial_comparison(sample.evidence()),
        charts.finger_tips(4.5),
    ]


def test_every_chart_has_name_description_and_table(all_charts: list[Chart]) -> None:
    # 4 fans + 3 differences + 1 goal + 1 outcomes + 2 sites + 1 ratio + 1 course + 1 unit + 1 amount
    assert len(all_charts) == 15
    for chart in all_charts:
        root = ElementTree.fromstring(chart.svg_print)
        names = [child.tag.split("}")[1] for child in root]
        assert names[:2] == ["title", "desc"]
        assert root.attrib["role"] == "img"
        assert root[0].text == chart.title
        assert root[1].text == chart.sentence
        assert chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)


def test_no_chart_asks_for_anything_outside_and_none_draws_a_missing_number(all_charts: list[Chart]) -> None:
    for chart in all_charts:
        assert "http" not in chart.svg
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", chart.svg_print) == []
        assert "<image" not in chart.svg + chart.svg_print
        assert not re.search(r"NaN|undefined|Infinity|null", chart.svg)


def test_colours_follow_the_theme_on_screen_and_are_fixed_on_paper(all_charts: list[Chart]) -> None:
    for chart in all_charts:
        assert "var(--" in chart.svg
        assert not re.search(r"#[0-9a-fA-F]{6}", chart.svg)
        assert "var(--" not in chart.svg_print


def test_ids_differ_when_all_stand_on_one_page(all_charts: list[Chart]) -> None:
    ids = re.findall(r'\bid="([^"]+)"', "".join(chart.html() for chart in all_charts))
    assert len(ids) == len(set(ids))


def test_drawings_stay_readable_at_360_pixels(all_charts: list[Chart]) -> None:
    # 360 px screen less 2 x 16 px margin = 328 px for a drawing; letters must be 11 px or more there.
    for chart in all_charts:
        width = float(re.search(r'viewBox="0 0 ([0-9.]+)', chart.svg)[1])  # type: ignore[index]
        sizes = [float(s) for s in re.findall(r'font-size="([0-9.]+)(?:px)?"', chart.svg)]
        assert min(sizes, default=12) * 328 / width >= 11, chart.key


def test_panels_of_one_observable_share_one_scale() -> None:
    panels = charts.forecast_fans(sample.forecast(), "scorad")
    ticks = [re.findall(r">(20|40|60|80)</text>", panel.svg) for panel in panels]
    assert [panel.title for panel in panels] == [f"SCORAD, {label.lower()}" for label in ARM_LABELS.values()]
    assert ticks == [["20", "40", "60"]] * 4


def test_a_fan_says_median_and_80_percent_interval() -> None:
    # topical: 58 - 25 = 33 at week 12; sd = (0.02 + 0.012 * 12) * 58 = 9.512; 1.282 sd = 12.19
    topical = charts.forecast_fans(sample.forecast(), "scorad")[2]
    assert "33 (80 % interval 21 to 45)" in topical.sentence


def test_a_difference_says_what_remains_with_the_gut_link_off() -> None:
    # both: 28 - 12 = 16 points better, 0.3 of it with the link off = 4.8
    both = charts.difference_fans(sample.forecast(), "scorad")[2]
    assert "−16 points" in both.sentence
    assert "gut link switched off (dashed): −5" in both.sentence
    assert "stroke-dasharray" in both.svg


def test_the_specification_is_vega_lite_by_altairs_schema() -> None:
    import altair

    forecast = sample.forecast()
    course = forecast.course("topical", "scorad")
    assert course is not None
    spec = complete(_fan_spec(forecast.observables[0], course, (0.0, 80.0), (), (0.0, 4.0)))
    altair.Chart.from_dict(spec, validate=True)


def test_unknown_observable_says_which_there_are() -> None:
    with pytest.raises(ClinicianMust, match="it holds: scorad"):
        charts.forecast_fans(sample.forecast(), "mood")


def test_twenty_dots_fill_as_many_as_are_said() -> None:
    # 0.43 * 20 = 8.6, so 9 dots; the others: 0.12 -> 2, 0.24 -> 5, 0.52 -> 10; 26 filled of 80
    (dots,) = charts.twenty_dots(sample.forecast().goals)
    assert [row[1] for row in dots.rows] == ["2", "5", "9", "10"]
    assert dots.svg.count("<circle") == 80
    assert dots.svg.count('fill="none"') == 80 - 26
    assert of_twenty(0.975) == 20


def test_every_state_has_its_word_and_a_mark_of_its_own() -> None:
    chart = charts.composition(sample.skin())
    for state in (State.BELOW_DETECTION, State.NOT_RESOLVED, State.NOT_MEASURED):
        assert state.value in chart.svg
        assert any(state.value in row[-1] for row in chart.rows)
    assert "below detection (&lt; 0.030 %)" in chart.svg
    assert chart.svg.count("<circle") == 5  # five measured guilds


def test_the_bar_never_passes_the_whole() -> None:
    # 0.7 + 0.2 fit; 0.5 overlaps another guild (0.7 + 0.5 > 1) and is listed below the bar only
    def guild(key: str, share: float) -> GuildShare:
        return GuildShare(guild=key, label=key, state=State.MEASURED, share=share)

    chosen = in_the_bar([guild("a", 0.7), guild("b", 0.5), guild("c", 0.2)])
    assert [g.guild for g in chosen] == ["a", "c"]


def test_no_read_is_drawn_twice() -> None:
    # the genus holds the species: 0.2 + 0.1 are drawn, the 0.35 of the genus is listed below only
    def guild(key: str, share: float, *members: str) -> GuildShare:
        return GuildShare(guild=key, label=key, state=State.MEASURED, share=share, members_found=members)

    species = guild("s_aureus", 0.2, "S. aureus"), guild("cons", 0.1, "S. hominis", "S. epidermidis")
    genus = guild("staphylococcus", 0.35, "S. aureus", "S. hominis", "S. epidermidis", "S. sp.")
    assert [g.guild for g in in_the_bar([genus, *species])] == ["s_aureus", "cons"]


def test_outcomes_are_counted_against_the_80_percent_band() -> None:
    # week 4: 58 - 25*(1-e^-1)/(1-e^-3) = 41.4, sd 0.068*58 = 3.94, 80 %: 36.3 to 46.4, so 46 lies inside;
    # week 8: 58 - 25*(1-e^-2)/(1-e^-3) = 35.3, so 60 lies outside
    chart = charts.outcome_course(sample.forecast(), sample.outcomes())
    assert "1 of 2 measurements" in chart.sentence
    assert [row[-1] for row in chart.rows] == ["yes", "no"]


def test_a_label_with_markup_is_written_as_text() -> None:
    site = sample.skin()
    odd = site.guilds[0].model_copy(update={"label": "<script>x</script>"})
    chart = charts.composition(site.model_copy(update={"guilds": (odd,)}))
    assert "<script" not in chart.html()


def test_html_of_a_chart_is_well_formed(all_charts: list[Chart]) -> None:
    class Balance(HTMLParser):
        depth = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.depth += 1

        def handle_endtag(self, tag: str) -> None:
            self.depth -= 1

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

    for chart in all_charts:
        balance = Balance()
        balance.feed(chart.html())
        assert balance.depth == 0, chart.key


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (number(-8.66, 1), "−8.7"),
        (number(-0.04, 1), "0.0"),
        (signed(3.2), "+3"),
        (percent(0.0003), "0.030 %"),
        (chance(1.0), "> 99 %"),
        (chance(0.0), "< 1 %"),
        (share_interval(0.296, 0.304), "29.6 to 30.4 %"),
    ],
)
def test_numbers_as_people_read_them(written: str, expected: str) -> None:
    assert written == expected


def test_two_guilds_of_the_same_taxa_are_drawn_once() -> None:
    """Where every staphylococcus is a commensal, both guilds hold the same reads: 48 % + 48 % is not 96 %."""

    def guild(key: str, share: float) -> GuildShare:
        return GuildShare(guild=key, label=key, state=State.MEASURED, share=share)

    names = ("Staphylococcus epidermidis", "Staphylococcus hominis")
    commensals = guild("cons", 0.48).model_copy(update={"members_found": names})
    genus = guild("staphylococcus", 0.48).model_copy(update={"members_found": names[::-1]})
    assert [g.guild for g in in_the_bar([commensals, genus, guild("corynebacterium", 0.03)])] == [
        "cons",
        "corynebacterium",
    ]


def test_a_band_of_quartiles_is_called_the_middle_half() -> None:
    """Half of the reference's own persons lie outside: nothing is called abnormal; each side is one sentence."""
    band = Reference(cohort="healthy children", n=30, median=0.02, low=0.01, high=0.03, limits="IQR", source="s",
                     verification="measured")  # fmt: skip
    found = outside_in_words(
        [GuildShare(guild=key, label=key, state=State.MEASURED, share=share, reference=band)
         for key, share in (("a", 0.2), ("b", 0.3), ("c", 0.001), ("d", 0.02))]
    )  # fmt: skip
    assert found == [
        "Above the middle half of the reference's persons: a, b.",
        "Below the middle half of the reference's persons: c.",
    ]


def test_a_share_has_the_digits_of_its_interval() -> None:
    assert share_beside(0.5037, 0.5000, 0.5074) == "50.4 %"
    assert share_beside(0.00206, 0.00194, 0.00215) == "0.206 %"
    assert share_beside(0.5037, None, None) == "50 %"
