"""Vega-Lite specifications drawn to SVG on this machine, without a browser and without a request.

Used where axes, ticks and line-end labels must find their place by themselves (fans, differences, comparisons).
Measured on two shared cores: the first drawing of a process costs 0.7 s (the engine starts), each further one
0.04-0.06 s; about 100 MB stay resident. The specifications are plain Vega-Lite; a test reads them with Altair,
whose import (0.5 s) a running page would pay for nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from biflora.errors import OperatorMust
from biflora.papers.tokens import LIGHT, SCREEN_FONT, with_variables

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH = 320
"""Every drawing is at least so wide, so that panels side by side have one scale and no label is cut."""
PLOT_WIDTH = 226

_NOISE = re.compile(r'\s(?:role|aria-[a-z]+|xmlns(?::xlink)?|version|class|pointer-events)="[^"]*"')
_VIEW_BOX = re.compile(r'width="[0-9.]+" height="[0-9.]+" viewBox="0 0 ([0-9.]+) ([0-9.]+)"')
_BACKGROUND = re.compile(r'<rect [^>]*fill="transparent"[^>]*/>')
_EMPTY_BACKGROUND = re.compile(
    r'<path(?:\s[a-z-]+="[^"]*")*?\sd="M0,0h0v0h0Z"[^>]*></path>|<path d=""[^>]*></path>'
)


def draw(spec: Mapping[str, Any]) -> str:
    """SVG of the specification, its colours as CSS variables. Raises OperatorMust when vl-convert is missing."""
    return _drawn(json.dumps(complete(spec), sort_keys=True))


@lru_cache(maxsize=64)
def _drawn(spec: str) -> str:
    """Kept a while: the same consultation is drawn for the screen and for paper."""
    try:
        import vl_convert
    except ImportError:
        raise OperatorMust("charts need the package vl-convert-python: install it, then try again.") from None
    svg: str = vl_convert.vegalite_to_svg(spec)
    svg = _NOISE.sub("", svg).replace(f'font-family="{SCREEN_FONT}"', "")
    svg = _VIEW_BOX.sub(lambda box: f'viewBox="0 0 {max(WIDTH, float(box[1])):g} {box[2]}"', svg, count=1)
    svg = _BACKGROUND.sub("", svg)
    return with_variables(_EMPTY_BACKGROUND.sub("", svg))


def complete(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The specification with schema and the house's look."""
    return {"$schema": SCHEMA, "background": "transparent", "padding": 4, "config": LOOK, **spec}


LOOK: dict[str, Any] = {
    "font": SCREEN_FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": LIGHT["quiet"],
        "titleColor": LIGHT["quiet"],
        "labelFontSize": 13,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "gridColor": LIGHT["rule"],
        "domainColor": LIGHT["quiet"],
        "tickColor": LIGHT["quiet"],
        "tickSize": 4,
        "labelPadding": 4,
    },
    "axisY": {"minExtent": 30, "maxExtent": 30},
    "text": {"color": LIGHT["ink"], "fontSize": 13},
    "title": {
        "color": LIGHT["ink"],
        "fontSize": 15,
        "subtitleFontSize": 13,
        "fontWeight": 600,
        "anchor": "start",
        "offset": 8,
    },
}
