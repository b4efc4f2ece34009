"""One sample among real persons: what site, age and platform change, what a percentile is, when it is withheld.

Witnesses: scipy.stats.percentileofscore and binomtest, hand sums, HMP2's own dysbiosis states.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biflora.errors import OperatorMust
from biflora.profile.compare import with_reference
from biflora.profile.composition import Composition, compose, guild_shares
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.numbers.diversity import shannon
from biflora.profile.numbers.indices import distance_to_healthy, healthy_cut
from biflora.profile.profile import GuildShare, Percentile, Placement
from biflora.profile.reference.add import NewReference, add_reference
from biflora.profile.reference.library import Library
from biflora.profile.reference.match import Match, SampleKeys
from biflora.profile.reference.novelty import (
    bray_curtis,
    false_alarms,
    novelty,
    own_median_distances,
    to_depth,
    whole_reads,
)
from biflora.profile.reference.numbers import side_by_side
from biflora.profile.reference.percentile import exact_limits
from biflora.profile.reference.place import Placed, place
from biflora.profile.reference.recipes import build_reference
from biflora.profile.table import LabTable, Numbers
from biflora.values import State

CHILD = SampleKeys(
    site="skin", assay="shotgun", profiler="Kraken2, Bracken", body_site="antecubital_fossa", age_years=5.0
)
STOOL = SampleKeys(site="gut", assay="shotgun", profiler="MetaPhlAn 4", body_site="stool", age_years=43.0)
AD_CHILD = "MBT273"
"""CSB5: a child with atopic dermatitis, antecubital fossa."""


@pytest.fixture(scope="module")
def library(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The four ready-made references, and everybody of HMP2 (with and without IBD) as a fifth."""
    library = Library(tmp_path_factory.mktemp("references"))
    build_reference("csb5-children-skin", shared_data / "ad_skin_shotgun_csb5_bracken", library)
    build_reference("atlas1006-gut", shared_data / "gut_healthy_atlas1006", library)
    build_reference("rauer2023-lesional-skin", shared_data / "ad_skin_antiIL22_rauer2023", library)
    hmp2 = shared_data / "gut_longitudinal_hmp2_metaphlan"
    build_reference("hmp2-nonibd-gut", hmp2, library)
    everybody = NewReference(
        name="hmp2-everybody", site="gut", assay="shotgun", profiler="MetaPhlAn 4", age_column="age",
        age_unit="years", person_column="participant_id", order_column="week_num", licence="MIT",
        source="Lloyd-Price et al. 2019", group="persons with and without IBD",
    )  # fmt: skip
    add_reference(hmp2 / "HMP2_taxonomy.tsv", hmp2 / "HMP2_metadata.tsv", everybody, library)
    return library


