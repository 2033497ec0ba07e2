"""Does the check cry wolf on this machine, and does it see a slow-down? It is asked about ones that are known.

Equal code is compared with itself, and with itself slowed down by answering 0, 3, 5, 10 or 20 % of the queries twice:
no sleep, but more of the same work, which the counters are not told. Losses of recall are written into the answers:
half a point at one setting, drawn, spread over many queries or heaped on a few.

What must come out follows from the tolerance δ: a slow-down below it must not fail, one above it must not pass. A
slow-down by x leaves 1 / (1 + x) of the speed; at δ itself nothing is certain, and «inconclusive» is right.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...results.compare.comparison import Judged
from ...results.compare.sides import Answers
from ...results.compare.states import FAIL, INCONCLUSIVE, PASS, UNFIT, worst
from ...results.compare.verdict import SHOWN
from ...results.compare.work import Limits, compare_work
from .paired import Prepared, Say, measure
from .rounds import Effort

SLOW_DOWNS = (0.0, 0.03, 0.05, 0.1, 0.2)
RECALL_LOSS = 0.005


@dataclass(frozen=True)
class Trial:
    """One comparison of the selftest: what was injected, and what came out."""

    extra: float
    state: str
    speed_up: float
    low: float
    high: float
    control: float
    rounds: int
    seconds: float
    load: float


def slow_down_trials(
    prepared: Sequence[Prepared],
    limits: Limits,
    effort: Effort,
    count: int,
    say: Say,
    tell: Callable[[Trial], None],
    extras: Sequence[float] = SLOW_DOWNS,
) -> list[Trial]:
    """Compare a side with itself `count` times for each slow-down, these taking turns, always in fresh processes."""
    trials = []
    for repetition in range(count):
        for place, extra in enumerate(extras):
            started = time.monotonic()
            seed = repetition * len(extras) + place
            judged, rounds, _ = measure(prepared, limits, effort, say, started=started, seed=seed, extra=extra)
            trials.append(_trial(extra, judged, rounds, time.monotonic() - started))
            tell(trials[-1])
    return trials


def _trial(extra: float, judged: Sequence[Judged], rounds: int, seconds: float) -> Trial:
    verdict, times = min(
        ((one.time, one.times) for one in judged if one.time and one.times), key=lambda pair: pair[0].speed_up.log
    )
    low, high = verdict.speed_up.interval(SHOWN)
    return Trial(
        extra=extra,
        state=worst(one.state for one in judged),
        speed_up=verdict.speed_up.ratio,
        low=low,
        high=high,
        control=verdict.control.ratio,
        rounds=rounds,
        seconds=seconds,
        load=float(np.nanmean(times.load)),
    )


def recall_loss(limits: Limits) -> float:
    """Return the loss of recall that is injected: half a point, or more where that is tolerated."""
    return max(RECALL_LOSS, 2 * limits.recall)


def recall_trials(found: Answers, limits: Limits, count: int, seed: int = 0) -> int:
    """Return how many of `count` losses of recall (`recall_loss`) at one setting were caught, without a clock.

    Parameters
    ----------
    found
        Answers of either side.
    limits
        What is tolerated.
    count, seed
        How many, and of the drawing.
    """
    generator = np.random.default_rng(seed)
    return sum(
        compare_work(found, with_less_recall(found, recall_loss(limits), generator), limits).state == FAIL
        for _ in range(count)
    )


def with_less_recall(found: Answers, loss: float, generator: np.random.Generator) -> Answers:
    """Return answers whose mean recall at one setting, drawn among those that can, is lower by `loss`."""
    able = np.flatnonzero(found.mean_recall >= loss)
    setting = int(generator.choice(able))
    recall = found.recall.copy()
    left = loss * recall.shape[1]
    deepest = float(generator.choice([0.1, 1.0]))  # spread over many queries, or heaped on a few
    for query in generator.permutation(recall.shape[1]):
        taken = min(left, deepest, recall[setting, query])
        recall[setting, query] -= taken
        left -= taken
        if left <= 0.0:
            break
    digests = list(found.digests)
    digests[setting] = "0" * 16
    return replace(found, recall=recall, digests=tuple(digests))


def summary(trials: Sequence[Trial], limits: Limits) -> list[dict[str, float | int | str]]:
    """Return one row for each slow-down: how often it failed, passed, could not be told, or the machine was unfit."""
    rows: list[dict[str, float | int | str]] = []
    for extra in sorted({trial.extra for trial in trials}):
        some = [trial for trial in trials if trial.extra == extra]
        seconds = np.array([trial.seconds for trial in some])
        left = 1.0 / (1.0 + extra)
        expected = PASS if left > 1.0 - limits.time else FAIL
        if abs(left - (1.0 - limits.time)) < limits.time / 4:
            expected = INCONCLUSIVE
        states = [trial.state for trial in some]
        rows.append(
            {
                "injected": extra,
                "expected": expected,
                "trials": len(some),
                "failed": states.count(FAIL),
                "passed": states.count(PASS),
                "inconclusive": states.count(INCONCLUSIVE),
                "unfit": states.count(UNFIT),
                "median_speed_up": float(np.median([trial.speed_up for trial in some])),
                "median_rounds": float(np.median([trial.rounds for trial in some])),
                "median_seconds": float(np.median(seconds)),
                "longest_seconds": float(seconds.max()),
            }
        )
    return rows
