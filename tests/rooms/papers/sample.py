"""Made-up values of every kind that a paper or a page shows. Synthetic: no person, no laboratory."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from statistics import NormalDist
from typing import Any

from biflora.followup.outcome import Outcome
from biflora.plan.plan import (
    ArmSummary,
    BodySite,
    Effect,
    Measure,
    Need,
    Needs,
    Plan,
    RedFlag,
    Step,
    StrainChoice,
)
from biflora.profile.patient import AffectedSite, Condition, Patient
from biflora.profile.profile import GuildShare, Profile, Quantity, Reference, Score, SiteProfile
from biflora.trial.evidence import ArmResult, Comparison, Evidence
from biflora.twin.forecast import (
    ARM_LABELS,
    ARMS,
    Arm,
    Assumption,
    BestChance,
    Course,
    Difference,
    Dots,
    Forecast,
    GoalChance,
    Observable,
    Structure,
)
from biflora.values import Band, Finding, Record, SourcedNumber, State, Who

RELEASE = "2026.1"
MADE_AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
WEEKS = tuple(range(13))
SOURCE = "made up for tests"


def band(median: float, sd: float) -> Band:
    """A normal distribution's band."""
    return Band(
        median=median,
        q25=median - 0.674 * sd,
        q75=median + 0.674 * sd,
        q10=median - 1.282 * sd,
        q90=median + 1.282 * sd,
        q2_5=median - 1.96 * sd,
        q97_5=median + 1.96 * sd,
    )


def patient(**changes: Any) -> Patient:
    fields: dict[str, Any] = {
        "patient_id": "demo-001",
        "name": "Synthetic Sample",
        "age_years": 9,
        "sex": "female",
        "weight_kg": 30,
        "condition": Condition.ATOPIC_DERMATITIS,
        "sites": (
            AffectedSite(site=BodySite.FLEXURES, area_percent_bsa=6),
            AffectedSite(site=BodySite.ARMS, area_percent_bsa=4),
        ),
        "allergies": ("lanolin",),
        "pregnancy": "no",
        "immune_status": "normal",
        "state": "NY",
        "synthetic": True,
    }
    return Patient(**{**fields, **changes})


def reference(median: float, low: float, high: float, *mismatch: str) -> Reference:
    return Reference(
        cohort="sample cohort",
        n=64,
        median=median,
        low=low,
        high=high,
        limits="IQR",
        percentile=0.9,
        mismatch=mismatch,
        source=SOURCE,
        verification="assumed",
    )


def skin() -> SiteProfile:
    guilds = (
        _share("s_aureus", "Staphylococcus aureus", 0.38, 3800, reference(0.004, 0.0, 0.03, "region")),
        _share("cons", "Coagulase-negative staphylococci", 0.12, 1200, reference(0.2, 0.1, 0.35)),
        _share("cutibacterium", "Cutibacterium", 0.14, 1400, reference(0.3, 0.18, 0.5)),
        _share("corynebacterium", "Corynebacterium", 0.07, 700, reference(0.08, 0.03, 0.15)),
        _share("streptococcus", "Streptococcus", 0.06, 600, None),
        GuildShare(
            guild="s_lugdunensis",
            label="S. lugdunensis",
            state=State.BELOW_DETECTION,
            detection_limit=0.0003,
            reads=0,
        ),
        GuildShare(
            guild="s_hominis",
            label="S. hominis",
            state=State.NOT_RESOLVED,
            note="16S V4 cannot tell it from S. epidermidis",
        ),
        GuildShare(
            guild="malassezia",
            label="Malassezia",
            state=State.NOT_MEASURED,
            note="a bacterial 16S assay sees no fungi",
        ),
    )
    quantities = (
        Quantity(
            key="log10_s_aureus_to_cons",
            label="S. aureus against commensals",
            unit="log10",
            value=0.14,
            low=0.1,
            high=0.18,
        ),
        Quantity(key="shannon", label="Shannon diversity", unit="nats", value=2.1, low=2.0, high=2.2),
        Quantity(
            key="s_aureus_load",
            label="S. aureus load",
            unit="log10 copies/cm²",
            state=State.NOT_MEASURED,
            note="no qPCR was given",
        ),
    )
    return _site("skin", guilds, quantities)


def gut() -> SiteProfile:
    guilds = (
        _share("butyrate_producers", "Butyrate producers", 0.21, 8400, reference(0.28, 0.2, 0.36)),
        _share("bacteroides", "Bacteroides", 0.3, 12000, reference(0.22, 0.1, 0.35)),
        _share("bifidobacterium", "Bifidobacterium", 0.008, 320, reference(0.05, 0.02, 0.11, "age", "platform")),
        _share("akkermansia", "Akkermansia", 0.011, 440, reference(0.01, 0.0, 0.03)),
        GuildShare(
            guild="lactobacillaceae", label="Lactobacillaceae", state=State.BELOW_DETECTION, detection_limit=0.0001
        ),
    )
    return _site(
        "gut",
        guilds,
        (Quantity(key="shannon", label="Shannon diversity", unit="nats", value=3.2, low=3.1, high=3.3),),
    )


