"""What each real assay can say of each guild, and how it reaches the twin: censored or absent, never zero."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from biflora.errors import BifloraError
from biflora.knowledge.taxa import guilds
from biflora.profile.composition import Composition, compose, guild_shares, undetermined
from biflora.profile.intake import read_patient
from biflora.profile.laboratory_file import read_laboratory_file
from biflora.profile.meaning import meanings_of
from biflora.profile.patient import Condition, Laboratory, Patient
from biflora.profile.profile import GuildShare, Profile, SiteProfile
from biflora.profile.read import read_profile
from biflora.profile.sample import profile_site
from biflora.profile.table import Feature, LabTable, from_dense
from biflora.twin.evidence import Clue, Evidence, evidence_of
from biflora.values import State, parse

MEASURED, BELOW = State.MEASURED, State.BELOW_DETECTION
UNRESOLVED, UNSEEN = State.NOT_RESOLVED, State.NOT_MEASURED
CHEN = "ad_skin_southafrica_chen2025/1_209766_feature_table.biom"
PALM = "moving_pictures_qiime2/table.qza"
RAUER = "ad_skin_antiIL22_rauer2023/Anti-IL22-baseline_featurefile.txt"
CSB5 = "ad_skin_shotgun_csb5_bracken/bracken_species_counts.biom"
KEFIR = "gut_kefir_metaphlan3_gmwi2/Subj001_time1_S1_metaphlan.txt"
HMP2 = "gut_longitudinal_hmp2_metaphlan/HMP2_taxonomy.tsv"
ATLAS = "gut_healthy_atlas1006/atlas1006_otu.csv"
ECAM = "gut_longitudinal_ecam/ecam-table-taxa.qza"
ENTEROTYPE = "phyloseq_globalpatterns_enterotype/enterotype_otu.csv"
AUREUS, RATIO = "s_aureus_log10", "s_aureus_to_commensals"


def evidence(site: SiteProfile | None, laboratory: Laboratory | None = None) -> Evidence:
    patient = Patient(age_years=5, condition=Condition.ATOPIC_DERMATITIS, laboratory=laboratory or Laboratory())
    skin = site if site is not None and site.site == "skin" else None
    gut = site if site is not None and site.site == "gut" else None
    return evidence_of(Profile.make("profile", release="test", parents=(), patient=patient, skin=skin, gut=gut))


def clue(found: Evidence, observable: str) -> Clue | None:
    return next((each for each in found.clues if each.observable == observable), None)


def made_up(taxa: dict[str, float], assay: str) -> Composition:
    features = [Feature(name=name, lineage=tuple(name.split(";")) if ";" in name else ()) for name in taxa]
    starts, places, values = from_dense(["one"], np.array([list(taxa.values())], dtype=np.float64))
    table = LabTable(
        file_name="made_up.tsv", format="made", because="made for a test", samples=("one",),
        features=tuple(features), starts=starts, places=places, values=values, has_counts=True, assay=assay,
    )  # fmt: skip
    found = compose(table, "one")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("file", "sample", "site", "states"),
    [
        # 16S V4 sequences without taxonomy: no name at all, and no yeast
        (CHEN, "15564.900344", "skin", {"s_aureus": UNRESOLVED, "staphylococcus": UNRESOLVED,
                                        "cutibacterium": UNRESOLVED, "malassezia": UNSEEN}),
        # 16S V4 with taxonomy: the genus, never the species
        (PALM, "L2S155", "skin", {"s_aureus": UNRESOLVED, "cons": UNRESOLVED, "staphylococcus": BELOW,
                                  "cutibacterium": MEASURED, "malassezia": UNSEEN}),
        # 16S V1-V3: the species too
        (RAUER, "18022-0036", "skin", {"s_aureus": BELOW, "cons": MEASURED, "malassezia": UNSEEN}),
        # shotgun against a database without fungi
        (CSB5, "MBT273", "skin", {"s_aureus": MEASURED, "cons": MEASURED, "malassezia": UNSEEN}),
        # MetaPhlAn 3 and 4: shares only
        (KEFIR, None, "gut", {"bifidobacterium": BELOW, "streptococcus": MEASURED, "akkermansia": BELOW}),
        (HMP2, "CSM5FZ3N_P", "gut", {"bifidobacterium": BELOW, "faecalibacterium": MEASURED}),
        # a phylogenetic array
        (ATLAS, "Sample-1", "gut", {"bifidobacterium": MEASURED, "escherichia_shigella": MEASURED}),
        # Greengenes stops at Enterobacteriaceae: neither presence nor absence of Escherichia is known
        (ECAM, "10249.C001.02SS", "gut", {"bifidobacterium": MEASURED, "escherichia_shigella": UNRESOLVED}),
    ],
)  # fmt: skip
def test_the_state_of_each_guild_by_real_assay(
    shared_data: Path, file: str, sample: str | None, site: str, states: dict[str, State]
) -> None:
    profile = profile_site(shared_data / file, site, sample=sample)  # type: ignore[arg-type]
    found = {guild.guild: guild for guild in profile.guilds}
    assert {key: found[key].state for key in states} == states
    for guild in profile.guilds:
        if guild.state is not MEASURED:
            assert (guild.share, guild.low, guild.high) == (None, None, None)  # unknown is never zero
        if guild.state in (UNRESOLVED, UNSEEN):
            assert guild.note
        assert (guild.detection_limit is not None) <= (guild.state is BELOW)


def test_itself_the_fungal_assay_sees_no_bacterium() -> None:
    fungi = "k__Fungi;p__Basidiomycota;c__Malasseziomycetes;o__Malasseziales;f__Malasseziaceae;g__Malassezia"
    found = {guild.guild: guild for guild in guild_shares(made_up({fungi: 900, "k__Fungi": 100}, "ITS"), "skin")}
    assert (found["malassezia"].state, found["malassezia"].share) == (MEASURED, 0.9)
    assert {guild.state for key, guild in found.items() if key != "malassezia"} == {UNSEEN}


# ---- named only above the guild


def test_a_family_without_genus_leaves_its_guild_open() -> None:
    """10 of 1,000 reads named only Enterobacteriaceae: at 1.0 % (assumed) still a limit; at 11 no longer."""
    family = "k__Bacteria;p__P;c__C;o__Enterobacterales;f__Enterobacteriaceae;g__"
    few = made_up({"Bifidobacterium longum": 990, family: 10}, "16S V4")
    row = guilds()["escherichia_shigella"]
    assert undetermined(few, row).share == pytest.approx(0.01)
    seen = {guild.guild: guild for guild in guild_shares(few, "gut")}["escherichia_shigella"]
    assert seen.state is BELOW
    # upper 95 % limit of 10 in 1,000: Beta(10.5, 990.5) at 97.5 %, above the 3 / 1,000 of the depth alone
    from scipy.stats import beta

    assert seen.detection_limit == pytest.approx(beta(10.5, 990.5).ppf(0.975))
    many = made_up({"Bifidobacterium longum": 989, family: 11}, "16S V4")
    open_ = {guild.guild: guild for guild in guild_shares(many, "gut")}["escherichia_shigella"]
    assert (open_.state, open_.share, open_.detection_limit) == (UNRESOLVED, None, None)
    assert "1.1 % of the sample is named only as Enterobacteriaceae" in open_.note


def test_unnamed_staphylococci_leave_s_aureus_open() -> None:
    """20 % S. epidermidis and 30 % Staphylococcus without species: S. aureus may be among them."""
    genus = "k__Bacteria;p__Firmicutes;c__Bacilli;o__Bacillales;f__Staphylococcaceae;g__Staphylococcus;s__"
    found = guild_shares(
        made_up({"Staphylococcus epidermidis": 200, genus: 300, "Cutibacterium acnes": 500}, "16S V1-V3"), "skin"
    )
    by_key = {guild.guild: guild for guild in found}
    assert by_key["s_aureus"].state is UNRESOLVED
    assert "30 % of the sample is named only as Staphylococcus" in by_key["s_aureus"].note
    assert (by_key["cons"].state, by_key["cons"].share) == (MEASURED, 0.2)
    assert by_key["staphylococcus"].share == 0.5


def test_a_large_unnamed_part_stands_beside_a_share(shared_data: Path) -> None:
    """GlobalPatterns stool: 16 % butyrate producers, and 13 % more named only as their families."""
    file = shared_data / "phyloseq_globalpatterns_enterotype/globalpatterns_feces_skin_tongue_otu.csv"
    found = profile_site(file, "gut", sample="M31Fcsw").guild("butyrate_producers")
    assert found is not None
    assert "A further 13 % is named only as Lachnospiraceae or Ruminococcaceae" in found.note


def test_escherichia_shigella_is_read_with_a_slash(shared_data: Path) -> None:
    """The RDP classifier writes Escherichia/Shigella; the sample's own row in the table is the witness."""
    file = shared_data / ENTEROTYPE
    table = read_laboratory_file(file).table
    named = [
        i for i, feature in enumerate(table.features) if "Escherichia/Shigella" in (feature.name, *feature.lineage)
    ]
    sample = max(table.samples, key=lambda name: table.row(name)[named].sum())
    row = table.row(sample)
    found = profile_site(file, "gut", sample=sample).guild("escherichia_shigella")
    assert found is not None
    assert found.share == pytest.approx(row[named].sum() / row.sum(), abs=1e-9)
    assert found.share > 0.2


