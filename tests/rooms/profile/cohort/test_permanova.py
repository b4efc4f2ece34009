"""PERMANOVA beside vegan, scikit-bio and plain least squares."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_tables import dune_distances, euclidean, made_up, peerj32

from biflora.errors import TrialistMust
from biflora.profile.cohort.design import Design, Exchange, exchange_for, read_design
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.formula import Model, Term, read_model
from biflora.profile.cohort.permanova import permanova
from biflora.profile.cohort.permutations import deal
from biflora.profile.metadata import Metadata

INDEPENDENT = Design(independent_samples=True)


def test_dune_by_management_as_vegan_and_skbio_give_it(shared_data: Path) -> None:
    from skbio import DistanceMatrix
    from skbio.stats.distance import permanova as of_skbio

    distances, metadata = dune_distances(shared_data)
    found = permanova(distances, metadata, "Management", INDEPENDENT)
    row = found.row("Management")
    assert (row.df, found.residual_df, found.total_df) == (3, 16, 19)
    assert row.f == pytest.approx(2.76724350, abs=5e-9)  # vegan 2.6-4
    assert row.r2 == pytest.approx(0.34161067, abs=5e-9)
    assert row.sum_of_squares == pytest.approx(1.46859182, abs=1e-7)
    assert found.residual_sum_of_squares == pytest.approx(2.83043009, abs=5e-8)
    groups = list(metadata.of(distances.samples).texts("Management"))
    other = of_skbio(DistanceMatrix(distances.matrix, list(distances.samples)), groups, permutations=0)
    assert row.f == pytest.approx(other["test statistic"], abs=1e-11)
    assert row.tested_f == pytest.approx(row.f, abs=1e-11)
    # vegan and scikit-bio give 0.002 with 999 permutations; one standard error is sqrt(0.002 / 1000) = 0.0014
    assert row.p <= 0.002 + 4 * 0.0014
    assert row.permutations == 999
    assert not row.all_arrangements


def test_dune_with_an_interaction_by_terms_as_vegan_gives_it(shared_data: Path) -> None:
    found = permanova(*dune_distances(shared_data), "Management*A1", INDEPENDENT, permutations=1_999)
    # vegan 2.6-4: adonis2(dune ~ Management * A1, by = "terms")
    np.testing.assert_allclose([row.f for row in found.rows], [3.26288, 2.93867, 1.30902], atol=5e-6)
    np.testing.assert_allclose([row.r2 for row in found.rows], [0.34161067, 0.10255571, 0.13704891], atol=5e-9)
    assert [row.df for row in found.rows] == [3, 1, 3]
    assert sum(row.sum_of_squares for row in found.rows) + found.residual_sum_of_squares == pytest.approx(
        found.total_sum_of_squares
    )
    p = [row.p for row in found.rows]
    assert p[0] < 0.01 < p[1] < 0.05 < p[2]  # vegan, all terms permuted together: 0.0012, 0.0184, 0.2029
    assert "approximate" in " ".join(found.rows[2].notes)


def test_dune_marginally_as_vegan_gives_it(shared_data: Path) -> None:
    found = permanova(*dune_distances(shared_data), "Management + A1", INDEPENDENT, by="margin")
    # vegan 2.6-4, adonis2(dune ~ Management + A1, by = "margin"): F 2.4828, 2.7676, R2 0.27600, 0.10256
    np.testing.assert_allclose([row.f for row in found.rows], [2.4828, 2.7676], atol=5e-5)
    np.testing.assert_allclose([row.r2 for row in found.rows], [0.27600, 0.10256], atol=5e-6)
    held = permanova(*dune_distances(shared_data), "Management * A1", INDEPENDENT, by="margin")
    assert [row.term for row in held.rows] == ["Management:A1"]
    assert "A1 is not tested after Management:A1" in held.remarks[-1]
    assert held.row("Management:A1").f == pytest.approx(1.30902, abs=5e-6)


@pytest.mark.parametrize(
    ("matrix", "f"),
    [
        ([[0, 1, 1, 4], [1, 0, 3, 2], [1, 3, 0, 3], [4, 2, 3, 0]], 2.0),
        ([[0, 1, 5, 4], [1, 0, 3, 2], [5, 3, 0, 3], [4, 2, 3, 0]], 4.4),
    ],
)
def test_scikit_bios_own_examples(matrix: list[list[float]], f: float) -> None:
    # dm_ties and dm_no_ties of skbio/stats/distance/tests/test_permanova.py
    distances = Distances(("s0", "s1", "s2", "s3"), np.array(matrix, dtype=float), "given")
    rows = made_up(group=["Control", "Control", "Fast", "Fast"])
    found = permanova(distances, rows, "group", INDEPENDENT, wanted_p=0.5).row("group")
    assert found.f == pytest.approx(f, abs=1e-12)
    # 6 ways to choose two of four, each split found twice: all are weighed, and p is a third at least
    assert found.all_arrangements
    assert found.permutations == 5
    assert found.smallest_p == pytest.approx(1 / 3)
    assert found.p * 6 == pytest.approx(round(found.p * 6))
    with pytest.raises(TrialistMust, match="only 6 ways"):
        permanova(distances, rows, "group", INDEPENDENT)


def test_probiotic_trial_as_vegan_gives_it(shared_data: Path) -> None:
    found = permanova(*peerj32(shared_data), "group * time", Design(subject="subject", time="time"))
    # vegan: adonis2(rel ~ group * time, by = "terms")
    np.testing.assert_allclose([row.f for row in found.rows], [1.17095, 0.24392, 0.28515], atol=5e-6)
    assert found.n_subjects == 22
    assert [row.permuted_units for row in found.rows] == [
        "22 subjects", "44 samples within 22 subjects", "22 subjects",
    ]  # fmt: skip
    assert [row.tested_after for row in found.rows] == [
        "nothing", "each subject's mean, group", "each subject's mean, group, time",
    ]  # fmt: skip
    assert "whole" not in found.row("time").scheme
    assert all(row.p > 0.3 for row in found.rows)
    # Two samples of everybody: taking subjects out leaves the interaction what it was.
    assert found.row("group:time").tested_sum_of_squares == pytest.approx(found.row("group:time").sum_of_squares)


def trial(seed: int = 0, *, subjects: int = 14, shift: float = 0.0) -> tuple[np.ndarray, Metadata]:
    """Points of an unbalanced trial: subjects differ, some visits are missing."""
    generator = np.random.default_rng(seed)
    visits = [np.sort(generator.permutation(4)[: generator.integers(2, 5)]) for _ in range(subjects)]
    of = np.repeat(np.arange(subjects), [len(v) for v in visits])
    arm, site, age = np.arange(subjects) % 2, np.arange(subjects) // 2 % 2, generator.normal(40, 9, subjects)
    points = generator.normal(0, 2, (subjects, 5))[of] + generator.normal(size=(len(of), 5))
    points[:, 0] += shift * arm[of]
    rows = made_up(
        subject=[f"p{i}" for i in of], visit=[f"v{v}" for v in np.concatenate(visits)],
        arm=["AB"[i] for i in arm[of]], site=["NS"[i] for i in site[of]], age=[float(age[i]) for i in of],
        dose=[float(x) for x in generator.integers(0, 4, len(of))],
    )  # fmt: skip
    return points, rows


def explained(points: np.ndarray, columns: list[np.ndarray], before: list[np.ndarray]) -> float:
    """What `columns` add to `before`, by least squares on the points themselves: the witness."""

    def left(parts: list[np.ndarray]) -> float:
        design = np.hstack([np.ones((len(points), 1)), *parts])
        fitted = design @ np.linalg.lstsq(design, points, rcond=1e-10)[0]
        return float(np.square(points - fitted).sum())

    return left(before) - left([*before, *columns])


def dealt_columns(term: Term, exchange: Exchange, model: Model, deals: np.ndarray) -> np.ndarray:
    """The term's columns for all samples, the values of its units dealt anew."""
    first = np.unique(exchange.unit_of, return_index=True)[1]
    if exchange.kind != "courses":
        return term.columns[first][deals][exchange.unit_of]
    arm, visit = model.variables["arm"].columns, model.variables["visit"].columns
    moved = arm[first][deals][exchange.unit_of]
    return (moved[:, :, None] * visit[:, None, :]).reshape(len(moved), -1)


