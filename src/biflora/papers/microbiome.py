"""The printed profile of one or two samples: a self-contained HTML file, and the same on A4."""

from __future__ import annotations

from datetime import datetime

from biflora.papers.microbiome_content import MicrobiomeContent


def microbiome_html(content: MicrobiomeContent) -> str:
    """One HTML file that asks nothing of the network: styles and drawings inside, no script."""
    from base64 import b64encode

    from markupsafe import Markup

    from biflora.papers.report import asset, templates

    mark = asset("mark.svg").replace('role="img" aria-label="biflora"', 'class="mark" aria-hidden="true"')
    return (
        templates()
        .get_template("microbiome.html")
        .render(
            c=content,
            css=Markup(asset("biflora.css")),
            mark=Markup(mark),
            favicon="data:image/svg+xml;base64," + b64encode(asset("favicon.svg").encode()).decode(),
        )
    )


def microbiome_pdf(content: MicrobiomeContent, *, made_at: datetime) -> bytes:
    """The same on A4 as PDF; equal input gives equal bytes."""
    from biflora.papers.report_print import print_microbiome

    return print_microbiome(content, made_at=made_at)