# ---- to the twin


def test_a_ratio_is_a_clue_where_the_species_were_counted(shared_data: Path) -> None:
    site = profile_site(shared_data / CSB5, "skin", sample="MBT273")
    s_aureus, cons = site.guild("s_aureus"), site.guild("cons")
    assert s_aureus is not None
    assert cons is not None
    assert s_aureus.share
    assert cons.share
    found = clue(evidence(site), RATIO)
    assert found is not None
    assert (found.value, found.below) == (pytest.approx(math.log10(s_aureus.share / cons.share)), False)


def test_below_detection_is_a_censored_clue(shared_data: Path) -> None:
    """Rauer 18022-0036: 5,075 reads, no S. aureus, 48 % commensals: the ratio lies below 3 / 5075 / 0.4822."""
    found = clue(evidence(profile_site(shared_data / RAUER, "skin", sample="18022-0036")), RATIO)
    assert found is not None
    assert found.below
    assert found.value == pytest.approx(math.log10(3 / 5075 / 0.482167), abs=1e-5)


@pytest.mark.parametrize(("file", "sample"), [(CHEN, "15564.900344"), (PALM, "L2S155")])
def test_not_resolved_is_no_clue(shared_data: Path, file: str, sample: str) -> None:
    found = evidence(profile_site(shared_data / file, "skin", sample=sample))
    assert found.clues == []
    assert any("does not tell staphylococci apart" in text for text in found.missing)


