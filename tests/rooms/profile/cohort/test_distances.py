"""Distances beside vegan's and scikit-bio's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from real_tables import dune, table_of

from biflora.errors import TrialistMust
from biflora.profile.cohort.distances import distances_between, rarefied
from biflora.profile.table import LabTable


def sparse_counts(n: int = 60, taxa: int = 300, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    weights = np.exp(generator.normal(0, 2, taxa)) * (generator.random((n, taxa)) < 0.2)
    return np.array([generator.multinomial(2_000, row / row.sum()) for row in weights]).astype(float)


def as_table(matrix: np.ndarray, *, counts: bool = True) -> LabTable:
    samples = [f"s{place}" for place in range(len(matrix))]
    return table_of(samples, [f"t{place}" for place in range(matrix.shape[1])], matrix, counts=counts)


def test_bray_curtis_by_hand() -> None:
    # 1 3 0 against 2 2 4: the smaller of both are 1 + 2 + 0 = 3; 1 - 2 * 3 / (4 + 8) = 0.5
    found = distances_between(as_table(np.array([[1.0, 3, 0], [2, 2, 4]])), on="as given")
    np.testing.assert_allclose(found.matrix, [[0, 0.5], [0.5, 0]], atol=1e-15)
    # shares: 0.25 0.75 0 against 0.25 0.25 0.5: 1 - (0.25 + 0.25) = 0.5
    assert distances_between(as_table(np.array([[1.0, 3, 0], [2, 2, 4]]))).matrix[0, 1] == pytest.approx(0.5)


def test_dune_as_vegan_and_skbio_give_it(shared_data: Path) -> None:
    from skbio.diversity import beta_diversity

    table, _ = dune(shared_data)
    found = distances_between(table, on="as given")
    # vegan 2.6-4, vegdist(dune)[1:3]
    np.testing.assert_allclose(found.matrix[0, 1:4], [0.4666666667, 0.4482758621, 0.5238095238], atol=5e-11)
    rows = np.array([table.row(sample) for sample in table.samples]).astype(int)
    np.testing.assert_allclose(found.matrix, beta_diversity("braycurtis", rows).data, atol=1e-14)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_sparse_counts_as_skbio_gives_them(threads: int) -> None:
    from skbio.diversity import beta_diversity

    matrix = sparse_counts()
    table = as_table(matrix)
    bray = distances_between(table, on="as given", threads=threads).matrix
    np.testing.assert_allclose(bray, beta_diversity("braycurtis", matrix.astype(int)).data, atol=1e-14)
    jaccard = distances_between(table, "jaccard", threads=threads).matrix
    np.testing.assert_allclose(jaccard, beta_diversity("jaccard", matrix > 0).data, atol=1e-14)
    assert np.array_equal(bray, distances_between(table, on="as given", threads=2).matrix)


def test_shares_take_depth_out() -> None:
    matrix = sparse_counts()
    deeper = matrix * np.linspace(1, 5, len(matrix))[:, None]
    np.testing.assert_allclose(
        distances_between(as_table(matrix)).matrix, distances_between(as_table(deeper)).matrix, atol=1e-12
    )


def test_a_taxon_that_stands_twice_is_added_up() -> None:
    table = as_table(np.array([[1.0, 3, 0], [2, 2, 4]]))
    split = replace(
        table,
        starts=np.array([0, 3, 6]),
        places=np.array([0, 1, 1, 0, 1, 2]),
        values=np.array([1.0, 2, 1, 2, 2, 4]),
    )
    assert distances_between(split, on="as given").matrix[0, 1] == pytest.approx(0.5)


def test_aitchison_is_the_distance_of_skbios_log_ratios(shared_data: Path) -> None:
    from skbio.stats.composition import clr, rclr

    table, _ = dune(shared_data)
    rows = np.array([table.row(sample) for sample in table.samples])
    ratios = clr(rows + 0.5)
    expected = np.linalg.norm(ratios[:, None] - ratios[None, :], axis=2)
    np.testing.assert_allclose(distances_between(table, "aitchison").matrix, expected, atol=1e-7)
    robust = np.nan_to_num(rclr(rows))
    expected = np.linalg.norm(robust[:, None] - robust[None, :], axis=2)
    found = distances_between(table, "robust_aitchison").matrix
    np.testing.assert_allclose(found, expected, atol=1e-7)
    # vegan 2.6-4, vegdist(dune, "robust.aitchison") and ("aitchison", pseudocount = 0.5), sites 1 to 2, 3, 4
    np.testing.assert_allclose(found[0, 1:4], [1.67011238414, 1.98809149987, 2.31344594020], atol=1e-10)
    np.testing.assert_allclose(
        distances_between(table, "aitchison").matrix[0, 1:4],
        [4.44714402940, 4.52535275119, 5.04260006427],
        atol=1e-10,
    )


def test_rarefied_counts() -> None:
    table = as_table(sparse_counts())
    drawn = rarefied(table, 500, seed=4)
    assert set(drawn.totals()) == {500.0}
    assert np.all(drawn.row("s3") <= table.row("s3"))
    again = rarefied(table, 500, seed=4)
    assert np.array_equal(drawn.values, again.values)
    assert not np.array_equal(drawn.values[:50], rarefied(table, 500, seed=5).values[:50])
    # Drawing everything changes nothing.
    np.testing.assert_allclose(
        distances_between(table, on="rarefied", depth=2_000).matrix, distances_between(table).matrix, atol=1e-12
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metric": "bray_curtis", "pseudocount": 1.0}, "pseudocount belongs"),
        ({"metric": "aitchison", "pseudocount": 0.0}, "larger than zero"),
        ({"metric": "robust_aitchison", "pseudocount": 1.0}, "no pseudocount"),
        ({"on": "rarefied"}, "needs a depth"),
        ({"on": "rarefied", "depth": 3_000}, "60 samples hold fewer"),
        ({"depth": 100}, "without asking"),
    ],
)
def test_what_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(TrialistMust, match=words):
        distances_between(as_table(sparse_counts()), **change)  # type: ignore[arg-type]


def test_a_sample_without_reads_has_no_distance() -> None:
    matrix = sparse_counts(5)
    matrix[2] = 0
    with pytest.raises(TrialistMust, match=r"1 samples hold no reads \(s2\)"):
        distances_between(as_table(matrix))
    with pytest.raises(TrialistMust, match="whole reads"):
        rarefied(as_table(np.array([[0.5, 0.5]]), counts=False), 1, 0)


def test_part_of_the_samples() -> None:
    found = distances_between(as_table(sparse_counts(6)))
    part = found.of(("s4", "s1"))
    assert part.matrix[0, 1] == found.matrix[4, 1]
    with pytest.raises(TrialistMust, match="no distances"):
        found.of(("s4", "s99"))
