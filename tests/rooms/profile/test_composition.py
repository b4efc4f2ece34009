"""Guild states, counting intervals, diversity and quality on made-up and real samples; witnesses are hand sums,
SciPy and scikit-bio."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from biflora.knowledge.references import reference_rows
from biflora.knowledge.taxa import find_taxon
from biflora.profile.compare import percentile_in
from biflora.profile.composition import counting_interval
from biflora.profile.names import dotted_lineage, name_feature
from biflora.profile.numbers.diversity import observed, pielou, shannon, simpson
from biflora.profile.patient import Laboratory
from biflora.profile.profile import SiteProfile
from biflora.profile.sample import profile_site
from biflora.profile.table import Feature
from biflora.values import State

CSB5 = "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"


def long_csv(tmp_path: Path, reads: dict[str, float], value: str = "count") -> Path:
    path = tmp_path / "sample.csv"
    path.write_text(f"sample,taxon,{value}\n" + "".join(f"S1,{taxon},{n}\n" for taxon, n in reads.items()))
    return path


def bracken(tmp_path: Path, reads: dict[str, int]) -> Path:
    columns = [
        "name",
        "taxonomy_id",
        "taxonomy_lvl",
        "kraken_assigned_reads",
        "added_reads",
        "new_est_reads",
        "share",
    ]
    head = "\t".join(columns) + "\n"
    path = tmp_path / "sample.bracken.tsv"
    path.write_text(head + "".join(f"{name}\t0\tS\t{n}\t0\t{n}\t0\n" for name, n in reads.items()))
    return path


def state(site: SiteProfile, guild: str) -> State:
    found = site.guild(guild)
    assert found is not None
    return found.state


def rules(site: SiteProfile) -> list[str]:
    return [finding.rule for finding in site.findings]


def test_shares_leave_the_host_out(tmp_path: Path) -> None:
    """20,000 human reads of 100,000: S. aureus is 8,000 of the 80,000 others, 10 %."""
    site = profile_site(
        bracken(tmp_path, {"Homo sapiens": 20_000, "Staphylococcus aureus": 8_000, "Cutibacterium acnes": 72_000}),
        "skin",
    )
    assert site.host_share == pytest.approx(0.2)
    assert site.depth_reads == 80_000
    guild = site.guild("s_aureus")
    assert guild is not None
    assert guild.share == pytest.approx(0.1)
    assert guild.reads == 8_000
    assert "host_reads" in rules(site)


def test_counting_interval_is_the_beta_of_jeffreys() -> None:
    """Witness: scipy.stats.beta(x + 0.5, n - x + 0.5); and for 0 of n the lower limit is 0."""
    from scipy.stats import beta

    for reads, depth in [(8.0, 100.0), (8_000.0, 80_000.0), (1.5, 20.25)]:
        low, high = counting_interval(reads, depth)
        assert (low, high) == pytest.approx(beta(reads + 0.5, depth - reads + 0.5).ppf([0.025, 0.975]), rel=1e-9)
    assert counting_interval(0, 50)[0] == 0.0
    assert counting_interval(50, 50)[1] == 1.0


def test_below_detection_says_what_depth_could_have_seen(tmp_path: Path) -> None:
    """Rule of three: 3 / 30,000 reads = 0.0001."""
    site = profile_site(
        bracken(tmp_path, {"Staphylococcus hominis": 3_000, "Cutibacterium acnes": 27_000}), "skin"
    )
    guild = site.guild("s_aureus")
    assert guild is not None
    assert (guild.state, guild.share, guild.detection_limit) == (State.BELOW_DETECTION, None, pytest.approx(1e-4))


def test_malassezia_is_not_measured_where_nothing_could_see_it(shared_data: Path, tmp_path: Path) -> None:
    assert state(profile_site(shared_data / CSB5, "skin", sample="MBT272"), "malassezia") is State.NOT_MEASURED
    amplicon = shared_data / "format_examples/dada2_seqtab_nochim.csv"
    assert state(profile_site(amplicon, "skin", sample="18022-0035"), "malassezia") is State.NOT_MEASURED
    with_fungi = bracken(tmp_path, {"Saccharomyces cerevisiae": 10, "Cutibacterium acnes": 90_000})
    assert state(profile_site(with_fungi, "skin"), "malassezia") is State.BELOW_DETECTION
    found = bracken(tmp_path, {"Malassezia restricta": 900, "Cutibacterium acnes": 9_100})
    assert profile_site(found, "skin").guild("malassezia").share == pytest.approx(0.09)  # type: ignore[union-attr]


def test_staphylococci_of_a_v4_table_are_not_resolved(tmp_path: Path) -> None:
    """A V4 amplicon with a genus only, and one whose classifier printed a species: neither tells S. aureus."""
    v4 = "TACGTAGGTGGCAAGCGTTATCCGGAATTATTGGGCGTAAAGCGCGCGTAGGCGGTTTTTTAAGTCTGATGTGAAAGCCCACGGCTCAACCGTGGAGGG"
    other = "TACGTAGGGTGCGAGCGTTGTCCGGAATTACTGGGCGTAAAGAGCTCGTAGGTGGTTTGTCGCGTCGTCTGTGAAATTCCGGGGCTTAACTCCGGGCGT"
    for species in ("", "Staphylococcus aureus"):
        (tmp_path / "run_seqtab.csv").write_text(f",{v4},{other}\nS1,4000,6000\n")
        (tmp_path / "run_taxa.csv").write_text(
            "Sequence,Kingdom,Phylum,Class,Order,Family,Genus,Species\n"
            f"{v4},Bacteria,Firmicutes,Bacilli,Bacillales,Staphylococcaceae,Staphylococcus,{species}\n"
            f"{other},Bacteria,Actinobacteriota,Actinobacteria,Propionibacteriales,Propionibacteriaceae,Cutibacterium,\n"
        )
        site = profile_site(tmp_path / "run_seqtab.csv", "skin")
        assert site.assay == "16S V4"
        assert state(site, "s_aureus") is State.NOT_RESOLVED
        assert state(site, "cons") is State.NOT_RESOLVED
        assert site.guild("staphylococcus").share == pytest.approx(0.4)  # type: ignore[union-attr]
        ratio = site.quantity("log10_s_aureus_to_cons")
        assert ratio is not None
        assert (ratio.state, ratio.value) == (State.NOT_RESOLVED, None)
    assert state(profile_site(tmp_path / "run_seqtab.csv", "skin"), "cutibacterium") is State.MEASURED


def test_a_table_without_taxonomy_resolves_nothing_and_says_so(shared_data: Path) -> None:
    path = shared_data / "ad_skin_southafrica_chen2025/3_209766_feature_table_dedup_prev-filt-0pct.biom"
    site = profile_site(path, "skin", sample="900459")
    assert {g.state for g in site.guilds if g.guild != "malassezia"} == {State.NOT_RESOLVED}
    assert "no_taxonomy" in rules(site)


def test_the_log_ratio_of_two_counts() -> None:
    """x = 90, y = 9: log10(90.5 / 9.5) = 0.97891; limits from a million draws of Beta(90.5, 9.5)."""
    from biflora.profile.numbers.quantities import log_ratio
    from biflora.profile.profile import GuildShare

    def guild(key: str, reads: float) -> GuildShare:
        return GuildShare(guild=key, label=key, state=State.MEASURED, share=reads / 1000, reads=reads)

    ratio = log_ratio(guild("s_aureus", 90), guild("cons", 9))
    assert ratio.value == pytest.approx(math.log10(90.5 / 9.5))
    draws = np.random.default_rng(7).beta(90.5, 9.5, 1_000_000)
    witness = np.quantile(np.log10(draws / (1 - draws)), [0.025, 0.975])
    assert (ratio.low, ratio.high) == pytest.approx(witness, abs=2e-3)


def test_diversity_is_that_of_scikit_bio() -> None:
    alpha = pytest.importorskip("skbio.diversity.alpha")
    rng = np.random.default_rng(3)
    for _ in range(20):
        counts = rng.negative_binomial(0.3, 0.01, size=200)
        counts[0] += 1
        values = counts.astype(float)
        assert shannon(values) == pytest.approx(alpha.shannon(counts, base=np.e), abs=1e-12)
        assert simpson(values) == pytest.approx(alpha.simpson(counts), abs=1e-12)
        assert observed(values) == alpha.sobs(counts)
        assert pielou(values) == pytest.approx(alpha.pielou_e(counts), abs=1e-12)


def test_diversity_of_the_dune_meadow(shared_data: Path) -> None:
    """Shannon and Simpson that R's vegan prints for the first three dune plots."""
    import pandas as pd

    dune = pd.read_csv(shared_data / "format_examples/dune.csv", index_col=0)
    plots = [row[row > 0].astype(float) for row in dune.to_numpy()[:3]]
    assert [shannon(p) for p in plots] == pytest.approx([1.4404817416, 2.2525162812, 2.1937492896], abs=5e-10)
    assert [simpson(p) for p in plots] == pytest.approx([0.7345679012, 0.8900226757, 0.87875], abs=5e-10)