def _skin(shared_data: Path, **changes: GuildShare) -> SiteProfile:
    site = profile_site(shared_data / CSB5, "skin", sample="MBT273")
    return site.model_copy(update={"guilds": tuple(changes.get(g.guild, g) for g in site.guilds)})


def test_each_state_of_s_aureus_has_its_own_words(shared_data: Path) -> None:
    def share(key: str, state: State) -> GuildShare:
        return GuildShare(guild=key, label=key, state=state)

    no_limit = evidence(_skin(shared_data, s_aureus=share("s_aureus", BELOW)))
    assert clue(no_limit, RATIO) is None
    assert any("gives no limit of detection" in text for text in no_limit.missing)
    no_cons = evidence(_skin(shared_data, cons=share("cons", BELOW)))
    assert clue(no_cons, RATIO) is None
    assert any("no commensal staphylococci" in text for text in no_cons.missing)
    blind = evidence(_skin(shared_data, s_aureus=share("s_aureus", UNRESOLVED)))
    assert any("does not tell staphylococci apart" in text for text in blind.missing)


def test_bifidobacterium_below_its_own_limit_never_below_zero(shared_data: Path) -> None:
    """L1S8: 7,068 reads, none of Bifidobacterium: below 3 / 7068 = 0.0424 %, log10 -1.372; never a value of 0."""
    deep = clue(evidence(profile_site(shared_data / PALM, "gut", sample="L1S8")), "bifidobacterium")
    assert deep is not None
    assert (deep.below, deep.value) == (True, pytest.approx(math.log10(100 * 3 / 7068), abs=1e-4))
    shares = evidence(profile_site(shared_data / KEFIR, "gut"))
    taken = clue(shares, "bifidobacterium")
    assert taken is not None
    assert (taken.below, taken.value) == (True, pytest.approx(-2.0))  # 0.01 %, the observable's own, assumed
    assert any("no limit of detection" in given.what for given in shares.assumptions)


# ---- a qPCR that found nothing


def test_a_qpcr_below_its_limit_is_censored(shared_data: Path) -> None:
    laboratory = Laboratory(s_aureus_below_limit_log10=2.3, commensal_below_limit_log10=2.5)
    site = profile_site(shared_data / CSB5, "skin", sample="MBT273", laboratory=laboratory)
    load = site.quantity("s_aureus_load")
    assert load is not None
    assert (load.state, load.value, load.low, load.high) == (BELOW, None, None, 2.3)
    assert "not zero" in load.note
    found = evidence(site, laboratory)
    for observable, limit in ((AUREUS, 2.3), ("commensals_log10", 2.5)):
        one = clue(found, observable)
        assert one is not None
        assert (one.value, one.below) == (limit, True)
    assert clue(found, RATIO) is None  # the qPCR goes before the shares
    assert not any("load of S. aureus" in text for text in found.missing)


