"""The twin's equations and rates as a page, written from the rates table."""

from __future__ import annotations

from biflora.knowledge.rates import Rate
from biflora.knowledge.rates import rates as rate_table
from biflora.twin.state import STATE_LABELS

EQUATIONS: tuple[tuple[str, str], ...] = (
    ("A, ln S. aureus", "A' = r_A (1 − e^(A−K_A)) / (1 + g_A B) − d_AMP B / (1 + I/K_I) − d_C h "
     "− rho d_S S/(S + K_S) + iota e^(−A)"),
    ("C, ln resident commensals", "C' = r_C w − d_q q − m_C + iota e^(−C)"),
    ("S, applied strain", "S' = u_T h_T + S (r_S w − w_S − d_qS q)"),
    ("B, barrier", "B' = k_B flg (1 + e_M h_M + e_DB D)(1 − B) / (1 + I/K_IB) "
     "− (d_B + d_qB q + d_scr I/(1 + I)) B"),
    ("I, type-2 tone", "I' = k_I [ (i_0 + a_q q + a_B (1 − B) + i_T h_T) e^flare "
     "/ ((1 + g_G G)(1 + E_D D/(E_C + D))) − k_d I ]"),
    ("G, regulatory tone", "G' = k_G (reach(pi_G rho_G [e_Y Y/(K_Y + Y) + e_P P/(K_P + P)]) − G), "
     "with reach(x) = 1 + x for x ≥ 0 and e^x below"),
    ("D, topical anti-inflammatory treatment in skin", "D' = u_D h_D − k_D D, in weeks in which it is due"),
    ("F, resident Bifidobacterium", "F' = r_F F (1 − F/K_F) − d_F F + e_FP P/(1 + P)"),
    ("P, oral probiotic", "P' = u_O h_O + P (r_P (1 − (F/K_F + P)/3) − k_tr)"),
    ("L, lactate and acetate", "L' = v_F F/4 + v_P P − v_U U L/(K_L + L) − k_L L"),
    ("U, butyrate producers", "U' = U (r_U L/(K_L + L) − d_U U)"),
    ("Y, faecal butyrate", "Y' = y_B + y_U U L/(K_L + L) − k_Y Y"),
    ("h, inhibition by commensals", "h = (e^C + 10^5 S) / (K_inh + e^C + 10^5 S)"),
    ("q, virulence", "q = logistic(n_q (A − theta_q − b_q (h − 1/2)))"),
    ("w, room for commensals", "w = 1 − (e^C + 10^5 S) e^(−K_C)"),
    ("severity", "s = w_B (1 − B) + (1 − w_B) I/(I + I_50)"),
    ("SCORAD", "103 logistic(logit s + o_S) (1 − pi_0 (1 − e^(−t/tau_0)))"),
    ("EASI", "72 logistic(logit s + o_E)^gamma (1 − pi_0 (1 − e^(−t/tau_0)))"),
    ("TEWL", "T_0 + T_1 (1 − B)"),
)  # fmt: skip


def equations_markdown() -> str:
    """The model as Markdown: states, equations, rates with spread, source and how far each was verified."""
    rows = rate_table()
    assumed = sum(row.only_remembered for row in rows.values())
    parts = [
        "# The twin's equations and rates",
        "Written from the program; do not edit by hand. Time is in days. With the gut link off, G feels no oral "
        "probiotic and the butyrate of week 0.",
        f"{assumed} of {len(rows)} rates are assumed: they were chosen so that the population looks like "
        "published baselines, standard care and pooled oral trials. The combination has no rate of its own.",
        "## States",
        "\n".join(f"- `{key}`: {label}" for key, label in STATE_LABELS.items()),
        "## Equations",
        "\n".join(f"- **{name}**: `{text}`" for name, text in EQUATIONS),
        "## Rates",
        "| key | symbol | meaning | median | between patients | unit | source | verified |",
        "|---|---|---|---|---|---|---|---|",
    ]
    table = "\n".join(_line(row) for row in rows.values())
    return "\n\n".join(parts[:-2]) + "\n\n" + "\n".join(parts[-2:]) + "\n" + table + "\n"


def _line(row: Rate) -> str:
    match row.distribution:
        case "lognormal":
            spread = f"÷×{row.spread:g} (90 %)"
        case "normal":
            spread = f"sd {row.spread:g}"
        case "logit":
            spread = f"logit sd {row.spread:g}"
        case "bernoulli":
            spread = "yes or no"
        case "constant":
            spread = "the same in all"
    source = row.source.replace("|", "/")
    return (
        f"| {row.key} | {row.symbol} | {row.meaning} | {row.median:g} | {spread} | {row.unit} | {source} | "
        f"{row.verification} |"
    )
