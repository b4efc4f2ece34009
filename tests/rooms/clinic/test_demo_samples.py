"""The synthetic files are read back by the profile room as what they were drawn as."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from biflora.clinic import demo_samples
from biflora.clinic.demo import make_demo
from biflora.profile.patient import Condition
from biflora.profile.read import read_profile
from biflora.profile.sample import profile_site

SEED = (7, 1, 1)


@pytest.mark.parametrize(
    ("form", "recognised"),
    [
        ("bracken", "Bracken"),
        ("kraken", "Kraken2"),
        ("metaphlan", "MetaPhlAn 4"),
        ("emu", "Emu"),
        ("long", "long CSV"),
    ],
)
def test_a_written_file_gives_back_the_drawn_share(tmp_path: Path, form: str, recognised: str) -> None:
    """Witness: the draw itself. S. aureus's share = its reads / all reads but the host's (Emu: bacteria only)."""
    sample = demo_samples.draw("skin_ad_flare", "SYNTHETIC-X", seed=SEED)
    ending, write = demo_samples.FORMATS[form]
    path = tmp_path / f"x.{ending}"
    path.write_text(write(sample), encoding="utf-8")
    read = profile_site(path, "skin")
    counted = sample.reads
    if form == "emu":
        counted = {n: r for n, r in counted.items() if demo_samples.taxa()[n].lineage[0] == "Bacteria"}
    expected = counted["Staphylococcus aureus"] / sum(counted.values())
    found = {taxon.name: taxon.share for taxon in read.taxa}
    assert read.format.startswith(recognised)
    assert found["Staphylococcus aureus"] == pytest.approx(expected, abs=1e-4)
    assert read.unmatched_names == 0


def test_an_amplicon_table_does_not_resolve_species(tmp_path: Path) -> None:
    sample = demo_samples.draw("skin_ad_flare", "SYNTHETIC-X", seed=SEED)
    path = tmp_path / "x.tsv"
    path.write_text(demo_samples.write_amplicon(sample), encoding="utf-8")
    read = profile_site(path, "skin")
    assert "staphylococcus_unresolved" in {finding.rule for finding in read.findings}


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_demo(tmp_path / name, seed=5)
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}


def test_the_cohort_holds_what_a_visitor_must_see(tmp_path: Path) -> None:
    cohort = make_demo(tmp_path)
    people = [person.patient for person in cohort]
    assert len(people) >= 12
    assert {person.condition for person in people} == set(Condition)
    assert all(person.synthetic for person in people)
    assert Counter(person.condition for person in people)[Condition.ATOPIC_DERMATITIS] >= 4
    assert any(person.age_years < 12 for person in people)
    assert any(person.pregnancy == "pregnant" for person in people)
    assert any(person.immune_status == "immunosuppressed" for person in people)
    assert any(set(person.allergies) == {"parabens", "fragrance"} for person in people)
    missing = {(person.skin is None, person.gut is None) for person in cohort}
    assert {(False, False), (True, False), (False, True), (True, True)} == missing
    formats = {path.name.split(".", 1)[1] for path in tmp_path.glob("SYNTHETIC-*")}
    assert len(formats) == len(demo_samples.FORMATS)


def test_every_file_is_read_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    for person in make_demo(tmp_path):
        profile = read_profile(person.patient, skin=person.skin, gut=person.gut)
        for path, site in ((person.skin, profile.skin), (person.gut, profile.gut)):
            assert (path is None) == (site is None)
            if path is not None and site is not None:
                assert path.name.startswith("SYNTHETIC")
                assert site.sample_id.startswith("SYNTHETIC")
