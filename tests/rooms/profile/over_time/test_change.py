"""What changed between two samples: hand sums, refusals, censoring, and false calls on untreated people."""

from __future__ import annotations

import csv
import math
from datetime import date
from pathlib import Path

import pytest

from biflora.knowledge.variation import typical_variation, variation_rows
from biflora.profile.composition import counting_interval
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.over_time.change import Change, compare_samples, course_of
from biflora.profile.over_time.variation import Repeated, bray_curtis, log10_odds, odds_change, within_person
from biflora.profile.over_time.verdicts import GuildChange, expected_taxa
from biflora.profile.profile import SiteName, SiteProfile
from biflora.profile.sample import profile_sample, profile_site

HMP2 = "gut_longitudinal_hmp2_metaphlan"
REST = {"Prevotella copri": 1.0}
"""Fills the sample up; in none of the guilds that are looked at."""


def profile(
    tmp_path: Path, name: str, reads: dict[str, float], site: SiteName = "gut", **told: object
) -> SiteProfile:
    path = tmp_path / f"{name}.csv"
    lines = [f"S1,{taxon},{number}" for taxon, number in reads.items() if number > 0]
    path.write_text("sample,taxon,count\n" + "\n".join(lines) + "\n")
    return profile_site(path, site).model_copy(update={"assay": "shotgun", **told})


def gut(tmp_path: Path, name: str, akkermansia: float, depth: float = 100_000) -> SiteProfile:
    return profile(
        tmp_path, name,
        {"Akkermansia muciniphila": akkermansia, "Faecalibacterium prausnitzii": depth / 10,
         "Prevotella copri": depth - akkermansia - depth / 10},
    )  # fmt: skip


def of(change: Change, guild: str) -> GuildChange:
    found = change.guild(guild)
    assert found is not None
    return found


def test_a_change_is_the_difference_of_log_odds(tmp_path: Path) -> None:
    """1,000 and 10,000 of 100,000: log10(0.1/0.9) - log10(0.01/0.99) = 1.0414."""
    change = of(compare_samples(gut(tmp_path, "a", 1_000), gut(tmp_path, "b", 10_000), days=14), "akkermansia")
    assert change.change == pytest.approx(math.log10(0.1 / 0.9) - math.log10(0.01 / 0.99))
    assert (change.earlier, change.later) == (0.01, 0.1)


def test_its_counting_interval_joins_both_samples(tmp_path: Path) -> None:
    """MOVER by hand from the two Jeffreys intervals, on the log odds."""
    change = of(compare_samples(gut(tmp_path, "a", 50), gut(tmp_path, "b", 100), days=14), "akkermansia")
    (low_a, high_a), (low_b, high_b) = (counting_interval(n, 100_000) for n in (50.0, 100.0))
    a, b = log10_odds(50 / 100_000), log10_odds(100 / 100_000)
    down = math.hypot(b - log10_odds(low_b), log10_odds(high_a) - a)
    up = math.hypot(log10_odds(high_b) - b, a - log10_odds(low_a))
    assert change.low == pytest.approx(b - a - down)
    assert change.high == pytest.approx(b - a + up)


def test_tenfold_is_within_what_akkermansia_does_anyway_and_a_ten_thousandfold_is_not(tmp_path: Path) -> None:
    """The row for 1-30 days: 95 % of 292 differences below 2.841 log10."""
    row = typical_variation("gut", "shotgun", "akkermansia", days=14, fewest=10)
    assert row is not None
    assert row.limit95 == pytest.approx(2.841)
    ten = of(compare_samples(gut(tmp_path, "a", 1_000), gut(tmp_path, "b", 10_000), days=14), "akkermansia")
    much = of(compare_samples(gut(tmp_path, "c", 4), gut(tmp_path, "d", 40_000), days=14), "akkermansia")
    assert ten.verdict == "within typical variation"
    assert ten.low is not None
    assert ten.low > 0  # far beyond counting noise all the same
    assert much.verdict == "changed beyond counting and typical variation"
    assert "18 untreated persons" in much.why


