"""The printed profile of one or two samples: a self-contained HTML file, and the same on A4."""

from __future__ import annotations

from datetime import datetime

from biflora.papers.microbiome_content import MicrobiomeContent


def microbiome_html(content: MicrobiomeContent) -> str:
    """One HTML file that asks nothing of the network: styles and drawings inside, no script."""
    from biflora.papers.report import render

    return render("microbiome.html", content)


def microbiome_pdf(content: MicrobiomeContent, *, made_at: datetime) -> bytes:
    """The same on A4 as PDF; equal input gives equal bytes."""
    from biflora.papers.report_print import print_microbiome

    return print_microbiome(content, made_at=made_at)
