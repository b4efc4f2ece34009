"""Charts of what lives on the skin and in the gut, drawn by hand.

They are rows of bars and marks with words of their own; a chart grammar would need more lines to undo its axes
than to draw them, and would start its engine for a page that shows nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from biflora.papers.chart import Chart
from biflora.papers.tokens import SITE_TOKEN, var
from biflora.papers.wording import number, percent, share_interval
from biflora.profile.profile import GuildShare, Quantity, SiteProfile
from biflora.values import State

_WIDTH = 320
_NAMED = 8
_SHADES = (1.0, 0.84, 0.7, 0.58, 0.47, 0.37, 0.28, 0.2)
_BAR_TOP, _BAR = 18, 26
_ROW = 42
_TICKS = (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)
LOG_RATIO = "log10_s_aureus_to"
"""How the key of S. aureus against commensals begins."""


def composition(site: SiteProfile) -> Chart:
    """The site's guilds: a stacked bar of at most eight, then each guild's share, interval and reference range."""
    named = in_the_bar(site.guilds)
    numbers = {guild.guild: place for place, guild in enumerate(named, start=1)}
    listed = [*named, *(g for g in site.guilds if g.guild not in numbers)]
    colour = var(SITE_TOKEN[site.site])
    parts = [_stacked_bar(named, colour)]
    top = _BAR_TOP + _BAR + 20
    for place, guild in enumerate(listed):
        parts.append(_row(guild, top + place * _ROW, colour, numbers.get(guild.guild)))
    bottom = top + len(listed) * _ROW
    parts.append(_share_axis(bottom))
    drawing = f'<svg viewBox="0 0 {_WIDTH} {bottom + 26}">{"".join(parts)}</svg>'
    return Chart.make(
        f"composition-{site.site}",
        title=f"What lives {'on the skin' if site.site == 'skin' else 'in the gut'}",
        sentence=_says(site, named),
        drawing=drawing,
        columns=("Guild", "Share", "95 % interval (counting)", "Reference", "State"),
        rows=tuple(_table_row(guild) for guild in listed),
    )


def log_ratio(skin: SiteProfile, earlier: SiteProfile | None = None) -> list[Chart]:
    """Staphylococcus aureus against commensals on one axis, with an arrow from the earlier visit to this one.

    Empty when the profile has no such quantity.
    """
    now = log_ratio_of(skin)
    if now is None:
        return []
    before = log_ratio_of(earlier) if earlier is not None else None
    values = [v for q in (now, before) if q for v in (q.value, q.low, q.high) if v is not None]
    reach = max([2.0, *(math.ceil(abs(v)) for v in values)])
    return [
        Chart.make(
            f"log-ratio-{skin.site}",
            title=now.label,
            sentence=_ratio_says(now, before),
            drawing=_ratio_drawing(now, before, reach),
            columns=("Visit", now.unit or "log ratio", "95 % interval", "State"),
            rows=tuple(
                _ratio_row(word, quantity)
                for word, quantity in (("earlier", before), ("now", now))
                if quantity is not None
            ),
        )
    ]


def log_ratio_of(site: SiteProfile) -> Quantity | None:
    """The site's log-ratio of S. aureus to commensals, or None when it was never worked out."""
    return next((q for q in site.quantities if q.key.startswith(LOG_RATIO)), None)


def in_the_bar(guilds: Sequence[GuildShare]) -> list[GuildShare]:
    """At most eight measured guilds by share, none of which holds another's members: no read is drawn twice."""
    measured = [g for g in guilds if g.state is State.MEASURED and g.share is not None and g.share > 0]
    measured = [g for g in measured if not any(_holds(g, other) for other in measured)]
    measured = [g for place, g in enumerate(measured) if not any(_same(g, other) for other in measured[:place])]
    chosen: list[GuildShare] = []
    total = 0.0
    for guild in sorted(measured, key=lambda g: -(g.share or 0.0)):
        share = guild.share or 0.0
        if len(chosen) < _NAMED and total + share <= 1.0005:
            chosen.append(guild)
            total += share
    return chosen


def _holds(whole: GuildShare, part: GuildShare) -> bool:
    return bool(part.members_found) and set(part.members_found) < set(whole.members_found)


