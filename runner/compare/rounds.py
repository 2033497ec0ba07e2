"""One round: a fresh process for each arm, all arms in turn at every setting, pass after pass.

Arms alternate after every setting, some hundredths of a second, not after whole sweeps: what the machine does to one
it does to all of them. Only one process works at a time; the others wait for a line on a pipe.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from ...results.compare.sides import ARMS, CLOCKS, Times
from .arms import Arm, Side, opened
from .question import Question
from .reference import Reference
from .turns import orders

SHORTEST = 0.01  # seconds of a turn: below, a clock sees more of its surroundings than of the search


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    passes : int
        Of each process, over all settings.
    first : int
        Rounds before the first look.
    growth : float
        Between looks, rounds grow by this factor.
    rounds : int
        At most.
    budget : float
        Seconds, at most; a round that would end after them is not begun.
    """

    passes: int = 5
    first: int = 6
    growth: float = 1.5
    rounds: int = 60
    budget: float = 600.0


def measure_round(
    question: Question, arms: Mapping[str, tuple[Side, Mapping[str, Any]]], passes: int, seed: int, reference: Reference
) -> Times:
    """Return the times of one pair of fresh processes and their control, p = 1.

    Parameters
    ----------
    question
        What is asked.
    arms
        Side and task of base, head and control.
    passes, seed
        Of this round: how many, and of the orders.
    reference
        Timed once in every pass.
    """
    generator = np.random.default_rng(seed)
    settings = [dict(setting) for setting in question.settings]
    seconds = {(clock, name): np.empty((1, passes, len(settings))) for clock in CLOCKS for name in ARMS}
    queries = min(len(question.data.queries), question.task["timed"] or len(question.data.queries))
    beside = {name: np.full((1, passes), np.nan) for name in ("reference", "load", "steal")}
    with opened([arms[name] for name in ARMS], question.curve.threads) as open_arms:
        by_name = {name: arm for name, (arm, _) in zip(ARMS, open_arms, strict=True)}
        repeats = _warm(by_name, settings)
        before = _stolen()
        for place, order in enumerate(orders(ARMS, passes * len(settings), seed)):
            at, step = divmod(place, len(settings))
            if step == 0:
                sequence = generator.permutation(len(settings))
                beside["reference"][0, at] = reference.seconds()
                beside["load"][0, at] = os.getloadavg()[0] if hasattr(os, "getloadavg") else np.nan
            setting = int(sequence[step])
            for name in order:
                told = by_name[name].ask("time", setting=settings[setting], repeat=repeats[setting])
                for clock in CLOCKS:
                    seconds[clock, name][0, at, setting] = told[clock]
            if step == len(settings) - 1:
                before, beside["steal"][0, at] = _steal_since(before)
    return Times(question.names, queries, seconds, **beside)


def _warm(arms: Mapping[str, Arm], settings: list[dict[str, Any]]) -> list[int]:
    # One untimed pass of every arm over every setting, and how often a setting is repeated within a turn.
    taken = [[arm.ask("warm", setting=setting)["processor"] for arm in arms.values()] for setting in settings]
    return [max(1, int(np.ceil(SHORTEST / max(1e-6, min(one))))) for one in taken]


def _stolen() -> tuple[float, float]:
    times = psutil.cpu_times()
    return float(getattr(times, "steal", np.nan)), float(sum(times))


def _steal_since(before: tuple[float, float]) -> tuple[tuple[float, float], float]:
    now = _stolen()
    passed = now[1] - before[1]
    return now, (now[0] - before[0]) / passed if passed > 0 else np.nan


def joined(parts: list[Times]) -> Times:
    """Return several rounds as one measurement."""
    seconds = {which: np.concatenate([part.seconds[which] for part in parts]) for which in parts[0].seconds}
    return Times(
        parts[0].settings,
        parts[0].queries,
        seconds,
        np.concatenate([part.reference for part in parts]),
        np.concatenate([part.load for part in parts]),
        np.concatenate([part.steal for part in parts]),
    )
