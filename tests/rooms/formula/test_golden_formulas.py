"""Published and made-up formulas (tests/golden/formulas) give exactly the stops and warnings that are expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from formula_cases import formula_of, needs_of

from biflora.formula.check import check_formula

GOLDEN = sorted((Path(__file__).resolve().parents[2] / "golden" / "formulas").glob("*.yaml"))
FIELDS = {
    "name", "composition_from", "read", "known", "vehicle", "ph", "preservative_system", "rinse_off", "container",
    "lines", "needs", "expect", "disagrees",
}  # fmt: skip


def page(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_formula(path: Path) -> None:
    case = page(path)
    assert set(case) <= FIELDS, "a field of the case is misspelt"
    found = check_formula(formula_of(case), needs_of(case))
    for level in ("stop", "warn"):
        assert sorted({each.rule for each in found if each.level == level}) == sorted(case["expect"][level]), level


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_good_formula_passes_or_the_disagreement_is_explained(path: Path) -> None:
    case = page(path)
    assert case["read"] in ("page_read", "abstract_read", "secondary", "memory", "made_up")
    if case["read"] in ("page_read", "abstract_read"):
        assert "http" in case["composition_from"], "cite the page that was read"
    stopped = bool(case["expect"]["stop"])
    if case["known"] == "good":
        assert stopped == ("disagrees" in case)
    else:
        assert case["known"] == "bad"
        assert stopped
        assert "disagrees" not in case


def test_there_are_enough_of_both_kinds() -> None:
    known = [page(path)["known"] for path in GOLDEN]
    assert known.count("good") >= 20
    assert known.count("bad") >= 15
