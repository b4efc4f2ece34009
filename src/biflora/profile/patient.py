"""The patient as the clinic knows her: intake, signs, allergies, treatments, preferences."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from biflora.values import Value

MEASURED = re.compile(r"([<>]?)\s*(-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)(?:\s+(\S.*)|([^\d\s.,].*))?")
"""A limit sign, a number with a decimal point, a unit; a comma in the number is refused, it has two meanings."""


class Condition(StrEnum):
    ATOPIC_DERMATITIS = "atopic_dermatitis"
    ACNE = "acne"
    ROSACEA = "rosacea"
    PSORIASIS = "psoriasis"
    SEBORRHOEIC_DERMATITIS = "seborrhoeic_dermatitis"
    SCALP_HAIR = "scalp_hair"
    DRY_SENSITIVE_SKIN = "dry_sensitive_skin"


class BodySite(StrEnum):
    FACE = "face"
    EYELIDS = "eyelids"
    NECK = "neck"
    SCALP = "scalp"
    FLEXURES = "flexures"
    HANDS = "hands"
    FEET = "feet"
    ARMS = "arms"
    LEGS = "legs"
    TRUNK = "trunk"
    GENITAL = "genital"
    NAPKIN = "napkin"


class AffectedSite(Value):
    site: BodySite
    area_percent_bsa: float = Field(gt=0, le=100)
    """Affected area there, percent of the body surface (one adult palm with fingers is about 1 %)."""


class InstrumentInput(Value):
    """One instrument as entered: a total, or its items from which biflora computes the total."""

    instrument: str
    """Key of knowledge's instruments: scorad, oscorad, easi, viga_ad, itch_nrs, poem, dlqi, ..."""
    total: float | None = None
    items: dict[str, float] = {}
    """Item values by name, see docs/reference/instruments.md (e.g. extent_percent, erythema, itch_vas)."""
    on: date | None = None


class MeasuredValue(Value):
    """A number with its unit as the laboratory printed it, also read from text as `1.2 ng/mL` or `<5 pg/mL`."""

    value: float
    unit: str = Field(max_length=30)
    limit: Literal["", "<", ">"] = ""
    """`<`: below what the assay could measure; `>`: above it."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        if not isinstance(given, str | int | float):
            return given
        found = MEASURED.fullmatch(given.strip()) if isinstance(given, str) else None
        if found is None:
            raise PydanticCustomError(
                "measured_value",
                "must be a number with its unit in quotes, such as '1.2 ng/mL' (a point for decimals, nothing "
                "between thousands)",
            )
        return {"limit": found[1], "value": float(found[2]), "unit": (found[3] or found[4] or "").strip()}


class Laboratory(Value):
    """Measurements beside the microbiome tables; each is None when not measured.

    `values` holds any of knowledge's laboratory quantities with its unit; what also has a field of its own here
    is written into that field when a patient file is read.
    """

    s_aureus_log10_copies_per_cm2: float | None = Field(default=None, ge=-2, le=12)
    commensal_log10_copies_per_cm2: float | None = Field(default=None, ge=-2, le=12)
    total_16s_log10_copies_per_cm2: float | None = Field(default=None, ge=-2, le=12)
    s_aureus_below_limit_log10: float | None = Field(default=None, ge=-2, le=12)
    """The assay found no S. aureus: its limit of detection, log10 copies/cm². Not beside a measured value."""
    commensal_below_limit_log10: float | None = Field(default=None, ge=-2, le=12)
    """The same for the commensal staphylococci."""
    tewl_g_per_m2_h: float | None = Field(default=None, ge=0, le=150)
    skin_ph: float | None = Field(default=None, ge=2, le=10)
    faecal_butyrate_mmol_per_kg: float | None = Field(default=None, ge=0, le=120)
    tarc_pg_per_ml: float | None = Field(default=None, ge=0, le=200_000)
    total_ige_iu_per_ml: float | None = Field(default=None, ge=0, le=200_000)
    values: dict[str, MeasuredValue] = {}
    """By key of knowledge's laboratory quantities: tarc, total_ige, eosinophils, faecal_acetate, ..."""

    @model_validator(mode="after")
    def _measured_or_below(self) -> Self:
        for name in ("s_aureus", "commensal"):
            both = (getattr(self, f"{name}_log10_copies_per_cm2"), getattr(self, f"{name}_below_limit_log10"))
            if None not in both:
                raise PydanticCustomError(
                    "measured_and_below",
                    f"{name}_log10_copies_per_cm2 and {name}_below_limit_log10 contradict each other; keep the "
                    "measured value, or the limit where nothing was found",
                )
        return self


