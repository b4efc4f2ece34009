"""Richness and entropy at a stated depth; witnesses are enumerations, scikit-bio, and R (vegan's BCI, phyloseq's
GlobalPatterns) where R is installed."""

from __future__ import annotations

import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from biflora.profile.composition import Composition, compose
from biflora.profile.numbers.diversity import (
    chao1,
    diversity,
    expected_richness,
    expected_shannon,
    observed,
    shannon,
    simpson,
)
from biflora.profile.profile import Quantity
from biflora.profile.table import Feature, LabTable, Numbers, from_dense
from biflora.values import State


def numbers_from_r(code: str) -> Numbers:
    """What R prints for `code`; the test skips without R or without the package."""
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("no Rscript on this machine")
    done = subprocess.run([program, "-e", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip("R lacks the package or cannot read the file")
    return np.array(done.stdout.split(), dtype=np.float64)


def one_sample(counts: dict[str, float], assay: str = "16S V1-V3", has_counts: bool = True) -> Composition:
    matrix = np.array([list(counts.values())], dtype=np.float64)
    starts, places, values = from_dense(["S1"], matrix)
    table = LabTable(
        file_name="made.tsv", format="made", because="made for a test", samples=("S1",),
        features=tuple(Feature(name=name) for name in counts), starts=starts, places=places, values=values,
        has_counts=has_counts, assay=assay,
    )  # fmt: skip
    composition = compose(table, "S1")
    assert composition is not None
    return composition


def by_key(quantities: tuple[Quantity, ...]) -> dict[str, Quantity]:
    return {quantity.key: quantity for quantity in quantities}


def test_expectations_are_the_means_over_all_draws() -> None:
    """Ten reads of four taxa (3, 2, 1, 4): every one of the 10-choose-d draws is counted."""
    counts = np.array([3.0, 2.0, 1.0, 4.0])
    reads = np.repeat(np.arange(4), counts.astype(int))
    for depth in (1, 2, 3, 5, 9, 10):
        draws = [np.bincount(reads[list(pick)], minlength=4) for pick in combinations(range(10), depth)]
        richness = np.mean([(draw > 0).sum() for draw in draws])
        entropy = np.mean([shannon(draw.astype(float)) for draw in draws])
        assert expected_richness(counts, depth) == pytest.approx(richness, abs=1e-12)
        assert expected_shannon(counts, depth) == pytest.approx(entropy, abs=1e-12)
    for depth in (0, 11):
        with pytest.raises(ValueError, match="between 1 and the sample's 10 reads"):
            expected_shannon(counts, depth)


def test_expected_shannon_of_a_deep_sample_is_that_of_repeated_draws() -> None:
    """200 draws of scikit-bio's subsample_counts from 2,000 taxa: within four standard errors."""
    subsample = pytest.importorskip("skbio.stats").subsample_counts
    counts = np.random.default_rng(1).negative_binomial(0.3, 0.003, size=2000)
    draws = np.array([shannon(subsample(counts, 2000, seed=i).astype(float)) for i in range(200)])
    error = draws.std() / np.sqrt(200)
    assert abs(expected_shannon(counts.astype(float), 2000) - draws.mean()) < 4 * error


def test_chao1_is_that_of_scikit_bio() -> None:
    """[0,1,1,4,2,5,2,4,1,2]: 9 seen, 3 once, 3 twice: 9 + 3*2/(2*4) = 9.75; plain 9 + 9/6 = 10.5."""
    counts = np.array([0, 1, 1, 4, 2, 5, 2, 4, 1, 2])
    assert chao1(counts.astype(float)) == 9.75
    assert chao1(counts.astype(float), bias_corrected=False) == 10.5
    theirs = pytest.importorskip("skbio.diversity.alpha").chao1
    rng = np.random.default_rng(5)
    for _ in range(50):
        drawn = rng.negative_binomial(0.4, 0.1, size=60)
        for corrected in (True, False):
            assert chao1(drawn.astype(float), bias_corrected=corrected) == pytest.approx(
                theirs(drawn, bias_corrected=corrected), abs=1e-9
            )


def test_a_plot_of_barro_colorado() -> None:
    """vegan 2.6: estimateR(BCI)[, 1] Chao1 117.4736842; rarefy(BCI, 100) 48.25351733."""
    counts = numbers_from_r("suppressMessages(library(vegan)); data(BCI); cat(unlist(BCI[1, ]))")
    assert chao1(counts) == pytest.approx(117.4736842, abs=5e-8)
    assert expected_richness(counts, 100) == pytest.approx(48.25351733, abs=5e-9)


def test_global_patterns_cl3(shared_data: Path) -> None:
    """phyloseq's estimate_richness: Observed 6964, Chao1 8588.071429, Shannon 6.576517423, Simpson 0.9946561152.

    Base R reads the object without phyloseq once it is told that it is no S4 object.
    """
    path = shared_data / "phyloseq_globalpatterns_enterotype/GlobalPatterns.RData"
    counts = numbers_from_r(
        f'load("{path}"); o <- asS4(attributes(GlobalPatterns)$otu_table, FALSE); d <- attr(o, "dim"); '
        'n <- attr(o, "dimnames")[[2]]; cat(as.vector(o)[(which(n == "CL3") - 1) * d[1] + 1:d[1]])'
    )
    assert observed(counts) == 6964
    assert chao1(counts) == pytest.approx(8588.071429, abs=5e-7)
    assert shannon(counts) == pytest.approx(6.576517423, abs=5e-10)
    assert simpson(counts) == pytest.approx(0.9946561152, abs=5e-11)


def test_matched_depth_is_a_number_only_where_there_are_so_many_reads() -> None:
    """16S is compared at 2,000 reads: 2,500 are enough, 1,500 are not."""
    deep = by_key(diversity(one_sample({"Cutibacterium acnes": 2000, "Staphylococcus hominis": 499, "Rothia": 1})))
    assert deep["richness_at_depth"].value == pytest.approx(2 + 2000 / 2500)  # the single read is drawn so often
    assert deep["shannon_at_depth"].value is not None
    assert "2,000 of 2,500" in deep["shannon_at_depth"].note
    thin = by_key(diversity(one_sample({"Cutibacterium acnes": 1400, "Staphylococcus hominis": 99, "Rothia": 1})))
    for key in ("richness_at_depth", "shannon_at_depth"):
        assert (thin[key].state, thin[key].value) == (State.NOT_MEASURED, None)
        assert "1500 reads" in thin[key].note
    assert thin["chao1"].value == 3.0  # one singleton, no doubleton: 3 + 1*0/2


def test_no_richness_from_what_was_not_counted() -> None:
    """An array's signals look like counts; averages and tables without singletons cannot carry Chao1."""
    array = by_key(diversity(one_sample({"Bacteroides": 4000, "Akkermansia": 1}, assay="array")))
    shares = by_key(diversity(one_sample({"Bacteroides": 0.9, "Akkermansia": 0.1}, has_counts=False)))
    for quantities, why in ((array, "An array gives signals"), (shares, "The file holds shares")):
        for key in ("chao1", "richness_at_depth", "shannon_at_depth"):
            assert quantities[key].state is State.NOT_MEASURED
            assert why in quantities[key].note
    averaged = by_key(diversity(one_sample({"Bacteroides": 4000.5, "Akkermansia": 1})))
    assert "whole reads" in averaged["chao1"].note
    filtered = by_key(diversity(one_sample({"Bacteroides": 4000, "Akkermansia": 10})))
    assert "no feature with a single read" in filtered["chao1"].note