@pytest.mark.parametrize("blocks", [None, "site"])
def test_every_scheme_counts_what_least_squares_counts(blocks: str | None) -> None:
    """Each of 99 deals is refitted by least squares on the points, term by term, and gives the same p-value."""
    points, rows = trial(3)
    formula, design = "arm * visit + age + dose", Design(subject="subject", blocks=blocks)
    found = permanova(euclidean(points), rows, formula, design, permutations=99, seed=8, with_dispersion=False)
    model, sampled = read_model(formula, rows), read_design(design, rows)
    subjects = (sampled.subjects[:, None] == np.arange(14)[None, :]).astype(float)
    kinds = []
    for place, term in enumerate(model.terms):
        exchange = exchange_for(term, model, sampled)
        kinds.append(exchange.kind)
        groups = all(model.variables[name].is_groups for name in exchange.dealt)
        arrangements = deal(
            exchange.labels, exchange.strata, 99, np.random.default_rng([8, place]), groups=groups, wanted_p=0.05,
            what="",
        )  # fmt: skip
        before = [other.columns for other in model.terms[:place]]
        if exchange.takes_subjects_out:
            before.append(subjects)
        moved = [dealt_columns(term, exchange, model, deals) for deals in arrangements.places]
        observed = explained(points, [dealt_columns(term, exchange, model, np.arange(exchange.n_units))], before)
        sums = [explained(points, [columns], before) for columns in moved]
        row = found.row(term.name)
        assert row.tested_sum_of_squares == pytest.approx(observed, rel=1e-9)
        reached = sum(value >= observed * (1 - 1e-9) for value in sums)
        assert row.p == pytest.approx((1 + reached) / (1 + len(sums)))
        assert row.sum_of_squares == pytest.approx(
            explained(points, [term.columns], [other.columns for other in model.terms[:place]]), rel=1e-9
        )
    assert kinds == ["between subjects", "within subjects", "between subjects", "within subjects", "courses"]


