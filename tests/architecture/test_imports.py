"""The arrows of the house, held as data: which room may import which.

Witness: docs/decisions and the table in docs/for-maintainers/tour.md. A room that needs a new arrow changes
this table and writes an ADR.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "biflora"

FOUNDATION = {"errors", "units", "values"}
FIELD_ROOMS = {
    "knowledge", "profile", "twin", "plan", "formula", "prescription", "dispensary", "followup", "trial",
}  # fmt: skip

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "values": {"errors"},
    "knowledge": FOUNDATION,
    "profile": FOUNDATION | {"knowledge"},
    "twin": FOUNDATION | {"profile", "knowledge"},
    "plan": FOUNDATION | {"twin", "profile", "knowledge"},
    "formula": FOUNDATION | {"plan", "knowledge"},
    "prescription": FOUNDATION | {"formula", "plan", "knowledge"},
    "dispensary": FOUNDATION | {"prescription", "formula", "knowledge"},
    "followup": FOUNDATION | {"dispensary", "prescription", "twin", "profile", "knowledge"},
    "trial": FOUNDATION | {"followup", "plan", "twin", "profile", "knowledge"},
    "papers": FOUNDATION | FIELD_ROOMS,
    "store": FOUNDATION | FIELD_ROOMS,
    "clinic": FOUNDATION | FIELD_ROOMS | {"store", "papers"},
    "web": FOUNDATION | FIELD_ROOMS | {"clinic", "papers"},
    "cli": FOUNDATION | FIELD_ROOMS | {"clinic", "papers", "web"},
}

HEAVY = {
    "numba",
    "ortools",
    "skbio",
    "statsmodels",
    "altair",
    "vl_convert",
    "typst",
    "pandas",
    "formulaic",
    "scipy",
    "biom",
    "h5py",
}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Full dotted names of everything that the file imports, at any depth (inside functions too)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full, not relative"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


FILES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.name != "__init__.py")


def test_every_room_is_in_the_table() -> None:
    assert {room_of(path) for path in FILES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_room_imports_only_what_its_arrow_allows(path: Path) -> None:
    room = room_of(path)
    ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("biflora.")}
    forbidden = ours - MAY_IMPORT[room] - {room, "__version__"}
    assert not forbidden, f"{room} must not import {sorted(forbidden)}"


@pytest.mark.parametrize("room", sorted(FIELD_ROOMS))
def test_no_field_room_touches_the_web_or_the_database(room: str) -> None:
    for path in (SOURCE / room).rglob("*.py"):
        roots = {name.split(".")[0] for name in imports_of(path)}
        assert not roots & {"fastapi", "starlette", "sqlalchemy", "alembic", "uvicorn", "jinja2"}, path.name


def test_the_table_is_acyclic() -> None:
    """A room above never imports one below: the table can be put in an order."""
    left = {room: set(allowed) for room, allowed in MAY_IMPORT.items()}
    while left:
        free = {room for room, allowed in left.items() if not allowed & set(left)}
        assert free, f"these import each other in a circle: {sorted(left)}"
        left = {room: allowed for room, allowed in left.items() if room not in free}


def test_one_solver_only() -> None:
    """ortools and highspy cannot be loaded in one process (ADR 6)."""
    assert not [path for path in FILES if any(name.split(".")[0] == "highspy" for name in imports_of(path))]


def test_files_end_near_400_lines() -> None:
    long = {str(p.relative_to(SOURCE)): n for p in FILES if (n := len(p.read_text().splitlines())) > 450}
    assert not long, f"split by noun: {long}"


def test_no_two_test_files_share_a_name() -> None:
    """pytest would import one of them for both, and stops before the first test."""
    names = [path.name for path in SOURCE.parents[1].joinpath("tests").rglob("test_*.py")]
    assert not {name for name in names if names.count(name) > 1}


def test_the_value_types_load_nothing_heavy() -> None:
    """The types of every room can be imported without paying for numba, ortools and the like."""
    import subprocess
    import sys

    rooms = "biflora, biflora.cli.main, biflora.twin.forecast, biflora.formula.formula, biflora.trial.evidence"
    code = f"import sys, {rooms}; print(' '.join(sorted({{m.split('.')[0] for m in sys.modules}} & {HEAVY!r})))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""


COHORT_ONLY = {"skbio", "formulaic", "pandas", "statsmodels"}
"""Libraries of whole cohorts and trials: reading one sample never pays for them."""
ROOMS_OF_MANY = {Path("profile/cohort"), Path("trial")}


def test_the_libraries_of_cohorts_stay_with_cohorts_and_trials() -> None:
    strays = {
        str(path.relative_to(SOURCE))
        for path in FILES
        if {name.split(".")[0] for name in imports_of(path)} & COHORT_ONLY
        and not ROOMS_OF_MANY & set(path.relative_to(SOURCE).parents)
    }
    assert not strays


def test_one_sample_is_profiled_without_the_libraries_of_cohorts(tmp_path: Path) -> None:
    """A made table with counts runs through taxa, guilds, diversity and findings; SciPy is not paid for either."""
    import subprocess
    import sys

    table = tmp_path / "made.tsv"
    names = ("Staphylococcus aureus", "Staphylococcus epidermidis", "Cutibacterium acnes", "Micrococcus luteus")
    lines = [f"{name}\t{reads}\t{2 * reads}" for name, reads in zip(names, (4000, 3000, 2500, 500), strict=True)]
    table.write_text("\n".join(["#OTU ID\tS1\tS2", *lines]) + "\n")
    code = (
        "import sys; from pathlib import Path; from biflora.profile.sample import profile_site; "
        "site = profile_site(Path(sys.argv[1]), 'skin', sample='S1'); "
        "loaded = {module.split('.')[0] for module in sys.modules}; "
        f"print(site.depth_reads, *sorted(loaded & {HEAVY!r}))"
    )
    out = subprocess.run([sys.executable, "-c", code, str(table)], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["10000.0"]