def _same(one: GuildShare, other: GuildShare) -> bool:
    """Both are the very same taxa here, as when every staphylococcus is a commensal: the first one is drawn."""
    return bool(one.members_found) and set(one.members_found) == set(other.members_found)


def _stacked_bar(named: Sequence[GuildShare], colour: str) -> str:
    x = 0.0
    parts = [f'<rect x="0" y="{_BAR_TOP}" width="{_WIDTH}" height="{_BAR}" fill="{var("rule")}"/>']
    for place, guild in enumerate(named):
        width = (guild.share or 0.0) * _WIDTH
        parts.append(
            f'<rect x="{x:.2f}" y="{_BAR_TOP}" width="{width:.2f}" height="{_BAR}" fill="{var("paper")}"/>'
            f'<rect x="{x:.2f}" y="{_BAR_TOP}" width="{max(width - 1, 0.4):.2f}" height="{_BAR}" fill="{colour}" '
            f'fill-opacity="{_SHADES[place]}"/>'
        )
        if width >= 11:
            parts.append(_text(x + width / 2, _BAR_TOP - 5, str(place + 1), anchor="middle", token="quiet"))
        x += width
    if _WIDTH - x >= 30:
        word = "rest" if named else "no guild could be named"
        parts.append(_text((x + _WIDTH) / 2, _BAR_TOP - 5, word, anchor="middle", token="quiet"))
    return "".join(parts)


def _row(guild: GuildShare, y: float, colour: str, place: int | None) -> str:
    value = _value_words(guild)
    label = _cut(f"{place}  {guild.label}" if place else guild.label, 48 - round(1.12 * len(value)))
    track = y + 24
    parts = [
        _text(0, y + 12, label),
        _text(_WIDTH, y + 12, value, anchor="end", weight=600),
        f'<line x1="0" x2="{_WIDTH}" y1="{track}" y2="{track}" stroke="{var("rule")}" stroke-width="1"/>',
    ]
    if guild.reference is not None:
        low, high = _x(guild.reference.low), _x(guild.reference.high)
        parts.append(
            f'<rect x="{low:.2f}" y="{track - 5}" width="{max(high - low, 1.5):.2f}" height="10" '
            f'fill="{var("quiet")}" fill-opacity="0.28"/>'
            f'<line x1="{_x(guild.reference.median):.2f}" x2="{_x(guild.reference.median):.2f}" '
            f'y1="{track - 5}" y2="{track + 5}" stroke="{var("quiet")}" stroke-width="1.5"/>'
        )
    parts.append(_mark(guild, track, colour))
    return "".join(parts)


def _mark(guild: GuildShare, y: float, colour: str) -> str:
    """A dot where measured; a triangle that points down at the limit when below it; a square; a cross."""
    ink = var("ink")
    match guild.state:
        case State.MEASURED:
            x = _x(guild.share or 0.0)
            line = ""
            if guild.low is not None and guild.high is not None:
                line = (
                    f'<line x1="{_x(guild.low):.2f}" x2="{_x(guild.high):.2f}" y1="{y}" y2="{y}" '
                    f'stroke="{colour}" stroke-width="3"/>'
                )
            return f'{line}<circle cx="{x:.2f}" cy="{y}" r="4.5" fill="{colour}"/>'
        case State.BELOW_DETECTION:
            x = max(_x(guild.detection_limit or 0.0), 6)
            return f'<path d="M{x - 5:.2f},{y - 5}h10l-5,9Z" fill="{var("paper")}" stroke="{ink}"/>'
        case State.NOT_RESOLVED:
            return (
                f'<rect x="1" y="{y - 5}" width="10" height="10" fill="{var("paper")}" stroke="{ink}" '
                f'stroke-width="1.5" stroke-dasharray="3 2"/>'
            )
        case _:
            return (
                f'<path d="M2,{y - 4}l8,8m0,-8l-8,8" fill="none" stroke="{ink}" stroke-width="1.5" '
                f'stroke-linecap="round"/>'
            )


def _share_axis(y: float) -> str:
    parts = []
    for tick in _TICKS:
        anchor = "start" if tick == 0 else "end" if tick == 1 else "middle"
        x = _x(tick)
        parts.append(
            f'<line x1="{x:.2f}" x2="{x:.2f}" y1="{y}" y2="{y + 5}" stroke="{var("quiet")}"/>'
            + _text(x, y + 18, f"{number(100 * tick)} %" if tick == 1 else number(100 * tick), anchor, "quiet")
        )
    line = f'<line x1="0" x2="{_WIDTH}" y1="{y}" y2="{y}" stroke="{var("quiet")}"/>'
    return line + "".join(parts)


