"""Made-up formulas, possible and impossible. Synthetic."""

from __future__ import annotations

from typing import Any

from biflora.formula.formula import Alternative, Formula, Impossible, Line, Property, Reason
from biflora.values import Finding, Who

RELEASE = "2026.1"
SOURCE = "made up for tests"

LINES = (
    Line(
        ingredient="water",
        name="Purified water",
        ppm=655_000,
        function="solvent",
        phase="A",
        why="fills to 100 %",
        quantum_satis=True,
    ),
    Line(
        ingredient="glycerol",
        name="Glycerol",
        inci="Glycerin",
        ppm=70_000,
        function="humectant",
        phase="A",
        why="hydration",
    ),
    Line(
        ingredient="niacinamide",
        name="Niacinamide",
        inci="Niacinamide",
        ppm=40_000,
        function="active",
        phase="A",
        why="barrier repair, anti-inflammatory",
    ),
    Line(
        ingredient="petrolatum",
        name="White petrolatum",
        inci="Petrolatum",
        ppm=150_000,
        function="emollient",
        phase="B",
        why="barrier repair",
    ),
    Line(
        ingredient="ceramide_np",
        name="Ceramide NP",
        inci="Ceramide NP",
        ppm=5_000,
        function="lipid",
        phase="B",
        why="barrier repair",
    ),
    Line(
        ingredient="emulsifying_wax",
        name="Emulsifying wax",
        ppm=70_000,
        function="emulsifier",
        phase="B",
        why="holds the emulsion",
    ),
    Line(
        ingredient="phenoxyethanol",
        name="Phenoxyethanol",
        ppm=10_000,
        function="preservative",
        phase="C",
        why="broad spectrum at pH 5.2",
    ),
)


def formula(**changes: Any) -> Formula:
    other = tuple(
        line.model_copy(update={"ppm": 20_000 if line.ingredient == "niacinamide" else line.ppm})
        for line in LINES
        if line.ingredient != "ceramide_np"
    )
    fields: dict[str, Any] = {
        "name": "Barrier cream",
        "condition": "atopic_dermatitis",
        "vehicle": "ow_cream",
        "lines": LINES,
        "ph": 5.2,
        "preservative_system": "phenoxyethanol_1",
        "benefit": 0.72,
        "proved_optimal": True,
        "bound": 0.72,
        "solve_seconds": 0.4,
        "properties": (
            Property(
                key="hlb", label="Required HLB", value="11.2", uncertainty="± 1, rule of thumb", source=SOURCE
            ),
            Property(key="cost", label="Cost per 100 g", value="4.10 USD", uncertainty="assumed prices"),
        ),
        "alternatives": (
            Alternative(
                vehicle="ow_lotion", lines=other, ph=5.4, benefit=0.61, gives_up="ceramides, half the niacinamide"
            ),
        ),
        "findings": (
            Finding(
                level="warn",
                rule="strength",
                subject="niacinamide",
                message="Niacinamide at 4 % may sting on open skin; begin on a small area.",
                who=Who.PRESCRIBER,
                source="Formulary",
                verification="memory",
            ),
        ),
    }
    return Formula.make("formula", release=RELEASE, **{**fields, **changes})


def impossible() -> Impossible:
    return Impossible.make(
        "impossible",
        release=RELEASE,
        reasons=(
            Reason(
                rule="vehicle_wish",
                who=Who.PATIENT,
                message="Only an aqueous gel is wanted.",
                lift="Allow an oil-in-water cream.",
            ),
            Reason(
                rule="allergen",
                who=Who.CHEMISTRY,
                message="Every preservative that works at this pH contains an allergen of hers.",
            ),
        ),
    )
