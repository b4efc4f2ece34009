"""Which products on the operator's list hold exactly the strains that a trial tried, at its dose.

The operator enters what labels say, in TOML or JSON; biflora keeps no list of brands. A label that names a species
without a strain is no match: trials speak for strains.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from biflora.errors import OperatorMust
from biflora.knowledge.oral import strain_key
from biflora.plan.plan import StrainChoice
from biflora.profile.patient import Patient
from biflora.values import Value, parse

Match = Literal["same strains at the tried dose", "same strains at another dose", "not a match"]
LARGEST_FILE = 1_000_000
PRODUCTS_VARIABLE = "BIFLORA_PRODUCTS"
"""Environment variable that names the clinic's product list."""
FAMILIES: dict[str, frozenset[str]] = {
    "milk": frozenset({"milk", "casein", "caseinate", "whey", "lactose", "dairy"}),
    "soy": frozenset({"soy", "soya", "soybean"}),
    "gluten": frozenset({"gluten", "wheat", "barley", "rye"}),
    "fish": frozenset({"fish", "gelatin", "gelatine"}),
    "nut": frozenset({"peanut", "nut", "almond", "hazelnut", "cashew", "walnut"}),
}
"""Words of one family: an allergy to one meets a label with another. Gelatine may come from fish."""
NO_SUBSTANCE = frozenset({"and", "may", "contain", "trace", "free", "from", "protein", "allergy", "the", "cow"})


class LabelStrain(Value):
    """One microbe as the label names it."""

    species: str = Field(min_length=1, max_length=120)
    strain_id: str = Field(default="", max_length=60)
    """As printed, e.g. `ATCC 53103`; empty where the label names the species only."""


class Product(Value):
    """What one label says."""

    name: str = Field(min_length=1, max_length=120)
    strains: tuple[LabelStrain, ...] = Field(min_length=1, max_length=40)
    cfu_per_day: float | None = Field(default=None, gt=0, le=1e14)
    """Live cells a day at the label's dose."""
    counted: Literal["end of shelf life", "manufacture", "not stated"] = "not stated"
    excipients: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    """What it contains or may contain, as printed."""
    storage: str = Field(default="", max_length=200)
    usd_per_month: float | None = Field(default=None, ge=0)
    read_on: date | None = None
    """When the operator read the label."""


class ProductList(Value):
    product: tuple[Product, ...] = Field(min_length=1, max_length=500)


class ProductMatch(Value):
    """One product held against the strains of one trial."""

    product: str
    strain_id: str
    """The tried strain or mixture, as the plan names it."""
    match: Match
    because: tuple[str, ...]
    """Why, one plain sentence each."""
    allergens: tuple[str, ...] = ()
    """The label's words that meet an allergy of the patient: not for this patient until cleared."""
    cautions: tuple[str, ...] = ()
    storage: str = ""
    usd_per_month: float | None = None

    @property
    def usable(self) -> bool:
        return self.match == "same strains at the tried dose" and not self.allergens


def read_products(path: Path) -> tuple[Product, ...]:
    """The operator's products from TOML (`[[product]]`) or JSON (`{"product": [...]}`). Raises OperatorMust."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise OperatorMust(
                f"{path.name}: larger than {LARGEST_FILE // 1000} kB; a product list is short text."
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise OperatorMust(f"{path.name}: the file cannot be read as text; name a TOML or JSON file.") from None
    try:
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError, ValueError):
        raise OperatorMust(f"{path.name}: this is no valid TOML or JSON; mend it and read it again.") from None
    if not isinstance(data, dict):
        raise OperatorMust(f"{path.name}: write the products as a list named 'product'.")
    found = parse(ProductList, data, where=path.name, error=OperatorMust).product
    names = [product.name.casefold() for product in found]
    if len(set(names)) < len(names):
        raise OperatorMust(f"{path.name}: a product's name stands twice; keep one of them.")
    return found


class Shelf(Value):
    """The operator's list as the pages find it."""

    products: tuple[Product, ...] = ()
    told: str = ""
    """Why there is none, as a sentence for the clinic; empty with a list."""


def named_shelf() -> Shelf:
    """The list that BIFLORA_PRODUCTS names. A page goes on without a list that cannot be read, and says so."""
    named = os.environ.get(PRODUCTS_VARIABLE)
    if not named:
        return Shelf(
            told=f"This clinic keeps no list of oral products; the operator names one ({PRODUCTS_VARIABLE})."
        )
    try:
        return Shelf(products=read_products(Path(named)))
    except OperatorMust as problem:
        first = str(problem).splitlines()[0]
        return Shelf(told=f"The list of oral products could not be used; the operator must act: {first}")


