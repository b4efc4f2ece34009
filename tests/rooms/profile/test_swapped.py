"""Another site, age or platform of the same real sample changes the reference answer, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from biflora.knowledge.references import reference_rows
from biflora.profile.compare import contradicts
from biflora.profile.patient import Sampling
from biflora.profile.profile import SiteProfile
from biflora.profile.reference.library import Library
from biflora.profile.reference.recipes import build_reference
from biflora.profile.sample import profile_site

CSB5 = "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
ATLAS = "gut_healthy_atlas1006/atlas1006_otu.csv"


@pytest.fixture(scope="module")
def library(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = Library(tmp_path_factory.mktemp("references"))
    build_reference("csb5-children-skin", shared_data / "ad_skin_shotgun_csb5_bracken", library)
    build_reference("atlas1006-gut", shared_data / "gut_healthy_atlas1006", library)
    return library


def child(shared_data: Path, library: Library, age: float | None = 5.0, **told: Any) -> SiteProfile:
    """MBT273, a child with atopic dermatitis, bend of the elbow, shotgun."""
    sampling = Sampling(**{"body_site": "antecubital_fossa", "profiler": "Kraken2, Bracken"} | told)
    return profile_site(
        shared_data / CSB5, "skin", sample="MBT273", age_years=age, sampling=sampling, library=library
    )


def band(profile: SiteProfile, guild: str) -> str:
    found = profile.guild(guild)
    assert found is not None
    return "" if found.reference is None else found.reference.cohort


def test_the_same_swab_at_another_place_age_or_platform(shared_data: Path, library: Library) -> None:
    asked = child(shared_data, library)
    assert asked.placement is not None
    assert (asked.placement.state, asked.placement.n) == ("too few for percentiles", 23)
    assert band(asked, "s_aureus") == "CSB5, healthy children, antecubital fossa, shotgun"

    forearm = child(shared_data, library, body_site="volar_forearm")  # another class of skin: dry, not moist
    assert forearm.placement is not None
    assert "body site Inner forearm (volar forearm)" in forearm.placement.matched_on
    assert band(forearm, "s_aureus") == "CSB5, healthy children, volar forearm, shotgun"
    nose = child(shared_data, library, body_site="nares")  # nobody was swabbed there
    assert nose.placement is not None
    assert (nose.placement.state, band(nose, "s_aureus")) == ("no comparable reference", "")

    grown = child(shared_data, library, age=40)
    assert grown.placement is not None
    assert grown.placement.state == "no comparable reference"
    assert band(grown, "s_aureus") == "CSB5, healthy caregivers, antecubital fossa, shotgun"

    shares = [asked.guild("s_aureus"), forearm.guild("s_aureus"), grown.guild("s_aureus")]
    assert len({guild.share for guild in shares if guild is not None}) == 1  # the sample's own number stays


def test_the_same_stool_by_age_and_platform(shared_data: Path, library: Library) -> None:
    """Sample-1 of the array: 890 adults of 18-64 years; too few above; nobody for a child, nor for a sequencer."""

    def stool(age: float, **told: Any) -> SiteProfile:
        sampling = Sampling(**{"profiler": "HITChip"} | told)
        return profile_site(
            shared_data / ATLAS, "gut", sample="Sample-1", age_years=age, sampling=sampling, library=library
        )

    adult = stool(40)
    assert adult.placement is not None
    assert (adult.placement.state, adult.placement.n) == ("placed", 890)
    older = stool(70)
    assert older.placement is not None
    assert older.placement.n != adult.placement.n
    toddler = stool(2)
    assert toddler.placement is not None
    assert (toddler.placement.state, band(toddler, "akkermansia")) == ("no comparable reference", "")
    other = stool(40, profiler="MetaPhlAn 4")
    assert other.placement is not None
    assert other.placement.state == "no comparable reference"
    swab = stool(40, body_site="rectal_swab")
    assert swab.placement is not None
    assert swab.placement.state == "no comparable reference"


@pytest.mark.parametrize(
    ("assay", "age", "place", "contradicted"),
    [
        ("shotgun", 5.0, "antecubital_fossa", False),
        ("shotgun", None, "", False),  # not told is a warning, no contradiction
        ("shotgun", 5.0, "popliteal_fossa", False),  # moist as the elbow is
        ("shotgun", 5.0, "lesion", False),  # place not told
        ("shotgun", 5.0, "volar_forearm", True),
        ("shotgun", 40.0, "antecubital_fossa", True),
        ("16S V1-V3", 5.0, "antecubital_fossa", True),
        ("array", 5.0, "antecubital_fossa", True),
        ("unknown", 5.0, "antecubital_fossa", True),
    ],
)
def test_what_contradicts_a_shipped_reference(
    assay: str, age: float | None, place: str, contradicted: bool
) -> None:
    row = reference_rows()["csb5_healthy_child_ac_s_aureus"]
    assert contradicts(row, assay, age, place) is contradicted


def test_two_regions_of_16s_contradict_and_an_untold_one_does_not() -> None:
    row = reference_rows()["rauer_non_lesional_s_aureus"]
    assert contradicts(row, "16S V4", 40, "")
    assert not contradicts(row, "16S V1-V3", 40, "")
    assert not contradicts(row, "16S", 40, "")
