"""A number that changes with the twin's source, to key what is compiled or computed from it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ENGINE = ("state.py", "model.py", "engine.py")
POPULATION = (*ENGINE, "population.py", "arms.py", "cohort.py", "bank.py")


@cache
def of_source(names: tuple[str, ...]) -> str:
    """SHA-256 of these files of the twin's room."""
    room = Path(__file__).parent
    return hashlib.sha256(b"\0".join((room / name).read_bytes() for name in names)).hexdigest()


@cache
def of_rates() -> str:
    """SHA-256 of the rates table."""
    return hashlib.sha256(
        (Path(__file__).parent.parent / "knowledge" / "tables" / "rates.csv").read_bytes()
    ).hexdigest()
