"""What the terminal says of a formula: in 80 columns, by phase and by who can lift what, with rule and source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from biflora.cli import show, show_formula
from biflora.formula.explain import Explanation
from biflora.formula.formula import Alternative, Formula, Impossible, Line, Property, Reason
from biflora.values import Finding, Who

BIFLORA = Path(sys.executable).with_name("biflora")
OINTMENT = "Salicylic acid 2 g\nHydrocortisone 1 %\nPetrolatum ad 100 g\n"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(width=80, record=True, highlight=False, force_terminal=False, quiet=False)
    monkeypatch.setattr(show, "console", console)
    return console


def line(key: str, percent: float, phase: str, **more: object) -> Line:
    return Line.model_validate(
        {"ingredient": key, "name": key.capitalize(), "ppm": round(percent * 10_000), "phase": phase} | more
    )


def finding(level: str, subject: str, **more: object) -> Finding:
    fields = {"rule": "strength", "message": f"{subject}: too much of it.", "who": Who.LAW, "source": "a page",
              "verification": "memory"}  # fmt: skip
    return Finding.model_validate(fields | {"level": level, "subject": subject} | more)


LINES = (
    line("water", 64, "A", quantum_satis=True, function="vehicle", why="fills up to 100 %"),
    line("urea", 10, "A", function="active", why="for hydration: dry skin. Evidence B"),
    line("lactate", 5, "A", function="humectant", why="for hydration: dry skin. Evidence C"),
    line("petrolatum", 20, "B", function="emollient", why="emollient of the O/W cream"),
    line("phenoxyethanol", 1, "C", function="preservative", why="part of the system"),
)
CREAM = Formula(
    name="Urea cream",
    vehicle="ow_cream",
    lines=LINES,
    ph=5.0,
    preservative_system="phenoxyethanol_ehg",
    container="airless_pump",
    proved_optimal=True,
    properties=(Property(key="cost", label="Cost", value="3 USD", uncertainty="assumed", source="prices"),),
    findings=(finding("note", "Urea"), finding("warn", "Water")),
    alternatives=(
        Alternative(vehicle="balm", lines=LINES[1:4], ph=None, benefit=1, gives_up="It gives up water."),
    ),
)


def test_composition_by_phase_with_function_reason_properties_findings_and_alternatives(terminal: Console) -> None:
    show_formula.formula(CREAM)
    text = terminal.export_text()
    assert max(len(each) for each in text.splitlines()) <= 80
    flat = " ".join(text.split())
    places = [
        flat.index(words)
        for words in (
            "The formula: Urea cream",
            "Phase A: water phase",
            "q.s. 64 % Water vehicle fills up to 100 %",
            "10 % Urea active for hydration: dry skin. Evidence B",
            "5 % Lactate humectant for hydration (as above). Evidence C",
            "Phase B: oil phase or base",
            "20 % Petrolatum emollient of the O/W cream",  # the function is not told twice
            "Phase C: added when cool",
            "pH 5.0 · preserved by: Phenoxyethanol with ethylhexylglycerin · container: opaque airless pump",
            "Estimated properties (none was measured)",
            "Cost: 3 USD assumed · prices",
            "▲ warn Water: too much of it. rule strength · can be lifted by: law · a page · from memory",
            "· note Urea: too much of it.",
            "Alternative 1: Anhydrous balm / oleogel It gives up water.",
        )
    ]
    assert places == sorted(places)


def test_reasons_stand_under_who_can_lift_them(terminal: Console) -> None:
    reasons = (
        Reason(rule="a", who="chemistry", message="Oil floats."),
        Reason(rule="b", who="patient preference", message="No smell wanted.", lift="allow a scent"),
        Reason(rule="c", who="chemistry", message="Salt curdles it."),
    )
    show_formula.formula(Impossible(reasons=reasons))
    text = terminal.export_text()
    assert [each.strip() for each in text.splitlines() if each.strip()] == [
        "No formula is possible. The smallest set of reasons:",
        "Can be lifted by: patient preference",
        "■ No smell wanted.",
        "nearest change: allow a scent",
        "Can be lifted by: chemistry",
        "■ Oil floats.",
        "■ Salt curdles it.",
    ]


def test_what_is_in_stands_before_what_is_not(terminal: Console) -> None:
    said = Explanation(
        inside=("Urea 10 %: for hydration.",),
        outside=("Zinc is not in, though it serves hydration: it is too dry.",),
    )
    show_formula.explanation(CREAM, said)
    flat = " ".join(terminal.export_text().split())
    assert "Why each ingredient is in • Urea 10 %: for hydration." in flat
    assert "Why the obvious others are not • Zinc is not in, though it serves hydration: it is too dry." in flat


def biflora(*words: str | Path, cwd: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIFLORA, *map(str, words)], cwd=cwd, input=typed, capture_output=True, text=True, timeout=120,
        env={**os.environ, "COLUMNS": "80"},
    )  # fmt: skip


def test_a_typed_formula_is_checked_from_standard_input(tmp_path: Path) -> None:
    asked = biflora("formula", "check", "-", cwd=tmp_path, typed=OINTMENT)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "standard input: which vehicle is it?" in asked.stderr
    done = biflora("formula", "check", "-", "--vehicle", "hydrocarbon_ointment", cwd=tmp_path, typed=OINTMENT)
    assert done.returncode == 0, done.stderr
    assert "q.s. 97 %" in done.stdout.replace("\N{NO-BREAK SPACE}", " ")
    assert max(map(len, done.stdout.splitlines())) <= 80
    typed = OINTMENT.replace("2 g", "60 g") + "Vehicle: hydrocarbon ointment"
    stopped = biflora("formula", "check", "-", "--json", cwd=tmp_path, typed=typed)
    assert stopped.returncode == 1
    stops = [each for each in json.loads(stopped.stdout) if each["level"] == "stop"]
    assert any(each["subject"] == "Salicylic acid" and each["source"] and each["who"] for each in stops)


def test_a_design_is_written_and_printed_alike_and_reads_the_stock(tmp_path: Path) -> None:
    needs = {"condition": "atopic_dermatitis", "age_years": 30, "vehicles": ["hydrocarbon_ointment"],
             "needs": [{"effect": "barrier_repair", "weight": 1, "confidence": 1}]}  # fmt: skip
    (tmp_path / "needs.json").write_text(json.dumps(needs))
    words = ("formula", "design", "needs.json", "--out", "best.json", "--json", "--alternatives", "0")
    done = biflora(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "best.json").read_text())
    checked = biflora("formula", "check", "best.json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    (tmp_path / "stock.csv").write_text("ingredient,lot,grams,expires,usd_per_gram\nZzq,1,5,2030-01-01,\n")
    refused = biflora(*words, "--stock", "stock.csv", cwd=tmp_path)
    assert (refused.returncode, "stock.csv: line 2: 'Zzq' is not an ingredient" in refused.stderr) == (2, True)
    nowhere = biflora("formula", "design", "needs.json", "--out", "no/such/best.json", cwd=tmp_path)
    assert (nowhere.returncode, "name another one with --out" in nowhere.stderr) == (2, True)
