"""The error tree: one branch for each person who must act.

An error text says what is wrong, where, and what to do. It never holds patient data: it names a field, a
file or a row, not what stood in it.
"""

from __future__ import annotations


class BifloraError(Exception):
    """Any error that biflora raises on purpose; its text is a sentence that a person can act on."""

    who = "nobody"
    exit_status = 2


class PatientMust(BifloraError):
    """The patient must do something (answer a question, send another sample)."""

    who = "the patient"


class ClinicianMust(BifloraError):
    """The clinician must correct or add something (a score, an allergy's name, a missing condition)."""

    who = "the clinician"


class LaboratoryMust(BifloraError):
    """The laboratory must send another file, or the user must say how to read this one."""

    who = "the laboratory"


class NameAnother(LaboratoryMust):
    """Whoever named the file or the sample must name another one; the laboratory has nothing to send."""

    who = "you"


class PharmacistMust(BifloraError):
    """The pharmacist must correct or decide something (a lot, a weight, a strength)."""

    who = "the pharmacist"


class TrialistMust(BifloraError):
    """The trialist must correct a protocol, a trial's name or an analysis."""

    who = "the trialist"


class OperatorMust(BifloraError):
    """The person who runs this installation must mend it (a setting, a missing package, a broken table)."""

    who = "the operator"


class NotAllowed(BifloraError):
    """The law, a licence or a role forbids it. The text names the rule."""

    who = "nobody here"
    exit_status = 1
