"""Absolute loads; every number is worked by hand beside the test."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biflora.knowledge.indices import copies_of, genome_copies
from biflora.knowledge.taxa import find_taxon, genus_row
from biflora.profile.composition import Composition, compose, counting_interval, guild_shares
from biflora.profile.numbers.loads import copy_corrected_shares, loads
from biflora.profile.numbers.quantities import quantities_of
from biflora.profile.patient import Laboratory, Sampling
from biflora.profile.profile import Quantity, SiteName
from biflora.profile.table import Feature, LabTable, from_dense
from biflora.values import State

SKIN = {"Staphylococcus aureus": 2_000, "Staphylococcus epidermidis": 3_000, "Cutibacterium acnes": 5_000}


def made(counts: dict[str, float], assay: str = "16S V1-V3", spike: str | None = None) -> Composition:
    starts, places, values = from_dense(["S1"], np.array([list(counts.values())], dtype=np.float64))
    table = LabTable(
        file_name="made.tsv", format="made", because="made for a test", samples=("S1",),
        features=tuple(Feature(name=name) for name in counts), starts=starts, places=places, values=values,
        has_counts=True, assay=assay,
    )  # fmt: skip
    composition = compose(table, "S1", spike)
    assert composition is not None
    return composition


def loads_of(
    composition: Composition, laboratory: Laboratory, sampling: Sampling | None = None, site: SiteName = "skin"
) -> dict[str, Quantity]:
    guilds = guild_shares(composition, site)
    return {q.key: q for q in loads(site, guilds, laboratory, sampling or Sampling(), composition)}


def test_amplicon_load_divides_by_the_taxons_own_copies() -> None:
    """10^6 copies/cm2 x 0.2 / 5.5 copies = 36,364 genomes: log10 = 4.5607.

    Interval: counting 2,000 of 10,000, joined in quadrature with 1.96 x hypot(0.15 qPCR, 0.5/5.5/ln 10 copies).
    """
    load = loads_of(made(SKIN), Laboratory(total_16s_log10_copies_per_cm2=6.0))["s_aureus_load"]
    assert load.value == pytest.approx(4.5607, abs=5e-5)
    low, _ = counting_interval(2_000, 10_000)
    other = 1.959964 * math.hypot(0.15, 0.5 / 5.5 / math.log(10))
    assert load.low == pytest.approx(4.5607 - math.hypot(math.log10(0.2 / low), other), abs=1e-4)
    assert load.unit == "log10 genomes/cm²"
    assert "dead cells" in load.note
    assert "assumed" in load.note


def test_shotgun_load_divides_by_the_samples_mean_copies() -> None:
    """Shotgun shares are of genomes: the mean is 0.2*5.5 + 0.3*5.5 + 0.5*3 = 4.25; 10^6 x 0.2 / 4.25 = 47,059."""
    load = loads_of(made(SKIN, "shotgun"), Laboratory(total_16s_log10_copies_per_cm2=6.0))["s_aureus_load"]
    assert load.value == pytest.approx(math.log10(47_059), abs=1e-5)


def test_the_species_own_qpcr_goes_before_the_share() -> None:
    laboratory = Laboratory(total_16s_log10_copies_per_cm2=6.0, s_aureus_log10_copies_per_cm2=5.2)
    found = loads_of(made(SKIN), laboratory)
    assert (found["s_aureus_load"].value, found["s_aureus_load"].unit) == (5.2, "log10 copies/cm²")
    assert found["cons_load"].unit == "log10 genomes/cm²"


def test_below_detection_is_censored_at_the_limit() -> None:
    """No S. aureus in 30,000 reads: at most 3/30,000; 10^6 x 10^-4 / 5.5 = 18.2, log10 1.2596. For CoNS the fewest
    copies of any member (5.5) give the highest limit."""
    found = loads_of(made({"Cutibacterium acnes": 30_000}), Laboratory(total_16s_log10_copies_per_cm2=6.0))
    for key in ("s_aureus_load", "cons_load"):
        assert (found[key].state, found[key].value) == (State.BELOW_DETECTION, None)
        assert found[key].high == pytest.approx(math.log10(1e6 * 1e-4 / 5.5), abs=1e-9)
        assert "not zero" in found[key].note
    v4 = loads_of(made(SKIN, "16S V4"), Laboratory(total_16s_log10_copies_per_cm2=6.0))["s_aureus_load"]
    assert (v4.state, v4.value, v4.high) == (State.NOT_RESOLVED, None, None)


def test_an_added_organism_gives_the_load_and_leaves_the_shares() -> None:
    """1,000 reads of Imtechella for 10^5 copies on 4 cm2; S. aureus has 2,000 reads: 2 x 10^5 / 4 / 5.5 = 9,091
    genomes/cm2 (log10 3.9586), all bacteria 10 x 10^5 / 4 = 250,000 copies/cm2 (log10 5.3979)."""
    sampling = Sampling(spike_in_taxon="imtechella halotolerans", spike_in_log10_copies=5.0, swabbed_area_cm2=4.0)
    composition = made({**SKIN, "Imtechella_halotolerans": 1_000}, spike=sampling.spike_in_taxon)
    assert composition.total == 10_000
    assert composition.spike_reads == 1_000
    guild = next(g for g in guild_shares(composition, "skin") if g.guild == "s_aureus")
    assert guild.share == pytest.approx(0.2)
    found = loads_of(composition, Laboratory(), sampling)
    assert found["total_spike_load"].value == pytest.approx(5.3979, abs=5e-4)  # half a read on either side
    assert found["s_aureus_load"].value == pytest.approx(3.9586, abs=5e-4)
    assert found["s_aureus_load"].unit == "log10 genomes/cm²"
    whole = sampling.model_copy(update={"swabbed_area_cm2": None})
    assert loads_of(composition, Laboratory(), whole)["total_spike_load"].unit == "log10 copies/swab"
    stool = loads_of(composition, Laboratory(), whole, site="gut")
    assert stool["total_spike_load"].unit == "log10 copies/sample"


def test_a_spike_that_the_table_lacks_gives_no_number() -> None:
    sampling = Sampling(spike_in_taxon="Imtechella halotolerans", spike_in_log10_copies=5.0)
    lost = loads_of(made(SKIN, spike=sampling.spike_in_taxon), Laboratory(), sampling)
    assert lost["total_spike_load"].state is State.NOT_MEASURED
    assert "s_aureus_load" not in lost
    unsaid = Sampling(spike_in_taxon="Cutibacterium acnes")
    found = loads_of(made(SKIN, spike=unsaid.spike_in_taxon), Laboratory(), unsaid)
    assert "how many copies" in found["total_spike_load"].note


def test_copy_corrected_shares_are_shares_of_genomes() -> None:
    """0.2/5.5, 0.3/5.5 and 0.5/3 sum to 0.25758: S. aureus 0.036364 / 0.25758 = 0.14118."""
    composition = made(SKIN)
    guilds = guild_shares(composition, "skin")
    found = {q.key: q for q in copy_corrected_shares(composition, "skin", guilds)}
    assert found["copy_corrected_s_aureus"].value == pytest.approx(0.14118, abs=1e-5)
    assert found["copy_corrected_cutibacterium"].value == pytest.approx(0.5 / 3 / 0.25758, abs=5e-5)
    low, _ = counting_interval(2_000, 10_000)
    odds = low / (1 - low) * (0.2 / 5.5 / 0.2) / ((0.25758 - 0.036364) / 0.8)
    assert found["copy_corrected_s_aureus"].low == pytest.approx(odds / (1 + odds), abs=1e-5)
    assert copy_corrected_shares(made(SKIN, "shotgun"), "skin", guilds) == ()


def test_no_correction_when_too_many_copies_are_unknown() -> None:
    """5,000 of 15,000 reads belong to a genus without a copy number: 67 % known is less than 80 %."""
    composition = made({**SKIN, "Fictibacter novus": 5_000})
    found = copy_corrected_shares(composition, "skin", guild_shares(composition, "skin"))
    assert {q.state for q in found} == {State.NOT_MEASURED}
    assert "67 %" in found[0].note


def test_copy_numbers_are_found_by_todays_names() -> None:
    assert copies_of("Staphylococcus aureus", "Staphylococcus").copies == 5.5  # type: ignore[union-attr]
    assert copies_of("Staphylococcus lugdunensis", "Staphylococcus").copies == 5.97  # type: ignore[union-attr]
    assert copies_of("Fictibacter novus", "Fictibacter") is None
    for row in genome_copies().values():
        assert row.low <= row.copies <= row.high, row.key
        known = find_taxon(row.taxon) if row.rank == "species" else genus_row(row.taxon)
        assert known is None or known.name == row.taxon, row.key


@pytest.mark.parametrize("site", ["skin", "gut"])
def test_one_call_gives_all_quantities_each_with_its_source(site: SiteName) -> None:
    composition = made(SKIN)
    guilds = guild_shares(composition, site)
    found = quantities_of(composition, site, guilds, Laboratory(total_16s_log10_copies_per_cm2=6.0), Sampling())
    keys = [q.key for q in found]
    assert len(keys) == len(set(keys))
    assert keys[:4] == ["shannon", "simpson", "observed_taxa", "pielou"]
    assert ("log10_s_aureus_to_cons" in keys) == (site == "skin")
    assert ("gmwi2" in keys, "md_index" in keys) == (site == "gut", site == "gut")
    for quantity in found:
        assert quantity.source, quantity.key
        assert quantity.verification, quantity.key
        assert (quantity.value is None) == (quantity.state is not State.MEASURED), quantity.key
        assert quantity.value is not None or quantity.note, quantity.key
