"""Estimated properties of a formula, designed or typed by a person, each with how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from biflora.formula.formula import Formula, Property
from biflora.formula.jar import Jar, Portion
from biflora.formula.keeping import (
    DRUGS,
    cells_at_first,
    cells_left,
    celsius,
    days_alive,
    days_to_least_share,
    features_needed,
    jar_of,
    live_portions,
    live_storage_of,
    rate_of,
    storage_of,
    suitable_containers,
    water_activity,
)
from biflora.knowledge.checking import checker_limit, checker_limits
from biflora.knowledge.keeping import (
    FEATURES,
    container_kinds,
    gel_strengths,
    storage_temperatures,
    viscosity_classes,
)
from biflora.knowledge.pharmacy import site_limits
from biflora.plan.plan import Needs

USD_DIGITS = 2


def properties_of(formula: Formula, needs: Needs | None = None) -> tuple[Property, ...]:
    """What can be said of a formula before it is made; empty for a vehicle that this release does not know."""
    jar = jar_of(formula, needs)
    if jar is None:
        return ()
    return (
        *_ph(jar),
        _water_activity(jar),
        *_hlb(jar),
        *_free_acid(jar),
        _consistency(jar),
        *_horizon(jar),
        *_live(jar),
        _beyond_use(jar),
        _container(jar),
        *_burdens(jar),
        _cost(jar),
        _number(jar),
    )


def undissociated_percent(ph: float, pka: float) -> float:
    """Undissociated part of a weak acid, percent (Henderson-Hasselbalch)."""
    return 100 / (1 + 10 ** (ph - pka))


def weighted_mean(amounts_ppm: Mapping[str, float], values: Mapping[str, float]) -> float | None:
    """Amount-weighted mean of `values`; None when nothing with a value is in."""
    total = sum(amounts_ppm[key] for key in values)
    return sum(amounts_ppm[key] * value for key, value in values.items()) / total if total else None


def _ph(jar: Jar) -> Iterator[Property]:
    if jar.formula.ph is None:
        return
    low = max((p for p in jar.portions if p.row.ph_min is not None), key=lambda p: p.row.ph_min or 0, default=None)
    high = min(
        (p for p in jar.portions if p.row.ph_max is not None), key=lambda p: p.row.ph_max or 14, default=None
    )
    window = ""
    if low is not None and high is not None:
        window = f"; the ingredients allow {low.row.ph_min:g} ({low.name}) to {high.row.ph_max:g} ({high.name})"
    yield Property(
        key="ph_window",
        label="pH",
        value=f"{jar.formula.ph:.1f}{window}",
        uncertainty="target; adjust with the buffer and check with a calibrated meter, within 0.2",
        source="pH windows of knowledge's ingredients",
    )


def _water_activity(jar: Jar) -> Property:
    about, limit = water_activity(jar), checker_limit("water_activity_limit")
    side = f"{limit:.2f} or more: aqueous" if about.likely >= limit else f"below {limit:.2f}: nonaqueous"
    value = f"about {about.likely:.2f} ({about.low:.2f} to {about.high:.2f}), {side}"
    if jar.water_percent > 0:
        how, source = "estimated from what is dissolved, not measured", "Ross's product of Norrish's equation"
    else:
        how, source = (
            "what such a form usually has; nothing was added up",
            "notes of knowledge's vehicles (memory)",
        )
    return Property(
        key="water_activity",
        label="Water activity",
        value=value,
        uncertainty=f"{how}; oils and gels ignored; measure it where it decides the date",
        source=source,
    )


def _hlb(jar: Jar) -> Iterator[Property]:
    if not jar.vehicle.kind.startswith("emulsion"):
        return
    amounts = {p.row.key: p.percent for p in jar.portions}
    top = checker_limit("hlb_ionic_above")
    emulsifiers = {p.row.key: p.row.hlb for p in jar.of_class("emulsifier") if p.row.hlb is not None}
    blend = weighted_mean(amounts, {key: hlb for key, hlb in emulsifiers.items() if hlb <= top})
    oils = {p.row.key: p.row.required_hlb for p in jar.portions if p.row.phase == "O"}
    required = weighted_mean(amounts, {key: hlb for key, hlb in oils.items() if hlb is not None})
    if blend is None:
        return
    if jar.vehicle.kind == "emulsion_wo":
        low, high = jar.vehicle.emulsifier_hlb_min, jar.vehicle.emulsifier_hlb_max
        yield Property(
            key="hlb",
            label="HLB of the emulsifiers",
            value=f"{blend:.1f}; water in oil takes {low:g} to {high:g}",
            uncertainty="about 1 either way; HLB is a guide, a trial batch decides",
            source="Griffin's method on knowledge's HLB values",
        )
        return
    if required is None:
        return
    yield Property(
        key="hlb",
        label="HLB of the emulsifiers / required by the oils",
        value=f"{blend:.1f} / {required:.1f}",
        uncertainty="about 1 either way; HLB is a guide, a trial batch decides",
        source="Griffin's method on knowledge's HLB values",
    )


def _free_acid(jar: Jar) -> Iterator[Property]:
    """Free acid = strength x undissociated part x share of water."""
    ph, water = jar.formula.ph, jar.water_percent / 100
    if ph is None:
        return
    said = []
    for portion in jar.of_class("preservative"):
        if portion.row.pka is not None:
            part = undissociated_percent(ph, portion.row.pka)
            said.append(f"{portion.name} {part:.0f} %, {portion.percent * part / 100 * water:.3f} % w/w free")
    if said:
        yield Property(
            key="free_preservative_acid",
            label="Undissociated part of the preservative acids",
            value="; ".join(said),
            uncertainty="computed from pKa, target pH and the share of water; binding by emulsifiers lowers it, "
            "salts are counted by their own weight",
            source="Henderson-Hasselbalch",
        )


def _consistency(jar: Jar) -> Property:
    vehicle = jar.vehicle
    name = vehicle.viscosity or vehicle.dosage_form
    value = name
    body = next(
        (
            (portion, row)
            for row in gel_strengths().values()
            if vehicle.kind in row.vehicle_kinds and row.gelling in vehicle.gelling
            for portion in jar.portions
            if portion.row.key == row.gelling
        ),
        None,
    )
    if body is not None:
        portion, row = body
        third = _third(portion.percent, row.low_percent, row.high_percent, ("soft", "medium", "firm"))
        value = f"{third} {name}: {portion.percent:g} % {portion.name}"
        value += f", usual {row.low_percent:g} to {row.high_percent:g} %"
    elif vehicle.kind.startswith("emulsion"):
        third = _third(
            jar.oil_percent, vehicle.oil_min_percent, vehicle.oil_max_percent, ("light", "medium", "rich")
        )
        value = f"{third} {name}: {jar.oil_percent:g} % oil phase"
    order = viscosity_classes().get(name)
    if order is not None:
        value += f"; of the order of {order.low_mpa_s:,.0f} to {order.high_mpa_s:,.0f} mPa s"
    return Property(
        key="viscosity",
        label="Consistency",
        value=value,
        uncertainty="by the class of the vehicle and what builds it, not measured; make a trial batch",
        source="knowledge's gel strengths and viscosity classes (memory, assumed)",
    )


def _third(value: float, low: float, high: float, words: tuple[str, str, str]) -> str:
    place = (value - low) / (high - low) if high > low else 0.0
    return words[0] if place < 1 / 3 else words[1] if place < 2 / 3 else words[2]


def _horizon(jar: Jar) -> Iterator[Property]:
    """The active that falls below 90 % first, at the label's storage."""
    known, unknown = [], []
    storage = storage_of(jar)
    where = "room" if storage is None else storage.where
    for portion in jar.portions:
        rate = rate_of(portion, jar)
        if rate is not None and portion.row.klass != "antioxidant":
            known.append((days_to_least_share(rate, celsius(where)), portion, rate))
        elif rate is None and portion.row.klass in DRUGS:
            unknown.append(portion.name)
    missing = f"; no rate is known here for {', '.join(unknown)}" if unknown else ""
    least = f"{100 * checker_limit('potency_least_share'):.0f} %"
    if known:
        days, portion, rate = min(known, key=lambda each: each[0].likely)
        place = storage_temperatures()[where].label
        if days.latest is None:
            when = f"not before day {days.soonest:.0f} at {place}, no loss was shown"
        else:
            when = f"after about {days.likely:.0f} days at {place} ({days.soonest:.0f} to {days.latest:.0f})"
        yield Property(
            key="stability_horizon",
            label=f"First active below {least}",
            value=f"{portion.name}, {when}{missing}",
            uncertainty=f"first-order loss, {rate.basis}, {rate.verification}; not measured in this formula",
            source=rate.source,
        )
    elif unknown:
        yield Property(
            key="stability_horizon",
            label=f"First active below {least}",
            value=f"not known{missing}",
            uncertainty="no rate of loss was found; the default date rests on the rule alone",
            source="knowledge's stability rates",
        )


