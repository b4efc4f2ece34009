"""How the pages write what the rooms say."""

from __future__ import annotations

import pytest

from biflora.papers.wording import prose
from biflora.web.forms import label
from biflora.web.render import condition


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("SCORAD -2.42 (95 % CI -4.55 to -0.28)", "SCORAD −2.42 (95 % CI −4.55 to −0.28)"),
        ("Heat to 70-75 degrees C", "Heat to 70–75 °C"),
        ("Keep at 20-25 °C", "Keep at 20–25 °C"),
        # What only looks like a minus or a range stays: days, names, numbers of trials, addresses.
        ("2026-11-23", "2026-11-23"),
        ("PEG-100 stearate, FDA-2010-D-0500", "PEG-100 stearate, FDA-2010-D-0500"),
        ("EASI-50 at week 12", "EASI-50 at week 12"),
        ("10.1002/14651858.CD012119.pub2", "10.1002/14651858.CD012119.pub2"),
        ("https://pmc.ncbi.nlm.nih.gov/articles/PMC10460374", "pmc.ncbi.nlm.nih.gov/articles/PMC10460374"),
    ],
)
def test_signs_and_addresses(given: str, written: str) -> None:
    assert prose(given) == written


def test_no_key_reaches_a_reader() -> None:
    assert condition("scalp_hair") == "scalp and hair (inflammatory hair loss)"
    assert label("s_aureus_log10_copies_per_cm2") == "S. aureus"
    assert label("tewl") == "TEWL"