def test_chen_shannon_published_beside_the_table(shared_data: Path) -> None:
    """The authors' Shannon (base 2, rarefied at 2,000) follows ours within the noise of rarefying."""
    import csv

    from biflora.profile.laboratory_file import read_laboratory_file

    folder = shared_data / "ad_skin_southafrica_chen2025"
    table = read_laboratory_file(folder / "3_209766_feature_table_dedup_prev-filt-0pct.biom").table
    with (folder / "shannon_results.tsv").open() as file:
        published = {row[0]: float(row[1]) for row in list(csv.reader(file, delimiter="\t"))[1:]}
    shared = [sample for sample in table.samples if sample in published]
    ours = np.array([shannon(table.row(sample)) / math.log(2) for sample in shared])
    theirs = np.array([published[sample] for sample in shared])
    assert len(shared) > 100
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99
    assert np.median(np.abs(ours - theirs)) < 0.1


@pytest.mark.parametrize(
    ("written", "today"),
    [
        ("Propionibacterium acnes", "Cutibacterium acnes"),
        ("Lactobacillus fermentum", "Limosilactobacillus fermentum"),
        ("s__Eubacterium_rectale", "Agathobacter rectalis"),
        ("[Eubacterium] rectale", "Agathobacter rectalis"),
        ("Bacteroides_vulgatus", "Phocaeicola vulgatus"),
        ("Staphylococcus.aureus", "Staphylococcus aureus"),
        ("Staphylococcus aureus subsp. aureus NCTC 8325", "Staphylococcus aureus"),
    ],
)
def test_old_names_become_todays(written: str, today: str) -> None:
    assert name_feature(Feature(name=written)).name == today


