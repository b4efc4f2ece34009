"""The formula's sheet: grams of any batch, rules by name, each finding told once."""

from __future__ import annotations

import sys
from pathlib import Path

import pypdfium2
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import sample
import sample_formula

from biflora.knowledge.formula_rules import formula_rules
from biflora.knowledge.pharmacy import incompatibilities, strength_limits
from biflora.papers.report import report_html, report_pdf
from biflora.papers.sheet import decimals, formula_sheet, rule_label
from biflora.values import Finding, Who


def found(rule: str, subject: str) -> Finding:
    return Finding(level="warn", rule=rule, subject=subject, message=f"{rule} of {subject}", who=Who.CHEMISTRY)


def test_grams_of_a_batch_of_240_g() -> None:
    # 240 g x 7 % = 16.8 g of glycerol; the sum is the batch.
    sheet = formula_sheet(sample_formula.formula(), batch_g=240)
    grams = {line.name: line.grams for phase in sheet.phases for line in phase.lines}
    assert grams["Glycerol"] == "16.80"
    assert (sheet.batch_g, sheet.total_grams, sheet.total_percent) == ("240", "240.00", "100.00")
    assert sum(map(float, grams.values())) == pytest.approx(240)


@pytest.mark.parametrize(
    ("value", "written"), [(4, "4.00"), (0.05, "0.05"), (0.0125, "0.0125"), (123.288, "123.288"), (0, "0.00")]
)
def test_no_more_digits_than_a_number_has(value: float, written: str) -> None:
    assert decimals(value) == written


def test_a_finding_of_two_lines_is_told_once_at_the_first() -> None:
    both, none = found("pair", "niacinamide, phenoxyethanol"), found("whole", "O/W cream")
    sheet = formula_sheet(sample_formula.formula(findings=(both, none)), new=(none,))
    beside = [(line.name, f.rule) for phase in sheet.phases for line in phase.lines for f in line.findings]
    assert beside == [("Niacinamide", "pair")]
    assert [(f.rule, f.is_new) for f in sheet.other_findings] == [("whole", True)]


def test_every_rule_has_a_name_for_people() -> None:
    for key, row in formula_rules().items():
        assert rule_label(key) == row.label
    for key in (*strength_limits(), *incompatibilities()):
        assert "_" not in rule_label(key)
    assert rule_label("made_up_rule") == "Made up rule"


def test_paper_and_screen_carry_rule_who_and_five_alternatives() -> None:
    one = sample_formula.formula().alternatives[0]
    five = tuple(one.model_copy(update={"gives_up": f"clause {place}"}) for place in range(1, 6))
    formula = sample_formula.formula(alternatives=five, findings=(found("ph_window", "niacinamide"),))
    values = (sample.profile(), sample.forecast(), sample.plan(), formula)
    pdf = pypdfium2.PdfDocument(report_pdf(*values, made_at=sample.MADE_AT))
    paper = " ".join(" ".join(pdf[i].get_textpage().get_text_range() for i in range(len(pdf))).split())
    html = " ".join(report_html(*values, made_at=sample.MADE_AT).split())
    for words in (
        rule_label("ph_window"),
        "Who can lift it: chemistry",
        "Alternative 5",
        "clause 5",
        "not chosen yet",
    ):
        assert words in paper, words
        assert words in html, words
