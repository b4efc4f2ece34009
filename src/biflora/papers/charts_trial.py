"""Chart of a trial: published figures beside what was predicted before they were seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from biflora.papers.chart import Chart
from biflora.papers.tokens import LIGHT
from biflora.papers.vega import draw
from biflora.papers.wording import digits_for, interval, number
from biflora.trial.evidence import Comparison, Evidence

_WIDTH = 300
_ROW = 52


def trial_comparison(evidence: Evidence) -> list[Chart]:
    """One chart for each unit among the comparisons: predicted intervals, the published value as diamond."""
    units = list(dict.fromkeys(c.unit for c in evidence.comparisons))
    return [
        _chart(place, unit, [c for c in evidence.comparisons if c.unit == unit])
        for place, unit in enumerate(units, 1)
    ]


def _chart(place: int, unit: str, rows: Sequence[Comparison]) -> Chart:
    low = min(min(c.predicted.q2_5, c.published) for c in rows)
    high = max(max(c.predicted.q97_5, c.published) for c in rows)
    air = (high - low) * 0.06 or 1.0
    ratio = unit.endswith("fold") and low > 0
    scale = (low / 1.3, high * 1.3) if ratio else (low - air, high + air)
    digits = digits_for(high - low)
    inside = sum(c.predicted.q2_5 <= c.published <= c.predicted.q97_5 for c in rows)
    return Chart.make(
        f"published-{place}",
        title=f"Published beside predicted, {unit}",
        sentence=(
            f"{inside} of {len(rows)} published figures lie inside the 95 % interval that was predicted without "
            "them. Bar: 80 %, line: 95 %, tick: median; diamond: published."
            + (" Logarithmic scale." if ratio else "")
        ),
        drawing=draw(_spec(rows, unit, scale, ratio=ratio)),
        columns=("Figure", f"Published ({unit})", "Predicted", "95 % interval", "Tail probability", "Reading"),
        rows=tuple(
            (
                c.figure,
                number(c.published, digits),
                number(c.predicted.median, digits),
                interval(c.predicted.q2_5, c.predicted.q97_5, digits),
                number(c.surprise, 3),
                c.reading,
            )
            for c in rows
        ),
    )


def _spec(rows: Sequence[Comparison], unit: str, scale: tuple[float, float], *, ratio: bool) -> dict[str, Any]:
    """Vega-Lite specification; `ratio`: fold changes, on a logarithmic scale."""
    kind = {"type": "log"} if ratio else {"zero": False}
    decades = {"values": [10.0**power for power in range(-3, 7)]} if ratio else {"tickCount": 5}
    values = [
        {
            "row": i,
            "figure": _short(c.figure),
            "published": c.published,
            "left": scale[0],
            **c.predicted.model_dump(),
        }
        for i, c in enumerate(rows)
    ]
    y = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}

    def x(field: str) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": list(scale), "nice": False, **kind},
            "axis": {"title": unit, "grid": True, **decades},
        }

    def rule(left: str, right: str, width: float, opacity: float = 1) -> dict[str, Any]:
        return {
            "mark": {
                "type": "rule",
                "color": LIGHT["both"],
                "strokeWidth": width,
                "opacity": opacity,
                "yOffset": 10,
            },
            "encoding": {"y": y, "x": x(left), "x2": {"field": right}},
        }

    return {
        "width": _WIDTH,
        "height": {"step": _ROW},
        "data": {"values": values},
        "layer": [
            rule("q2_5", "q97_5", 1.5),
            rule("q10", "q90", 8, 0.45),
            {
                "mark": {"type": "tick", "color": LIGHT["both"], "thickness": 2.5, "size": 18, "yOffset": 10},
                "encoding": {"y": y, "x": x("median")},
            },
            {
                "mark": {
                    "type": "point",
                    "shape": "diamond",
                    "filled": True,
                    "color": LIGHT["ink"],
                    "size": 110,
                    "opacity": 1,
                    "yOffset": 10,
                },
                "encoding": {"y": y, "x": x("published")},
            },
            {
                "mark": {"type": "text", "align": "left", "baseline": "middle", "dy": -10, "dx": 2},
                "encoding": {"y": y, "x": x("left"), "text": {"field": "figure"}},
            },
        ],
    }


def _short(text: str) -> str:
    """The figure's name cut to what fits above its bar; the table has it whole."""
    return text if len(text) <= 46 else text[:45].rstrip() + "…"
