"""Witnesses: all draws of a tiny sample counted by hand, scikit-bio on random draws, the Faith values that unifrac
publishes for the Crawford data, and the alpha table of the South African cohort's authors."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from biflora.errors import LaboratoryMust, TrialistMust
from biflora.profile.cohort.alpha import alpha_at_depth, alpha_models, expected_faith
from biflora.profile.cohort.mixed import fit_mixed
from biflora.profile.cohort.mixed_design import mixed_design
from biflora.profile.metadata import Metadata, read_metadata

CHEN = "ad_skin_southafrica_chen2025"


def biom_table(path: Path) -> tuple[np.ndarray, list[str], list[str]]:
    import biom

    table = biom.load_table(str(path))
    taxa, samples = ([str(name) for name in table.ids(axis)] for axis in ("observation", "sample"))
    return table.matrix_data.toarray().T, samples, taxa


def test_expectations_are_means_over_all_draws() -> None:
    # reads a a a b c; every pair of the 10 pairs: aa 3 times, one a with b or c 6 times, bc once
    found = alpha_at_depth([[3, 1, 1]], ["s"], depth=2, tree="((a:1,b:2):0.5,c:4);", taxa=["a", "b", "c"]).values
    assert found["observed"][0] == pytest.approx((3 * 1 + 7 * 2) / 10)
    assert found["shannon"][0] == pytest.approx(7 * math.log(2) / 10)
    assert found["simpson"][0] == pytest.approx(7 * 0.5 / 10)
    # branches: aa 1.5; ab 3.5 (3 pairs); ac 5.5 (3); bc 6.5
    assert found["faith_pd"][0] == pytest.approx((3 * 1.5 + 3 * 3.5 + 3 * 5.5 + 6.5) / 10)
    draws = list(itertools.combinations("aaabc", 2))
    assert len(draws) == 10
    assert sum(len(set(draw)) for draw in draws) == 17


def test_faith_equals_published_values_and_rarefied_draws(shared_data: Path) -> None:
    folder = shared_data / "format_examples" / "unifrac_crawford"
    counts, samples, taxa = biom_table(folder / "crawford.biom")
    tree = (folder / "crawford.tre").read_text()
    with (folder / "test.faith.exp").open() as file:
        published = {row[0]: float(row[1]) for row in csv.reader(file, delimiter="\t") if len(row) == 2 and row[0]}
    whole = {
        name: expected_faith(row[None], taxa, tree, int(row.sum()))[0]
        for name, row in zip(samples, counts, strict=True)
    }
    assert len(published) == 9
    for name, value in published.items():
        assert whole[name] == pytest.approx(value, abs=1e-7)

    from skbio.diversity.alpha import shannon, simpson
    from skbio.stats import subsample_counts

    first = counts[0].astype(int)
    rng = np.random.default_rng(0)
    draws = [subsample_counts(first, 80, seed=rng) for _ in range(1500)]
    mine = alpha_at_depth(counts[:1], samples[:1], depth=80, tree=tree, taxa=taxa).values
    for name, drawn in {
        "shannon": [shannon(draw, base=math.e) for draw in draws],
        "simpson": [simpson(draw) for draw in draws],
        "observed": [int((draw > 0).sum()) for draw in draws],
    }.items():
        error = np.std(drawn) / math.sqrt(len(drawn))
        assert mine[name][0] == pytest.approx(np.mean(drawn), abs=4 * error)


def test_shannon_agrees_with_the_cohorts_own_table(shared_data: Path) -> None:
    # their table: features in at least 1 % of samples, one random rarefaction to 2,000 reads, in bits
    counts, samples, _ = biom_table(shared_data / CHEN / "3_209766_feature_table_dedup_prev-filt-0pct.biom")
    counts = counts[:, (counts > 0).mean(axis=0) >= 0.01]
    with (shared_data / CHEN / "shannon_results.tsv").open() as file:
        published = {row[0]: float(row[1]) for row in list(csv.reader(file, delimiter="\t"))[1:]}
    rows = [samples.index(name) for name in published]
    mine = alpha_at_depth(counts[rows], list(published), depth=2000)
    assert mine.too_shallow == ()
    apart = mine.values["shannon"] / math.log(2) - np.array(list(published.values()))
    # a single random draw scatters about the mean: no shift, 0.03 bits at the median, never 0.13
    assert len(apart) == 151
    assert abs(apart.mean()) < 0.005
    assert np.median(np.abs(apart)) < 0.035
    assert np.abs(apart).max() < 0.13


def test_models_of_a_real_cohort_equal_the_mixed_model(shared_data: Path) -> None:
    counts, samples, _ = biom_table(shared_data / CHEN / "3_209766_feature_table_dedup_prev-filt-10pct_json.biom")
    metadata = read_metadata(shared_data / CHEN / "16S_AD_South-Africa_metadata_full.tsv", wanted=samples)
    known = set(metadata.samples)
    rows = [i for i, name in enumerate(samples) if name in known]
    alpha = alpha_at_depth(counts[rows], [samples[i] for i in rows], depth=1000)
    formula = "~ case_type + (1 | pid)"
    skin = metadata.of(
        [name for name, kind in zip(metadata.samples, metadata.texts("specimen"), strict=True)
         if kind == "skin" and name in alpha.samples]
    )  # fmt: skip
    table = alpha_models(alpha, formula, skin, reference={"case_type": "control-nonlesional_skin"})
    row = table.row("shannon", "case_type[T.case-lesional_skin]")
    deep = [name for name in skin.samples if name not in alpha.too_shallow]
    design = mixed_design(formula, skin.of(deep), reference={"case_type": "control-nonlesional_skin"})
    values = dict(zip(alpha.samples, alpha.values["shannon"], strict=True))
    fits = fit_mixed([values[name] for name in design.samples], design)
    assert row.estimate == pytest.approx(fits.estimates[0, design.terms.index(row.term)])
    assert (row.samples, row.subjects) == (len(deep), design.subjects)
    assert row.subjects < row.samples
    assert set(alpha.too_shallow) <= set(table.left_out)
    # Holm over two contrasts: the smaller p doubles
    both = sorted(r.p for r in table.rows if r.outcome == "shannon")
    assert min(r.p_adjusted for r in table.rows if r.outcome == "shannon") == pytest.approx(2 * both[0])


def test_depth_is_the_shallowest_of_the_deep_and_shallow_samples_are_named() -> None:
    counts = np.array([[600, 500, 0], [4000, 10, 90], [20, 5, 1]])
    table = alpha_at_depth(counts, ["a", "b", "c"])
    assert (table.depth, table.too_shallow) == (1100, ("c",))
    assert table.values["observed"][0] == 2.0
    assert np.isnan(table.values["shannon"][2])
    assert table.to_csv().splitlines()[3] == "c,1100,,,"
    with pytest.raises(LaboratoryMust, match="give a depth"):
        alpha_at_depth(counts[2:], ["c"])
    with pytest.raises(LaboratoryMust, match="smaller depth"):
        alpha_at_depth(counts, ["a", "b", "c"], depth=9000)
    with pytest.raises(LaboratoryMust, match=r"lacks 1 taxa of the table \(z\)"):
        alpha_at_depth(counts, ["a", "b", "c"], tree="(x:1,y:1);", taxa=["x", "y", "z"])
    with pytest.raises(LaboratoryMust, match="no branch lengths"):
        alpha_at_depth(counts, ["a", "b", "c"], tree="(x,y,z);", taxa=["x", "y", "z"])
    with pytest.raises(TrialistMust, match="match the names"):
        alpha_models(table, "~ g", Metadata("other", ("q",), {"g": ("1",)}))
