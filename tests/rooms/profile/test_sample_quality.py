"""Depth against the run, and samples of little but human DNA."""

from __future__ import annotations

from pathlib import Path

import pytest

from biflora.profile.sample import profile_site


def run(tmp_path: Path, depths: list[int], human: int = 0) -> Path:
    path = tmp_path / "run.csv"
    lines = ["sample,taxon,count"]
    for number, depth in enumerate(depths):
        lines.append(f"P{number},Cutibacterium acnes,{depth - human}")
        if human:
            lines.append(f"P{number},Homo sapiens,{human}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("depths", "said"),
    # the median of the run is 100,000; a tenth is allowed
    [([9_000] + [100_000] * 8, True), ([11_000] + [100_000] * 8, False), ([9_000] + [100_000] * 3, False)],
)
def test_a_sample_far_below_its_run_is_named(tmp_path: Path, depths: list[int], said: bool) -> None:
    found = profile_site(run(tmp_path, depths), "skin", sample="P0").findings
    assert ("shallow_in_its_run" in {finding.rule for finding in found}) is said


@pytest.mark.parametrize(("human", "said"), [(96_000, True), (90_000, False)])
def test_hardly_anything_but_human_hints_at_few_microbes(tmp_path: Path, human: int, said: bool) -> None:
    """The limit is 95 % of the classified reads."""
    found = profile_site(run(tmp_path, [100_000], human), "skin", sample="P0").findings
    assert ("low_biomass" in {finding.rule for finding in found}) is said
