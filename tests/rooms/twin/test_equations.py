"""The printed equations are the program's: read formulas give the compiled functions' numbers.

Witness: the compiled functions themselves; the reader goes by the text of the source, Numba by its bytecode.
"""

from __future__ import annotations

import ast
import math
from types import CodeType
from typing import Any

import numpy as np
import pytest

from biflora.twin import model
from biflora.twin import state as at
from biflora.twin.equations import equations_markdown, formula
from biflora.twin.observe import OBSERVED
from biflora.twin.population import Patients, at_first_visit
from biflora.twin.reading import lines, meaning, names_in


@pytest.fixture(scope="module")
def patients() -> Patients:
    return at_first_visit(20, 4)


def code(value: ast.expr) -> CodeType:
    """A formula as Python code: `y.barrier` is read from an object whose attributes are the keys."""
    return compile(ast.unparse(ast.fix_missing_locations(value)), "formula", "eval")


class Named:
    def __init__(self, keys: tuple[str, ...], values: Any) -> None:
        self.__dict__.update(zip(keys, map(float, values), strict=True))


def known(patient: int, patients: Patients, inputs: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "exp": math.exp, "log": math.log, "log10": math.log10, "min": min, "max": max,
        "y": Named(at.STATES, patients.states[patient]), "p": Named(at.RATES, patients.rates[patient]),
        "u": Named(at.INPUTS, inputs),
    }  # fmt: skip
    for name in ("logistic", "shifted"):
        what = meaning(name)
        found[name] = eval(f"lambda {', '.join(what.arguments)}: {ast.unparse(what.value)}", found)
    return found


def test_formulas_of_the_rates_give_what_the_compiled_rates_give(patients: Patients) -> None:
    inputs = np.array([0.7, 0.5, 1.0, 0.5, 1.0, 0.3, 0.4, 0.2, 0.6, 0.5, 0.4, 1.2, 1.0, 9.0])
    exact = np.empty(len(at.STATES))
    for i in range(len(patients)):
        model.rates(patients.states[i], patients.rates[i], inputs, exact)
        values, rate = known(i, patients, inputs), {}
        for line in lines("rates"):
            found = eval(code(line.value), values)
            if line.kind == "part":
                values[line.name] = found
            else:
                rate[line.name] = found
        assert [rate[key] for key in at.STATES] == pytest.approx(list(exact), rel=1e-12, abs=1e-14)


def test_formulas_of_what_is_seen_give_what_the_compiled_visit_sees(patients: Patients) -> None:
    exact = np.empty(len(OBSERVED), np.float32)
    for i in range(len(patients)):
        values = known(i, patients, np.zeros(len(at.INPUTS)))
        values["day"] = 20.0
        values["kept"] = eval(code(meaning("placebo_kept").value), values)
        assert values["kept"] == pytest.approx(model.placebo_kept(20.0, patients.rates[i]), rel=1e-14)
        model.see(patients.states[i], patients.rates[i], values["kept"], exact)
        seen = {}
        for line in lines("see"):
            found = eval(code(line.value), values)
            if line.kind == "part":
                values[line.name] = found
            else:
                seen[line.name] = found
        assert [seen[key] for key in OBSERVED] == pytest.approx(list(exact), rel=1e-6)


def test_the_page_shows_every_rate_of_change_and_every_observable() -> None:
    page = equations_markdown()
    assert all(f"`{symbol}′ = " in page for symbol in "ACSBIGDMFPLUY")
    assert all(f"`{key} = " in page for key in OBSERVED)
    assert "`virulence = logistic(n_q · (A − theta_q − b_q · (inhibition − 0.5)))`" in page  # read off model.py
    assert "`U′ = U · (r_U · supply − d_U · U)`" in page


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("a - (b - c)", "a − (b − c)"),
        ("a / (b * c)", "a / (b · c)"),
        ("a / b * c", "a / b · c"),
        ("(a + b) ** c", "(a + b)^c"),
        ("exp(-a)", "e^(−a)"),
        ("-(a + b)", "−(a + b)"),
        ("1.0 + (a if b >= 0.0 else c)", "1 + (a if b ≥ 0, else c)"),
    ],
)
def test_parentheses_stand_where_they_must(written: str, printed: str) -> None:
    assert formula(ast.parse(written, mode="eval").body) == printed


def test_names_of_functions_are_not_what_a_formula_feels() -> None:
    assert names_in(ast.parse("exp(a) + logistic(b)", mode="eval").body) == {"a", "b"}