def _live(jar: Jar) -> Iterator[Property]:
    for portion in live_portions(jar):
        storage = live_storage_of(jar)
        left = cells_left(portion, jar, celsius(storage.where), storage.days or 0)
        alive = days_alive(portion, jar, celsius(storage.where))
        yield Property(
            key=f"live_{portion.row.key}",
            label=f"Live cells of {portion.name} per gram",
            value=(
                f"10^{cells_at_first(portion):.1f} at first, 10^{left.likely:.1f} (10^{max(left.low, 0.0):.1f} to "
                f"10^{left.high:.1f}) after {storage.days} days at {celsius(storage.where):g} °C; "
                f"enough for about {alive.likely:.0f} ({alive.low:.0f} to {alive.high:.0f}) days"
            ),
            uncertainty="the start is assumed; death by temperature and water activity; count before use",
            source=f"{checker_limits()['live_start_log10'].source}; knowledge's live decay",
        )


def _beyond_use(jar: Jar) -> Property:
    storage = storage_of(jar)
    value, source = "set by the pharmacist", "no rule found"
    if storage is not None:
        rule = storage.rule
        room = (
            "not at room temperature" if rule.room_days is None else f"{rule.room_days} days at room temperature"
        )
        fridge = "" if rule.fridge_days is None else f", {rule.fridge_days} days refrigerated"
        value, source = f"{room}{fridge}", f"{rule.chapter}: {rule.category} ({rule.source}, {rule.verification})"
    return Property(
        key="stability",
        label="Default beyond-use limit",
        value=value,
        uncertainty="the default of the rule, not a stability study of this formula",
        source=source,
    )


