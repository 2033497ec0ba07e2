"""A finished comparison: every curve, judged; one word for all of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .intervals import Estimate
from .sides import Answers, Curve, Times
from .states import EXIT_CODES, FAIL, INCONCLUSIVE, worst
from .verdict import TimeVerdict
from .work import Limits, Work

LEVELS = (0.8, 0.9, 0.95, 0.99)
"""Recalls at which a speed-up is told, beside the mean over the fronts, which is what is judged."""


@dataclass(frozen=True, eq=False)
class Judged:
    """One curve.

    Attributes
    ----------
    curve : Curve
    base, head : Answers
    work : Work
    clock : str
        By which the times were judged; empty where there was none.
    times : Times or None
        None where there was no clock.
    time : TimeVerdict or None
    at : mapping of recall to Estimate
        Speed-ups at `LEVELS`, told and not judged.
    told : float
        A speed-up by times that were not taken in turns; NaN where there are none.
    rebuild_seconds : float
        What base's second build took, the control's: how far a build's time can be trusted. NaN where there is none.
    accepted : str
        The reason why a failure was accepted beforehand; empty where none was.
    """

    curve: Curve
    base: Answers
    head: Answers
    work: Work
    clock: str = ""
    times: Times | None = None
    time: TimeVerdict | None = None
    at: Mapping[float, Estimate] = field(default_factory=dict)
    told: float = math.nan
    rebuild_seconds: float = math.nan
    accepted: str = ""

    @property
    def state(self) -> str:
        """The worse of both layers."""
        return worst([self.work.state, *([self.time.state] if self.time else [])])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Everything that is to be said, work first."""
        return self.work.reasons + ((self.time.reason,) if self.time and self.time.reason else ())


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that was compared.

    Attributes
    ----------
    base, head : str
        What was compared, in words.
    limits : Limits
    judged : tuple of Judged
    missing : tuple of str
        Curves and settings that base has and head lacks; each is a failure.
    remarks : tuple of str
        What a reader must know.
    rounds, looks : int
        Pairs of processes, and how often they were looked at.
    seconds : float
        Wall time of it all.
    machine : mapping
        Fingerprint, load and steal.
    """

    base: str
    head: str
    limits: Limits
    judged: tuple[Judged, ...]
    missing: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    rounds: int = 0
    looks: int = 0
    seconds: float = 0.0
    machine: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """The worst of all, failures that were accepted left out."""
        states = [one.state for one in self.judged if not (one.accepted and one.state == FAIL)]
        return worst([*states, *([FAIL] if self.missing else [])])

    def exit_code(self, inconclusive: int = EXIT_CODES[INCONCLUSIVE]) -> int:
        """Return what the command line answers: 0, 1, 4, or what is asked for where it cannot be told."""
        return inconclusive if self.state == INCONCLUSIVE else EXIT_CODES[self.state]


def with_reasons(comparison: Comparison, accepted: Mapping[Curve, str]) -> Comparison:
    """Return the comparison with failures of some curves accepted, each for a reason."""
    judged = tuple(replace(one, accepted=accepted.get(one.curve, "")) for one in comparison.judged)
    return replace(comparison, judged=judged)