def test_phages_and_contradictions_are_no_bacteria() -> None:
    assert not name_feature(Feature(name="Staphylococcus phage StB27", taxid=1147044)).guilds
    contradiction = dotted_lineage(
        "Bacteria.Firmicutes.Bacilli.Bacillales.Staphylococcaceae.Staphylococcus.Corynebacterium.diphtheriae"
    )
    named = name_feature(Feature(name="x1", lineage=contradiction))
    assert (named.name, named.rank, named.guilds) == ("Staphylococcus", "genus", {"staphylococcus"})


def test_argenteus_is_neither_s_aureus_nor_cons() -> None:
    assert name_feature(Feature(name="Staphylococcus argenteus")).guilds == {"staphylococcus"}
    assert find_taxon("Staphylococcus argenteus") is not None


def test_unmatched_names_are_counted_and_kept(tmp_path: Path) -> None:
    """Two strangers of 500 and 1,500 reads in 100,000: 2 names, 2 %."""
    reads = {"Cutibacterium acnes": 98_000, "Fictibacter novus": 500, "Imaginella rara": 1_500}
    site = profile_site(bracken(tmp_path, reads), "skin")
    assert (site.unmatched_names, site.unmatched_share) == (2, pytest.approx(0.02))
    assert {"Fictibacter novus", "Imaginella rara"} <= {taxon.name for taxon in site.taxa}


def test_quality_findings(tmp_path: Path) -> None:
    thin = profile_site(
        bracken(tmp_path, {"Staphylococcus hominis": 300, "Achromobacter xylosoxidans": 21}), "skin"
    )
    # 321 reads < 500; Achromobacter 21 / 321 = 6.5 %
    assert rules(thin)[:2] == ["low_depth", "contamination_suspect"]
    assert "6.5 %" in thin.findings[1].message
    vague = profile_site(
        bracken(
            tmp_path,
            {"Staphylococcus sp. M0911": 4_000, "Staphylococcus aureus": 6_000, "Cutibacterium acnes": 9_000},
        ),
        "skin",
    )
    assert "staphylococcus_unresolved" in rules(vague)
    assert "40 %" in next(f.message for f in vague.findings if f.rule == "staphylococcus_unresolved")
    shares = profile_site(
        long_csv(tmp_path, {"Staphylococcus aureus": 0.4, "Cutibacterium acnes": 0.6}, "share"), "skin"
    )
    assert not shares.has_counts
    assert shares.depth_reads is None
    assert "shares_only" in rules(shares)
    assert shares.guild("s_aureus").low is None  # type: ignore[union-attr]


