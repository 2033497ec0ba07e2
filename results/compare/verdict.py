"""Three ways to end: it is slower than tolerated, it is not, or this cannot be told. And a machine may be unfit.

Head fails where the speed-up is certainly below 1 - δ, and passes where it is certainly above; anything else asks for
more pairs. Head must not be judged by a clock that cannot see that equal code is equal: the control, base against base,
is measured in the same passes, and its interval must lie within 1 ± δ and not speak of a difference of half of δ.

Whoever looks again after every few pairs, and stops when content, is wrong more often than the level says. The level
is therefore spent in parts: the j-th look spends its half to the power of j, so that all looks together stay below it.
Holm's correction keeps the chance of any false alarm over all curves at the level; a pass needs none, for it takes all.

Sources: S. Holm, Scandinavian Journal of Statistics 1979; R. L. Berger, Technometrics 1982 (all must pass: no
correction); P. C. O'Brien and T. R. Fleming, Biometrics 1979 (why looks must be paid for).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..paired import holm
from .intervals import Estimate
from .states import FAIL, INCONCLUSIVE, NOT_JUDGED, PASS, UNFIT

LEVEL = 0.05  # two-sided
SHOWN = 0.95


@dataclass(frozen=True)
class TimeVerdict:
    """What the clock says of one curve.

    Attributes
    ----------
    speed_up : Estimate
        Head over base at equal recall.
    control : Estimate
        Base over base.
    slower : float
        p-value of "head is not slower than tolerated", corrected for the number of curves.
    state : str
    reason : str
        Empty where it passes.
    """

    speed_up: Estimate
    control: Estimate
    slower: float
    state: str
    reason: str


def level_of_look(look: int) -> float:
    """Return the two-sided level that the look (from 1) spends; the levels of all looks sum to `LEVEL`."""
    return float(LEVEL * 0.5**look)


def judge_times(estimates: Sequence[tuple[Estimate, Estimate]], tolerance: float, look: int) -> list[TimeVerdict]:
    """Judge all curves of a comparison together.

    Parameters
    ----------
    estimates
        Speed-up of head and of the control for each curve; a control of no pairs was never measured and does not count.
    tolerance
        δ, the share of speed that may be lost.
    look
        Which time the same measurement is being looked at, from 1.
    """
    level = level_of_look(look)
    limit = 1.0 - tolerance
    slower = holm([head.chance_above(limit) for head, _ in estimates])
    return [
        _judge(head, control, corrected, tolerance, level)
        for (head, control), corrected in zip(estimates, slower, strict=True)
    ]


def _judge(head: Estimate, control: Estimate, slower: float, tolerance: float, level: float) -> TimeVerdict:
    state, reason = PASS, ""
    misfit = unfitness(control, tolerance, level) if control.pairs else ""
    low, high = head.interval(1.0 - level)
    if not head.known:
        state, reason = INCONCLUSIVE, "the fronts do not overlap, or too few pairs were measured"
    elif slower < level / 2:
        state, reason = FAIL, f"slower: {low:.3f} to {high:.3f} times as fast, tolerated is {1 - tolerance:.3f}"
    elif head.chance_below(1.0 - tolerance) >= level / 2:
        wide = 50.0 * (high / low - 1.0)
        state = INCONCLUSIVE
        reason = f"{low:.3f} to {high:.3f} times as fast: ±{wide:.1f} % cannot decide on {100 * tolerance:g} %"
    if misfit and head.known:
        state, reason = UNFIT, misfit
    return TimeVerdict(head, control, slower, state, reason)


def unfitness(control: Estimate, tolerance: float, level: float) -> str:
    """Return why the clock cannot be trusted, in one line; empty where it can.

    Parameters
    ----------
    control
        Base over base.
    tolerance, level
        δ, and the two-sided level of the interval.
    """
    if not control.known:
        return "too few pairs were measured to know the noise"
    low, high = control.interval(1.0 - level)
    found = f"base against itself is {low:.3f} to {high:.3f} times as fast"
    if low < 1.0 - tolerance or high > 1.0 / (1.0 - tolerance):
        return f"{found}: the noise is above the tolerance of {100 * tolerance:g} %"
    if not low <= 1.0 <= high and max(control.ratio, 1.0 / control.ratio) > 1.0 + tolerance / 2:
        return f"{found}: it should be 1"
    return ""


def decided(verdicts: Sequence[TimeVerdict]) -> bool:
    """Whether more pairs would change nothing: a certain failure, or all passed."""
    return any(one.state == FAIL for one in verdicts) or all(one.state in (PASS, NOT_JUDGED) for one in verdicts)