def _site(site: Any, guilds: tuple[GuildShare, ...], quantities: tuple[Quantity, ...]) -> SiteProfile:
    return SiteProfile.make(
        "site",
        release=RELEASE,
        site=site,
        sample_id=f"{site}-1",
        file_name=f"{site}.biom",
        file_sha256="0" * 64,
        format="BIOM 2.1 (HDF5)",
        recognised_because="HDF5 signature and the BIOM attributes",
        assay="16S V4",
        has_counts=True,
        depth_reads=10_000,
        guilds=guilds,
        quantities=quantities,
        findings=(
            Finding(
                level="warn",
                rule="reference_mismatch",
                subject=site,
                message="The reference cohort differs in region; read the range as a rough guide.",
                who=Who.LABORATORY,
                source=SOURCE,
                verification="assumed",
            ),
        ),
    )


def _share(key: str, label: str, share: float, reads: float, against: Reference | None) -> GuildShare:
    half = 1.96 * math.sqrt(share * (1 - share) / (reads / share))
    return GuildShare(
        guild=key,
        label=label,
        state=State.MEASURED,
        share=share,
        low=max(0.0, share - half),
        high=share + half,
        reads=reads,
        members_found=(label,),
        reference=against,
    )


def profile(**changes: Any) -> Profile:
    fields: dict[str, Any] = {
        "patient": patient(),
        "scores": (
            _score("scorad", "SCORAD", 58, 103, "severe", 8.7),
            _score("easi", "EASI", 21, 72, "moderate", 6.6, estimated=True),
            _score("itch_nrs", "Itch NRS", 7, 10, "severe", 3),
        ),
        "skin": skin(),
        "gut": gut(),
    }
    return Profile.make("profile", release=RELEASE, **{**fields, **changes})


def _score(
    key: str, label: str, value: float, top: float, words: str, smallest: float, estimated: bool = False
) -> Score:
    return Score(
        instrument=key,
        label=label,
        value=value,
        minimum=0,
        maximum=top,
        band=words,
        smallest_important_difference=smallest,
        computed=not estimated,
        estimated=estimated,
        source=SOURCE,
        verification="assumed",
    )


FALL: dict[Arm, float] = {"standard_care": 12, "oral": 17, "topical": 25, "combination": 28}

OBSERVABLES = (
    Observable(
        key="scorad",
        label="SCORAD",
        unit="points",
        lower_is_better=True,
        smallest_important_difference=SourcedNumber(
            value=8.7, unit="points", source="Schram 2012", verification="abstract_read"
        ),
    ),
    Observable(key="s_aureus_log10", label="S. aureus", unit="log10 copies/cm²", lower_is_better=True),
    Observable(key="tewl", label="Water loss (TEWL)", unit="g/m²/h", lower_is_better=True),
    Observable(key="bifidobacterium", label="Bifidobacterium", unit="% of reads", lower_is_better=False),
)
START = {
    "scorad": (58.0, 1.0),
    "s_aureus_log10": (6.4, 0.05),
    "tewl": (31.0, 0.4),
    "bifidobacterium": (0.8, -0.05),
}


def forecast(**changes: Any) -> Forecast:
    courses, off, differences, differences_off = [], [], [], []
    for about in OBSERVABLES:
        start, per_point = START[about.key]
        for arm in ARMS:
            fall = FALL[arm] * per_point
            courses.append(_course(arm, about.key, start, fall))
            off.append(_course(arm, about.key, start, fall * (0.7 if arm == "oral" else 0.95)))
            if arm != "standard_care":
                gain = fall - FALL["standard_care"] * per_point
                differences.append(_difference(arm, about.key, gain, 6 * abs(per_point)))
                differences_off.append(_difference(arm, about.key, 0.3 * gain, 5 * abs(per_point)))
    fields: dict[str, Any] = {
        "weeks": WEEKS,
        "observables": OBSERVABLES,
        "courses": tuple(courses),
        "courses_gut_link_off": tuple(off),
        "differences": tuple(differences),
        "differences_gut_link_off": tuple(differences_off),
        "goals": tuple(
            GoalChance(arm=arm, goal="SCORAD at least halved at week 12", observable="scorad", probability=p)
            for arm, p in zip(ARMS, (0.12, 0.24, 0.43, 0.52), strict=True)
        ),
        "dots": tuple(dots(arm) for arm in ARMS),
        "best_chances": tuple(
            BestChance(arm=arm, observable="scorad", probability=p)
            for arm, p in zip(ARMS, (0.06, 0.1, 0.41, 0.43), strict=True)
        ),
        "structures": structures(),
        "ranking_flips": ("Without the gut compartment topical comes first instead of both",),
        "population": "made-up-adults",
        "bank_size": 4000,
        "effective_sample_size": 812.4,
        "informed_by": ("SCORAD", "S. aureus share"),
        "not_informed": ("faecal butyrate was not measured", "TEWL was not measured"),
        "assumptions": (
            Assumption(what="strength of the gut-to-skin link", status="assumed", source=SOURCE),
            Assumption(what="rate of barrier repair", status="memory", source=SOURCE),
            Assumption(what="spread of SCORAD at baseline", status="read", source=SOURCE),
        ),
        "seed": 2026,
    }
    return Forecast.make("forecast", release=RELEASE, **{**fields, **changes})


