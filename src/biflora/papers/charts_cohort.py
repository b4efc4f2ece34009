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
FOREST_LISTED = 40


def groups_of(values: Sequence[str]) -> list[str]:
    """The groups in the order in which they are drawn: the trial's arms in theirs, others by name."""
    found = sorted({value or "not told" for value in values})
    return sorted(found, key=lambda group: ARM_ORDER.get(group.lower().replace(" ", "_"), len(ARM_ORDER)))


def _scale(groups: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    domain = list(groups)
    colour = {"domain": domain, "range": [LIGHT[COLOURS[i % MOST_GROUPS]] for i in range(len(domain))]}
    # the ninth group takes the first hue with the second shape, so that no two marks are alike up to 64 groups
    shape = {"domain": domain, "range": [SHAPES[(i + i // MOST_GROUPS) % MOST_GROUPS] for i in range(len(domain))]}
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
    crowded = len(order) > 4 or max(len(group) for group in order) > 14
    axis = {"title": by, "labelAngle": -40 if crowded else 0, "labelLimit": 130}
    x = {"field": "group", "type": "nominal", "sort": order, "axis": axis}
    colour, _ = _scale(order)
    marks = {"field": "group", "type": "nominal", "scale": colour, "legend": None}
    spec = {
        "width": {"step": max(14, 300 // max(len(order), 1))}, "height": 220, "data": {"values": spread},
        "layer": [
            {"mark": {"type": "circle", "size": 28, "opacity": 0.55},
             "encoding": {"x": x, "xOffset": {"field": "jitter", "type": "quantitative"},
                          "y": _q("value", unit or title, up=True), "color": marks}},
            {"mark": {"type": "tick", "thickness": 2.5, "size": 34 if len(order) <= 6 else 12,
                      "color": LIGHT["ink"]},
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
        sentence=f"By {by}: each dot a sample, the tick the median of samples (not of persons).",
        drawing=draw(spec), columns=(by, "Samples", "Median", "Lower quartile", "Upper quartile"), rows=rows,
    )  # fmt: skip


def over_visits(
    key: str, title: str, unit: str, values: Sequence[float], groups: Sequence[str], visits: Sequence[str],
    by: str, time: str,
) -> Chart:  # fmt: skip
    """The median of each group at each visit as a line, one dot for each sample behind it."""
    kept = [(v, g or "not told", t) for v, g, t in zip(values, groups, visits, strict=True) if v == v and t]
    order, times = groups_of([g for _, g, _ in kept]), in_order([t for *_, t in kept])
    points = [
        {"value": v, "group": g, "visit": t, "jitter": ((place * 0.618034) % 1) - 0.5}
        for place, (v, g, t) in enumerate(kept)
    ]
    medians = [
        {"median": _quantile(sorted(mine), 0.5), "group": g, "visit": t, "samples": len(mine),
         "low": _quantile(sorted(mine), 0.25), "high": _quantile(sorted(mine), 0.75)}
        for g in order for t in times if (mine := [v for v, a, b in kept if (a, b) == (g, t)])
    ]  # fmt: skip
    x = {"field": "visit", "type": "ordinal", "sort": times, "axis": {"title": time, "labelAngle": 0}}
    jitter = {"field": "jitter", "type": "quantitative", "scale": {"domain": [-1.5, 1.5]}}
    marks = _marks(order, by)
    spec = {
        "width": {"step": max(24, 300 // max(len(times), 1))}, "height": 220,
        "layer": [
            {"data": {"values": points},
             "mark": {"type": "circle", "size": 18, "opacity": 0.3},
             "encoding": {"x": x, "xOffset": jitter, "y": _q("value", unit or title, up=True),
                          "color": marks["color"]}},
            {"data": {"values": medians}, "mark": {"type": "line", "strokeWidth": 2.5},
             "encoding": {"x": x, "y": _q("median", unit or title, up=True), "color": marks["color"]}},
            {"data": {"values": medians}, "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
             "encoding": {"x": x, "y": _q("median", unit or title, up=True), **marks}},
        ],
    }  # fmt: skip
    return Chart.make(
        f"over-visits-{key}", title=title, drawing=draw(spec),
        sentence=f"By {by} over {time}: small dots are samples, marks and lines the medians.",
        columns=(by, time, "Samples", "Median", "Lower quartile", "Upper quartile"),
        rows=tuple(
            (str(m["group"]), str(m["visit"]), str(m["samples"]), number(float(str(m["median"])), 2),
             number(float(str(m["low"])), 2), number(float(str(m["high"])), 2))
            for m in medians
        ),
    )  # fmt: skip


def in_order(texts: Sequence[str]) -> list[str]:
    """Distinct visits as numbers where all are, else by name."""
    found = set(texts)
    try:
        return sorted(found, key=float)
    except ValueError:
        return sorted(found)


def forest(
    key: str, title: str, unit: str, rows: Sequence[tuple[str, float, float, float, float, str]]
) -> list[Chart]:
    """Estimates with 95 % intervals: (name, estimate, low, high, adjusted p, remark); the smallest p first.

    `rows` are all that were tested. Empty without rows; at most 24 are drawn and 40 listed.
    """
    if not rows:
        return []
    ordered = sorted(rows, key=lambda row: (row[4], -abs(row[1])))
    drawn = ordered[:FOREST_ROWS]
    values = [{"row": i, "name": _shortened(r[0]), "estimate": r[1], "low": r[2], "high": r[3]}
              for i, r in enumerate(drawn)]  # fmt: skip
    names = ", ".join(f"'{value['name']}'" for value in values)
    y = {
        "field": "row", "type": "ordinal",
        "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 190, "labelFontSize": 13,
                 "labelExpr": f"[{names}][datum.value]", "minExtent": 120},
    }  # fmt: skip
    spec = {
        "width": 250, "height": {"step": 22}, "data": {"values": values},
        "layer": [
            {"mark": {"type": "rule", "color": LIGHT["quiet"]}, "encoding": {"x": {"datum": 0}}},
            {"mark": {"type": "rule", "color": LIGHT["both"], "strokeWidth": 2},
             "encoding": {"y": y, "x": _q("low", unit), "x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "color": LIGHT["both"], "size": 60, "opacity": 1},
             "encoding": {"y": y, "x": _q("estimate", unit)}},
        ],
    }  # fmt: skip
    found = sum(r[4] <= 0.05 for r in rows)
    robust = sum(r[5].startswith("robust") for r in rows)
    listed = min(len(rows), FOREST_LISTED)
    more = (
        f" The {len(drawn)} with the smallest p are drawn, {listed} listed; all stand in the table of taxa."
        if len(rows) > len(drawn)
        else ""
    )
    return [
        Chart.make(
            f"forest-{key}",
            title=title,
            sentence=f"{found} of {len(rows)} taxa differ at 5 % false discoveries, {robust} of them whatever "
            f"fills the zeros. Dot: estimate; line: 95 % interval of the single estimate.{more}",
            drawing=draw(spec),
            columns=("Taxon", unit, "95 % interval", "Adjusted p", "Remark"),
            rows=tuple(
                (r[0], number(r[1], 2), f"{number(r[2], 2)} to {number(r[3], 2)}", p_words(r[4]), r[5] or DASH)
                for r in ordered[:FOREST_LISTED]
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


def _shortened(name: str) -> str:
    """A taxon's name for an axis, without what would end a quoted text."""
    plain = name.replace("'", "").replace("\\", "")
    if len(plain) <= 28:
        return plain
    return f"{plain[:12]}…{plain[-14:]}"  # a sequence or a strain differs at its ends


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _quantile(ordered: Sequence[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
