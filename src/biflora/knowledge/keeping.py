"""How a topical keeps: gel strengths, solubilities, rates of loss, decay of live cells, containers, water."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from biflora.knowledge.rows import Row, read_table

Feature = Literal["light_proof", "air_limiting", "moisture_tight", "metal_free"]
FEATURES: dict[Feature, str] = {
    "light_proof": "keeps out light",
    "air_limiting": "lets in little air",
    "moisture_tight": "keeps moisture and vapour in or out",
    "metal_free": "has no bare metal",
}
"""What a container can do, as a pharmacist says it."""


class GelStrength(Row):
    """From what strength a gel former gives a vehicle its consistency, and above what it is too stiff (% w/w)."""

    gelling: str
    """Ingredient key."""
    vehicle_kinds: tuple[str, ...]
    """Values of Vehicle.kind for which the strengths hold."""
    low_percent: float
    high_percent: float
    note: str = ""


class ViscosityClass(Row):
    """The order of the viscosity of a consistency (the key, as Vehicle.viscosity names it), mPa s."""

    low_mpa_s: float
    high_mpa_s: float


class Solubility(Row):
    """How much of an ingredient one pure solvent dissolves, g per 100 g of solvent, with its interval."""

    ingredient: str
    solvent: str
    """Ingredient key, or `class:emollient` for oils."""
    grams_per_100g: float
    low: float
    high: float
    temperature_c: float
    acid_pka: float | None = None
    """Given for a weak acid in water: the figures are those of the undissociated acid, and the whole that
    dissolves is them times 1 + 10**(pH - pKa)."""
    note: str = ""


class StabilityRate(Row):
    """First-order rate of loss of an ingredient in some kinds of vehicle at 25 °C, per day, with its interval."""

    ingredient: str
    vehicle_kinds: tuple[str, ...]
    """Values of Vehicle.kind in which it holds."""
    beside: tuple[str, ...] = ()
    """Ingredient keys of which one must be in the jar for the rate to hold; empty: always."""
    ph_min: float | None = None
    ph_max: float | None = None
    k25_per_day: float = Field(gt=0)
    low: float = Field(ge=0)
    """0: no loss was shown, so the slow end has no date."""
    high: float
    ea_kj_per_mol: float = Field(gt=0)
    ea_low: float
    ea_high: float
    basis: Literal["measured", "bound", "marketed", "judged"]
    """measured: from a rate or two points; bound: a study ended before a loss was seen; marketed: from the shelf
    life of marketed preparations; judged: from words, an order of magnitude."""
    note: str = ""


class LiveDecay(Row):
    """Days for a tenfold loss of live cells at 25 °C in one state, and how they change with warmth and water."""

    label: str
    ingredients: tuple[str, ...] = ()
    """Ingredient keys that are in this state in a water phase; empty: all others."""
    d25_days: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float
    ea_kj_per_mol: float = Field(gt=0)
    ea_low: float
    ea_high: float
    aw_reference: float
    """Up to this water activity the days hold as they stand."""
    aw_per_tenfold: float = Field(gt=0)
    """Rise of the water activity above the reference that makes cells die ten times as fast."""
    note: str = ""


class StorageTemperature(Row):
    """At what temperature the loss is computed for a storage word."""

    label: str
    celsius: float
    note: str = ""


class ContainerKind(Row):
    """A kind of container, the dosage forms that go into it, and what it protects from."""

    label: str
    dosage_forms: tuple[str, ...]
    """Values of Vehicle.dosage_form."""
    features: tuple[Feature, ...]
    note: str = ""


class ProtectionNeed(Row):
    """What an ingredient needs of its container."""

    ingredient: str
    """Ingredient key or `class:<klass>`."""
    feature: Feature
    severity: Literal["stop", "warn"]
    why: str
    """What happens without it, as one clause."""


class WaterBinder(Row):
    """A dissolved ingredient that lowers the water activity."""

    ingredient: str
    molar_mass: float = Field(gt=0)
    """g/mol."""
    particles: int
    """Into how many it falls apart in water: 1, or 2 for a simple salt."""
    norrish_k: float
    """Constant of Norrish's equation; 0 where none was found (Raoult's law)."""
    note: str = ""


def gel_strengths() -> Mapping[str, GelStrength]:
    return read_table("gel_strengths", GelStrength)


def viscosity_classes() -> Mapping[str, ViscosityClass]:
    return read_table("viscosity_classes", ViscosityClass)


def solubilities() -> Mapping[str, Solubility]:
    return read_table("solubilities", Solubility)


def stability_rates() -> Mapping[str, StabilityRate]:
    return read_table("stability_rates", StabilityRate)


def live_decay() -> Mapping[str, LiveDecay]:
    return read_table("live_decay", LiveDecay)


def storage_temperatures() -> Mapping[str, StorageTemperature]:
    return read_table("storage_temperatures", StorageTemperature)


def container_kinds() -> Mapping[str, ContainerKind]:
    return read_table("container_kinds", ContainerKind)


def protection_needs() -> Mapping[str, ProtectionNeed]:
    return read_table("protection_needs", ProtectionNeed)


def water_binders() -> Mapping[str, WaterBinder]:
    return read_table("water_binders", WaterBinder)


TABLES: dict[str, type[Row]] = {
    "gel_strengths": GelStrength,
    "viscosity_classes": ViscosityClass,
    "solubilities": Solubility,
    "stability_rates": StabilityRate,
    "live_decay": LiveDecay,
    "storage_temperatures": StorageTemperature,
    "container_kinds": ContainerKind,
    "protection_needs": ProtectionNeed,
    "water_binders": WaterBinder,
}
