"""Published numbers that stand in no other test of cohorts."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from biflora.profile.cohort.design import Design
from biflora.profile.cohort.distances import Distances
from biflora.profile.cohort.permanova import permanova
from biflora.profile.metadata import Metadata

INDEPENDENT = Design(independent_samples=True)


def test_unequal_groups_as_scikit_bio_and_vegan_give_them() -> None:
    """scikit-bio's own example of three unequal groups, verified there with vegan's adonis: F = 0.578848."""
    matrix = [
        [0.0, 1.0, 0.1, 0.5678, 1.0, 1.0],
        [1.0, 0.0, 0.002, 0.42, 0.998, 0.0],
        [0.1, 0.002, 0.0, 1.0, 0.123, 1.0],
        [0.5678, 0.42, 1.0, 0.0, 0.123, 0.43],
        [1.0, 0.998, 0.123, 0.123, 0.0, 0.5],
        [1.0, 0.0, 1.0, 0.43, 0.5, 0.0],
    ]
    names = ("s1", "s2", "s3", "s4", "s5", "s6")
    group = ("Control", "Treatment1", "Treatment2", "Treatment1", "Control", "Control")
    rows = Metadata("made up", names, {"group": group})
    found = permanova(Distances(names, np.array(matrix), "given"), rows, "group", INDEPENDENT).row("group")
    assert found.f == pytest.approx(0.578848, abs=5e-7)
    assert found.p == pytest.approx(0.655, abs=0.05)  # scikit-bio's by 999 deals


def test_mantel_of_lichens_and_soil_as_vegan_prints_it() -> None:
    """vegan's example (varespec, varechem): r = 0.3047454127; scikit-bio is what a script of ours would call."""
    if shutil.which("Rscript") is None:
        pytest.skip("vegan's data varespec is read through Rscript, which this machine does not have")
    program = """
        if (!requireNamespace("vegan", quietly = TRUE)) quit(status = 3)
        data(varespec, package = "vegan"); data(varechem, package = "vegan")
        write.csv(as.matrix(vegan::vegdist(varespec)), stdout()); cat("--\\n")
        write.csv(as.matrix(vegan::vegdist(scale(varechem), "euclid")), stdout())
    """
    done = subprocess.run(["Rscript", "-e", program], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("vegan's data varespec needs the R package vegan, which this machine does not have")
    from skbio import DistanceMatrix
    from skbio.stats.distance import mantel

    def matrix(text: str) -> DistanceMatrix:
        lines = [line.split(",") for line in text.strip().splitlines()[1:]]
        return DistanceMatrix(np.array([[float(x) for x in line[1:]] for line in lines]))

    one, other = (matrix(part) for part in done.stdout.split("--\n"))
    assert mantel(one, other, permutations=0)[0] == pytest.approx(0.3047454127, abs=1e-8)