def test_single_precision_gives_the_same_p_values(monkeypatch: pytest.MonkeyPatch) -> None:
    from biflora.profile.cohort import projection

    points, rows = trial(5, subjects=40)
    asked = (euclidean(points), rows, "arm * visit + age", Design(subject="subject"))
    double = permanova(*asked, permutations=499, with_dispersion=False)
    monkeypatch.setattr(projection, "SINGLE_PRECISION_ABOVE", 0.0)
    single = permanova(*asked, permutations=499, with_dispersion=False)
    assert [row.p for row in single.rows] == [row.p for row in double.rows]
    assert [row.tested_sum_of_squares for row in single.rows] == [row.tested_sum_of_squares for row in double.rows]


def test_an_interaction_is_tested_whatever_the_arms_differ_in_throughout() -> None:
    """A shift of one arm that stays the same at all visits moves no p-value of the interaction."""
    asked = ("arm * visit", Design(subject="subject"))
    plain, shifted = (
        permanova(euclidean(trial(6, shift=shift)[0]), trial(6)[1], *asked, with_dispersion=False)
        for shift in (0.0, 50.0)
    )
    assert plain.row("arm:visit").p == shifted.row("arm:visit").p
    assert plain.row("visit").p == shifted.row("visit").p
    # 7 of 14 subjects: 2 of the 3,432 ways split them as they are, so 0.001 or a little more
    assert shifted.row("arm").p <= 0.004
    assert plain.row("arm").p > 0.05


def test_the_same_seed_gives_the_same_table_and_a_term_its_own_deals() -> None:
    points, rows = trial(7)
    design = Design(subject="subject")
    first, again = (permanova(euclidean(points), rows, "arm * visit", design, seed=3) for _ in range(2))
    assert first == again
    other = permanova(euclidean(points), rows, "arm * visit", design, seed=4)
    assert [row.p for row in other.rows] != [row.p for row in first.rows]
    # What stands after a term changes nothing of its own test.
    alone = permanova(euclidean(points), rows, "arm", design, seed=3)
    assert alone.row("arm").p == first.row("arm").p
    assert alone.row("arm").tested_f == pytest.approx(first.row("arm").tested_f)


def test_dispersion_stands_beside_every_factor() -> None:
    points, rows = trial(9)
    found = permanova(euclidean(points), rows, "arm * visit + age", Design(subject="subject"))
    assert [spread.groups_of for spread in found.dispersions] == ["arm", "visit"]
    # Arm B drawn out tenfold about its middle: PERMDISP sees it, and the table says so.
    wide = np.array([cell == "B" for cell in rows.texts("arm")])
    points[wide] = points[wide].mean(axis=0) + 10 * (points[wide] - points[wide].mean(axis=0))
    found = permanova(euclidean(points), rows, "arm", Design(subject="subject"))
    assert (found.dispersions[0].p or 1) < 0.01
    assert "The groups of arm differ in spread" in found.remarks[-1]