def _says(site: SiteProfile, named: Sequence[GuildShare]) -> str:
    where = "skin" if site.site == "skin" else "gut"
    parts = []
    if named:
        first = named[0]
        parts.append(f"Largest guild on this {where} sample: {first.label}, {_value_words(first)}.")
    parts.extend(outside_in_words(site.guilds))
    for state in (State.BELOW_DETECTION, State.NOT_RESOLVED, State.NOT_MEASURED):
        labels = [g.label for g in site.guilds if g.state is state]
        if labels:
            parts.append(f"{state.value[0].upper()}{state.value[1:]}: {', '.join(labels)}.")
    parts.append("Dot and line: share and 95 % interval from counting; root scale.")
    bands = {g.reference.limits for g in site.guilds if g.reference is not None}
    if bands:
        what = "the middle half of the reference's persons" if bands == {"IQR"} else "reference range"
        parts.append(f"Grey band: {what}.")
    if any(g.reference is None and g.state in (State.MEASURED, State.BELOW_DETECTION) for g in site.guilds):
        parts.append("No band: no reference was measured in the same way.")
    return " ".join(parts)


def outside_in_words(guilds: Sequence[GuildShare]) -> list[str]:
    """Which guilds lie above or below the band of their reference, in one sentence a side.

    Half of the reference's own persons lie outside a band that is its middle half, so it is called that.
    """
    found: dict[str, list[str]] = {}
    for guild in guilds:
        if guild.reference is None or guild.share is None or not stands_out(guild):
            continue
        side = "Above" if guild.share > guild.reference.high else "Below"
        what = "the middle half" if guild.reference.limits == "IQR" else f"the {guild.reference.limits} range"
        mark = ", to be read with caution" if guild.reference.mismatch else ""
        found.setdefault(f"{side} {what} of the reference's persons{mark}", []).append(guild.label)
    return [f"{where}: {', '.join(labels)}." for where, labels in found.items()]


def stands_out(guild: GuildShare) -> bool:
    """True when the share lies outside the reference limits."""
    reference = guild.reference
    if reference is None or guild.share is None or guild.state is not State.MEASURED:
        return False
    return not reference.low <= guild.share <= reference.high


def share_beside(share: float, low: float | None, high: float | None) -> str:
    """A share with as many digits as the interval that stands beside it."""
    if low is None or high is None:
        return percent(share)
    return percent(share, len(share_interval(low, high).split(" ")[0].partition(".")[2]))


def _value_words(guild: GuildShare) -> str:
    if guild.state is State.MEASURED and guild.share is not None:
        value = share_beside(guild.share, guild.low, guild.high)
        if guild.low is not None and guild.high is not None:
            return f"{value} ({share_interval(guild.low, guild.high).removesuffix(' %')})"
        return value
    if guild.state is State.BELOW_DETECTION and guild.detection_limit:
        return f"{guild.state.value} (< {percent(guild.detection_limit)})"
    return guild.state.value


def _cut(label: str, letters: int) -> str:
    """The label cut to what fits beside its value; the table has it whole."""
    return label if len(label) <= letters else label[: letters - 1].rstrip() + "…"


def _table_row(guild: GuildShare) -> tuple[str, ...]:
    reference = "no reference"
    if guild.reference is not None:
        r = guild.reference
        reference = f"{share_interval(r.low, r.high)} ({r.limits}, n = {r.n}, {r.cohort})"
        if r.mismatch:
            reference += f"; differs in {', '.join(r.mismatch)}"
    return (
        guild.label,
        share_beside(guild.share, guild.low, guild.high)
        if guild.state is State.MEASURED and guild.share is not None
        else DASHED,
        share_interval(guild.low, guild.high) if guild.low is not None and guild.high is not None else DASHED,
        reference,
        _state_words(guild),
    )


DASHED = "–"


def _state_words(guild: GuildShare) -> str:
    if guild.state is State.MEASURED:
        return "measured, outside the range" if stands_out(guild) else "measured"
    return _value_words(guild)


