"""The report on one consultation: a self-contained HTML file, and the same on A4."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from biflora.followup.track_record import TrackRecord
from biflora.formula.formula import Formula, Impossible
from biflora.papers.report_content import report_content
from biflora.papers.wording import is_doubtful, prose, verification_words
from biflora.plan.considered import Decided
from biflora.plan.plan import Plan
from biflora.plan.products import Shelf
from biflora.profile.profile import Profile
from biflora.twin.forecast import Forecast

if TYPE_CHECKING:
    from jinja2 import Environment

_PAPERS = resources.files("biflora.papers")


def report_html(
    profile: Profile,
    forecast: Forecast,
    plan: Plan,
    formula: Formula | Impossible | None,
    *,
    made_at: datetime,
    record: TrackRecord | None = None,
    shelf: Shelf | None = None,
    decided: Decided | None = None,
) -> str:
    """One HTML file that asks nothing of the network: styles and drawings inside, no script.

    `record`: how earlier forecasts of this patient did; None before any visit.
    `shelf`: the clinic's oral products; `decided`: what the clinician decided, with the answers to red flags.
    """
    content = report_content(
        profile, forecast, plan, formula, made_at=made_at, record=record, shelf=shelf, decided=decided
    )
    return render("report.html", content)


def render(template: str, content: object) -> str:
    """A paper's HTML template with its content, style, mark and icon inside."""
    from markupsafe import Markup

    mark = asset("mark.svg").replace('role="img" aria-label="biflora"', 'class="mark" aria-hidden="true"')
    return (
        templates()
        .get_template(template)
        .render(
            c=content,
            css=Markup(asset("biflora.css")),
            mark=Markup(mark),
            favicon="data:image/svg+xml;base64," + b64encode(asset("favicon.svg").encode()).decode(),
        )
    )


def report_pdf(
    profile: Profile,
    forecast: Forecast,
    plan: Plan,
    formula: Formula | Impossible | None,
    *,
    made_at: datetime,
    record: TrackRecord | None = None,
    shelf: Shelf | None = None,
    decided: Decided | None = None,
) -> bytes:
    """The same on A4 as PDF; equal input gives equal bytes."""
    from biflora.papers.report_print import print_report

    content = report_content(
        profile, forecast, plan, formula, made_at=made_at, record=record, shelf=shelf, decided=decided
    )
    return print_report(content, made_at=made_at)


@cache
def asset(name: str) -> str:
    """Text of a file in `papers/assets`."""
    return (_PAPERS / "assets" / name).read_text(encoding="utf-8")


@cache
def template_text(name: str) -> str:
    """Text of a file in `papers/templates`."""
    return (_PAPERS / "templates" / name).read_text(encoding="utf-8")


@cache
def templates() -> Environment:
    """The papers' HTML templates; every value is escaped, an unknown name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("biflora.papers", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["verification_words"] = verification_words
    environment.filters["prose"] = prose
    environment.filters["figure"] = lambda chart: Markup(chart.html())
    environment.tests["doubtful"] = is_doubtful
    return environment