@pytest.fixture(scope="module")
def skin(shared_data: Path) -> LabTable:
    return read_laboratory_file(shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom").table


@pytest.fixture(scope="module")
def stool(shared_data: Path) -> LabTable:
    return read_laboratory_file(shared_data / "gut_longitudinal_hmp2_metaphlan/HMP2_taxonomy.tsv").table


@pytest.fixture(scope="module")
def array(shared_data: Path) -> LabTable:
    return read_laboratory_file(shared_data / "gut_healthy_atlas1006/atlas1006_otu.csv").table


def composition(table: LabTable, sample: str) -> Composition:
    found = compose(table, sample)
    assert found is not None
    return found


def placed(table: LabTable, sample: str, keys: SampleKeys, library: Library) -> Placed:
    found = composition(table, sample)
    return place(found, guild_shares(found, keys.site), keys, library)


def of(placement: Placement, quantity: str) -> Percentile:
    return next(each for each in placement.percentiles if each.quantity == quantity)


def others_of(library: Library, name: str, place_key: str | None = None) -> tuple[Any, np.ndarray[Any, Any]]:
    """(the reference, each person's first sample)."""
    whole = library.read(name)
    rows = np.arange(len(whole.person))
    if place_key is not None:
        rows = rows[np.array(whole.body_site) == place_key]
    first: dict[int, int] = {}
    for row in sorted(rows.tolist(), key=lambda row: (whole.order[row], row)):
        first.setdefault(int(whole.person[row]), row)
    return whole, np.array([first[person] for person in sorted(first)])


# ---- what a key changes


def test_a_child_with_eczema_meets_too_few_healthy_children(skin: LabTable, library: Library) -> None:
    """23 of the 30 healthy children are 1-9 years old and were swabbed at the elbow: too few for percentiles."""
    found = placed(skin, AD_CHILD, CHILD, library).placement
    assert (found.state, found.reference, found.n) == ("too few for percentiles", "csb5-children-skin", 23)
    assert found.percentiles == ()
    assert found.why.startswith("23 comparable persons are loaded, and a percentile needs 40")
    assert "age children 1-9 years" in found.matched_on


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"body_site": "nares"}, "body site: sample Front of the nose"),
        ({"body_site": ""}, "body site: reference"),
        ({"age_years": 40.0}, "age: reference 0.3-10.4 years, sample 40"),
        ({"age_years": None}, "age: reference 0.3-10.4 years, the sample's is not given"),
        ({"assay": "16S V4"}, "platform: sample 16S V4, reference shotgun"),
        ({"assay": "array"}, "platform: sample array, reference shotgun"),
        ({"profiler": "MetaPhlAn 4"}, "profiler: sample MetaPhlAn 4"),
    ],
)
def test_another_site_age_or_platform_has_no_comparable_reference(
    skin: LabTable, library: Library, changed: dict[str, Any], reason: str
) -> None:
    found = placed(skin, AD_CHILD, replace(CHILD, **changed), library)
    assert found.placement.state == "no comparable reference"
    assert (found.placement.percentiles, found.placement.n, found.distance) == ((), 0, None)
    csb5 = next(text for text in found.placement.passed_over if text.startswith("CSB5"))
    assert reason in csb5
    assert found.placement.passed_over[-1] == "references of another site: 3"  # of the gut: counted, not listed
    assert len(found.placement.passed_over) == 3


def test_references_of_another_site_are_only_counted(skin: LabTable, library: Library) -> None:
    """The same sample called stool: the two of the skin are left aside, the three of the gut are told."""
    found = placed(skin, AD_CHILD, replace(CHILD, site="gut", body_site="stool"), library).placement
    assert found.state == "no comparable reference"
    assert [text for text in found.passed_over if "CSB5" in text] == []
    assert found.passed_over[-1] == "references of another site: 2"
    assert len(found.passed_over) == 4


def test_a_cheek_is_not_compared_with_elbows(skin: LabTable, shared_data: Path, tmp_path: Path) -> None:
    """With the study's CH taken as cheek there are 8 children; a reference of elbows only has none."""
    library, folder = Library(tmp_path), shared_data / "ad_skin_shotgun_csb5_bracken"
    elbows = NewReference(
        name="elbows", site="skin", assay="shotgun", profiler="Kraken2, Bracken", body_site_column="body_region",
        age_column="Age_months", age_unit="months", person_column="subject_ID", licence="own", source="CSB5",
        where=("sample_category=child", "body_region=AC"), group_column="child_disease_state", healthy=("0",),
    )  # fmt: skip
    table, samples = folder / "bracken_species_counts.biom", folder / "sample_metadata_counts.tsv"
    add_reference(table, samples, elbows, library, persons=folder / "combined_demographics.tsv")
    assert placed(skin, AD_CHILD, CHILD, library).placement.n == 23
    cheek = placed(skin, AD_CHILD, replace(CHILD, body_site="cheek"), library).placement
    assert cheek.state == "no comparable reference"
    knee = placed(skin, AD_CHILD, replace(CHILD, body_site="popliteal_fossa"), library).placement
    assert (knee.state, knee.n) == ("too few for percentiles", 23)
    assert "site class moist (reference Bend of the elbow (antecubital fossa))" in knee.matched_on


def test_a_stool_sample_is_placed_among_adults_and_not_on_another_platform(
    stool: LabTable, library: Library
) -> None:
    found = placed(stool, "CSM5FZ3N_P", STOOL, library).placement
    assert (found.state, found.reference, found.n) == ("placed", "hmp2-everybody", 58)
    assert found.percentiles
    assert {each.n for each in found.percentiles} == {58}
    child = placed(stool, "CSM5FZ3N_P", replace(STOOL, age_years=12.0), library).placement
    assert "age children 3-17 years" in child.matched_on
    assert "age adults 18-64 years" in found.matched_on
    as_array = placed(stool, "CSM5FZ3N_P", replace(STOOL, assay="array"), library).placement
    assert (as_array.state, as_array.percentiles) == ("no comparable reference", ())
    older = placed(stool, "CSM5FZ3N_P", replace(STOOL, profiler="MetaPhlAn 3"), library).placement
    assert (older.state, older.percentiles) == ("no comparable reference", ())


