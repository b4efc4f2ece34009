"""What the terminal says of a forecast: severity first, everything in 80 columns, nothing for what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "papers"))
import sample

from biflora.cli import show
from biflora.followup.track_record import TrackRecord, track_record
from biflora.twin.forecast import ARMS, Course, Forecast, Observable

MORE = (
    ("itch_nrs", "Itch", "points", 6.0),
    ("oscorad", "Objective SCORAD", "points", 40.0),
    ("poem", "POEM", "points", 18),
    ("skin_ph", "Skin pH", "pH", 5.6),
    ("s_aureus_share", "S. aureus share", "% of skin reads", 38),
    ("commensal_share", "Commensal staphylococci share", "% of skin reads", 12),
    ("tarc", "TARC (CCL17)", "pg/mL", 1800),
    ("total_ige", "Total IgE", "kU/L", 2400),
)


def many() -> Forecast:
    """Twelve observables, and severity not the first of them."""
    small = sample.forecast()
    courses = [
        Course(
            arm=arm,
            observable=key,
            weeks=(0, 12),
            bands=(sample.band(start, start / 9), sample.band(start, start / 5)),
        )
        for key, _, _, start in MORE
        for arm in ARMS
    ]
    abouts = [Observable(key=key, label=label, unit=unit, lower_is_better=True) for key, label, unit, _ in MORE]
    return sample.forecast(observables=(*abouts, *small.observables), courses=(*courses, *small.courses))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=80, record=True, highlight=False, force_terminal=False, quiet=False)
    monkeypatch.setattr(show, "console", console)
    return console


def test_the_forecast_in_eighty_columns(terminal: Console) -> None:
    show.forecast(many(), start=58)
    text = terminal.export_text()
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 80
    assert len(lines) < 100
    assert lines[1].startswith("SCORAD (points) at week 12")
    flat = " ".join(text.split())
    for words in (
        "In 9 of 20 patients like this one SCORAD is at least halved at week 12 under both; 10 of 20 end below",
        "Best of the arms at week 12: both in 43 %",
        "−16 (−24 to −8) −5 (−11 to 2)",  # both, whole model and gut link off
        "Ranking flips: Without the gut compartment topical comes first instead of both.",
        "Skin only 27 %",
        "effective number 812",
        "Not informed: TEWL was not measured",
        "Skin pH 5.6",  # not "Skin pH pH"
        "Total IgE kU/L",
    ):
        assert words in flat, words
    # every interval is whole: 2400 +/- 1.282 * 480 = 1785 to 3015
    assert "1785–3015" in text


def test_an_old_forecast_shows_no_empty_headings(terminal: Console) -> None:
    show.forecast(sample.forecast(dots=(), best_chances=(), structures=(), ranking_flips=(), population=""))
    text = terminal.export_text()
    for words in ("of 20", "Best of the arms", "structures", "flips", "population"):
        assert words not in text, words
    assert "33 (21–45)" in text


def test_the_track_record_in_eighty_columns(terminal: Console) -> None:
    show.track_record(TrackRecord())
    show.track_record(track_record(*sample.kept()))
    text = terminal.export_text()
    assert "No forecast of this patient has been tested by a visit yet." in text
    assert "outside 95 %" in text
    assert max(len(line) for line in text.splitlines()) <= 80
