"""Answers and times that are made up, with effects that are known."""

import numpy as np
import pytest


@pytest.fixture
def make_answers():
    """A function: answers at nprobe 1, 2, 4, ... whose recall rises with the work, the same for the same seed."""
    from ivfbench.results.compare.sides import Answers

    def make(settings=5, queries=300, seed=0, loss=0.0, work=1.0, index_bytes=1000):
        rng = np.random.default_rng(seed)
        share = 1.0 - 0.5 ** np.arange(1, settings + 1)
        recall = (rng.random((settings, queries, 10)) < share[:, np.newaxis, np.newaxis]).mean(axis=2)
        points = np.round(work * 100.0 * 2.0 ** np.arange(settings))[:, np.newaxis].repeat(queries, axis=1)
        lists = 2 ** np.arange(settings)[:, np.newaxis].repeat(queries, axis=1)
        return Answers(
            settings=tuple(f'{{"nprobe":{2**place}}}' for place in range(settings)),
            digests=tuple(f"{seed}-{place}-{loss}" for place in range(settings)),
            recall=recall - loss,
            lists=lists,
            points=points.astype(np.int64),
            index_bytes=index_bytes,
        )

    return make


@pytest.fixture
def make_times():
    """A function: times of three arms in turns, under noise of processes, of passes and of a drifting machine."""
    from ivfbench.results.compare.sides import ARMS, CLOCKS, Times

    def make(answers, pairs=8, passes=5, slower=0.0, process=0.005, burst=0.1, control=0.0, seed=0):
        rng = np.random.default_rng(seed)
        shape = (pairs, passes, len(answers.settings))
        drift = np.exp(0.3 * rng.standard_normal((pairs, passes, 1)))  # common to the arms: they take turns
        seconds = {}
        for arm in ARMS:
            effect = {"base": 0.0, "head": np.log1p(slower), "control": control}[arm]
            luck = process * rng.standard_normal((pairs, 1, 1))
            bursts = burst * rng.exponential(size=shape) * (rng.random(shape) < 0.3)
            for clock in CLOCKS:
                seconds[clock, arm] = 1e-5 * answers.points.mean(axis=1) * drift * np.exp(effect + luck + bursts)
        other = np.full((pairs, passes), 0.01)
        return Times(answers.settings, 100, seconds, other, other, other)

    return make