def test_a_flare_is_placed_among_flares_and_nowhere_else(shared_data: Path, library: Library) -> None:
    """A real lesional swab of a woman of 59 among the 40 adults of 18-64 with 2,000 reads or more (V1-V3)."""
    file = read_laboratory_file(shared_data / "ad_skin_antiIL22_rauer2023/Anti-IL22-baseline_featurefile.txt")
    keys = SampleKeys(
        site="skin", assay=file.table.assay, profiler="DADA2, AnnotIEM", body_site="lesion", age_years=59.0,
        lesional=True,
    )  # fmt: skip
    assert keys.assay == "16S V1-V3"
    found = placed(file.table, "18022-0009", keys, library).placement
    assert (found.state, found.reference, found.n) == ("placed", "rauer2023-lesional-skin", 40)
    assert "inflamed skin yes (adults with moderate to severe atopic dermatitis)" in found.matched_on
    assert of(found, "s_aureus").percent > 80  # 0.93 of this swab is S. aureus, 0.13 the median of the group
    assert of(found, "log10_s_aureus_to_cons").percent > 80
    for changed in (
        {"lesional": False}, {"lesional": None}, {"body_site": "antecubital_fossa"}, {"age_years": 9.0},
        {"assay": "16S V4"}, {"assay": "shotgun"}, {"profiler": "Deblur"},
    ):  # fmt: skip
        other = placed(file.table, "18022-0009", replace(keys, **changed), library).placement
        assert other.reference != "rauer2023-lesional-skin", changed
        assert other.percentiles == (), changed


def test_no_percentile_crosses_platforms(stool: LabTable, library: Library, shared_data: Path) -> None:
    """Over all samples Akkermansia's median is 0 by shotgun and 0.0034 by array, Bifidobacterium's 0.0003 and
    0.0070 (microbiome-facts 3.1); over first samples Bifidobacterium differs 9-fold.

    Among the array's persons more than half of those measured by shotgun would stand in the lowest tenth: a
    difference of platforms and not of persons. So no shotgun sample is placed in the array's reference.
    """
    atlas, persons = others_of(library, "atlas1006-gut")
    hmp2, people = others_of(library, "hmp2-nonibd-gut")

    def shares(whole: Any, rows: Any, guild: str) -> Any:
        values = whole.rows(rows)
        mine = np.array([guild in name.guilds for name in whole.names])
        return values[:, mine].sum(axis=1) / values.sum(axis=1)

    for guild_key, times in (("akkermansia", 8), ("bifidobacterium", 8)):
        array_shares, shotgun = shares(atlas, persons, guild_key), shares(hmp2, people, guild_key)
        assert np.median(array_shares) > times * np.median(shotgun)
        assert np.mean(shotgun < np.quantile(array_shares, 0.1)) >= 0.5
    for sample in stool.samples[::200]:
        found = placed(stool, sample, STOOL, library).placement
        assert found.reference != "atlas1006-gut"
        atlas_said = next(text for text in found.passed_over if text.startswith("HITChip"))
        assert "platform: sample shotgun, reference array" in atlas_said
    for guild_key in ("akkermansia", "bifidobacterium"):
        guild = GuildShare(guild=guild_key, label=guild_key, state=State.MEASURED, share=0.0003)
        summary = with_reference(guild, "gut", "shotgun", 43.0, profiler="MetaPhlAn 4").reference
        assert summary is not None
        assert summary.percentile is None
        assert summary.cohort.startswith("HMP2")


def test_without_a_library_nothing_is_compared(skin: LabTable, tmp_path: Path) -> None:
    found = placed(skin, AD_CHILD, CHILD, Library(tmp_path / "absent"))
    assert found.placement.state == "no comparable reference"
    assert "biflora reference add" in found.placement.why
    assert found.placement.passed_over == ()


