"""The compounding worksheet: what to weigh, in which order, with which tolerance, and what to sign."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from biflora.dispensary.batch import Lot, Worksheet, WorksheetLine
from biflora.dispensary.beyond_use import beyond_use_date
from biflora.dispensary.trituration import trituration_for
from biflora.errors import PharmacistMust
from biflora.formula.formula import MILLION, Formula, Line
from biflora.knowledge.dispensing import dispensing_setting, making_steps
from biflora.knowledge.pharmacy import ingredients, vehicles
from biflora.knowledge.rows import release
from biflora.prescription.prescription import Signed
from biflora.prescription.signing import verify
from biflora.values import Finding, Who

PHASES = {"A": 0, "B": 1, "C": 2}
CHECKS = (
    "Identity, lot and expiry of every component read back by a second person",
    "Weights within tolerance",
    "pH measured and within 0.3 of the target (forms with water)",
    "Appearance even, no lumps, no separation after 10 minutes",
    "Yield within 90-110 % of the batch",
    "Label, beyond-use date and container read back against the prescription",
)
DILUENTS = ("solvent", "humectant", "emollient")
POWDERS = ("conventional_drug", "keratolytic", "hair")


def make_worksheet(
    signed: Signed, *, made_on: date, batch_g: float | None = None, lots: Sequence[Lot] = ()
) -> Worksheet:
    """The worksheet for one batch of `batch_g` grams (by default the prescribed quantity plus the overage).

    Raises NotAllowed when the prescription was changed after signing, PharmacistMust when it is not valid on
    that day, the batch is smaller than the prescribed quantity, no beyond-use rule fits or a lot has expired.
    """
    verify(signed)
    draft, formula = signed.draft, signed.draft.formula
    if not draft.written_on <= made_on <= draft.expires_on:
        raise PharmacistMust(
            f"The prescription holds from {draft.written_on} to {draft.expires_on}; ask for another."
        )
    overage = dispensing_setting("overage_percent")
    batch = round(draft.quantity_g * (1 + overage.value / 100), 1) if batch_g is None else batch_g
    if not draft.quantity_g <= batch < math.inf:
        raise PharmacistMust(
            f"The batch must hold the prescribed {draft.quantity_g:g} g at least; make it larger."
        )
    by_ingredient = {lot.ingredient: lot for lot in sorted(lots, key=lambda lot: lot.expires_on, reverse=True)}
    ordered = sorted(formula.lines, key=lambda line: (PHASES[line.phase], line.quantum_satis, -line.ppm))
    lines = tuple(_line(line, batch, by_ingredient) for line in ordered if line.ppm > 0)
    return Worksheet.make(
        "sheet",
        release=release(),
        parents=(signed.id,),
        prescription_id=signed.id,
        batch_g=batch,
        lines=lines,
        steps=(_weighing_step(draft.quantity_g, batch, lines), *_steps(formula)),
        checks=CHECKS,
        made_on=made_on,
        beyond_use=beyond_use_date(formula, made_on, lots),
        findings=_findings(lines, batch),
    )


def weighable(grams: float) -> float:
    """The ideal mass rounded to what the balance can show."""
    resolution = dispensing_setting("balance_resolution_g").value
    return round(round(grams / resolution) * resolution, 6)


def _line(line: Line, batch_g: float, lots: Mapping[str, Lot]) -> WorksheetLine:
    ideal = batch_g * line.ppm / MILLION
    target = weighable(ideal)
    tolerance = dispensing_setting("weighing_tolerance_percent").value / 100
    return WorksheetLine(
        ingredient=line.ingredient,
        name=line.name or ingredients()[line.ingredient].name,
        phase=line.phase,
        function=line.function,
        percent=line.percent,
        target_g=target,
        tolerance_g=round(max(target * tolerance, dispensing_setting("balance_resolution_g").value), 4),
        lot=lots.get(line.ingredient),
        hazardous=ingredients()[line.ingredient].hazardous,
    )


def _weighing_step(quantity_g: float, batch_g: float, lines: Sequence[WorksheetLine]) -> str:
    """How the targets came about, so that a second person can follow them."""
    resolution = dispensing_setting("balance_resolution_g").value
    total = sum(line.target_g for line in lines)
    return (
        f"Targets: % of {batch_g:g} g ({quantity_g:g} g ordered, the rest for loss), to the balance's "
        f"{resolution:g} g. They add up to {total:.3f} g."
    )


def _small_mass(line: WorksheetLine, lines: Sequence[WorksheetLine], batch_g: float) -> str:
    """The trituration in words, from the mass before the balance rounds it.

    The diluent is the main excipient of the same phase where it is large enough.
    """
    ideal = batch_g * line.percent / 100
    way = trituration_for(ideal)
    if way is None:
        return ""
    rows = ingredients()
    same = [x for x in lines if x.phase == line.phase and rows[x.ingredient].klass in DILUENTS]
    main = max(same, key=lambda x: x.target_g, default=None)
    diluent = (
        main.name if main is not None and main.target_g >= way.take_g else "a diluent that this formula holds"
    )
    return (
        f"Trituration: weigh {way.weigh_g:.3f} g, mix evenly with {way.diluent_g:.3f} g of {diluent}, take "
        f"{way.take_g:.3f} g (it holds {ideal:.3g} g) and {way.take_g - ideal:.3f} g less of "
        f"{diluent} from its own line; or make a larger batch."
    )


def _steps(formula: Formula) -> tuple[str, ...]:
    kind = vehicles()[formula.vehicle].kind
    classes = {ingredients()[line.ingredient].klass for line in formula.lines if line.ppm > 0}
    rows = [
        row
        for row in making_steps().values()
        if kind in row.kinds and (not row.only_with or classes & set(row.only_with))
    ]
    return tuple(row.text for row in sorted(rows, key=lambda row: row.order))


def _findings(lines: Sequence[WorksheetLine], batch_g: float) -> tuple[Finding, ...]:
    """What the balance and the hands must know: masses too small to weigh, potent powders, hazardous drugs."""
    least = dispensing_setting("balance_least_weight_g")
    dilute = dispensing_setting("geometric_dilution_below_percent")
    found = []
    for line in lines:
        adjusts_ph = ingredients()[line.ingredient].klass == "buffer"
        if line.target_g < least.value and adjusts_ph:
            found.append(
                Finding(
                    level="note", rule="ph_by_meter", subject=line.name, who=Who.PHARMACY,
                    message="Adjusts the pH: add it in small steps as a dilute solution until the meter shows the "
                    "target; the mass above is where to start. Write down what was used.",
                    source="biflora developers, usual compounding practice", verification="assumed",
                )
            )  # fmt: skip
        elif line.target_g < least.value:
            found.append(
                Finding(
                    level="warn", rule=least.key, subject=line.name, who=Who.PHARMACY,
                    message=f"{line.target_g:g} g is below {least.value:g} g, the least this balance weighs well. "
                    + _small_mass(line, lines, batch_g),
                    source=least.source, verification=least.verification,
                )
            )  # fmt: skip
        if ingredients()[line.ingredient].klass in POWDERS and line.percent < dilute.value:
            found.append(
                Finding(
                    level="note", rule=dilute.key, subject=line.name, who=Who.PHARMACY,
                    message="Potent and little: work it in by geometric dilution.",
                    source=dilute.source, verification=dilute.verification,
                )
            )  # fmt: skip
        if line.hazardous:
            found.append(
                Finding(
                    level="warn", rule="hazardous_drug", subject=line.name, who=Who.PHARMACY,
                    message="Hazardous drug: gloves, gown and containment as the pharmacy's procedure says.",
                    source="NIOSH list by way of pharmacy research 1.2", verification="memory",
                )
            )  # fmt: skip
    return tuple(found)
