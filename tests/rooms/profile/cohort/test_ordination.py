"""Principal coordinates beside vegan's and scikit-bio's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_tables import dune_distances, euclidean

from biflora.errors import TrialistMust
from biflora.profile.cohort import ordination
from biflora.profile.cohort.ordination import ordinate

# vegan 2.6-4: wcmdscale(vegdist(dune), eig = TRUE)$eig
VEGAN = [
    1.71626618784268, 1.02239804988628, 0.46146409088125, 0.38224916144561, 0.27913454647247, 0.23663092467023,
    0.16912037109664, 0.09624517464883, 0.07449176, 0.0617119986412, 0.05494046, 0.01917429021017, 0.0161189735309,
    0.00400091196872,
]  # fmt: skip
VEGAN_NEGATIVE = [-0.02642512640407, -0.04285699326188, -0.05473417474033, -0.07412306077, -0.09678567106734]


def test_dune_as_vegan_gives_it(shared_data: Path) -> None:
    found = ordinate(dune_distances(shared_data)[0], axes=20)
    np.testing.assert_allclose(found.eigenvalues, VEGAN, atol=1e-8)
    positive, negative = sum(VEGAN), -sum(VEGAN_NEGATIVE)
    np.testing.assert_allclose(found.proportion_explained, np.array(VEGAN) / positive, atol=1e-8)
    assert found.negative_share == pytest.approx(negative / (positive + negative), abs=1e-8)
    assert "Negative eigenvalues hold 6.0 %" in found.remark
    assert found.remark.endswith("without some distortion.")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_coordinates_as_skbio_gives_them(shared_data: Path) -> None:
    from skbio import DistanceMatrix
    from skbio.stats.ordination import pcoa

    distances, _ = dune_distances(shared_data)
    found = ordinate(distances, axes=4)
    expected = pcoa(DistanceMatrix(distances.matrix)).samples.to_numpy()[:, :4]
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(expected), atol=1e-10)


def test_points_on_a_plane_are_found_again() -> None:
    points = np.random.default_rng(1).normal(size=(12, 2)) @ np.diag([3.0, 1.0])
    found = ordinate(euclidean(points))
    assert found.coordinates.shape == (12, 2)
    assert found.negative_share == 0.0
    apart = np.linalg.norm(found.coordinates[:, None] - found.coordinates[None, :], axis=2)
    np.testing.assert_allclose(apart, euclidean(points).matrix, atol=1e-9)


def test_many_samples_give_the_same_axes(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distances, _ = dune_distances(shared_data)
    exact = ordinate(distances, axes=3)
    monkeypatch.setattr(ordination, "ALL_AXES_UP_TO", 10)
    found = ordinate(distances, axes=3)
    np.testing.assert_allclose(found.coordinates, exact.coordinates, atol=1e-9)
    # Of the sum of all eigenvalues, negative ones too: 4.29902187 (the total sum of squares of check 2).
    np.testing.assert_allclose(found.proportion_explained, np.array(VEGAN[:3]) / 4.299021870445588, atol=1e-8)
    assert found.negative_share is None
    assert "negative ones are not computed" in found.remark


def test_two_samples_are_no_ordination() -> None:
    with pytest.raises(TrialistMust, match="three samples"):
        ordinate(euclidean(np.array([[0.0], [1.0]])))