def dots(arm: Arm) -> Dots:
    """SCORAD at week 12 as in its course: 58 less the fall, spread 0.164 x 58 = 9.512."""
    end = NormalDist(58 - FALL[arm], 9.512)
    return Dots(
        arm=arm, observable="scorad", week=12, values=tuple(end.inv_cdf((2 * i + 1) / 40) for i in range(20))
    )


def structures() -> tuple[Structure, ...]:
    rows: tuple[tuple[str, str, str, float, float, Arm | None], ...] = (
        ("axis", "The twin", "Gut, blood, barrier and immune cells as one system.", 0.62, 1.0, "combination"),
        ("skin_only", "Skin only", "The same without the gut compartment.", 0.27, 0.8, "topical"),
        (
            "statistical",
            "Course of the population",
            "A straight line through past scores; no arm differs.",
            0.11,
            0,
            None,
        ),
    )
    return tuple(
        Structure(
            key=key, label=label, what=what, weight=weight, observable="scorad", best=best,
            bands=tuple((arm, band(58 - 12 - per * (FALL[arm] - 12), 9)) for arm in ARMS),
            differences=tuple((arm, band(-per * (FALL[arm] - 12), 6)) for arm in ARMS if arm != "standard_care"),
        )
        for key, label, what, weight, per, best in rows
    )  # fmt: skip


def _course(arm: Arm, key: str, start: float, fall: float) -> Course:
    bands = tuple(
        band(start - fall * (1 - math.exp(-w / 4)) / (1 - math.exp(-3)), (0.02 + 0.012 * w) * abs(start))
        for w in WEEKS
    )
    return Course(arm=arm, observable=key, weeks=WEEKS, bands=bands)


def _difference(arm: Arm, key: str, gain: float, sd: float) -> Difference:
    bands = tuple(band(-gain * w / 12, 0.02 + sd * w / 12) for w in WEEKS)
    return Difference(
        arm=arm,
        against="standard_care",
        observable=key,
        weeks=WEEKS,
        bands=bands,
        probability_better=0.5 * (1 + math.erf(abs(gain) / (sd * math.sqrt(2)))),
    )


def plan(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "condition": Condition.ATOPIC_DERMATITIS,
        "arms": tuple(
            ArmSummary(
                arm=arm,
                rank=place,
                allowed=True,
                instrument="scorad",
                improvement=band(FALL[arm], 9),
                gain_over_standard_care=None if arm == "standard_care" else band(FALL[arm] - 12, 6),
                gain_gut_link_off=None if arm == "standard_care" else band(0.6 * (FALL[arm] - 12), 5),
                probability_best=p,
                probability_important_gain=p,
                burden="a cream twice a day" if arm != "standard_care" else "none beyond today's care",
                burden_points=float(place),
                evidence="small randomised trials",
            )
            for place, (arm, p) in enumerate(
                zip(("topical", "combination", "oral", "standard_care"), (0.41, 0.43, 0.1, 0.06), strict=True), 1
            )
        ),
        "proposed_arm": "topical",
        "separable": False,
        "verdict": "Topical and both cannot be separated by these data; topical is proposed because it asks less.",
        "steps": (
            Step(
                kind="topical",
                text="Apply the cream twice a day to flexures and arms for 12 weeks.",
                because="S. aureus makes up 38 % of the skin's reads.",
                evidence="randomised, small",
                source="Example 2020",
                verification="abstract_read",
            ),
            Step(
                kind="diet",
                text="No food is taken away without a proven allergy.",
                because="Elimination without proof harms growth.",
                evidence="guideline",
                source="Guideline 2023",
                verification="memory",
            ),
            Step(kind="measure", text="Itch each evening, 0 to 10.", because="It moves first."),
        ),
        "strains": (
            _strain("LGG", "Lacticaseibacillus rhamnosus", "null", "no difference to placebo"),
            _strain("sample-mix", "Bifidobacterium mix", "positive", "SCORAD −19.2 points"),
        ),
        "needs": needs(),
        "measures": (
            Measure(what="SCORAD and S. aureus by qPCR", week=4, because="the first chance to change course"),
        ),
        "not_known": (
            "Whether the gut link acts in this patient: published data do not identify it.",
            "Fungi were not measured.",
        ),
        "findings": (
            Finding(
                level="note",
                rule="null_trials",
                subject="oral strains",
                message="Two of four trials of oral strains found no difference.",
                who=Who.EVIDENCE,
                source=SOURCE,
                verification="assumed",
            ),
        ),
    }
    return Plan.make("plan", release=RELEASE, **{**fields, **changes})