def _ratio_drawing(now: Quantity, before: Quantity | None, reach: float) -> str:
    def x(value: float) -> float:
        return 10 + (value + reach) / (2 * reach) * (_WIDTH - 20)

    y, colour = 44, var("skin")
    parts = [
        f'<rect x="{x(-reach):.2f}" y="{y - 7}" width="{x(0) - x(-reach):.2f}" height="14" '
        f'fill="{var("quiet")}" fill-opacity="0.16"/>',
        f'<line x1="{x(-reach):.2f}" x2="{x(reach):.2f}" y1="{y}" y2="{y}" stroke="{var("rule")}"/>',
        f'<line x1="{x(0):.2f}" x2="{x(0):.2f}" y1="{y - 12}" y2="{y + 12}" stroke="{var("ink")}"/>',
        _text(x(-reach), 14, "more commensals", "start", "quiet"),
        _text(x(reach), 14, "more S. aureus", "end", "quiet"),
    ]
    step = 1 if reach <= 4 else 2
    for tick in range(-int(reach), int(reach) + 1, step):
        parts.append(_text(x(tick), y + 30, number(tick), "middle", "quiet"))
    if before is not None and before.value is not None:
        parts.append(
            f'<circle cx="{x(before.value):.2f}" cy="{y}" r="4.5" fill="{var("paper")}" stroke="{colour}" '
            f'stroke-width="2"/>'
        )
        if now.value is not None and abs(x(now.value) - x(before.value)) > 14:
            way = 1 if now.value > before.value else -1
            tip = x(now.value) - way * 7
            head = f"m{-way * 5},-4l{way * 5},4l{-way * 5},4"
            parts.append(
                f'<path d="M{x(before.value) + way * 6:.2f},{y - 12}H{tip:.2f}{head}" '
                f'fill="none" stroke="{colour}" stroke-width="1.5"/>'
            )
    if now.value is not None and now.state is State.MEASURED:
        left = -reach if now.bound == "at most" else now.low
        right = reach if now.bound == "at least" else now.high
        if left is not None and right is not None:
            parts.append(
                f'<line x1="{x(left):.2f}" x2="{x(right):.2f}" y1="{y}" y2="{y}" stroke="{colour}" '
                f'stroke-width="3"/>'
            )
        if not now.bound:
            parts.append(f'<circle cx="{x(now.value):.2f}" cy="{y}" r="5" fill="{colour}"/>')
    else:
        parts.append(_text(_WIDTH / 2, y - 14, now.state.value, "middle", weight=600))
    return f'<svg viewBox="0 0 {_WIDTH} 82">{"".join(parts)}</svg>'


def _ratio_says(now: Quantity, before: Quantity | None) -> str:
    if now.value is None or now.state is not State.MEASURED:
        return f"{now.state.value[0].upper()}{now.state.value[1:]}. {now.note}".strip()
    text = f"{value_or_limit(now)} {now.unit}".strip()
    if now.low is not None and now.high is not None:
        text += f" (95 % interval {number(now.low, 2)} to {number(now.high, 2)})"
    text += "; above zero there is more S. aureus than commensals."
    if before is not None and before.value is not None:
        text += f" At the earlier visit {number(before.value, 2)}."
    return text


def value_or_limit(quantity: Quantity, digits: int = 2) -> str:
    """The value, or `at most` or `at least` its limit where only that is known."""
    limit = {"at most": quantity.high, "at least": quantity.low}.get(quantity.bound, quantity.value)
    return f"{quantity.bound} {number(limit or 0.0, digits)}".strip()


def _ratio_row(word: str, quantity: Quantity) -> tuple[str, ...]:
    spread = DASHED
    if quantity.low is not None and quantity.high is not None:
        spread = f"{number(quantity.low, 2)} to {number(quantity.high, 2)}"
    value = DASHED if quantity.value is None else value_or_limit(quantity)
    return (word, value, spread, quantity.state.value)


def _x(share: float) -> float:
    """Place of a share on the root scale, with half a dot of margin at both ends."""
    return 6 + math.sqrt(min(max(share, 0.0), 1.0)) * (_WIDTH - 12)


def _text(
    x: float, y: float, text: str, anchor: str = "start", token: str = "ink", weight: int = 400, size: int = 12
) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{var(token)}" xml:space="preserve">{escape(text, quote=False)}</text>'
    )