def test_a_load_by_the_16s_total_reaches_the_twin(shared_data: Path) -> None:
    """Rauer 18022-0036 with 10^6 copies/cm2 and no S. aureus read: its load is censored at total x limit / copies.

    6 + log10(3 / 5075 / 5.5): 5.5 copies of 16S per genome.
    """
    laboratory = Laboratory(total_16s_log10_copies_per_cm2=6.0)
    site = profile_site(shared_data / RAUER, "skin", sample="18022-0036", laboratory=laboratory)
    found = evidence(site, laboratory)
    one = clue(found, AUREUS)
    assert one is not None
    assert one.below
    assert one.value == pytest.approx(6 + math.log10(3 / 5075 / 5.5), abs=1e-3)
    assert clue(found, RATIO) is None  # one number is not told twice
    seen = profile_site(shared_data / CSB5, "skin", sample="MBT273", laboratory=laboratory)
    load, taken = seen.quantity("s_aureus_load"), clue(evidence(seen, laboratory), AUREUS)
    assert load is not None
    assert taken is not None
    assert (taken.value, taken.below) == (pytest.approx(load.value), False)


def test_a_spike_in_of_a_patient_file_reaches_load_and_twin(tmp_path: Path) -> None:
    """900 of 5,000 reads, 1,000 of the added organism, 10^6 copies on 4 cm2, 5.5 copies of 16S per genome.

    5000.5 / 1000.5 x 250,000 x 0.18 / 5.5 = 40,893 genomes/cm2: log10 = 4.6116.
    """
    (tmp_path / "skin.csv").write_text(
        "sample,taxon,count\ns1,Staphylococcus aureus,900\ns1,Staphylococcus epidermidis,300\n"
        "s1,Cutibacterium acnes,3800\ns1,Allobacillus halotolerans,1000\n"
    )
    (tmp_path / "patient.toml").write_text(
        'age_years = 8\ncondition = "atopic_dermatitis"\n[skin_sampling]\nassay = "16S V1-V3"\n'
        'spike_in_taxon = "Allobacillus halotolerans"\nspike_in_log10_copies = 6.0\nswabbed_area_cm2 = 4\n'
    )
    profile = read_profile(read_patient(tmp_path / "patient.toml"), skin=tmp_path / "skin.csv")
    assert profile.skin is not None
    load = profile.skin.quantity("s_aureus_load")
    assert load is not None
    assert (load.unit, load.value) == ("log10 genomes/cm²", pytest.approx(4.6116, abs=1e-4))
    aureus = profile.skin.guild("s_aureus")
    assert aureus is not None
    assert aureus.share == pytest.approx(0.18)  # the added organism is no part of the whole
    taken = clue(evidence_of(profile), AUREUS)
    assert taken is not None
    assert taken.value == pytest.approx(4.6116, abs=1e-4)


def test_a_limit_below_what_the_twin_can_tell_is_its_own_limit() -> None:
    one = clue(evidence(profile_made_up(), Laboratory(s_aureus_below_limit_log10=0.5)), AUREUS)
    assert one is not None
    assert (one.value, one.below) == (1.3, True)  # observables.csv


def profile_made_up() -> SiteProfile:
    return SiteProfile.make(
        "site", release="test", parents=(), site="skin", sample_id="one", file_name="x", file_sha256="0" * 64,
        format="test", recognised_because="test", has_counts=True,
    )  # fmt: skip


def test_measured_and_below_contradict_each_other() -> None:
    with pytest.raises(
        BifloraError, match="s_aureus_log10_copies_per_cm2 and s_aureus_below_limit_log10"
    ) as problem:
        parse(
            Laboratory,
            {"s_aureus_log10_copies_per_cm2": 4.7, "s_aureus_below_limit_log10": 2.3},
            where="patient.toml",
        )
    assert "4.7" not in str(problem.value)


# ---- sentences


def test_a_limit_of_a_ratio_says_only_what_it_can(shared_data: Path) -> None:
    """At most -2.9: commensals outnumber. At most +0.3, from 3 reads of a commensal: neither is told."""
    deep = profile_site(shared_data / RAUER, "skin", sample="18022-0036")
    ratio = deep.quantity("log10_s_aureus_to_cons")
    assert ratio is not None
    assert ratio.bound == "at most"
    assert ratio.high == pytest.approx(-2.9115, abs=1e-3)
    told = [said.text for said in meanings_of(deep) if said.subject == "log10_s_aureus_to_cons"]
    assert len(told) == 1
    assert told[0].startswith("Commensal staphylococci outnumber")
    vague = deep.model_copy(update={"quantities": (ratio.model_copy(update={"high": 0.3}),)})
    assert [said for said in meanings_of(vague) if said.subject == "log10_s_aureus_to_cons"] == []