class Sampling(Value):
    """How one sample was taken and read, as the clinic or the laboratory says; what the file says goes first."""

    body_site: str | None = Field(default=None, max_length=60)
    """Key or name of knowledge's body sites, e.g. antecubital_fossa, volar_forearm, cheek, stool."""
    lesional: bool | None = None
    """Whether the swab was taken from inflamed skin."""
    assay: str | None = Field(default=None, max_length=40)
    """As biflora names assays: `16S V4`, `16S V1-V3`, `16S V3-V4`, `16S`, `shotgun`, `array`, `ITS`."""
    profiler: str | None = Field(default=None, max_length=120)
    """Program and database, e.g. `MetaPhlAn 3`, `DADA2, SILVA 138`."""
    laboratory: str | None = Field(default=None, max_length=120)
    extraction: str | None = Field(default=None, max_length=120)
    """DNA extraction kit or protocol, as the laboratory names it."""
    taken_on: date | None = None
    swabbed_area_cm2: float | None = Field(default=None, gt=0, le=2_000)
    spike_in_taxon: str | None = Field(default=None, max_length=120)
    """Name of the added organism or sequence, as the table writes it."""
    spike_in_log10_copies: float | None = Field(default=None, ge=0, le=14)
    """How much of it was added to the whole sample, log10 copies."""


class Preferences(Value):
    avoid_ingredients: tuple[str, ...] = ()
    """Substances or INCI names the patient does not want (a wish, not an allergy)."""
    vehicles: tuple[str, ...] = ()
    """Keys of vehicles she prefers (e.g. ow_cream); empty: no wish."""
    oral_ok: bool = True
    topical_ok: bool = True
    max_monthly_cost_usd: float | None = Field(default=None, gt=0)


class Patient(Value):
    """What the clinician hands in. Ages in years, weights in kg, areas in percent of body surface."""

    patient_id: str = Field(default="patient", min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")
    name: str | None = Field(default=None, max_length=80)
    date_of_birth: date | None = None
    age_years: float = Field(ge=0, le=120)
    sex: Literal["female", "male", "other", "unknown"] = "unknown"
    weight_kg: float | None = Field(default=None, gt=0.4, le=400)
    height_cm: float | None = Field(default=None, gt=20, le=260)
    condition: Condition
    scores: tuple[InstrumentInput, ...] = ()
    sites: tuple[AffectedSite, ...] = ()
    laboratory: Laboratory = Laboratory()
    skin_sampling: Sampling = Sampling()
    gut_sampling: Sampling = Sampling()
    allergies: tuple[str, ...] = ()
    """Substances, INCI names or allergen groups; an unknown one is an error that lists close names."""
    current_treatments: tuple[str, ...] = ()
    pregnancy: Literal["no", "pregnant", "trying", "breastfeeding", "unknown"] = "unknown"
    immune_status: Literal["normal", "immunosuppressed", "unknown"] = "unknown"
    central_line: bool = False
    severe_illness: bool = False
    anaphylaxis_history: bool = False
    skin_integrity: Literal["intact", "excoriated", "open_wounds"] = "intact"
    signs: tuple[str, ...] = ()
    """Signs from knowledge's red-flag table, e.g. fever, punched_out_erosions, clustered_vesicles."""
    state: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """State of residence in the USA, two capital letters."""
    preferences: Preferences = Preferences()
    synthetic: bool = False
    """True for the demo cohort that biflora generates; shown on every page and paper."""
