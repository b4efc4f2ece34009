"""Published indices against the scores that their authors published, and the rules of biflora's own one."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from biflora.knowledge.indices import gmwi2_coefficients, index_definitions
from biflora.profile.composition import compose
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.numbers.gmwi2 import clade_shares, gmwi2, gmwi2_of
from biflora.profile.numbers.indices import (
    bray_curtis_to,
    distance_quantity,
    distance_to_healthy,
    dual_site_index,
    healthy_cut,
    md_index,
)
from biflora.profile.profile import Quantity, SiteName, SiteProfile
from biflora.profile.table import Feature, LabTable, Numbers, from_dense
from biflora.values import State


def test_gmwi2_is_the_published_score_of_every_kefir_profile(shared_data: Path) -> None:
    """Witness: the *_GMWI2.txt that the authors' program wrote; from all ranks and from the species alone."""
    profiles = sorted((shared_data / "gut_kefir_metaphlan3_gmwi2").glob("*_metaphlan.txt"))
    assert len(profiles) == 24
    for path in profiles:
        published = float((path.parent / path.name.replace("_metaphlan", "_GMWI2")).read_text())
        table = read_laboratory_file(path).table
        composition = compose(table, table.samples[0])
        assert composition is not None
        ours = gmwi2(composition, "gut")
        assert ours.value == pytest.approx(published, abs=1e-12), path.name
        assert gmwi2_of(path.read_text()) == pytest.approx(published, abs=1e-12), path.name
        assert "MIT" in ours.source


def test_every_clade_is_the_sum_of_its_species(shared_data: Path) -> None:
    """The reader keeps species only; MetaPhlAn's own shares of all ranks come back from them to 1e-4 percent."""
    path = shared_data / "gut_kefir_metaphlan3_gmwi2/Subj008_time2_S7_metaphlan.txt"
    table = read_laboratory_file(path).table
    composition = compose(table, table.samples[0])
    assert composition is not None
    rebuilt = clade_shares(composition)
    cells = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    unknown = next(float(row[2]) for row in cells if row[0] == "UNKNOWN")
    written = {row[0]: float(row[2]) / (100 - unknown) for row in cells if row[0] != "UNKNOWN"}
    extra = rebuilt.keys() - written.keys()  # ranks of viruses that MetaPhlAn does not print
    assert written.keys() <= rebuilt.keys()
    assert all(clade.startswith("k__Viruses|") for clade in extra)
    assert not extra.intersection(row.clade for row in gmwi2_coefficients().values())
    assert max(abs(rebuilt[clade] - share) for clade, share in written.items()) < 1e-6


def test_gmwi2_is_refused_where_it_would_be_wrong(shared_data: Path) -> None:
    table = read_laboratory_file(shared_data / "format_examples/metaphlan4_ERR7569997.txt").table
    newer = compose(table, table.samples[0])
    other = compose(read_laboratory_file(shared_data / "moving_pictures_qiime2/table.qza").table, "L1S8")
    kefir = read_laboratory_file(
        shared_data / "gut_kefir_metaphlan3_gmwi2/Subj001_time1_S1_metaphlan.txt"
    ).table  # fmt: skip
    right = compose(kefir, kefir.samples[0])
    assert newer is not None
    assert other is not None
    assert right is not None
    for composition, site, why in (
        (newer, "gut", "MetaPhlAn 4"),
        (other, "gut", "another program"),
        (right, "skin", "stool"),
    ):
        refused = gmwi2(composition, site)  # type: ignore[arg-type]
        assert (refused.state, refused.value) == (State.NOT_MEASURED, None)
        assert why in refused.note
    with pytest.raises(ValueError, match="names no clade"):
        gmwi2_of("#mpa_v30_CHOCOPhlAn_201901\nUNKNOWN\t-1\t100\t\n")
    assert len(gmwi2_coefficients()) == 95


def lineages(rows: dict[str, float], assay: str = "16S V4") -> LabTable:
    starts, places, values = from_dense(["S1"], np.array([list(rows.values())], dtype=np.float64))
    features = tuple(
        Feature(name=f"ASV{place}", lineage=tuple(text.split(";"))) for place, text in enumerate(rows)
    )  # fmt: skip
    return LabTable(
        file_name="made.tsv", format="made", because="made for a test", samples=("S1",), features=features,
        starts=starts, places=places, values=values, has_counts=True, assay=assay,
    )  # fmt: skip