def test_a_damaged_reference_is_passed_over_and_named(array: LabTable, library: Library, tmp_path: Path) -> None:
    for path in library.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    broken = Library(tmp_path)
    (tmp_path / broken.card("hmp2-everybody").data_file).write_bytes(b"no table")
    (tmp_path / "csb5-children-skin.json").write_text("{}")
    keys = SampleKeys(site="gut", assay="array", profiler="HITChip", body_site="stool", age_years=30)
    found = placed(array, "Sample-1", keys, broken).placement
    assert found.state == "placed"
    assert any(text.startswith("csb5-children-skin: ") for text in found.passed_over)
    stool_keys = replace(STOOL, age_years=30)
    other = place(composition(array, "Sample-1"), (), stool_keys, broken).placement
    assert any("add it again" in text for text in other.passed_over)
    with pytest.raises(OperatorMust):
        broken.read("hmp2-everybody")


# ---- what a percentile is


def test_percentiles_are_those_of_scipy(stool: LabTable, library: Library) -> None:
    """Among the same 58 adults, their first samples only: percentileofscore(kind='mean') counts ties by half."""
    from scipy.stats import binomtest, percentileofscore

    sample = "CSM5FZ3R_P"  # a second sample, so that it is nobody's first
    found = placed(stool, sample, STOOL, library).placement
    whole, rows = others_of(library, "hmp2-everybody")
    rows = rows[(whole.age[rows] >= 18) & (whole.age[rows] < 65)]
    assert len(rows) == found.n
    values = whole.rows(rows)
    values /= values.sum(axis=1, keepdims=True)
    mine = composition(stool, sample)
    for guild in ("bacteroides", "faecalibacterium", "butyrate_producers"):
        members = np.array([guild in name.guilds for name in whole.names])
        share = float(mine.values[mine.of_guild(guild)].sum() / mine.values.sum())
        theirs = values[:, members].sum(axis=1)
        got = of(found, guild)
        assert got.value == pytest.approx(share)
        assert got.percent == pytest.approx(percentileofscore(theirs, share, kind="mean"))
        below = int((theirs < share).sum())
        exact = binomtest(below, len(rows)).proportion_ci(method="exact")
        assert got.low == pytest.approx(100 * exact.low)
        assert got.high == pytest.approx(100 * exact.high)
    diversities = np.array([shannon(row) for row in values])
    got = of(found, "shannon")
    assert got.percent == pytest.approx(percentileofscore(diversities, got.value, kind="mean"))


def test_exact_limits_are_clopper_pearson() -> None:
    """None of 40 below: 0 to 1 - 0.025^(1/40) = 8.8 %."""
    from scipy.stats import binomtest

    assert exact_limits(0, 0, 40) == (0.0, pytest.approx(1 - 0.025 ** (1 / 40)))
    for k, n in ((1, 40), (20, 40), (39, 40), (40, 40), (500, 1006)):
        exact = binomtest(k, n).proportion_ci(method="exact")
        assert exact_limits(k, k, n) == pytest.approx((exact.low, exact.high))


def made_up(tmp_path: Path, persons: list[dict[str, float]], assay: str = "shotgun") -> Library:
    """A reference of adults' elbows from reads by taxon, one dict a person."""
    lines = [f"P{i},{taxon},{reads:.0f}\n" for i, each in enumerate(persons) for taxon, reads in each.items()]
    (tmp_path / "persons.csv").write_text("sample,taxon,count\n" + "".join(lines))
    rows = [f"P{i},30\n" for i in range(len(persons))]
    (tmp_path / "about.csv").write_text("sample,age\n" + "".join(rows))
    library = Library(tmp_path / "references")
    told = NewReference(
        name="made-up", site="skin", assay=assay, profiler="own 1", body_site="antecubital_fossa",
        age_column="age", age_unit="years", each_sample_a_person=True, all_healthy=True, licence="own",
        source="us",
    )  # fmt: skip
    add_reference(tmp_path / "persons.csv", tmp_path / "about.csv", told, library)
    return library


ADULT = SampleKeys(
    site="skin", assay="shotgun", profiler="own 1", body_site="antecubital_fossa", age_years=30, lesional=False
)


def one_sample(tmp_path: Path, reads: dict[str, float], assay: str = "shotgun") -> LabTable:
    path = tmp_path / "one.csv"
    path.write_text("sample,taxon,count\n" + "".join(f"S,{taxon},{n:.0f}\n" for taxon, n in reads.items()))
    return replace(read_laboratory_file(path).table, assay=assay)


