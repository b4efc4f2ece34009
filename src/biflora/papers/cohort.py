"""The report on a cohort: a self-contained HTML file, and the same on A4."""

from __future__ import annotations

from datetime import datetime

from biflora.papers.cohort_content import CohortContent


def cohort_html(content: CohortContent) -> str:
    """One HTML file that asks nothing of the network: styles and drawings inside, no script."""
    from biflora.papers.report import render

    return render("cohort.html", content)


def cohort_pdf(content: CohortContent, *, made_at: datetime) -> bytes:
    """The same on A4 as PDF; equal input gives equal bytes."""
    from biflora.papers.report_print import print_cohort

    return print_cohort(content, made_at=made_at)