def matches(
    products: Sequence[Product], choices: Sequence[StrainChoice], patient: Patient
) -> tuple[ProductMatch, ...]:
    """Every product against every trial whose population covers the patient: usable ones first, then the rest."""
    tried = [choice for choice in choices if choice.suits and choice.strains]
    found = [match_of(product, choice, patient) for choice in tried for product in products]
    order = ("same strains at the tried dose", "same strains at another dose", "not a match")
    return tuple(sorted(found, key=lambda m: (not m.usable, order.index(m.match), m.strain_id, m.product)))


def match_of(product: Product, choice: StrainChoice, patient: Patient) -> ProductMatch:
    """Whether the product holds exactly the tried strains, at the tried dose."""
    match, because = _strains(product, choice)
    if match is None:
        match, dose = _dose(product, choice)
        because.append(dose)
    return ProductMatch(
        product=product.name, strain_id=choice.strain_id, match=match, because=tuple(because),
        allergens=allergens_met(product, patient), cautions=tuple(_cautions(product, choice)),
        storage=product.storage, usd_per_month=product.usd_per_month,
    )  # fmt: skip


def _strains(product: Product, choice: StrainChoice) -> tuple[Match | None, list[str]]:
    """`not a match` with the reasons, or None where the strains are just those."""
    wanted = {strain_key(name): name for name in choice.strains}
    named = {strain_key(strain.strain_id): strain for strain in product.strains if strain.strain_id}
    missing = [name for key, name in wanted.items() if key not in named]
    bare = [strain.species for strain in product.strains if not strain.strain_id]
    extra = [strain.strain_id for key, strain in named.items() if key not in wanted]
    reasons = []
    if missing and bare:
        reasons.append(
            f"The label names a species without a strain ({', '.join(bare)}): "
            f"a trial of {', '.join(missing)} does not speak for it."
        )
    elif missing:
        reasons.append(f"Not on the label: {', '.join(missing)}.")
    if not missing and (extra or bare):
        reasons.append(
            f"More is in it than was tried: {', '.join([*extra, *bare])}. A mixture is another product."
        )
    if reasons:
        return "not a match", reasons
    return None, [f"Holds exactly what was tried: {', '.join(choice.strains)}."]


def _dose(product: Product, choice: StrainChoice) -> tuple[Match, str]:
    low, high = choice.cfu_low, choice.cfu_high
    if product.cfu_per_day is None:
        return (
            "same strains at another dose",
            "The label gives no count of cells a day: the dose cannot be compared.",
        )
    if low is None or high is None:
        return "same strains at another dose", "The trial's dose is not known: the dose cannot be compared."
    told = _cells(low) if low == high else f"{_cells(low)} to {_cells(high)}"
    if low <= product.cfu_per_day <= high:
        return "same strains at the tried dose", f"{_cells(product.cfu_per_day)} CFU a day; tried: {told}."
    where = "below" if product.cfu_per_day < low else "above"
    return (
        "same strains at another dose",
        f"{_cells(product.cfu_per_day)} CFU a day lies {where} the dose tried ({told}).",
    )


def _cells(count: float) -> str:
    """`2e9`, as labels and trials write it."""
    return f"{count:.2g}".replace("e+0", "e").replace("e+", "e")


def _cautions(product: Product, choice: StrainChoice) -> list[str]:
    found = []
    if product.counted != "end of shelf life":
        words = "at manufacture" if product.counted == "manufacture" else "without saying when"
        found.append(f"The label counts its cells {words}: fewer may live when it is taken.")
    if choice.sign != "positive":
        found.append(f"The trial of this strain was {choice.sign}: a match is no reason to take it.")
    return found


def allergens_met(product: Product, patient: Patient) -> tuple[str, ...]:
    """Words of the label that meet an allergy, by word or by family (milk and whey are one)."""
    label = (*product.allergens, *product.excipients)
    met = [word for word in label if any(_meets(word, allergy) for allergy in patient.allergies)]
    return tuple(dict.fromkeys(met))


def _meets(word: str, allergy: str) -> bool:
    one, other = _words_of(word), _words_of(allergy)
    if one & other:
        return True
    return any(bool(one & family) and bool(other & family) for family in FAMILIES.values())


def _words_of(text: str) -> frozenset[str]:
    """Its words in the singular, without those that name no substance."""
    found = (word.removesuffix("s") for word in re.findall(r"[^\W\d_]+", text.casefold()) if len(word) > 2)
    return frozenset(found) - NO_SUBSTANCE