def healthy(s_aureus: float, depth: float = 20_000, acnes: float = 0.5) -> dict[str, float]:
    """S. aureus as told; of the rest 30 % CoNS, `acnes` Cutibacterium and what is left Corynebacterium."""
    rest = depth - s_aureus
    epidermidis, hominis, cutibacterium = round(rest * 0.2), round(rest * 0.1), round(rest * acnes)
    parts = {
        "Staphylococcus aureus": s_aureus,
        "Staphylococcus epidermidis": epidermidis,
        "Staphylococcus hominis": hominis,
        "Cutibacterium acnes": cutibacterium,
        "Corynebacterium striatum": rest - epidermidis - hominis - cutibacterium,
    }
    return {taxon: reads for taxon, reads in parts.items() if reads > 0}


def group(n: int, s_aureus: float, depth: float = 20_000) -> list[dict[str, float]]:
    """Persons alike in S. aureus and different in Cutibacterium, as the novelty test needs a spread."""
    return [healthy(s_aureus, depth, acnes) for acnes in np.linspace(0.1, 0.6, n)]


def test_below_detection_gives_an_upper_bound_only(tmp_path: Path) -> None:
    """3,000 reads without S. aureus: it may lie up to 3 / 3,000 = 0.001. 30 of 50 persons lie below that (share
    0.0005), 20 above (0.01): at most the 60th percentile, and the interval begins at 0."""
    from scipy.stats import binomtest

    library = made_up(tmp_path, group(30, 10) + group(20, 200))
    table = one_sample(tmp_path, healthy(0, 3_000))
    found = placed(table, "S", ADULT, library).placement
    assert found.state == "placed"
    got = of(found, "s_aureus")
    assert got.value == pytest.approx(0.001)
    assert (got.percent, got.low) == (60, 0)
    assert got.high == pytest.approx(100 * binomtest(30, 50).proportion_ci(method="exact").high)
    assert "below detection, so at most" in got.label
    assert not any(each.quantity == "s_aureus_clr" for each in found.percentiles)


def test_persons_who_cannot_be_told_apart_count_by_half(tmp_path: Path) -> None:
    """The sample has 0.0005 of S. aureus. 20 persons of 20,000 reads have none, so they lie below (3 / 20,000 =
    0.00015), 10 of 12,000 reads have none too (up to 0.00025: below), 10 have 0.0005 exactly, 10 have 0.01. Below
    30, equal 10 of 50: (30 + 5) / 50 = 70 %, and the interval counts the ten both ways."""
    from scipy.stats import binomtest

    library = made_up(tmp_path, group(20, 0) + group(10, 0, 12_000) + group(10, 10) + group(10, 200))
    found = placed(one_sample(tmp_path, healthy(10)), "S", ADULT, library).placement
    got = of(found, "s_aureus")
    assert got.percent == pytest.approx(70)
    assert got.low == pytest.approx(100 * binomtest(30, 50).proportion_ci(method="exact").low)
    assert got.high == pytest.approx(100 * binomtest(40, 50).proportion_ci(method="exact").high)
    # at 0.0002 the ten of 12,000 reads (up to 0.00025) can no longer be told: below 20, unclear 10
    fewer = of(placed(one_sample(tmp_path, healthy(4)), "S", ADULT, library).placement, "s_aureus")
    assert fewer.percent == pytest.approx(100 * (20 + 5) / 50)


def test_the_balance_is_placed_among_persons_in_whom_either_was_found(tmp_path: Path) -> None:
    """50 reads of S. aureus, 3,990 + 1,995 of CoNS: log10(50.5 / 5,985.5) = -2.07; 25 persons below, 25 above."""
    library = made_up(tmp_path, group(25, 10) + group(25, 200))
    found = placed(one_sample(tmp_path, healthy(50)), "S", ADULT, library).placement
    got = of(found, "log10_s_aureus_to_cons")
    assert got.value == pytest.approx(np.log10((50 + 0.5) / (3_990 + 1_995 + 0.5)))
    assert (got.percent, got.n) == (50, 50)
    assert of(found, "s_aureus_clr").percent == 50  # the same order of persons on a log-ratio scale


def test_what_is_not_resolved_gets_no_percentile(tmp_path: Path) -> None:
    """A V4 sample among V4 persons: the genus is placed, S. aureus and the balance are not."""
    library = made_up(tmp_path, group(25, 10) + group(25, 200), assay="16S V4")
    table = one_sample(tmp_path, healthy(50), assay="16S V4")
    found = placed(table, "S", replace(ADULT, assay="16S V4"), library).placement
    placed_keys = {each.quantity for each in found.percentiles}
    assert found.state == "placed"
    assert "staphylococcus" in placed_keys
    assert not placed_keys & {"s_aureus", "cons", "log10_s_aureus_to_cons"}
    assert not any(each.startswith("malassezia") for each in placed_keys)


