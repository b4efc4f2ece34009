"""A number that changes with the twin's source, to key what is compiled or computed from it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ENGINE = ("state.py", "model.py", "structured.py", "engine.py")
POPULATION = (*ENGINE, "regimen.py", "population.py", "calibrated.py", "arms.py", "cohort.py", "bank.py")


@cache
def of_source(names: tuple[str, ...]) -> str:
    """SHA-256 of these files of the twin's room."""
    room = Path(__file__).parent
    return hashlib.sha256(b"\0".join((room / name).read_bytes() for name in names)).hexdigest()


@cache
def of_trials() -> str:
    """SHA-256 of what a campaign is simulated from beside code: rates, levers, settings, published trials."""
    return _of_tables(
        "rates", "levers", "population_settings", "observables", "published_trials", "published_arms",
        "published_outcomes",
    )  # fmt: skip


def _of_tables(*names: str) -> str:
    folder = Path(__file__).parent.parent / "knowledge" / "tables"
    return hashlib.sha256(b"\0".join((folder / f"{name}.csv").read_bytes() for name in names)).hexdigest()


@cache
def of_tables() -> str:
    """SHA-256 of what the bank is drawn from beside code: rates, levers, settings, the calibrated population."""
    populations = sorted((Path(__file__).parent / "populations").glob("*.json"))
    drawn_from = _of_tables("rates", "levers", "population_settings").encode()
    return hashlib.sha256(b"\0".join([drawn_from, *(path.read_bytes() for path in populations)])).hexdigest()