def _container(jar: Jar) -> Property:
    wanted = features_needed(jar)
    fit = ", ".join(kind.label for kind in suitable_containers(jar.formula)) or "none of this release"
    chosen = container_kinds().get(jar.formula.container or "")
    words = " and ".join(FEATURES[feature] for feature in wanted)
    demand = f"one that {words}" if wanted else "no special protection needed"
    return Property(
        key="container",
        label="Container",
        value=f"{chosen.label}; wanted: {demand}" if chosen is not None else f"{demand}: {fit}",
        uncertainty="features of kinds, not of one maker's container; what is wanted is partly remembered",
        source="knowledge's container kinds and protection needs",
    )


def _burdens(jar: Jar) -> Iterator[Property]:
    limits = [limit for limit in site_limits().values() if limit.site in jar.sites]
    points = sum(p.irritancy for p in jar.portions)
    sensitising = [p.name for p in jar.portions if p.row.allergen_groups]
    most = min((limit.max_irritancy for limit in limits), default=None)
    yield Property(
        key="irritancy",
        label="Irritancy sum",
        value=f"{points}" if most is None else f"{points} of {most} that the site tolerates",
        uncertainty="ranks of 0 to 5 per ingredient, assumed; they add up only roughly",
        source="knowledge's ingredients and site limits (assumed)",
    )
    allowed = min((limit.max_sensitisers for limit in limits), default=None)
    names = f" ({', '.join(sensitising)})" if sensitising else ""
    yield Property(
        key="sensitisers",
        label="Ingredients of contact-allergen groups",
        value=f"{len(sensitising)}{'' if allowed is None else f' of {allowed} that the site is to get'}{names}",
        uncertainty="a count, not a risk; groups recalled, limits assumed",
        source="knowledge's allergens and site limits",
    )


def _cost(jar: Jar) -> Property:
    """Materials for 100 g: lots at what the pharmacy pays, the rest at the assumed price with its interval."""
    told = assumed = 0.0
    for portion in jar.portions:
        price = _lot_price(portion, jar)
        if price is None:
            assumed += portion.percent * portion.row.usd_per_gram
        else:
            told += portion.percent * price
    factor = checker_limit("price_factor")
    cost = [f"{told + part:.{USD_DIGITS}f}" for part in (assumed, assumed / factor, assumed * factor)]
    paid = f"; {told:.{USD_DIGITS}f} USD of it at the prices of the lots" if told > 0 else ""
    return Property(
        key="cost",
        label="Material cost per 100 g",
        value=f"about {cost[0]} USD ({cost[1]} to {cost[2]}){paid}",
        uncertainty=f"where no lot has a price, an assumed bulk price, a factor of {factor:g} either way",
        source="lots of the pharmacy; prices in knowledge's ingredients table (assumed)",
    )


def _lot_price(portion: Portion, jar: Jar) -> float | None:
    """USD per gram of the dearest lot with a price; None where none is told."""
    lots = () if jar.needs is None or jar.needs.stock is None else jar.needs.stock
    prices = [
        lot.usd_per_gram for lot in lots if lot.ingredient == portion.row.key and lot.usd_per_gram is not None
    ]
    return max(prices, default=None)


def _number(jar: Jar) -> Property:
    actives = len(jar.actives())
    return Property(
        key="ingredients",
        label="Number of ingredients",
        value=f"{len(jar.portions)}, of which {actives} beyond the vehicle",
        uncertainty="counted",
        source="the lines of the formula",
    )