@pytest.mark.parametrize(
    ("depth", "verdict"),
    [(1_000, "within typical variation"), (100_000, "changed beyond counting and typical variation")],
)
def test_few_reads_widen_what_is_allowed(tmp_path: Path, depth: int, verdict: str) -> None:
    """From 0.1 % to 44.3 % is 2.90 log10, just above the limit of 2.841.

    Of 1,000 reads the earlier is a single one, up to 0.46 % by counting (0.67 log10 more): hypot(2.841, 0.67) =
    2.92 is allowed. Of 100,000 it is a hundred, up to 0.12 %: hypot(2.841, 0.08) = 2.842.
    """
    first, second = gut(tmp_path, "a", depth / 1_000, depth), gut(tmp_path, "b", 0.443 * depth, depth)
    change = of(compare_samples(first, second, days=14), "akkermansia")
    assert change.change == pytest.approx(2.90, abs=0.005)
    assert change.verdict == verdict


def test_below_detection_gives_the_least_change(tmp_path: Path) -> None:
    """Earlier 0 of 100,000: at most 3/100,000; later 20,000: at least log10(0.2/0.8) - log10(3e-5/(1 - 3e-5))."""
    change = of(compare_samples(gut(tmp_path, "a", 0), gut(tmp_path, "b", 20_000), days=14), "akkermansia")
    assert change.at_least
    assert change.change == pytest.approx(log10_odds(0.2) - log10_odds(3e-5))
    assert change.verdict == "changed beyond counting and typical variation"
    assert "at least" in change.why


def test_a_shallow_sample_that_could_not_have_seen_it_says_nothing(tmp_path: Path) -> None:
    """0 of 1,000 (limit 0.3 %) against 50 of 100,000 (0.05 %)."""
    change = of(compare_samples(gut(tmp_path, "a", 0, 1_000), gut(tmp_path, "b", 50), days=14), "akkermansia")
    assert change.verdict == "cannot be told"
    assert "too shallow" in change.why


def test_absent_from_both_cannot_be_told(tmp_path: Path) -> None:
    change = of(compare_samples(gut(tmp_path, "a", 0), gut(tmp_path, "b", 0, 90_000), days=14), "akkermansia")
    assert change.verdict == "cannot be told"
    assert change.change is None


def test_what_the_assay_does_not_resolve_cannot_be_told(tmp_path: Path) -> None:
    reads = {"Staphylococcus": 500.0, "Cutibacterium acnes": 500.0}
    first = profile(tmp_path, "a", reads, "skin")
    second = profile(tmp_path, "b", reads | {"Staphylococcus": 900.0}, "skin")
    change = of(compare_samples(first, second), "s_aureus")
    assert change.verdict == "cannot be told"
    assert "species" in change.why


def test_skin_has_no_typical_variation_from_enough_persons(tmp_path: Path) -> None:
    """Rows of two persons give no verdict beyond counting; S. aureus has no row at all."""
    first = profile(tmp_path, "a", _skin(10), "skin")
    second = profile(tmp_path, "b", _skin(600), "skin")
    result = compare_samples(first, second, days=30)
    assert of(result, "s_aureus").verdict == "beyond counting noise only"
    assert "No typical variation" in of(result, "s_aureus").why
    assert of(result, "corynebacterium").verdict == "beyond counting noise only"
    assert "2 persons only" in of(result, "corynebacterium").why
    ratio = next(each for each in result.quantities if each.what == "log10_s_aureus_to_cons")
    assert ratio.change == pytest.approx(math.log10(600.5 / 10.5), abs=1e-9)  # the CoNS stay at 200 reads
    assert ratio.verdict == "beyond counting noise only"


