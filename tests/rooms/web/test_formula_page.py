"""The formula on the patient's page: margins, five alternatives, and reasons grouped by who can lift them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from bench_clinic import CREAM, Visitor, clinic

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "papers"))
import sample_formula

import pharmacy_sample
from biflora.formula.formula import Alternative, Formula, Impossible
from biflora.web.app import create_app


@pytest.fixture
def section(tmp_path: Path) -> Iterator[Any]:
    opened = []

    def shown(formula: Formula | Impossible) -> str:
        app = create_app(clinic(tmp_path, formula), tmp_path)
        opened.append(app)
        html = Visitor(app, "clinician").http.get("/clinic/patients/demo-001").text
        return str(html[html.index('id="formula-title"') : html.index('id="done-title"')])

    yield shown
    for app in opened:
        app.state.clinic.store.close()


def with_alternatives(count: int, **changes: Any) -> Formula:
    """The cream; alternative n has n tenths of a percent more glycerin, so n tenths less water."""
    cream = pharmacy_sample.cream(CREAM)
    others = []
    for place in range(1, count + 1):
        more = {"glycerin": 1_000 * place, "purified_water": -1_000 * place}
        lines = tuple(x.model_copy(update={"ppm": x.ppm + more.get(x.ingredient, 0)}) for x in cream.lines)
        others.append(
            Alternative(
                vehicle="ow_cream", lines=lines, ph=5.2, benefit=1 - place / 10, gives_up=f"clause {place}"
            )
        )
    return pharmacy_sample.cream(
        CREAM, alternatives=tuple(others), benefit=1.0, bound=1.25, proved_optimal=False, **changes
    )


def rows_of(table: str) -> dict[str, list[tuple[bool, str]]]:
    """Cells of each row, and whether each is bold."""
    return {
        name: [("changed" in bold, text) for bold, text in re.findall(r'<td class="number([^"]*)">([^<]*)<', rest)]
        for name, rest in re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', table, re.DOTALL)
    }


def test_five_alternatives_are_columns_and_only_what_differs_is_bold(section: Any) -> None:
    html = section(with_alternatives(5))
    table = html[html.index('<table class="alternatives">') : html.index("</table>", html.index("alternatives"))]
    assert re.findall(r'<th scope="col" class="number">([^<]+)', table) == [
        "This formula", "Alternative 1", "Alternative 2", "Alternative 3", "Alternative 4", "Alternative 5",
    ]  # fmt: skip
    rows = rows_of(html[html.index('<table class="alternatives">') :])
    # Glycerin 7 %, then 0.1 % more in each; water 64.8 %, then 0.1 % less.
    assert rows["Glycerin"] == [
        (False, "7.00"), (True, "7.10"), (True, "7.20"), (True, "7.30"), (True, "7.40"), (True, "7.50"),
    ]  # fmt: skip
    assert rows["Purified water"][5] == (True, "64.30")
    assert rows["Petrolatum"] == [(False, "15.00")] * 6
    assert rows["Vehicle"] == [(False, "O/W cream")] * 6
    for place in range(1, 6):
        assert f"<strong>Alternative {place}</strong> gives up: clause {place}." in html


def test_the_proof_says_what_was_not_proved(section: Any) -> None:
    html = section(with_alternatives(1))
    assert "The best found in the time allowed (1.00 benefit points); none can be above 1.25" in html


def test_a_finding_stands_in_the_margin_with_rule_source_and_who_can_lift_it(section: Any) -> None:
    # Niacinamide at 25 % is above the 5 % of its row: the checker's finding stands in its line.
    parts = {**CREAM, "niacinamide": (25.0, "A")}
    html = section(pharmacy_sample.cream(parts))  # type: ignore[arg-type]
    line = re.search(r'<th scope="row">Niacinamide.*?</tr>', html, re.DOTALL)
    assert line is not None
    margin = line[0][line[0].index('class="margin"') :]
    assert '<span class="status stop">Stop</span> <strong>Within its range of use.</strong>' in margin
    assert "Who can lift it: evidence." in margin
    assert re.search(r"\((source read|from memory, source not read|assumed|[a-z ]+)\)", margin)


def test_grams_are_those_of_the_batch(section: Any) -> None:
    html = section(pharmacy_sample.cream(CREAM))
    batch = re.search(r"g in (\d+) g</th>", html)
    glycerin = re.search(r'>Glycerin.*?data-label="Grams">([\d.]+)<', html, re.DOTALL)
    assert batch is not None
    assert glycerin is not None
    assert float(glycerin[1]) == pytest.approx(0.07 * float(batch[1]))


def test_reasons_are_grouped_by_who_can_lift_them_with_the_nearest_change(section: Any) -> None:
    html = section(sample_formula.impossible())
    patient, chemistry = (
        html.index("Can be lifted by: patient preference"),
        html.index("Can be lifted by: chemistry"),
    )
    assert patient < html.index("Only an aqueous gel is wanted.") < chemistry
    assert "<strong>Nearest change:</strong> Allow an oil-in-water cream." in html
    assert 'href="/clinic/patients/demo-001/bench"' in html


def test_why_this_formula_and_not_another(tmp_path: Path) -> None:
    """Barrier repair alone is wanted; what would serve it as well as petrolatum and is not in is named."""
    app = create_app(clinic(tmp_path), tmp_path)
    try:
        visitor = Visitor(app, "clinician")
        html = visitor.http.get("/clinic/patients/demo-001/why").text
        assert "Why each ingredient is in" in html
        assert "Glycerin 7 %" in html
        assert "is not in, though it serves barrier repair" in html
        assert visitor.http.get("/clinic/patients/nobody/why").status_code >= 400
        entries = [entry.what for entry in app.state.clinic.store.audit_entries()]
        assert "explanation read" in entries
    finally:
        app.state.clinic.store.close()
