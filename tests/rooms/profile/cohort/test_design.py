"""Requests whose p-value would mean nothing are refused, and say why; shown on the trial of bleach baths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_tables import euclidean, khadka, made_up

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design, Exchange
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import read_variable
from biflora.profile.cohort.permanova import permanova
from biflora.profile.cohort.permutations import deal
from biflora.profile.cohort.projection import DealtTerm, Squares
from biflora.profile.metadata import Metadata

FORMULA = "ChlorineBath * C(Visit)"
BY_SUBJECT = Design(subject="Subject", time="Visit")


def freely(distances: Distances, metadata: Metadata, column: str, *, permutations: int, seed: int) -> float:
    """What the product refuses: samples permuted as if each were a subject."""
    n = len(distances.samples)
    variable = read_variable(column, metadata.of(distances.samples))
    each = np.arange(n)
    exchange = Exchange(
        "samples", each, np.zeros(n, dtype=np.int64), variable.codes, (column,), (), False, "", "", ""
    )
    arrangements = deal(
        exchange.labels,
        exchange.strata,
        permutations,
        np.random.default_rng(seed),
        groups=True,
        wanted_p=1.0,
        what="",
    )
    term = DealtTerm(
        Squares(distances.matrix), exchange, each, variable.columns, np.ones((n, 1)), np.zeros((n, 0))
    )
    found = term.test(arrangements.places)
    return (1 + found.at_least_as_large) / (1 + found.permutations)


def test_the_trap_on_real_data(shared_data: Path) -> None:
    """Arm of the bleach bath trial, 48 samples of 14 children at visits 1 to 4.

    vegan 2.6-4 on the same distances, 9,999 permutations: 0.111 with samples permuted freely (pseudo-replication),
    0.603 with blocks = Subject (no arm moves; only what is left over does). Valid, all C(14, 6) = 3,003 ways to
    allot the baths to children: 0.441. Free permutation makes the arm look four times less likely by chance.
    """
    distances, metadata = khadka(shared_data)
    found = permanova(distances, metadata, FORMULA, BY_SUBJECT, permutations=4_999)
    arm = found.row("ChlorineBath")
    assert (found.n_samples, found.n_subjects) == (48, 14)
    assert arm.f == pytest.approx(1.3874, abs=5e-5)  # vegan
    np.testing.assert_allclose([row.r2 for row in found.rows], [0.03004, 0.05552, 0.04828], atol=5e-6)  # vegan
    assert arm.all_arrangements
    assert arm.permutations == 3_003 - 1
    assert arm.p == pytest.approx(0.44056, abs=5e-6)
    # One child has one sample and says nothing of a course.
    assert found.row("ChlorineBath:Visit").permuted_units == "13 subjects"
    free = freely(distances, metadata, "ChlorineBath", permutations=4_999, seed=1)
    assert free == pytest.approx(0.111, abs=4 * np.sqrt(0.111 * 0.889 / 5_000))
    assert free < arm.p / 3
    assert "Subjects have 1 to 4 samples" in arm.notes[0]


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (Design(subject="Subject", permute="freely"), "48 samples of 14 subjects as if"),
        (Design(subject="Subject", permute="within subjects"), "moves none of its values"),
        (Design(subject="Subject", permute="between subjects"), "Visit: it changes within subjects"),
        (Design(subject="Subject", blocks="Subject"), "every block of 'Subject' is one subject"),
        (Design(subject="Subject", blocks="ChlorineBath"), "ChlorineBath is also the block"),
        (Design(subject="Subject", blocks="Visit"), "'Visit' changes within a subject"),
        (Design(independent_samples=True), "'Subject' names 48 samples of 14 subjects"),
        (Design(), "Say whom the samples come from"),
        (Design(subject="Subject", independent_samples=True), "not both"),
        (Design(independent_samples=True, permute="within subjects"), "'Subject' names"),
    ],
)
def test_invalid_requests_on_real_data_are_refused(shared_data: Path, design: Design, words: str) -> None:
    with pytest.raises(TrialistMust) as told:
        permanova(*khadka(shared_data), FORMULA, design)
    assert words in str(told.value)
    assert told.value.who == "the trialist"


def test_nine_children_with_all_visits_as_vegan_gives_them(shared_data: Path) -> None:
    """Balanced, so that vegan can deal whole children: how(plots = Plots(strata = Subject, type = "free"))."""
    distances, metadata = khadka(shared_data)
    children = metadata.of(distances.samples).texts("Subject")
    kept = tuple(
        name for name, child in zip(distances.samples, children, strict=True) if children.count(child) == 4
    )
    found = permanova(distances.of(kept), metadata, FORMULA, BY_SUBJECT, permutations=1_999)
    np.testing.assert_allclose([row.f for row in found.rows], [0.9589, 0.8125, 0.6749], atol=5e-5)
    arm, visit, _ = found.rows
    assert arm.permutations == 126 - 1  # C(9, 4)
    assert arm.p == pytest.approx(113 / 126)
    assert arm.p == pytest.approx(0.9002, abs=4 * np.sqrt(0.09 / 9_999))  # vegan, 9,999 deals of children
    # adonis2(D ~ Subject + Visit, permutations = how(blocks = Subject)): F 0.9931, p 0.4685 with 9,999
    assert visit.tested_f == pytest.approx(0.9931, abs=5e-5)
    assert visit.p == pytest.approx(0.4685, abs=4 * np.sqrt(0.25 / 1_999))


def test_a_slip_of_the_pen_in_the_real_table_is_found(shared_data: Path) -> None:
    """At visit 5 one child stands in the other arm: that column is no arm any more."""
    with pytest.raises(TrialistMust, match="the same in all samples of 12 subjects and changes within 1"):
        permanova(*khadka(shared_data, "12345"), FORMULA, BY_SUBJECT)


def test_an_interaction_cannot_be_tested_by_visits_dealt_within_subjects(shared_data: Path) -> None:
    from biflora.profile.cohort.design import exchange_for, read_design
    from biflora.profile.cohort.formula import read_model

    distances, metadata = khadka(shared_data)
    rows = metadata.of(distances.samples)
    model = read_model(FORMULA, rows)
    sampled = read_design(Design(subject="Subject", permute="within subjects"), rows)
    assert exchange_for(model.terms[1], model, sampled).kind == "within subjects"
    with pytest.raises(TrialistMust, match="never moves ChlorineBath and also wipes out the effect of Visit"):
        exchange_for(model.terms[2], model, sampled)


def rows_of(subjects: int, visits: int, **more: list[object]) -> Metadata:
    return made_up(
        subject=[i for i in range(subjects) for _ in range(visits)],
        visit=[f"v{v}" for _ in range(subjects) for v in range(visits)],
        arm=["AB"[i % 2] for i in range(subjects) for _ in range(visits)],
        **more,
    )


def points(n: int) -> Distances:
    return euclidean(np.random.default_rng(0).normal(size=(n, 3)))


@pytest.mark.parametrize(
    ("subjects", "formula", "more", "words"),
    [
        (3, "arm", {}, "only 3 ways"),
        (6, "arm", {}, "only 20 ways, so no p-value below 0.1 "),
        (
            12,
            "arm + again",
            {"again": ["ab"[i % 2] for i in range(12) for _ in range(3)]},
            "again cannot be told apart",
        ),
        (12, "subject", {}, "'subject' names the subjects"),
        (12, "code", {"code": [f"x{i}" for i in range(12) for _ in range(3)]}, "12 subjects for 12 columns"),
        (12, "arm + site", {"site": ["x"] * 36}, "'site' is the same in every row"),
        (12, "arm + age", {"age": ["", "NA", *["4"] * 17, *["5"] * 17]}, "'age' is missing in 2 of 36 rows"),
        (12, "sample", {"sample": [f"x{i}" for i in range(36)]}, "as many columns as there are samples (36)"),
    ],
)
def test_designs_that_cannot_answer_are_refused(
    subjects: int, formula: str, more: dict[str, list[object]], words: str
) -> None:
    if "age" in more:
        more = {"age": ["" if cell == "NA" else cell for cell in more["age"]]}
    with pytest.raises(TrialistMust) as told:
        permanova(points(3 * subjects), rows_of(subjects, 3, **more), formula, Design(subject="subject"))
    assert words in str(told.value)


def test_missing_subjects_and_too_few_permutations_are_refused() -> None:
    rows = made_up(subject=["", "a", "b", "b"], arm=["A", "A", "B", "B"])
    with pytest.raises(TrialistMust, match="'subject' is missing in 1 of 4 rows"):
        permanova(points(4), rows, "arm", Design(subject="subject"))
    with pytest.raises(TrialistMust, match="at least 19"):
        permanova(points(36), rows_of(12, 3), "arm", Design(subject="subject"), permutations=9)


def test_one_sample_of_each_subject_is_dealt_as_samples() -> None:
    rows = rows_of(20, 1)
    named = permanova(points(20), rows, "arm", Design(subject="subject")).row("arm")
    said = permanova(points(20), made_up(arm=list(rows.texts("arm"))), "arm", Design(independent_samples=True))
    assert named == said.row("arm")
    with pytest.raises(TrialistMust, match="every subject has one sample"):
        permanova(points(20), rows, "arm", Design(subject="subject", permute="within subjects"))


def test_a_drug_that_a_few_took_is_tested_when_it_is_named() -> None:
    drug = ["yes" if i < 5 and v == 2 else "no" for i in range(12) for v in range(3)]
    rows = rows_of(12, 3, drug=drug)
    with pytest.raises(TrialistMust, match="changes within 5"):
        permanova(points(36), rows, "drug", Design(subject="subject"))
    found = permanova(points(36), rows, "drug", Design(subject="subject", within=("drug",))).row("drug")
    # five children, each with one "yes" in three samples: 3^5 = 243 ways
    assert found.permutations == 243 - 1
    assert found.permuted_units == "15 samples within 5 subjects"


def test_blocks_keep_values_inside_them() -> None:
    site = ["NS"[i // 6] for i in range(12) for _ in range(3)]
    rows = rows_of(12, 3, site=site)
    found = permanova(points(36), rows, "arm", Design(subject="subject", blocks="site")).row("arm")
    # 3 of 6 at each site: C(6, 3)^2 = 400 ways, the arms' names can be swapped at both sites at once
    assert found.permutations == 400 - 1
    assert found.smallest_p == pytest.approx(2 / 400)
    assert "inside each block of site" in found.scheme


def test_visits_are_dealt_inside_a_body_site_and_sites_inside_a_visit() -> None:
    rows = made_up(
        subject=[i for i in range(4) for _ in range(4)],
        visit=["v0", "v0", "v1", "v1"] * 4,
        site=["elbow", "knee"] * 8,
    )
    with pytest.raises(TrialistMust, match="4 of 4 subjects have several samples at one visit"):
        permanova(points(16), rows, "visit", Design(subject="subject", time="visit"))
    found = permanova(points(16), rows, "visit + site", Design(subject="subject", time="visit", body_site="site"))
    # 4 subjects x 2 sites, each with two visits that stay or swap: 2^8 ways, and all swapped is the same split
    assert found.row("visit").permutations == found.row("site").permutations == 2**8 - 1
    assert found.row("visit").smallest_p == pytest.approx(2 / 2**8)
    assert "each subject and site" in found.row("visit").scheme
    assert "each subject and visit" in found.row("site").scheme


def test_an_age_that_only_grows_with_the_visits_cannot_be_told_from_them() -> None:
    age = [str(30 + i + v) for i in range(12) for v in range(3)]
    rows = rows_of(12, 3, age=age)
    with pytest.raises(TrialistMust, match="within subjects it follows from visit"):
        permanova(points(36), rows, "visit + age", Design(subject="subject"))


def test_subjects_may_be_held_to_the_same_number_of_samples() -> None:
    counts = [2] * 8 + [3] * 8
    rows = made_up(
        subject=[i for i, n in enumerate(counts) for _ in range(n)],
        arm=["AB"[i % 2] for i, n in enumerate(counts) for _ in range(n)],
    )
    design = Design(subject="subject", same_number_of_samples=True)
    found = permanova(points(40), rows, "arm", design, permutations=4_999).row("arm")
    assert found.permutations == 70 * 70 - 1  # C(8, 4) for those with two, and for those with three samples
    assert "as many samples" in found.scheme


def test_free_permutation_finds_arms_that_are_not_there_and_the_design_does_not() -> None:
    """Sixteen subjects, four samples each, subjects differ, arms do not: at 5 % about 5 in 100 may be found.

    A binomial count of 100 at 5 % exceeds 12 once in a thousand; 1,000 larger trials are in permutations.md.
    """
    found = {"valid": 0, "free": 0}
    for seed in range(100):
        generator = np.random.default_rng(seed)
        subjects = generator.normal(0, 2, (16, 4)).repeat(4, axis=0)
        distances = euclidean(subjects + generator.normal(size=subjects.shape))
        rows = rows_of(16, 4)
        table = permanova(
            distances, rows, "arm", Design(subject="subject"), permutations=99, seed=seed, with_dispersion=False
        )
        found["valid"] += table.row("arm").p <= 0.05
        found["free"] += freely(distances, rows, "arm", permutations=99, seed=seed) <= 0.05
    assert found["valid"] <= 12
    assert found["free"] >= 50
