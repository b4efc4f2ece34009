"""Charts of a cohort: where samples lie, diversity by group, what differs, and a quantity against a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from biflora.papers.chart import Chart
from biflora.papers.tokens import LIGHT
from biflora.papers.vega import draw
from biflora.papers.wording import DASH, number

COLOURS = ("care", "gut", "skin", "both", "ok", "warn", "stop", "ink")
"""One hue for each group, in order; arms of the four-arm trial keep theirs."""
SHAPES = (
    "circle",
    "triangle-up",
    "square",
    "diamond",
    "cross",
    "triangle-down",
    "triangle-right",
    "triangle-left",
)
"""A shape besides the hue, so that colour alone never tells a group."""
ARM_ORDER = {"standard_care": 0, "oral": 1, "topical": 2, "combination": 3, "both": 3}
MOST_GROUPS = len(COLOURS)
FOREST_ROWS = 24


def groups_of(values: Sequence[str]) -> list[str]:
    """The groups in the order in which they are drawn: the trial's arms in theirs, others by name."""
    found = sorted({value or "not told" for value in values})
    return sorted(found, key=lambda group: ARM_ORDER.get(group.lower().replace(" ", "_"), len(ARM_ORDER)))


def _scale(groups: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    domain = list(groups)
    colour = {"domain": domain, "range": [LIGHT[COLOURS[i % MOST_GROUPS]] for i in range(len(domain))]}
    shape = {"domain": domain, "range": [SHAPES[i % MOST_GROUPS] for i in range(len(domain))]}
    return colour, shape


def _marks(groups: Sequence[str], title: str) -> dict[str, Any]:
    colour, shape = _scale(groups)
    legend = {
        "title": title,
        "orient": "bottom",
        "labelFontSize": 13,
        "titleFontSize": 13,
        "columns": 2,
        "labelColor": LIGHT["ink"],
        "titleColor": LIGHT["quiet"],
    }
    return {
        "color": {"field": "group", "type": "nominal", "scale": colour, "legend": legend},
        "shape": {"field": "group", "type": "nominal", "scale": shape, "legend": legend},
    }


def ordination(
    first: Sequence[float], second: Sequence[float], groups: Sequence[str], *, explained: tuple[float, float],
    distance: str, by: str,
) -> Chart:  # fmt: skip
    """Samples on the first two principal coordinates, one mark for each group."""
    named = [group or "not told" for group in groups]
    order = groups_of(named)
    values: list[dict[str, Any]] = [
        {"x": x, "y": y, "group": g} for x, y, g in zip(first, second, named, strict=True)
    ]
    axes = [f"Axis {place} ({number(100 * part)} %)" for place, part in enumerate(explained, start=1)]
    spec = {
        "width": 300, "height": 280, "data": {"values": values},
        "mark": {"type": "point", "filled": True, "size": 46, "opacity": 0.75},
        "encoding": {"x": _q("x", axes[0]), "y": _q("y", axes[1], up=True), **_marks(order, by)},
    }  # fmt: skip
    rows = tuple(
        (
            group,
            str(named.count(group)),
            number(_mean([v["x"] for v in values if v["group"] == group]), 3),
            number(_mean([v["y"] for v in values if v["group"] == group]), 3),
        )
        for group in order
    )
    return Chart.make(
        "ordination",
        title=f"Samples by {distance}",
        sentence=f"Each mark is one sample; near marks are alike ({distance}). The two axes hold "
        f"{number(100 * sum(explained))} % of the variation; what they leave out can still differ.",
        drawing=draw(spec), columns=(by, "Samples", axes[0], axes[1]), rows=rows,
    )  # fmt: skip


def by_group(key: str, title: str, unit: str, values: Sequence[float], groups: Sequence[str], by: str) -> Chart:
    """One dot for each sample, the median as a tick, by group; samples without a value are left out."""
    import math

    kept = [(v, g or "not told") for v, g in zip(values, groups, strict=True) if not math.isnan(v)]
    order = groups_of([g for _, g in kept])
    spread = [
        {"value": v, "group": g, "jitter": ((place * 0.618034) % 1) - 0.5} for place, (v, g) in enumerate(kept)
    ]
    x = {"field": "group", "type": "nominal", "sort": order, "axis": {"title": by, "labelAngle": 0}}
    colour, _ = _scale(order)
    marks = {"field": "group", "type": "nominal", "scale": colour, "legend": None}
    spec = {
        "width": {"step": max(60, 300 // max(len(order), 1))}, "height": 220, "data": {"values": spread},
        "layer": [
            {"mark": {"type": "circle", "size": 28, "opacity": 0.55},
             "encoding": {"x": x, "xOffset": {"field": "jitter", "type": "quantitative"},
                          "y": _q("value", unit or title, up=True), "color": marks}},
            {"mark": {"type": "tick", "thickness": 2.5, "size": 34, "color": LIGHT["ink"]},
             "encoding": {"x": x, "y": {"aggregate": "median", **_q("value", unit or title, up=True)}}},
        ],
    }  # fmt: skip
    rows = tuple(
        (group, str(len(mine)), *(number(_quantile(mine, p), 2) for p in (0.5, 0.25, 0.75)))
        for group in order
        if (mine := sorted(v for v, g in kept if g == group))
    )
    return Chart.make(
        f"by-group-{key}",
        title=title,
        sentence=f"{title} by {by}: each dot a sample, the tick the median of samples (not of persons).",
        drawing=draw(spec), columns=(by, "Samples", "Median", "Lower quartile", "Upper quartile"), rows=rows,
    )  # fmt: skip


def forest(
    key: str, title: str, unit: str, rows: Sequence[tuple[str, float, float, float, float, str]]
) -> list[Chart]:
    """Estimates with 95 % intervals: (name, estimate, low, high, adjusted p, remark); the smallest p first.

    Empty without rows; at most 24 are drawn, all stand in the table.
    """
    if not rows:
        return []
    ordered = sorted(rows, key=lambda row: (row[4], -abs(row[1])))
    drawn = ordered[:FOREST_ROWS]
    values = [
        {"row": i, "name": r[0] if len(r[0]) <= 44 else r[0][:43] + "…", "estimate": r[1], "low": r[2],
         "high": r[3], "left": min(min(d[2] for d in drawn), 0.0)}
        for i, r in enumerate(drawn)
    ]  # fmt: skip
    y = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}
    spec = {
        "width": 300, "height": {"step": 34}, "data": {"values": values},
        "layer": [
            {"mark": {"type": "rule", "color": LIGHT["quiet"]}, "encoding": {"x": {"datum": 0}}},
            {"mark": {"type": "rule", "color": LIGHT["both"], "strokeWidth": 2, "yOffset": 7},
             "encoding": {"y": y, "x": _q("low", unit), "x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "color": LIGHT["both"], "size": 60, "yOffset": 7,
                      "opacity": 1},
             "encoding": {"y": y, "x": _q("estimate", unit)}},
            {"mark": {"type": "text", "align": "left", "baseline": "middle", "dy": -6},
             "encoding": {"y": y, "x": _q("left", unit), "text": {"field": "name"}}},
        ],
    }  # fmt: skip
    found = sum(r[4] < 0.05 for r in rows)
    more = f" The {len(drawn)} with the smallest p are drawn." if len(rows) > len(drawn) else ""
    return [
        Chart.make(
            f"forest-{key}",
            title=title,
            sentence=f"{found} of {len(rows)} differ at an adjusted p below 0.05. Dot: estimate; line: 95 % "
            f"interval of the single estimate.{more}",
            drawing=draw(spec),
            columns=("Taxon", unit, "95 % interval", "Adjusted p", "Remark"),
            rows=tuple(
                (r[0], number(r[1], 2), f"{number(r[2], 2)} to {number(r[3], 2)}", p_words(r[4]), r[5] or DASH)
                for r in ordered
            ),
        )
    ]


def scatter(
    key: str, title: str, x_title: str, y_title: str, x: Sequence[float], y: Sequence[float],
    groups: Sequence[str], by: str, sentence: str,
) -> Chart:  # fmt: skip
    """One quantity against another, one mark for each sample that has both."""
    kept = [(a, b, g or "not told") for a, b, g in zip(x, y, groups, strict=True) if a == a and b == b]
    order = groups_of([g for *_, g in kept])
    spec = {
        "width": 300, "height": 240, "data": {"values": [{"x": a, "y": b, "group": g} for a, b, g in kept]},
        "mark": {"type": "point", "filled": True, "size": 46, "opacity": 0.75},
        "encoding": {"x": _q("x", x_title), "y": _q("y", y_title, up=True), **_marks(order, by)},
    }  # fmt: skip
    rows = tuple((g, str(sum(k[2] == g for k in kept))) for g in order)
    return Chart.make(
        f"scatter-{key}", title=title, sentence=sentence, drawing=draw(spec), columns=(by, "Samples"), rows=rows
    )


def p_words(p: float) -> str:
    """A p value as papers write it."""
    return "< 0.001" if p < 0.001 else number(p, 3)


def _q(field: str, title: str, *, up: bool = False) -> dict[str, Any]:
    """A quantitative axis; `up`: the vertical one, whose numbers need room."""
    axis: dict[str, Any] = {"title": title, "tickCount": 5}
    room = {"minExtent": 40, "maxExtent": 60} if up else {}
    return {"field": field, "type": "quantitative", "axis": axis | room, "scale": {"zero": False}}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
