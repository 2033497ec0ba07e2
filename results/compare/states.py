"""The words of a verdict, and what the command line answers for each."""

from collections.abc import Iterable

PASS, INCONCLUSIVE, UNFIT, FAIL = "pass", "inconclusive", "unfit machine", "fail"
NOT_JUDGED = "not judged"
ORDER = (NOT_JUDGED, PASS, INCONCLUSIVE, UNFIT, FAIL)

EXIT_CODES = {NOT_JUDGED: 0, PASS: 0, FAIL: 1, INCONCLUSIVE: 3, UNFIT: 4}
"""2 is for what was asked wrongly, here as everywhere."""


def worst(states: Iterable[str]) -> str:
    """Return the worst of some states; none is a pass."""
    return max(states, key=ORDER.index, default=PASS)