def test_thirty_nine_persons_give_no_percentile_and_forty_do(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    table = one_sample(tmp_path, healthy(50))
    few = placed(table, "S", ADULT, made_up(tmp_path / "a", [healthy(10 + i) for i in range(39)])).placement
    assert (few.state, few.n, few.percentiles) == ("too few for percentiles", 39, ())
    enough = placed(table, "S", ADULT, made_up(tmp_path / "b", [healthy(10 + i) for i in range(40)])).placement
    assert enough.n == 40
    assert enough.percentiles or enough.state == "outside the reference"


def test_reads_that_are_averages_are_placed_too(tmp_path: Path) -> None:
    """Averaged replicates hold parts of reads: 0.4 counts as one read, so that no depth is short by rounding."""
    assert whole_reads(np.array([0.0, 0.4, 1.4, 2.6])).tolist() == [0, 1, 1, 3]
    library = made_up(tmp_path, group(25, 10) + group(25, 200))
    table = one_sample(tmp_path, healthy(50))
    parts = replace(table, values=table.values + 0.4)
    found = placed(parts, "S", ADULT, library).placement
    assert found.state == "placed"
    assert of(found, "observed_taxa").value == pytest.approx(5, abs=0.1)


# ---- novelty


def forced(table: LabTable, sample: str, library: Library, name: str) -> Placement:
    """As if somebody had written the reference's own keys for this sample."""
    card = library.card(name)
    keys = SampleKeys(
        site=card.site, assay=card.assay, profiler=card.profiler, body_site="stool", age_years=40, lesional=False
    )
    found = composition(table, sample)
    return place(found, guild_shares(found, "gut"), keys, library).placement


def test_a_skin_sample_in_a_gut_reference_is_novel(skin: LabTable, library: Library) -> None:
    for sample in skin.samples[:60:12]:
        for name, state in (
            ("hmp2-everybody", "outside the reference"),
            ("atlas1006-gut", "outside the reference"),
        ):
            found = forced(skin, sample, library, name)
            assert (found.state, found.percentiles) == (state, ())
            assert "swapped sample" in found.why


def left_out(library: Library, name: str, place_key: str | None = None) -> list[bool]:
    """For each person in turn: would she be novel among the others?"""
    whole, rows = others_of(library, name, place_key)
    shares: Numbers = whole.rows(rows)
    if whole.card.has_reads:
        shares = to_depth(shares, int(shares.sum(axis=1).min()))
    shares = shares / shares.sum(axis=1, keepdims=True)
    genera: dict[str, int] = {}
    column = [genera.setdefault(each.genus or each.name, len(genera)) for each in whole.names]
    by_genus = np.stack([np.bincount(column, weights=row, minlength=len(genera)) for row in shares])
    logs = np.log(by_genus[:, (by_genus >= 0.001).any(axis=0)] + 0.0005)
    return list(false_alarms(logs - logs.mean(axis=1, keepdims=True), neighbours=5, percentile=99))


def test_a_person_left_out_is_mostly_not_novel(library: Library) -> None:
    """About 1 in 100 is expected of a 99th percentile, and 1 in n of a small group. Measured on 2026-11-26: HMP2 1
    of 120, HMP2 without IBD 1 of 26, healthy children's elbows 1 of 30."""
    assert sum(left_out(library, "hmp2-everybody")) <= 3
    assert sum(left_out(library, "hmp2-nonibd-gut")) <= 2
    assert sum(left_out(library, "csb5-children-skin", "antecubital_fossa")) <= 2


def test_a_shallow_sample_is_not_novel_for_its_depth(skin: LabTable, library: Library) -> None:
    """Healthy children's samples thinned to 500 reads, each left out of the reference: with both sides drawn
    down to 500 reads at most 2 of 12 are novel; with the persons left at their full depth most are."""
    whole, rows = others_of(library, "csb5-children-skin", "antecubital_fossa")
    rng = np.random.default_rng(5)
    even = uneven = 0
    for line, row in enumerate(rows[:12]):
        counts = whole.rows(np.array([row]))[0].astype(int)
        present = np.flatnonzero(counts)
        drawn = rng.multivariate_hypergeometric(counts[present], 500, method="marginals").astype(float)
        sample = Composition(
            skin,
            "thinned",
            tuple(whole.names[i] for i, n in zip(present, drawn, strict=True) if n),
            drawn[drawn > 0],
            0,
        )
        found = Match(whole.card, chosen=np.delete(rows, line))
        both = side_by_side(sample, whole, found)
        assert both.depth == 500
        distance, farthest = novelty(*both.log_ratios_of_genera(), neighbours=5, percentile=99)
        even += distance > farthest
        full = replace(both, sample_even=both.sample, persons_even=both.persons, depth=None)
        distance, farthest = novelty(*full.log_ratios_of_genera(), neighbours=5, percentile=99)
        uneven += distance > farthest
    assert even <= 2
    assert uneven >= 8


def test_the_distance_to_the_nearest_by_hand() -> None:
    """Persons at 0, 1, 2, 10 on a line, a sample at 4; two neighbours: 2 and 3 away, mean 2.5. Left out: 0 has
    1 and 2 (1.5), 1 has 1 and 1 (1), 2 has 1 and 2 (1.5), 10 has 8 and 9 (8.5); the largest is 8.5."""
    persons = np.array([[0.0], [1.0], [2.0], [10.0]])
    distance, farthest = novelty(np.array([4.0]), persons, neighbours=2, percentile=100)
    assert (distance, farthest) == (pytest.approx(2.5), pytest.approx(8.5))
    assert false_alarms(persons, neighbours=2, percentile=100).tolist() == [False, False, False, True]


# ---- distance to healthy


def test_everybodys_distance_to_the_others_by_hand_and_one_by_one() -> None:
    """Shares (1, 0), (0.5, 0.5), (0, 1): distances 0.5, 1 and 0.5; the medians to the two others are 0.75, 0.5
    and 0.75. Witness for more of them: profile.indices.healthy_cut, which goes one by one."""
    persons = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert bray_curtis(np.array([[0.9, 0.1]]), persons)[0].tolist() == pytest.approx([0.1, 0.4, 0.9])
    assert own_median_distances(persons).tolist() == pytest.approx([0.75, 0.5, 0.75])
    many = np.random.default_rng(3).dirichlet(np.full(20, 0.3), size=60)
    assert np.quantile(own_median_distances(many), 0.9) == pytest.approx(healthy_cut(many, quantile=0.9))


def test_the_distance_to_healthy_finds_hmp2s_own_dysbiosis(
    shared_data: Path, stool: LabTable, library: Library
) -> None:
    """The table carries HMP2's dysbiosis state of each sample. Against the first samples of the 26 persons without
    IBD our distance ranks the dysbiotic ones of persons with IBD above the others (area under the curve 0.9)."""
    from scipy.stats import mannwhitneyu

    with (shared_data / "gut_longitudinal_hmp2_metaphlan/HMP2_metadata.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    header = ["sample", *rows[0]]
    about = {row[0]: dict(zip(header, row, strict=True)) for row in rows[1:]}
    whole, people = others_of(library, "hmp2-nonibd-gut")
    found = Match(whole.card, chosen=people)
    distances: dict[bool, list[float]] = {True: [], False: []}
    for sample in stool.samples[::4]:
        if about[sample]["diagnosis"] != "nonIBD":
            both = side_by_side(composition(stool, sample), whole, found)
            distance = distance_to_healthy(*both.even_shares, cut=1.0)
            distances[about[sample]["dysbiosis_state"] != "none"].append(distance.value)
    ranks = mannwhitneyu(distances[True], distances[False])
    assert ranks.statistic / (len(distances[True]) * len(distances[False])) > 0.9


def test_the_distance_is_given_for_twenty_healthy_persons_or_more(
    skin: LabTable, stool: LabTable, library: Library
) -> None:
    found = placed(skin, AD_CHILD, CHILD, library).distance
    assert found is not None
    assert found.value is not None
    assert 0 < found.value < 1
    assert "CSB5, healthy children, skin (healthy children, one sample each" in found.note
    assert "23 samples" in found.note
    assert found.experimental
    assert "Lloyd-Price" in found.source
    ill = placed(stool, "CSM5FZ3N_P", STOOL, library)  # placed among persons with and without IBD
    assert ill.distance is None
