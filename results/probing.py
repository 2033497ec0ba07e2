"""Which policy decided how many lists a sweep point opened, and what recall it was asked for."""

import math
from collections.abc import Mapping
from typing import Any

FIXED, NO_PROBING = "Fixed", "none"
PLAIN = (FIXED, NO_PROBING)
"""So usual that labels leave them out: the same number of lists for every query, and nothing to probe."""


def probing_name(query_parameters: Mapping[str, Any]) -> str:
    """Return the type of the probing policy: "Fixed" where there is only `nprobe`, "none" without lists to probe."""
    policy = query_parameters.get("probing")
    if isinstance(policy, Mapping):
        return str(policy.get("type"))
    return FIXED if "nprobe" in query_parameters else NO_PROBING


def recall_promised(query_parameters: Mapping[str, Any]) -> float:
    """Return the recall that the policy was asked to reach, NaN where it was asked for none."""
    policy = query_parameters.get("probing")
    promised = policy.get("recall") if isinstance(policy, Mapping) else None
    return float(promised) if isinstance(promised, int | float) else math.nan


def with_probing(label: str, probing: str) -> str:
    """Return the label of an algorithm with its policy, unless that is a plain one: "IVF learnt, SoftmaxMass"."""
    return label if probing in PLAIN else f"{label}, {probing}"