def _skin(s_aureus: float) -> dict[str, float]:
    rest = {"Staphylococcus epidermidis": 200.0, "Corynebacterium simulans": 800.0 - s_aureus}
    return {"Staphylococcus aureus": s_aureus} | rest


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        ({"site": "skin"}, "from the gut"),
        ({"body_site": "cheek"}, "body sites differ"),
        ({"assay": "16S V4"}, "assays differ"),
        ({"profiler": "MetaPhlAn 4"}, "programs that named"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_reason(
    tmp_path: Path, update: dict[str, str], reason: str
) -> None:
    first = gut(tmp_path, "a", 100).model_copy(update={"body_site": "stool", "profiler": "MetaPhlAn 3"})
    second = gut(tmp_path, "b", 100).model_copy(update={"body_site": "stool", "profiler": "MetaPhlAn 3", **update})
    result = compare_samples(first, second, days=14)
    assert any(reason in text for text in result.refused)
    assert result.guilds == ()
    assert result.community is None


def test_the_same_sample_twice_and_days_backwards_are_refused(tmp_path: Path) -> None:
    first = gut(tmp_path, "a", 100)
    assert "same sample" in compare_samples(first, first).refused[0]
    assert "exchange" in compare_samples(first, gut(tmp_path, "b", 10), days=-3).refused[0]


def test_an_unknown_interval_takes_the_widest_row(tmp_path: Path) -> None:
    row = typical_variation("gut", "shotgun", "faecalibacterium", days=None, fewest=10)
    assert row is not None
    assert row.limit95 == max(
        each.limit95
        for each in variation_rows().values()
        if each.what == "faecalibacterium" and each.assay == "shotgun"
    )
    result = compare_samples(gut(tmp_path, "a", 100), gut(tmp_path, "b", 200))
    assert any("days between" in text for text in result.warnings)


def test_another_platform_is_used_and_said_where_the_own_has_no_row(tmp_path: Path) -> None:
    """No shotgun row for streptococcus (the HMP2 table holds none): the array's is named."""
    rest = {"Prevotella copri": 90_000.0}
    first = profile(tmp_path, "a", {"Streptococcus salivarius": 100.0} | rest)
    second = profile(tmp_path, "b", {"Streptococcus salivarius": 200.0} | rest)
    change = of(compare_samples(first, second, days=10), "streptococcus")
    assert "measured by array" in change.why


def test_taxa_are_counted_at_equal_depth(tmp_path: Path) -> None:
    """Taxa of 2, 1 and 1 reads, two drawn: 3 - C(2,2)/C(4,2) - 2 C(3,2)/C(4,2) = 3 - 1/6 - 1 expected."""
    one = profile(
        tmp_path, "a", {"Akkermansia muciniphila": 2, "Prevotella copri": 1, "Faecalibacterium prausnitzii": 1}
    )
    assert expected_taxa(one, 2) == pytest.approx(3 - 1 / 6 - 1)
    assert expected_taxa(one, 4) == 3
    deep, shallow = gut(tmp_path, "d", 1_000), gut(tmp_path, "s", 10, 1_000)
    result = compare_samples(deep, shallow, days=14)
    assert result.equal_depth == 1_000
    assert result.taxa_at_equal_depth is not None
    assert result.taxa_at_equal_depth[1] == 3


def test_bray_curtis_is_what_the_samples_do_not_share() -> None:
    """min-sums 0.2 + 0.3 = 0.5 of two samples that sum to 1 each: 1 - 2 x 0.5 / 2 = 0.5."""
    assert bray_curtis({"a": 0.7, "b": 0.3}, {"a": 0.2, "b": 0.3, "c": 0.5}) == pytest.approx(0.5)
    assert bray_curtis({"a": 1.0}, {"a": 1.0}) == 0.0


def test_a_course_has_steps_and_a_whole(tmp_path: Path) -> None:
    samples = [
        (date(2026, 3, 1), gut(tmp_path, "c", 40_000)),
        (date(2026, 1, 1), gut(tmp_path, "a", 4)),
        (date(2026, 2, 1), gut(tmp_path, "b", 0)),
    ]
    course = course_of(samples)
    assert course is not None
    assert [step.days for step in course.steps] == [31, 28]
    assert course.overall.days == 59
    assert dict(course.shares)["akkermansia"] == (4 / 100_000, None, 0.4)
    assert of(course.overall, "akkermansia").verdict == "changed beyond counting and typical variation"
    assert course_of(samples[:1]) is None


def test_each_person_counts_alike_in_the_typical_variation() -> None:
    """A gives one pair (difference 3), B three samples at equal values: three pairs of 0. Mean square 9/2."""
    samples = [
        Repeated("A", 0.0, 1.0), Repeated("A", 5.0, 4.0),
        Repeated("B", 0.0, 2.0), Repeated("B", 5.0, 2.0), Repeated("B", 10.0, 2.0),
    ]  # fmt: skip
    found = within_person(samples, lambda a, b: b - a, days_low=1, days_high=30)
    assert found is not None
    assert (found.persons, found.pairs) == (2, 4)
    assert found.sd == pytest.approx(math.sqrt(9 / 2))
    assert found.median == 0.0
    assert found.limit95 == 3.0
    assert within_person(samples, lambda a, b: b - a, days_low=50, days_high=60) is None


def test_shares_below_the_floor_count_as_the_floor() -> None:
    change = odds_change(1e-5)
    assert change(0.0, 1e-6) is None
    assert change(0.0, 0.5) == pytest.approx(-log10_odds(1e-5))


@pytest.fixture(scope="module")
def untreated(shared_data: Path) -> list[Repeated[SiteProfile]]:
    """HMP2's 26 persons without inflammatory bowel disease, samples without antibiotics."""
    folder = shared_data / HMP2
    rows = list(csv.reader((folder / "HMP2_metadata.tsv").open(), delimiter="\t"))
    file = read_laboratory_file(folder / "HMP2_taxonomy.tsv")
    kept = []
    for cells in rows[1:]:
        row = dict(zip(["sample", *rows[0]], cells, strict=True))
        if row["diagnosis"] == "nonIBD" and row["antibiotics"] == "No":
            seen = profile_sample(file, "gut", sample=row["sample"])
            kept.append(Repeated(row["participant_id"], 7 * float(row["week_num"]), seen))
    return kept


def shares(samples: list[Repeated[SiteProfile]], guild: str) -> list[Repeated[float]]:
    found = []
    for each in samples:
        seen = each.value.guild(guild)
        assert seen is not None
        found.append(Repeated(each.person, each.day, seen.share or 0.0))
    return found


@pytest.mark.parametrize("guild", ["bifidobacterium", "butyrate_producers", "akkermansia", "bacteroides"])
def test_the_rows_of_typical_variation_are_what_the_data_gives(
    untreated: list[Repeated[SiteProfile]], guild: str
) -> None:
    row = variation_rows()[f"hmp2_{guild}_1_30"]
    found = within_person(shares(untreated, guild), odds_change(1e-5), days_low=1, days_high=30)
    assert found is not None
    assert (found.persons, found.pairs) == (row.persons, row.pairs)
    assert found.sd == pytest.approx(row.sd, abs=6e-4)
    assert found.limit95 == pytest.approx(row.limit95, abs=6e-4)


def test_about_one_in_twenty_untreated_differences_is_called_changed(
    untreated: list[Repeated[SiteProfile]],
) -> None:
    """Held out: the limit from every second person, judged on the others, both ways round, each person alike."""
    people = sorted({each.person for each in untreated})
    rates = []
    for guild in ("bifidobacterium", "butyrate_producers", "faecalibacterium", "akkermansia", "bacteroides"):
        seen, change = shares(untreated, guild), odds_change(1e-5)
        for half in (set(people[::2]), set(people[1::2])):
            limit = within_person([s for s in seen if s.person in half], change, days_low=1, days_high=30)
            assert limit is not None
            for person in set(people) - half:
                own = [s for s in seen if s.person == person]
                sizes = [
                    abs(size)
                    for i, a in enumerate(own)
                    for b in own[i + 1 :]
                    if 1 <= abs(b.day - a.day) <= 30 and (size := change(a.value, b.value)) is not None
                ]
                if sizes:
                    rates.append(sum(size > limit.limit95 for size in sizes) / len(sizes))
    assert 0.02 < sum(rates) / len(rates) < 0.10


def test_shannon_is_compared_at_the_depth_of_the_shallower(tmp_path: Path) -> None:
    """At two reads Shannon is ln 2 where they differ, else 0; of 20, 10 and 70 thousand reads they differ with
    1 - sum n (n - 1) / (N (N - 1))."""
    two = profile(tmp_path, "two", {"Prevotella copri": 2})
    many = gut(tmp_path, "many", 20_000)
    shannon = next(each for each in compare_samples(many, two, days=14).quantities if each.what == "shannon")
    alike = sum(n * (n - 1) for n in (20_000, 10_000, 70_000)) / (100_000 * 99_999)
    assert shannon.earlier == pytest.approx(math.log(2) * (1 - alike), rel=1e-6)
    assert shannon.later == 0


def test_shares_without_reads_are_judged_by_typical_variation_alone(tmp_path: Path) -> None:
    """0.002 % to 40 % is 4.5 log10, above 2.841; a share absent from one file counts as the row's floor, 1e-5."""

    def shares(name: str, akkermansia: float) -> SiteProfile:
        path = tmp_path / f"{name}.csv"
        kept = [f"S1,Akkermansia muciniphila,{akkermansia}"] if akkermansia else []
        path.write_text("\n".join(["sample,taxon,share", *kept, f"S1,Prevotella copri,{1 - akkermansia}"]) + "\n")
        return profile_site(path, "gut").model_copy(update={"assay": "shotgun"})

    rise = of(compare_samples(shares("a", 0.00002), shares("b", 0.4), days=14), "akkermansia")
    assert rise.verdict == "changed beyond typical variation, counting unknown"
    assert (rise.low, rise.high) == (None, None)
    new = of(compare_samples(shares("c", 0.0), shares("d", 0.4), days=14), "akkermansia")
    assert new.at_least
    assert new.change == pytest.approx(log10_odds(0.4) - log10_odds(1e-5))


def test_a_limit_of_a_ratio_is_no_change(tmp_path: Path) -> None:
    """No Escherichia in the later sample: its ratio is only a limit, and a difference of limits says nothing."""
    first = profile(tmp_path, "a", {"Faecalibacterium prausnitzii": 900, "Escherichia coli": 100, **REST})
    later = profile(tmp_path, "b", {"Faecalibacterium prausnitzii": 1000, **REST})
    found = compare_samples(first, later)
    ratio = next(
        each for each in found.quantities if each.what == "log10_butyrate_producers_to_escherichia_shigella"
    )
    assert ratio.verdict == "cannot be told"
    assert "only a limit" in ratio.why


def test_what_another_platform_could_see_is_no_floor(shared_data: Path) -> None:
    """An infant by 16S, shares without reads: Bacteroides 28 %, then none. Nobody knows how little was visible.

    The floor of the shotgun persons (1e-5) once made this a fall of `at least 38,562-fold`.
    """
    path = shared_data / "gut_longitudinal_ecam/ecam-table-taxa.qza"
    first, later = (profile_site(path, "gut", sample=f"10249.C001.{day}SS") for day in ("02", "12"))
    found = next(each for each in compare_samples(first, later).guilds if each.what == "bacteroides")
    assert found.earlier == pytest.approx(0.278, abs=5e-4)
    assert found.verdict == "cannot be told"
    assert "nobody knows how little" in found.why
