"""Hints of hopped reads and of splashes between wells, on made-up plates."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.errors import LaboratoryMust
from biflora.profile.metadata import Metadata
from biflora.profile.run.hopping import hopping_findings, hopping_hints, plate_wells
from biflora.profile.table import Feature, LabTable, from_dense

ROWS, COLUMNS = "ABCDEFGH", range(1, 13)
PLATE = [f"{row}{column}" for row in ROWS for column in COLUMNS]
SOURCE = "D6"


def plate(traces: dict[str, float], *, has_counts: bool = True) -> LabTable:
    """96 samples named by their wells: 10,000 reads of a common taxon, the source 40,000 of its own."""
    common = np.full(len(PLATE), 10_000.0)
    own = np.array([40_000.0 if well == SOURCE else traces.get(well, 0.0) for well in PLATE])
    starts, places, values = from_dense(PLATE, np.column_stack([common, own]))
    return LabTable(
        file_name="plate.tsv", format="made up", because="a test", samples=tuple(PLATE),
        features=(Feature("Cutibacterium acnes"), Feature("Salmonella enterica")), starts=starts, places=places,
        values=values, has_counts=has_counts,
    )  # fmt: skip


def wells() -> dict[str, tuple[str, int, int]]:
    rows = Metadata("plate.csv", tuple(PLATE), {"well": tuple(PLATE)})
    return dict(plate_wells(PLATE, rows, plate=None, well="well"))


def touching() -> list[str]:
    """The eight wells around D6."""
    return [f"{row}{column}" for row in "CDE" for column in (5, 6, 7) if f"{row}{column}" != SOURCE]


def test_traces_of_one_sample_in_many_others_are_a_hint() -> None:
    """30 of 95 other samples at 40 reads: 40 / 40,000 = 0.1 % of the source, whose share is 40/50."""
    spread = dict.fromkeys(PLATE[::3], 40.0)
    spread.pop(SOURCE, None)
    hint = hopping_hints(plate(spread), controls=PLATE[:3])[0]
    assert (hint.name, hint.source) == ("Salmonella enterica", SOURCE)
    assert hint.source_share == pytest.approx(0.8)
    assert hint.samples_with_trace == len(spread)
    assert hint.samples == 95
    assert hint.median_trace == pytest.approx(0.001)
    assert hint.controls_with_trace == 1  # of A1, A2, A3 only A1 holds a trace
    finding = hopping_findings(plate(spread), [hint])[0]
    assert finding.level == "note"
    assert "0.1 % of its source" in finding.message


def test_a_taxon_that_others_hold_in_their_own_right_is_no_hint() -> None:
    """Half of the holders at a tenth of the source, far above a trace."""
    held = {well: (4_000.0 if i % 2 else 40.0) for i, well in enumerate(PLATE[:40])}
    assert hopping_hints(plate(held)) == ()


def test_traces_in_few_samples_are_no_hint() -> None:
    """20 % of 95 samples are needed: 19; here 10."""
    assert hopping_hints(plate(dict.fromkeys(PLATE[:10], 40.0))) == ()


def test_shares_cannot_tell_a_trace() -> None:
    assert hopping_hints(plate(dict.fromkeys(PLATE[::3], 40.0), has_counts=False)) == ()


def test_traces_around_the_source_are_named_as_neighbours() -> None:
    """The eight wells around the source hold 300 reads, those of the ring around them 20."""
    ring = [f"{row}{column}" for row in "BCDEF" for column in range(4, 9)]
    traces = dict.fromkeys(set(ring) - {SOURCE}, 20.0) | dict.fromkeys(touching(), 300.0)
    hint = hopping_hints(plate(traces), wells=wells())[0]
    assert (hint.neighbours, hint.neighbours_with_trace) == (8, 8)
    assert hint.neighbour_p is not None
    assert hint.neighbour_p < 0.01
    rules = [finding.rule for finding in hopping_findings(plate(traces), [hint])]
    assert rules == ["index_hopping_hint", "plate_neighbours"]


def test_traces_all_over_the_plate_name_no_neighbours() -> None:
    """The same trace in every second well: nearness cannot matter."""
    hint = hopping_hints(plate({well: 40.0 for well in PLATE[::2] if well != SOURCE}), wells=wells())[0]
    assert hint.neighbour_p is not None
    assert hint.neighbour_p > 0.05


def test_a_column_without_wells_is_refused() -> None:
    rows = Metadata("plate.csv", ("a", "b"), {"well": ("left", "")})
    with pytest.raises(LaboratoryMust, match="no well such as A1"):
        plate_wells(("a", "b"), rows, plate=None, well="well")
    numbered = Metadata("plate.csv", ("a", "b"), {"well": ("h12", "A01"), "plate": ("1", "2")})
    assert plate_wells(("a", "b"), numbered, plate="plate", well="well") == {"a": ("1", 7, 12), "b": ("2", 0, 1)}