def test_absolute_load_is_total_times_share_over_copies(tmp_path: Path) -> None:
    """A long table of unknown assay, read as copies: 10^6 copies/cm2, half of them S. aureus with 5.5 copies each:
    log10(0.5e6 / 5.5) = 4.9586."""
    path = long_csv(tmp_path, {"Staphylococcus aureus": 50_000, "Cutibacterium acnes": 50_000})
    site = profile_site(path, "skin", laboratory=Laboratory(total_16s_log10_copies_per_cm2=6.0))
    load = site.quantity("s_aureus_load")
    assert load is not None
    assert load.value == pytest.approx(4.9586, abs=1e-4)
    measured = profile_site(
        path, "skin", laboratory=Laboratory(total_16s_log10_copies_per_cm2=6.0, s_aureus_log10_copies_per_cm2=5.2)
    ).quantity("s_aureus_load")
    assert measured is not None
    assert (measured.value, measured.unit) == (5.2, "log10 copies/cm²")  # the qPCR goes before the estimate


def test_no_ratio_of_firmicutes_to_bacteroidetes_is_ever_reported(shared_data: Path) -> None:
    site = profile_site(shared_data / "moving_pictures_qiime2/table.qza", "gut", sample="L1S8")
    text = json.dumps(site.model_dump(mode="json")["quantities"]).lower()
    assert "firmicutes" not in text


def test_reference_summaries_are_those_counted_in_the_research(shared_data: Path) -> None:
    """microbiome-facts 3.1 counted the same cohorts with other code: medians to the digits printed there."""
    rows = reference_rows()
    for key, median in [
        ("csb5_healthy_child_ac_s_aureus", 0.0020),
        ("csb5_healthy_child_ac_cons", 0.026),
        ("csb5_ad_child_ac_s_aureus", 0.0187),
        ("csb5_ad_child_le_s_aureus", 0.102),
        ("csb5_healthy_child_vf_s_aureus", 0.0024),
        ("rauer_lesional_s_aureus", 0.134),
        ("rauer_lesional_cons", 0.161),
        ("rauer_non_lesional_s_aureus", 0.063),
        ("hmp2_nonibd_bifidobacterium", 0.0003),
        ("atlas1006_bifidobacterium", 0.0070),
        ("atlas1006_akkermansia", 0.0034),
    ]:
        digits = len(str(median).split(".")[1])
        assert rows[key].median == pytest.approx(median, abs=0.51 * 10**-digits), key


def test_a_percentile_needs_forty_persons_and_no_mismatch(shared_data: Path, tmp_path: Path) -> None:
    healthy_child = profile_site(shared_data / CSB5, "skin", sample="MBT273", age_years=3).guild("s_aureus")
    assert healthy_child is not None
    assert healthy_child.reference is not None
    assert healthy_child.reference.cohort.startswith("CSB5, healthy children")
    assert healthy_child.reference.percentile is None
    assert any("body site" in text for text in healthy_child.reference.mismatch)
    array = shared_data / "gut_healthy_atlas1006/atlas1006_otu.csv"
    gut = profile_site(array, "gut", sample="Sample-1", age_years=28).guild("akkermansia")
    assert gut is not None
    assert gut.reference is not None
    assert gut.reference.mismatch == ()
    assert gut.reference.n == 1006
    assert 0 < (gut.reference.percentile or 0) < 100
    other = profile_site(shared_data / "moving_pictures_qiime2/table.qza", "gut", sample="L1S8", age_years=28)
    compared = other.guild("akkermansia")
    assert compared is not None
    assert compared.reference is None  # 16S: the array's and the shotgun persons' shares do not hold for it


def test_percentiles_between_quantiles() -> None:
    """Quantiles 0, 1, 2, 3, 4 stand at 0, 25, 50, 75, 100 %: 1.5 lies at 37.5 %; ties take their middle."""
    assert percentile_in(1.5, (0, 1, 2, 3, 4)) == 37.5
    assert percentile_in(0, (0, 0, 0, 3, 4)) == 25.0
    assert percentile_in(9, (0, 1, 2, 3, 4)) == 100.0