def needs() -> Needs:
    return Needs(
        condition=Condition.ATOPIC_DERMATITIS,
        needs=(Need(effect=Effect.BARRIER_REPAIR, weight=1, confidence=0.8),),
        age_years=9,
    )


def _strain(strain: str, species: str, sign: Any, effect: str) -> StrainChoice:
    return StrainChoice(
        strain_id=strain,
        species=species,
        cfu_per_day="1e10",
        weeks="12",
        population="children 4-17",
        trial="made-up trial",
        n="50",
        effect=effect,
        sign=sign,
        evidence_level="RCT",
        suits=sign == "positive",
        source=SOURCE,
        verification="assumed",
    )


def stopped_plan() -> Plan:
    flag = RedFlag(
        key="eczema_herpeticum",
        level="stop",
        message="Punched-out erosions with fever: eczema herpeticum must be ruled out today.",
        action="Send to hospital now; no topical and no live strain until seen.",
        blocks=("oral", "topical", "combination"),
        source="Guideline 2022",
        verification="page_read",
    )
    return plan(
        red_flags=(flag,),
        proposed_arm=None,
        needs=None,
        steps=(),
        verdict="A red flag stops the plan.",
        strains=(),
    )


def outcomes() -> tuple[Outcome, ...]:
    return tuple(
        Outcome.make(
            "outcome",
            release=RELEASE,
            patient_id="demo-001",
            week=week,
            on=date(2026, 12, 1),
            arm="topical",
            scores=(_score("scorad", "SCORAD", value, 103, "moderate", 8.7),),
        )
        for week, value in ((4, 46.0), (8, 60.0))
    )


def kept() -> tuple[tuple[Forecast, ...], tuple[Outcome, ...]]:
    """The plan's forecast, the one redrawn after week 4 (8 points higher), and two visits that name them."""
    first = forecast()
    week_4 = _visit(4, first, scorad=46, itch=5)
    higher = tuple(
        c.model_copy(update={"bands": tuple(_raised(b, 8) for b in c.bands)}) if c.observable == "scorad" else c
        for c in first.courses
    )
    redrawn = Forecast.make("forecast", release=RELEASE, parents=(first.id, week_4.id), **_fields(first, higher))
    return (first, redrawn), (week_4, _visit(8, redrawn, scorad=60, itch=6))


def _visit(week: float, before: Forecast, *, scorad: float, itch: float) -> Outcome:
    scores = (
        _score("scorad", "SCORAD", scorad, 103, "moderate", 8.7), _score("itch_nrs", "Itch NRS", itch, 10, "", 3),
    )  # fmt: skip
    return Outcome.make(
        "outcome", release=RELEASE, parents=(before.id,), patient_id="demo-001", week=week, on=date(2026, 12, 1),
        arm="topical", scores=scores, tewl_g_per_m2_h=24.0,
    )  # fmt: skip


def _raised(b: Band, points: float) -> Band:
    return Band.model_validate({name: value + points for name, value in b.model_dump().items()})


def _fields(made: Forecast, courses: tuple[Course, ...]) -> dict[str, Any]:
    fields = {name: getattr(made, name) for name in Forecast.model_fields if name not in Record.model_fields}
    return fields | {"courses": courses}


def evidence() -> Evidence:
    return Evidence.make(
        "evidence",
        release=RELEASE,
        trial="sample-2025",
        design="4 arms, 65 patients, 12 weeks",
        seed=2026,
        repeats=400,
        arms=tuple(
            ArmResult(
                arm=arm,
                n=16,
                baseline_mean=52,
                baseline_sd=11,
                week12_mean=52 - FALL[arm],
                percent_change=band(-2 * FALL[arm], 8),
            )
            for arm in ARMS
        ),
        contrasts=(),
        comparisons=tuple(
            Comparison(
                figure=f"SCORAD change, {ARM_LABELS[arm].lower()}",
                published=-2.6 * FALL[arm],
                unit="%",
                predicted=band(-2 * FALL[arm], 8),
                surprise=0.08,
                reading="not surprising",
                source=SOURCE,
                verification="assumed",
            )
            for arm in ARMS
        ),
        not_identified=("the gut-to-skin link",),
    )
