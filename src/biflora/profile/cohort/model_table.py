"""What a cohort model answers: one row for each outcome and term, with error, degrees of freedom and status."""

from __future__ import annotations

import csv
import io
import math
from enum import StrEnum

from biflora.values import Value


class FitStatus(StrEnum):
    """How a fit ended. Only the first two carry numbers."""

    FITTED = "fitted"
    BOUNDARY = "a variance was estimated as zero"
    """With one random intercept the model is then an ordinary regression."""
    NOT_ESTIMABLE = "cannot be estimated"
    """The outcome does not vary, or leaves no residual."""
    NOT_CONVERGED = "did not converge"


class ModelRow(Value):
    """One estimate of one model: None where the status says that there is no number."""

    outcome: str
    term: str
    estimate: float | None
    standard_error: float | None
    degrees_of_freedom: float | None
    """None where the interval comes from the likelihood, not from a t distribution."""
    low: float | None
    high: float | None
    p: float | None
    p_adjusted: float | None = None
    samples: int
    subjects: int
    """Equal to `samples` where each sample is a person of its own."""
    status: FitStatus


class ModelTable(Value):
    """Rows of one analysis with what was modelled and what the reader must know."""

    title: str
    formula: str
    unit: str
    """Of the estimates, e.g. `log2 ratio`."""
    level: float
    """Coverage of `low` to `high`, e.g. 0.95."""
    adjustment: str
    """How `p_adjusted` was made, e.g. `Benjamini-Hochberg over 180 taxa, each term apart`."""
    rows: tuple[ModelRow, ...]
    left_out: tuple[str, ...] = ()
    """Samples without a value in the formula's columns."""
    notes: tuple[str, ...] = ()

    def row(self, outcome: str, term: str) -> ModelRow:
        """The row of this outcome and term. Raises KeyError when the table has none."""
        for row in self.rows:
            if row.outcome == outcome and row.term == term:
                return row
        raise KeyError((outcome, term))

    def to_csv(self) -> str:
        """The rows as CSV text with a header; empty cells where there is no number."""
        out = io.StringIO()
        names = list(ModelRow.model_fields)
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for row in self.rows:
            cells = (getattr(row, name) for name in names)
            writer.writerow(["" if cell is None else str(cell) for cell in cells])
        return out.getvalue()


def finite(number: float) -> float | None:
    """The number, or None where it is NaN or infinite."""
    number = float(number)
    return number if math.isfinite(number) else None