def test_md_index_by_hand() -> None:
    """Rose: Escherichia-Shigella 30 + Veillonella 10. Fell: Bacteroides 100, Phocaeicola 200, 100 Lachnospiraceae
    without a genus. Roseburia and [Ruminococcus] are not on the list. log10(40.5 / 400.5) = -0.99513."""
    above = "Bacteria;P;C;O"
    table = lineages(
        {
            f"{above};Enterobacteriaceae;Escherichia-Shigella": 30,
            f"{above};Veillonellaceae;Veillonella": 10,
            f"{above};Bacteroidaceae;Bacteroides": 100,
            f"{above};Bacteroidaceae;Phocaeicola": 200,
            f"{above};Lachnospiraceae;": 100,
            f"{above};Lachnospiraceae;Roseburia": 1_000,
            f"{above};Lachnospiraceae;[Ruminococcus]": 1_000,
        }
    )
    composition = compose(table, "S1")
    assert composition is not None
    found = md_index(composition, "gut")
    assert found.value == pytest.approx(math.log10(40.5 / 400.5), abs=1e-9)
    assert found.low < found.value < found.high  # type: ignore[operator]
    assert "Crohn" in found.note
    assert md_index(composition, "skin").state is State.NOT_MEASURED


def test_md_index_counts_what_qiimes_list_counts(shared_data: Path) -> None:
    """Witness: the list of QIIME 1 applied to the Greengenes strings themselves, in all 34 samples."""
    folder = shared_data / "moving_pictures_qiime2"
    table = read_laboratory_file(folder / "table.qza").table
    with (folder / "taxonomy.tsv").open() as file:
        taxonomy = {
            row["Feature ID"]: [part.strip() for part in row["Taxon"].split(";")]
            for row in csv.DictReader(file, delimiter="\t")
        }
    rising = {"g__Escherichia", "g__Haemophilus", "g__Fusobacterium", "g__Veillonella"}
    falling = {
        "g__Dialister", "g__Faecalibacterium", "g__Ruminococcus", "g__Sutterella", "g__Parabacteroides",
        "g__Bacteroides", "g__Coprococcus", "g__Dorea", "g__Oscillospira", "g__Bilophila",
    }  # fmt: skip
    families = {"f__Rikenellaceae", "f__Lachnospiraceae", "f__Erysipelotrichaceae", "f__Ruminococcaceae"}
    compared = 0
    for sample in table.samples:
        rose = fell = 0.0
        for feature, reads in zip(table.features, table.row(sample), strict=True):
            parts = taxonomy[feature.name]
            if rising.intersection(parts):
                rose += reads
            elif falling.intersection(parts) or (
                families.intersection(parts) and (len(parts) < 6 or parts[5] == "g__")
            ):
                fell += reads
        composition = compose(table, sample)
        assert composition is not None
        found = md_index(composition, "gut")
        if rose and fell:
            compared += 1
            assert found.value == pytest.approx(math.log10((rose + 0.5) / (fell + 0.5)), abs=1e-9), sample
        else:
            assert found.state is State.BELOW_DETECTION, sample
    assert compared > 15


def hmp2(folder: Path) -> tuple[Numbers, list[dict[str, str]]]:
    """Shares [samples, species] and each sample's description."""

    def rows(name: str) -> list[list[str]]:
        with (folder / name).open() as file:
            return list(csv.reader(file, delimiter="\t"))

    described = rows("HMP2_metadata.tsv")
    by_sample = {row[0]: dict(zip(described[0], row[1:], strict=True)) for row in described[1:]}
    table = rows("HMP2_taxonomy.tsv")[1:]
    return np.array([row[1:] for row in table], dtype=np.float64), [by_sample[row[0]] for row in table]


