"""How sure is a speed-up? A hierarchical bootstrap over pairs of processes, their passes, and the queries.

A process has its own luck: where its memory lies, what its compiler chose. Passes of one process share it, so pairs of
fresh processes are drawn first, then passes within each. Passes of both arms were taken next to each other, and are
drawn together; what enters is the median over passes of the difference of logarithms, which forgets the bursts of a
busy machine. Queries are drawn jointly for both arms and move the recalls at which the fronts are read.

The bootstrap gives the standard error; the interval and the p-values are those of Student's t with one degree of
freedom less than there are pairs: percentiles of a bootstrap of six pairs are too narrow.

Sources: T. Kalibera and R. Jones, "Rigorous benchmarking in reasonable time", ISMM 2013 (repeat at the level that
varies most); B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, sections 12.2 (t intervals with a
bootstrap standard error) and 8.3 (several levels); T. Hesterberg, "What teachers should know about the bootstrap", The
American Statistician 2015 (too narrow by the square root of (p - 1) / p, and by z in place of t).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..run import FloatArray64
from .fronts import log_ratio_at, log_speed_up
from .sides import Answers, Times
from .student import quantile, tail

DRAWS = 2_000
FEWEST = 3  # pairs: with fewer, a spread between pairs is a guess
_BLOCK = 250  # draws held at a time
_ROUNDING = 1e-6  # of a logarithm: closer than this is equal


@dataclass(frozen=True)
class Estimate:
    """A speed-up as a logarithm, its standard error, and how many pairs it rests on; NaN where there is none."""

    log: float
    error: float
    pairs: int

    @property
    def ratio(self) -> float:
        """The speed-up: 2 is twice as fast."""
        return math.exp(self.log)

    def interval(self, level: float) -> tuple[float, float]:
        """Return the ends of the interval that covers the speed-up with probability `level`, as ratios."""
        if not self.known:
            return math.nan, math.nan
        wide = quantile(0.5 * (1.0 - level), self.pairs - 1) * self.error
        return math.exp(self.log - wide), math.exp(self.log + wide)

    def chance_above(self, limit: float) -> float:
        """Return the one-sided p-value of "the speed-up is at least `limit`": small is evidence that it is less."""
        return self._chance(self.log - math.log(limit))

    def chance_below(self, limit: float) -> float:
        """Return the one-sided p-value of "the speed-up is at most `limit`": small is evidence that it is more."""
        return self._chance(math.log(limit) - self.log)

    @property
    def known(self) -> bool:
        """Whether there is a number, and a spread that can be trusted."""
        return math.isfinite(self.log) and math.isfinite(self.error)

    def _chance(self, beyond: float) -> float:
        if not self.known:
            return 1.0
        return tail(-beyond / max(self.error, _ROUNDING), self.pairs - 1)


Reading = Callable[[FloatArray64, FloatArray64, FloatArray64, FloatArray64], float]


def speed_up(base: Answers, head: Answers, times: Times, clock: str, arm: str = "head", *, seed: int = 0) -> Estimate:
    """Return the geometric-mean speed-up at equal recall of an arm over base.

    Parameters
    ----------
    base, head
        Answers at the same settings, in the same order as the times; for the control, base's own twice.
    times
        In turns.
    clock, arm
        ``wall`` or ``processor``; ``head`` or ``control``.
    seed
        Of the draws.
    """
    return _estimate(base, head, times, (clock, arm), log_speed_up, seed)


def speed_up_at(level: float, base: Answers, head: Answers, times: Times, clock: str, *, seed: int = 0) -> Estimate:
    """Return the speed-up of head at one level of recall; not known where a front does not reach it."""

    def reading(*fronts: FloatArray64) -> float:
        return log_ratio_at(level, *fronts)

    return _estimate(base, head, times, (clock, "head"), reading, seed)


def _estimate(
    base: Answers, head: Answers, times: Times, which: tuple[str, str], reading: Reading, seed: int
) -> Estimate:
    ours, theirs = np.log(times.seconds[which[0], "base"]), np.log(times.seconds[which])
    pairs = len(ours)
    slow, quick = _rates(ours[np.newaxis], theirs[np.newaxis])
    observed = reading(base.mean_recall, slow[0], head.mean_recall, quick[0])
    if pairs < FEWEST or math.isnan(observed):
        return Estimate(observed, math.nan, pairs)
    drawn = [
        reading(base_recall, slow, head_recall, quick)
        for base_recall, slow, head_recall, quick in _draws(base, head, ours, theirs, seed)
    ]
    known = np.array(drawn)[np.isfinite(drawn)]
    if len(known) < 0.9 * len(drawn):  # the fronts hardly touch: what they do there is luck
        return Estimate(observed, math.nan, pairs)
    return Estimate(observed, float(known.std()) * math.sqrt(pairs / (pairs - 1)), pairs)


def _draws(
    base: Answers, head: Answers, ours: FloatArray64, theirs: FloatArray64, seed: int
) -> Iterator[tuple[FloatArray64, FloatArray64, FloatArray64, FloatArray64]]:
    # Recall and log rate of both arms, (s,) each, for every draw.
    generator = np.random.default_rng(seed)
    pairs, passes, _ = ours.shape
    queries = base.recall.shape[1]
    for start in range(0, DRAWS, _BLOCK):
        block = min(_BLOCK, DRAWS - start)
        chosen = generator.integers(pairs, size=(block, pairs))[:, :, np.newaxis]
        within = generator.integers(passes, size=(block, pairs, passes))
        slow, quick = _rates(ours[chosen, within], theirs[chosen, within])
        counts = generator.multinomial(queries, np.full(queries, 1.0 / queries), size=block) / queries
        yield from zip(counts @ base.recall.T, slow, counts @ head.recall.T, quick, strict=True)


def _rates(ours: FloatArray64, theirs: FloatArray64) -> tuple[FloatArray64, FloatArray64]:
    # Log rates (b, s) from logarithms of seconds (b, p, r, s): medians over passes, of the pass and of the difference
    # within it, and means over pairs.
    middle = np.median(0.5 * (ours + theirs), axis=2).mean(axis=1)
    difference = np.median(theirs - ours, axis=2).mean(axis=1)
    return 0.5 * difference - middle, -0.5 * difference - middle
