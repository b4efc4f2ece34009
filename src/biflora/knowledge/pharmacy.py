"""What the formula and the pharmacy know: ingredients, vehicles, preservative systems, rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from biflora.knowledge.rows import Row, read_table

YesNo = Literal["yes", "partial", "no", "unknown", "n/a"]


class Ingredient(Row):
    """One substance. Percentages are % w/w of the finished preparation."""

    name: str
    synonyms: tuple[str, ...] = ()
    """Other names by which people write it."""
    inci: str
    cas: str | None = None
    unii: str | None = None
    klass: str
    """conventional_drug, keratolytic, hair, probiotic_live, probiotic_lysate, postbiotic, prebiotic, lipid,
    emollient, humectant, botanical, emulsifier, gelling, preservative, antioxidant, chelator, buffer, solvent."""
    min_percent: float
    max_percent: float
    strengths_percent: tuple[float, ...] = ()
    """Discrete strengths to choose from (drugs); empty: any strength in the range."""
    ph_min: float | None = None
    ph_max: float | None = None
    phase: Literal["W", "O", "WO", "E", "P", "S", "A"]
    """W water, O oil, WO either, E emulsifier, P suspended powder, S solvent, A anhydrous only."""
    kills_live: YesNo = "unknown"
    s_aureus: str = "unknown"
    cons: str = "unknown"
    allergen_groups: tuple[str, ...] = ()
    """Keys of the allergens table."""
    incompatible_with: tuple[str, ...] = ()
    """Ingredient keys that must not stand in the same formula."""
    pregnancy: Literal["ok", "caution", "avoid", "contraindicated"]
    indications: tuple[str, ...] = ()
    us_route: str
    """COSM, EXC, OTC..., RX-503A, RX_PATENTED, LBP, BIO_FLAG, ... as researched."""
    hazardous: bool = False
    """On the NIOSH list or to be handled as such."""
    evidence_level: str = ""
    eu_leave_on_max_percent: float | None = None
    hlb: float | None = None
    required_hlb: float | None = None
    pka: float | None = None
    iid_max_percent: float | None = None
    iid_max_daily_mg: float | None = None
    irritancy: int = 0
    """0 none .. 5 strong, for the irritancy budget (assumed, see the row's note)."""
    comedogenic: bool = False
    feeds_malassezia: bool = False
    oxidation_prone: bool = False
    min_age_years: float = 0.0
    usd_per_gram: float = 0.0
    """Rough bulk price for ranking only (assumed)."""
    note: str = ""


class IngredientEffect(Row):
    """How far an ingredient serves an effect: strength 0-1 at its usual strength, by evidence."""

    ingredient: str
    effect: str
    """A value of biflora.plan.plan.Effect."""
    strength: float
    conditions: tuple[str, ...] = ()
    """Conditions for which it holds; empty: all."""


class Vehicle(Row):
    label: str
    dosage_form: str
    kind: Literal[
        "emulsion_ow",
        "emulsion_wo",
        "anhydrous",
        "aqueous_gel",
        "hydroalcoholic",
        "solution",
        "foam",
        "surfactant",
        "powder_kit",
    ]
    water_min_percent: float = 0.0
    water_max_percent: float = 0.0
    aqueous: bool
    ph_min: float | None = None
    ph_max: float | None = None
    phases: tuple[str, ...]
    oil_min_percent: float = 0.0
    oil_max_percent: float = 0.0
    emulsifier_needed: bool = False
    emulsifier_hlb_min: float | None = None
    emulsifier_hlb_max: float | None = None
    gelling: tuple[str, ...] = ()
    """Ingredient keys of which one is needed to build the gel; empty: none needed."""
    live_ok: bool = False
    sites: tuple[str, ...] = ()
    """BodySite values that it suits."""
    conditions: tuple[str, ...] = ()
    rinse_off: bool = False
    skin_feel: str = ""
    viscosity: str = ""
    bud_rule_preserved: str
    """Key of bud_rules."""
    bud_rule_unpreserved: str | None = None
    """Key of bud_rules; None when an unpreserved form is not allowed."""
    storage: str = ""
    note: str = ""


class PreservativeSystem(Row):
    label: str
    ph_min: float | None = None
    ph_max: float | None = None
    bacteria_gram_positive: YesNo
    bacteria_gram_negative: YesNo
    yeast: YesNo
    mould: YesNo
    kills_live: bool
    weak_spot: str = ""
    microbiome_evidence: str = ""
    suits: tuple[str, ...] = ()
    avoid_when: str = ""
    never_leave_on: bool = False
    refrigerate: bool = False
    self_preserving: bool = False
    vehicle_kinds: tuple[str, ...] = ()
    """Kinds of vehicle that it can preserve; empty: any with water."""


class PreservativePart(Row):
    """One component of a preservative system, with its strength."""

    system: str
    ingredient: str
    percent: float


class Incompatibility(Row):
    """A pair or a condition that must not (block) or should not (warn) occur."""

    a: tuple[str, ...]
    """Ingredient keys, or `class:<klass>`; any of them."""
    b: tuple[str, ...] = ()
    """The same for the other side; empty when only the limits below count."""
    severity: Literal["block", "warn", "allow"]
    ph_below: float | None = None
    """The clash holds only below this pH (None: at any pH)."""
    ph_above: float | None = None
    water: Literal["any", "present", "absent"] = "any"
    unless_any: tuple[str, ...] = ()
    """Ingredient keys that lift the clash (e.g. an antioxidant)."""
    a_min_percent: float = 0.0
    b_min_percent: float = 0.0
    mechanism: str
    evidence: str = ""


class Allergen(Row):
    """An allergen group: its members and its cross-reactors."""

    label: str
    synonyms: tuple[str, ...] = ()
    cross_reacts_with: tuple[str, ...] = ()
    """Other allergen groups that a patient with this allergy must avoid too."""


class StrengthLimit(Row):
    """A limit on strength or use by age, site, pregnancy, rinse-off or condition."""

    ingredient: str
    """Ingredient key or `class:<klass>` or `potency:<class>`."""
    sites: tuple[str, ...] = ()
    age_below_years: float | None = None
    pregnancy: tuple[str, ...] = ()
    skin_integrity: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    rinse_off: Literal["any", "yes", "no"] = "any"
    max_percent: float
    """0: not at all."""
    severity: Literal["block", "warn"]
    message: str


class SiteLimit(Row):
    """What a body site tolerates."""

    site: str
    ph_min: float
    ph_max: float
    max_irritancy: int
    max_sensitisers: int
    """Ingredients of known contact-allergen groups that one leave-on formula may hold there."""
    note: str = ""


class BeyondUseRule(Row):
    chapter: str
    category: str
    condition: str
    room_days: int | None = None
    """None: not allowed at room temperature."""
    fridge_days: int | None = None
    storage: str
    needs_study: bool = False


def ingredients() -> Mapping[str, Ingredient]:
    return read_table("ingredients", Ingredient)


def ingredient_effects() -> Mapping[str, IngredientEffect]:
    return read_table("ingredient_effects", IngredientEffect)


def vehicles() -> Mapping[str, Vehicle]:
    return read_table("vehicles", Vehicle)


def preservative_systems() -> Mapping[str, PreservativeSystem]:
    return read_table("preservative_systems", PreservativeSystem)


def preservative_parts() -> Mapping[str, PreservativePart]:
    return read_table("preservative_parts", PreservativePart)


def incompatibilities() -> Mapping[str, Incompatibility]:
    return read_table("incompatibilities", Incompatibility)


def allergens() -> Mapping[str, Allergen]:
    return read_table("allergens", Allergen)


def strength_limits() -> Mapping[str, StrengthLimit]:
    return read_table("strength_limits", StrengthLimit)


def site_limits() -> Mapping[str, SiteLimit]:
    return read_table("site_limits", SiteLimit)


def beyond_use_rules() -> Mapping[str, BeyondUseRule]:
    return read_table("beyond_use_rules", BeyondUseRule)


TABLES: dict[str, type[Row]] = {
    "ingredients": Ingredient,
    "ingredient_effects": IngredientEffect,
    "vehicles": Vehicle,
    "preservative_systems": PreservativeSystem,
    "preservative_parts": PreservativePart,
    "incompatibilities": Incompatibility,
    "allergens": Allergen,
    "strength_limits": StrengthLimit,
    "site_limits": SiteLimit,
    "beyond_use_rules": BeyondUseRule,
}
