"""Shipped summaries: a percentile only where site, age, assay and profiler agree, with at least 40 persons."""

from __future__ import annotations

from typing import Any

import pytest

from biflora.knowledge.references import reference_rows
from biflora.profile.compare import mismatches, percentile_in_summary, with_reference
from biflora.profile.profile import GuildShare, Reference
from biflora.values import State

AGREES: dict[str, Any] = {"body_site": "antecubital_fossa", "profiler": "Kraken2, Bracken"}


def reference(
    assay: str, age: float | None, site: Any = "skin", guild: str = "s_aureus", **told: Any
) -> Reference:
    share = GuildShare(guild=guild, label=guild, state=State.MEASURED, share=0.01)
    found = with_reference(share, site, assay, age, **told).reference
    assert found is not None
    return found


def test_what_is_told_is_no_longer_a_mismatch() -> None:
    found = reference("shotgun", 5, **AGREES)
    assert found.cohort == "CSB5, healthy children, antecubital fossa, shotgun"
    assert found.mismatch == ()
    assert (found.n, found.percentile) == (30, None)  # 30 persons are too few


@pytest.mark.parametrize(
    ("assay", "age", "told", "phrase"),
    [
        ("shotgun", 5, {**AGREES, "body_site": ""}, "body site: reference antecubital fossa, sample's not told"),
        ("shotgun", 5, {**AGREES, "body_site": "nares"}, "body site: reference antecubital fossa, sample Front"),
        ("shotgun", 5, {**AGREES, "profiler": ""}, "profiler: reference Kraken2, Bracken, the sample's is not"),
        ("shotgun", 5, {**AGREES, "profiler": "MetaPhlAn 4"}, "profiler: sample MetaPhlAn 4, reference Kraken2"),
        ("shotgun", None, AGREES, "age: reference children 0.3-11 years, sample's not given"),
        ("16S V4", 5, AGREES, "platform: sample 16S V4, reference shotgun"),
        ("unknown", 5, AGREES, "assay: reference shotgun, the sample's is not known"),
    ],
)
def test_each_difference_is_named(assay: str, age: float | None, told: dict[str, Any], phrase: str) -> None:
    row = reference_rows()["csb5_healthy_child_ac_s_aureus"]
    found = mismatches(row, "skin", assay, age, **told)
    assert len(found) == 1
    assert found[0].startswith(phrase)


def test_the_nearest_place_is_chosen() -> None:
    """Forearm and elbow agree in all else; the told place decides, and an adult meets the caregivers."""
    forearm = reference("shotgun", 5, body_site="volar_forearm", profiler="Kraken2, Bracken")
    assert forearm.cohort == "CSB5, healthy children, volar forearm, shotgun"
    knee = reference("shotgun", 5, body_site="popliteal_fossa", profiler="Kraken2, Bracken")
    assert (knee.cohort, knee.mismatch) == ("CSB5, healthy children, antecubital fossa, shotgun", ())
    adult = reference("shotgun", 40, **AGREES)
    assert adult.cohort == "CSB5, healthy caregivers, antecubital fossa, shotgun"


def test_inflamed_skin_of_patients_is_its_own_group() -> None:
    lesion = reference_rows()["rauer_lesional_s_aureus"]
    told: dict[str, Any] = {"body_site": "lesion", "profiler": "DADA2, AnnotIEM"}
    assert mismatches(lesion, "skin", "16S V1-V3", 40, lesional=True, **told) == ()
    assert mismatches(lesion, "skin", "16S V1-V3", 40, lesional=False, **told) == ("inflamed skin: reference yes",)
    assert "sample's not told" in mismatches(lesion, "skin", "16S V1-V3", 40, **told)[0]


def test_only_the_array_meets_the_arrays_thousand_persons() -> None:
    array = reference("array", 30, "gut", "akkermansia")
    assert (array.n, array.mismatch) == (1006, ())
    assert array.percentile is not None
    shotgun = reference("shotgun", 30, "gut", "akkermansia", profiler="MetaPhlAn 4")
    assert (shotgun.n, shotgun.percentile) == (26, None)
    share = GuildShare(guild="akkermansia", label="Akkermansia", state=State.MEASURED, share=0.01)
    for assay in ("16S V4", "16S", "unknown"):  # no reference of these: nothing stands beside the share
        assert with_reference(share, "gut", assay, 30).reference is None


def test_a_summarys_percentile_has_its_interval() -> None:
    """At the median of 1,006 persons: 503 below; the exact 95 % limits of 503 of 1,006 are 46.9 and 53.1 %."""
    from scipy.stats import binomtest

    row = reference_rows()["atlas1006_akkermansia"]
    found = percentile_in_summary(row.median, row)
    assert found is not None
    assert found.percent == pytest.approx(50, abs=0.5)
    exact = binomtest(round(found.percent / 100 * row.n), row.n).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((100 * exact.low, 100 * exact.high), abs=0.2)
    assert percentile_in_summary(0.01, reference_rows()["csb5_healthy_child_ac_s_aureus"]) is None
