"""What a table's own names tell of the assay that made it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biflora.knowledge.taxa import assay_of_sequences
from biflora.profile.names import HASH
from biflora.profile.table import Feature

MARKER_GENE = re.compile(r"^(?:k|d|D_0)__|^Bacteria$|^Archaea$")


def guess_assay(features: Sequence[Feature]) -> tuple[str, str]:
    """(`16S V4`, why), (`shotgun`, why), ... or (`unknown`, why); the reader of a known program says it better."""
    if not features:
        return "unknown", "the table is empty"
    sequences = [feature.sequence for feature in features if feature.sequence]
    if 2 * len(sequences) > len(features):
        return assay_of_sequences(sequences)
    if any(feature.lineage and "fungi" in feature.lineage[0].lower() for feature in features):
        return "ITS", "lineages begin with the kingdom of fungi"
    if sum("SGB" in feature.name for feature in features) >= 3:
        return "shotgun", "taxa carry genome-bin numbers (SGB), as MetaPhlAn 4 gives them"
    if sum(feature.name.endswith(" et rel.") for feature in features) >= 3:
        return "array", "taxa are probe groups (`et rel.`) of a phylogenetic array"
    codes = sum(bool(HASH.match(feature.name)) or feature.name.isdigit() for feature in features)
    lineages = sum(bool(feature.lineage) and bool(MARKER_GENE.match(feature.lineage[0])) for feature in features)
    if 2 * lineages > len(features) or 2 * codes > len(features):
        return "16S", "features carry marker-gene lineages or codes; the region is not written in the file"
    if 2 * sum(feature.taxid is not None for feature in features) > len(features):
        return "shotgun", "most taxa are species with NCBI numbers, as read classifiers give them"
    return "unknown", "nothing in the file tells the assay"
