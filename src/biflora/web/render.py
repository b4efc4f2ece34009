"""Templates: every value is escaped, a missing one is an error, numbers are written as in the papers."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from biflora import __version__
from biflora.knowledge.checking import conditions
from biflora.knowledge.rows import release
from biflora.papers import pharmacy_words, wording
from biflora.papers.chart import Chart
from biflora.papers.wording import is_doubtful, verification_words
from biflora.twin.forecast import ARM_LABELS
from biflora.web.security import VISIT_COOKIE, current_user, form_token, set_cookie

_STYLE_ELEMENT = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL)
_OWN_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>', re.IGNORECASE)
_INLINE_STYLE = re.compile(r'\sstyle="[^"]*"')

NAVIGATION = {
    "clinician": (("/clinic", "Worklist"), ("/clinic/new", "New patient"), ("/clinic/bench", "Bench")),
    "pharmacist": (("/pharmacy", "Queue"), ("/pharmacy/bench", "Bench")),
    "patient": (("/me", "My plan"), ("/me/check-in", "Check-in")),
    "researcher": (
        ("/research", "Cohort"),
        ("/research/evidence", "Evidence"),
        ("/research/knowledge", "Knowledge"),
    ),
}


def condition(key: str) -> str:
    """A condition's name inside a sentence."""
    row = conditions().get(key)
    return row.label[0].lower() + row.label[1:] if row else wording.words(key)


def without_styles(html: str) -> str:
    """The same with the stylesheet linked: the content policy allows no style written into a page.

    A page that was made to stand alone carries its own, narrower policy; ours takes its place.
    """
    linked = _STYLE_ELEMENT.sub('<link rel="stylesheet" href="/static/biflora.css">', _OWN_POLICY.sub("", html))
    return _INLINE_STYLE.sub("", linked)


def figure(chart: Chart, *, show_title: bool = True) -> Markup:
    """The chart as a figure."""
    return Markup(without_styles(chart.html(show_title=show_title)))


@cache
def environment() -> Environment:
    env = Environment(
        # parts that a page shares with a paper stand among the papers' templates
        loader=ChoiceLoader([PackageLoader("biflora.web"), PackageLoader("biflora.papers", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "number": wording.number,
        "signed": wording.signed,
        "band": wording.band,
        "percent": wording.percent,
        "chance": wording.chance,
        "words": wording.words,
        "day": pharmacy_words.day,
        "minute": pharmacy_words.minute,
        "prose": wording.prose,
        "mark": verification_words,
        "verification_words": verification_words,
        "condition": condition,
        "figure": figure,
        "grams": lambda value: wording.number(value, 3 if value < 1 else 2),
        "short": lambda value: f"{value:g}".replace("-", wording.MINUS),
    }
    env.tests["doubtful"] = is_doubtful
    env.globals |= {"figure": figure, "arm_labels": ARM_LABELS, "version": __version__, "release": release()}
    return env


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Render `template` with what every page needs: who is logged in, the form token, the navigation."""
    user = current_user(request)
    token = form_token(request)
    html = (
        environment()
        .get_template(template)
        .render(
            user=user,
            form_token=token,
            navigation=NAVIGATION[user.role.value] if user else (),
            path=request.url.path,
            **context,
        )
    )
    response = HTMLResponse(html, status_code=status)
    visit = getattr(request.state, "visit", "")
    if visit:
        set_cookie(response, request, VISIT_COOKIE, visit)
    return response
