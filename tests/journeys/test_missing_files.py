"""Without the skin or the gut file the plan says what it could not know, and is less sure of it."""

from __future__ import annotations

import pytest

import biflora
from biflora.plan.plan import Plan
from biflora.profile.patient import AffectedSite, BodySite, Condition, InstrumentInput, Patient
from biflora.twin.forecast import ARMS, Arm, Forecast

SKIN = """sample,taxon,count
S1,Staphylococcus aureus,5200
S1,Staphylococcus epidermidis,1800
S1,Cutibacterium acnes,1400
S1,Corynebacterium tuberculostearicum,600
"""
GUT = """sample,taxon,count
G1,Bacteroides uniformis,5200
G1,Faecalibacterium prausnitzii,900
G1,Bifidobacterium longum,300
G1,Roseburia intestinalis,400
G1,Akkermansia muciniphila,100
"""
PATIENT = Patient(
    patient_id="SYN-1",
    age_years=34,
    sex="female",
    condition=Condition.ATOPIC_DERMATITIS,
    pregnancy="no",
    immune_status="normal",
    scores=(InstrumentInput(instrument="scorad", total=52),),
    sites=(AffectedSite(site=BodySite.FLEXURES, area_percent_bsa=6),),
    synthetic=True,
)
GIVEN = {"both": (True, True), "skin only": (True, False), "gut only": (False, True), "none": (False, False)}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Forecast, Plan]]:
    folder = tmp_path_factory.mktemp("laboratory")
    skin, gut = folder / "skin.csv", folder / "gut.csv"
    skin.write_text(SKIN)
    gut.write_text(GUT)
    found = {}
    for name, (with_skin, with_gut) in GIVEN.items():
        profile = biflora.read_profile(PATIENT, skin=skin if with_skin else None, gut=gut if with_gut else None)
        forecast = biflora.forecast(profile)
        found[name] = (forecast, biflora.make_plan(profile, forecast))
    return found


def width(result: tuple[Forecast, Plan], observable: str, week: int, arm: Arm = "standard_care") -> float:
    """Width of the 80 % interval."""
    course = result[0].course(arm, observable)
    assert course is not None
    band = course.bands[result[0].weeks.index(week)]
    return band.q90 - band.q10


WIDER = [
    ("s_aureus_log10", "both", "gut only"),
    ("s_aureus_log10", "skin only", "none"),
    ("commensals_log10", "both", "gut only"),
    ("commensals_log10", "skin only", "none"),
    ("faecal_butyrate", "both", "skin only"),
    ("faecal_butyrate", "gut only", "none"),
    ("scorad", "both", "skin only"),
    ("scorad", "both", "gut only"),
    ("scorad", "skin only", "none"),
    ("scorad", "gut only", "none"),
    ("easi", "both", "none"),
]


@pytest.mark.parametrize(("observable", "measured", "missing"), WIDER)
def test_what_a_missing_file_would_have_told_is_known_less_well(
    results: dict[str, tuple[Forecast, Plan]], observable: str, measured: str, missing: str
) -> None:
    for arm in ARMS:
        for week in (0, 12):
            narrow, wide = (width(results[name], observable, week, arm) for name in (measured, missing))
            assert wide > narrow, (arm, week)


def test_a_swab_more_than_halves_the_interval_of_s_aureus_today(results: dict[str, tuple[Forecast, Plan]]) -> None:
    """52 % S. aureus in the swab leaves about 2 log10; the population alone about 5."""
    assert width(results["both"], "s_aureus_log10", 0) < 0.5 * width(results["gut only"], "s_aureus_log10", 0)


def test_the_bands_are_wider_by_what_the_table_says(results: dict[str, tuple[Forecast, Plan]]) -> None:
    """Two missing sites at 15 % each; SCORAD's own noise in the bank is about 5 %."""
    ratio = width(results["none"], "scorad", 12) / width(results["both"], "scorad", 12)
    assert ratio == pytest.approx(1.30, rel=0.1)
    said = " ".join(a.what for a in results["none"][0].assumptions)
    assert "No skin sample" in said
    assert "No gut sample" in said


def test_the_plan_names_what_it_could_not_know(results: dict[str, tuple[Forecast, Plan]]) -> None:
    for name, (with_skin, with_gut) in GIVEN.items():
        said = " ".join(results[name][1].not_known).lower()
        assert ("skin microbiome: no sample" in said) is (not with_skin), name
        assert ("gut microbiome: no sample" in said) is (not with_gut), name
