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
def of_tables() -> str:
    """SHA-256 of what the bank is drawn from beside code: rates, levers, settings, the calibrated population."""
    package = Path(__file__).parent.parent
    tables = [
        package / "knowledge" / "tables" / f"{name}.csv" for name in ("rates", "levers", "forecast_settings")
    ]
    files = [*tables, *sorted((package / "twin" / "populations").glob("*.json"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()
