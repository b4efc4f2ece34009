"""Log-ratios and counting intervals; witnesses are scikit-bio, published digits, simulation, repeats."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from biflora.knowledge.indices import balances, quantity_settings
from biflora.profile.composition import (
    compose,
    counting_interval,
    counting_intervals,
    repeat_interval,
    taxon_shares,
)
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.numbers.balances import balances_of, clr, rclr
from biflora.profile.profile import GuildShare
from biflora.values import State


def guild(key: str, reads: float | None, state: State = State.MEASURED) -> GuildShare:
    return GuildShare(
        guild=key, label=key, state=state, reads=reads, share=None if not reads else reads / 1000,
        note="V4 stops at the genus." if state is State.NOT_RESOLVED else "",
    )  # fmt: skip


def test_clr_and_rclr_of_the_research() -> None:
    """microbiome-facts 4, row 15, and scikit-bio."""
    assert clr(np.array([0.1, 0.3, 0.4, 0.2])) == pytest.approx(
        [-0.79451346, 0.30409883, 0.5917809, -0.10136628], abs=1e-8
    )
    robust = rclr(np.array([2.0, 0.0, 8.0, 0.0]))
    assert robust[[0, 2]] == pytest.approx([-0.69314718, 0.69314718], abs=1e-8)
    assert np.isnan(robust[[1, 3]]).all()
    theirs = pytest.importorskip("skbio.stats.composition")
    counts = np.random.default_rng(2).poisson(2.0, size=(5, 9)).astype(float)
    assert np.allclose(rclr(counts), theirs.rclr(counts), equal_nan=True, atol=1e-12)
    assert np.allclose(clr(counts + 1), theirs.clr(counts + 1), atol=1e-12)
    with pytest.raises(ValueError, match="above zero"):
        clr(np.array([0.5, 0.0]))


def test_every_balance_has_its_number_or_its_reason() -> None:
    """90 Cutibacterium over 9 staphylococci: log10(90.5 / 9.5) = 0.97891."""
    skin = {
        row.key: row
        for row in balances_of((guild("cutibacterium", 90), guild("staphylococcus", 9)), "skin")
    }  # fmt: skip
    found = skin["log10_cutibacterium_to_staphylococcus"]
    assert found.value == pytest.approx(math.log10(90.5 / 9.5))
    assert found.low < found.value < found.high  # type: ignore[operator]
    assert skin["log10_s_aureus_to_cons"].state is State.NOT_MEASURED
    unresolved = balances_of((guild("s_aureus", None, State.NOT_RESOLVED), guild("cons", 5)), "skin")[0]
    assert (unresolved.state, unresolved.value) == (State.NOT_RESOLVED, None)
    assert "V4" in unresolved.note
    unseen = guild("escherichia_shigella", 0.0, State.BELOW_DETECTION)
    gut = {row.key: row for row in balances_of((guild("butyrate_producers", 40), unseen), "gut")}
    bound = gut["log10_butyrate_producers_to_escherichia_shigella"]
    assert bound.value == pytest.approx(math.log10(40.5 / 0.5))
    # with no read below, only the lower 95 % limit is known: p / (1 - p) at 2.5 % of Beta(40.5, 0.5), by SciPy
    p = beta(40.5, 0.5).ppf(0.025)
    assert (bound.bound, bound.high) == ("at least", None)
    assert bound.low == pytest.approx(math.log10(p / (1 - p)))
    # relatives without a name could hold 8 % of it: 40 of 1,000 over 80 of 1,000 is all that is sure
    wide = unseen.model_copy(update={"detection_limit": 0.08})
    least = {row.key: row for row in balances_of((guild("butyrate_producers", 40), wide), "gut")}
    assert least["log10_butyrate_producers_to_escherichia_shigella"].low == pytest.approx(math.log10(0.5))
    assert "half a read" in bound.note
    for row in balances().values():
        assert row.source
        assert row.meaning


def test_a_taxon_has_the_interval_of_a_guild_of_the_same_reads(shared_data: Path) -> None:
    path = shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
    composition = compose(read_laboratory_file(path).table, "MBT273")
    assert composition is not None
    shares = taxon_shares(composition)
    aureus = next(taxon for taxon in shares if taxon.name == "Staphylococcus aureus")
    assert (aureus.low, aureus.high) == counting_interval(aureus.reads or 0, composition.total)
    assert all(taxon.low < taxon.share < taxon.high for taxon in shares)  # type: ignore[operator]
    assert not all(taxon.known for taxon in shares)
    assert aureus.known


def test_intervals_hold_the_truth_in_95_of_100_samples() -> None:
    """300 taxa of geometric shares, 1,000 reads, 400 samples: all taxa together, and the ten most common ones.

    A prior of half a read on every taxon would fail on the common ones (the 300 half reads dilute them).
    """
    from scipy.special import betaincinv

    shares = 0.97 ** np.arange(300)
    shares /= shares.sum()
    rng = np.random.default_rng(11)
    drawn = rng.multinomial(1000, shares, size=400).astype(float)
    held, held_common, diluted = [], [], []
    for counts in drawn:
        low, high = counting_intervals(counts, 1000)
        inside = (low <= shares) & (shares <= high)
        held.append(inside.mean())
        held_common.append(inside[:10].mean())
        a, b = counts[:10] + 0.5, 1000 - counts[:10] + 0.5 * 299
        diluted.append(
            ((betaincinv(a, b, 0.025) <= shares[:10]) & (shares[:10] <= betaincinv(a, b, 0.975))).mean()
        )
    assert 0.94 < np.mean(held) < 0.975
    assert 0.94 < np.mean(held_common) < 0.965
    assert np.mean(diluted) < 0.90


def test_repeats_spread_more_than_counting() -> None:
    """Dispersion 0.01 in 10,001 reads counts like 10,001 / (1 + 10,000 * 0.01) = 99.02 reads."""
    from scipy.stats import beta

    low, high = counting_interval(1000.1, 10_001, dispersion=0.01)
    n = 10_001 / 101
    assert (low, high) == pytest.approx(beta(0.1 * n + 0.5, 0.9 * n + 0.5).ppf([0.025, 0.975]), rel=1e-9)
    plain = counting_interval(1000.1, 10_001)
    assert low < plain[0] < plain[1] < high


def test_the_dispersion_between_libraries_of_one_swab(shared_data: Path) -> None:
    """Two reads of one library are one taxon with chance q, of two libraries with chance r: (q - r) / (1 - r).

    The three pairs that look like repeats give 0.018, 0.036 and 0.161; their median is the row. Of the twelve
    others that are labelled as repeats, the median pair shares 7 % of its reads: they were rightly left out.
    """
    table = read_laboratory_file(shared_data / "ad_skin_southafrica_chen2025/1_209766_feature_table.biom").table

    def row(sample: str) -> np.ndarray:  # type: ignore[type-arg]
        return table.row(f"15564.{sample}")

    def dispersion(one: np.ndarray, two: np.ndarray) -> float:  # type: ignore[type-arg]
        within = [float((x * (x - 1)).sum() / (x.sum() * (x.sum() - 1))) for x in (one, two)]
        between = float((one * two).sum() / (one.sum() * two.sum()))
        return (sum(within) / 2 - between) / (1 - between)

    found = [dispersion(row(f"Ca006ON{site}"), row(f"Ca006ON{site}2")) for site in ("L", "NL", "PN")]
    assert found == pytest.approx([0.018, 0.036, 0.161], abs=5e-4)
    setting = quantity_settings()["replicate_dispersion_16s_v4"]
    assert setting.value == pytest.approx(sorted(found)[1], abs=5e-4)
    numbers = (391, 392, 393, 395, 396, 397, 398, 399, 400, 401, 402, 403)
    common = []
    for number in numbers:
        one, two = row(f"900{number}"), row(f"900{number}2")
        common.append(np.minimum(one / one.sum(), two / two.sum()).sum())
    assert np.median(common) < 0.08


def test_a_repeat_interval_is_given_only_where_repeats_were_measured(shared_data: Path) -> None:
    path = shared_data / "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
    composition = compose(read_laboratory_file(path).table, "MBT273")
    assert composition is not None
    assert repeat_interval(composition, 100.0) is None
