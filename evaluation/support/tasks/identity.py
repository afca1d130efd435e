"""How a customer may prove who they are: the one place that asks the shop's policy for it."""

from __future__ import annotations

from evaluation.errors import EvaluationError
from evaluation.support.tasks.errands import Identity


class ProofNotAllowedError(EvaluationError):
    """The shop does not let customers prove who they are in this way."""


def let_customers_prove(identity: Identity) -> None:
    """Sees to it that the shop takes such proofs. Raises ProofNotAllowedError where it cannot."""
    if identity == "signed-in":
        return
    raise ProofNotAllowedError(
        "this shop's assistant takes an order number with an e-mail or postcode as proof, not a name with a "
        "postcode: play the tasks with --identity signed-in"
    )