def test_distance_to_healthy_agrees_with_the_published_dysbiosis(shared_data: Path) -> None:
    """HMP2: 1,122 samples of patients, 161 called dysbiotic by the authors from the unfiltered species table.

    From the 151 species of the table at hand: the same verdict in 92.7 %, Cohen's kappa 0.71; 45 further
    samples are called far here and 37 no longer.
    """
    shares, described = hmp2(shared_data / "gut_longitudinal_hmp2_metaphlan")
    healthy = np.array([row["diagnosis"] == "nonIBD" for row in described])
    persons = [row["participant_id"] for row, is_healthy in zip(described, healthy, strict=True) if is_healthy]
    cut = healthy_cut(shares[healthy], persons)
    assert cut == pytest.approx(0.875, abs=5e-4)
    patients = np.flatnonzero(~healthy)
    far = np.array([distance_to_healthy(shares[place], shares[healthy], cut=cut).is_far for place in patients])
    theirs = np.array([described[place]["dysbiosis_state"] != "none" for place in patients])
    assert (len(patients), int(theirs.sum())) == (1122, 161)
    agreed = float((far == theirs).mean())
    by_chance = far.mean() * theirs.mean() + (1 - far.mean()) * (1 - theirs.mean())
    assert agreed == pytest.approx(0.927, abs=1e-3)
    assert (agreed - by_chance) / (1 - by_chance) == pytest.approx(0.709, abs=1e-3)


def test_distance_by_hand() -> None:
    """Bray-Curtis of (1,0) to (.5,.5) is .5, to (0,1) 1, to (1,0) 0: median .5. Of the three to the other two:
    (.5+.5)/2, (.5+1)/2, (.5+1)/2; their 90th percentile is .75."""
    healthy = np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]])
    assert bray_curtis_to(np.array([1.0, 0.0]), healthy).tolist() == [0.5, 1.0, 0.0]
    found = distance_to_healthy(np.array([1.0, 0.0]), healthy)
    assert (found.value, found.cut, found.is_far, found.n) == (0.5, pytest.approx(0.75), False, 3)
    quantity = distance_quantity(found, "three made persons", "made")
    assert (quantity.value, quantity.key) == (0.5, "distance_to_healthy")
    assert "three made persons, 3 samples" in quantity.note
    with pytest.raises(ValueError, match="two samples or more"):
        distance_to_healthy(np.array([1.0, 0.0]), healthy[:1])


def site_with(site: SiteName, *quantities: Quantity) -> SiteProfile:
    return SiteProfile.make(
        "site", release="test", site=site, sample_id="S1", file_name="made.tsv", file_sha256="0", format="made",
        recognised_because="made", has_counts=True, quantities=quantities,
    )  # fmt: skip


def test_the_dual_site_index_needs_both_sites() -> None:
    """Skin log10 S. aureus : CoNS 0.5 [0.2, 0.9] counts as -0.5; gut 2.0 [1.7, 2.4]. Sum 1.5, from
    1.5 - hypot(.4, .3) to 1.5 + hypot(.3, .4)."""
    skin = site_with(
        "skin",
        Quantity(key="log10_s_aureus_to_cons", label="x", unit="log10", value=0.5, low=0.2, high=0.9),
    )
    gut = site_with(
        "gut",
        Quantity(
            key="log10_butyrate_producers_to_escherichia_shigella",
            label="x", unit="log10", value=2.0, low=1.7, high=2.4,
        ),
    )  # fmt: skip
    found = dual_site_index(skin, gut)
    assert (found.value, found.low, found.high) == pytest.approx((1.5, 1.0, 2.0))
    assert found.experimental
    assert "Experimental" in found.note
    for one, other in ((skin, None), (None, gut), (None, None)):
        missing = dual_site_index(one, other)
        assert (missing.state, missing.value) == (State.NOT_MEASURED, None)
        assert "no sample" in missing.note
    blind = Quantity(key="log10_s_aureus_to_cons", label="x", unit="log10", state=State.NOT_RESOLVED)
    unresolved = dual_site_index(site_with("skin", blind), gut)
    assert (unresolved.state, unresolved.value) == (State.NOT_RESOLVED, None)
    assert "skin: not resolved" in unresolved.note


def test_every_index_names_its_licence_and_its_limits() -> None:
    for row in index_definitions().values():
        assert row.licence
        assert row.limits
        assert row.meaning
    assert index_definitions()["dual_site_index"].experimental
