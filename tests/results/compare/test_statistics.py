"""Tails, fronts, intervals and verdicts, against oracles and against effects that are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ivfbench.results.compare import intervals
from ivfbench.results.compare.fronts import log_ratio_at, log_speed_up, pareto, stretched
from ivfbench.results.compare.intervals import Estimate, speed_up, speed_up_at
from ivfbench.results.compare.states import EXIT_CODES, FAIL, INCONCLUSIVE, PASS, UNFIT, worst
from ivfbench.results.compare.steps import SHORTEST, steps
from ivfbench.results.compare.student import quantile, tail
from ivfbench.results.compare.verdict import decided, judge_times, level_of_look
from scipy import stats


class TestStudent:
    @given(st.floats(-50, 50), st.integers(1, 60))
    def test_tail_is_that_of_scipy(self, t, freedom):
        assert tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-9, abs=1e-13)

    @given(st.floats(1e-5, 0.5), st.integers(1, 60))
    def test_quantile_turns_the_tail_around(self, above, freedom):
        assert tail(quantile(above, freedom), freedom) == pytest.approx(above, rel=1e-6)

    def test_infinities(self):
        assert (tail(math.inf, 3), tail(-math.inf, 3)) == (0.0, 1.0)


POINTS = st.lists(
    st.tuples(
        st.integers(0, 1000).map(lambda number: number / 1000), st.integers(-500, 500).map(lambda number: number / 100)
    ),
    min_size=1,
    max_size=8,
)


def integrated(base, head):
    """The mean difference by brute force: many evenly spaced readings of both fronts."""
    fronts = [pareto(*(np.array(part) for part in zip(*side, strict=True))) for side in (base, head)]
    low, high = max(f[0][0] for f in fronts), min(f[0][-1] for f in fronts)
    axis = np.linspace(*stretched(np.array([low, high])), 40_001)
    readings = [np.interp(axis, stretched(f[0]), f[1]) for f in fronts]
    return float((readings[1] - readings[0]).mean())


class TestFronts:
    @given(POINTS, POINTS)
    def test_speed_up_is_the_mean_over_the_overlap_and_nothing_else(self, base, head):
        parts = [np.array(part) for side in (base, head) for part in zip(*side, strict=True)]
        found = log_speed_up(*parts)
        fronts = [pareto(*parts[:2]), pareto(*parts[2:])]
        low, high = max(f[0][0] for f in fronts), min(f[0][-1] for f in fronts)
        if high < low:
            assert math.isnan(found)
        elif high > low:
            assert found == pytest.approx(integrated(base, head), abs=2e-3)
        assert math.isnan(found) or found == pytest.approx(-log_speed_up(*parts[2:], *parts[:2]), abs=1e-9)

    @given(POINTS, st.floats(-2, 2))
    def test_a_uniform_speed_up_is_found_exactly(self, points, effect):
        recall, rate = (np.array(part) for part in zip(*points, strict=True))
        assert log_speed_up(recall, rate, recall, rate + effect) == pytest.approx(effect, abs=1e-9)

    def test_pareto_by_hand(self):
        recall, rate = pareto(np.array([0.9, 0.5, 0.7, 0.9, 0.6]), np.array([1.0, 3.0, 2.0, 0.5, 1.5]))
        assert recall.tolist() == [0.5, 0.7, 0.9]
        assert rate.tolist() == [3.0, 2.0, 1.0]

    def test_reading_at_a_level_never_extrapolates(self):
        recall, rate = np.array([0.5, 0.8]), np.array([2.0, 1.0])
        assert log_ratio_at(0.8, recall, rate, recall, rate - 0.25) == pytest.approx(-0.25)
        assert math.isnan(log_ratio_at(0.81, recall, rate, recall, rate))


class TestIntervals:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(intervals, "DRAWS", 100)

    def test_forty_equal_sides_are_hardly_ever_told_apart(self, make_answers, make_times):
        answers, inside = make_answers(queries=50), 0
        for seed in range(40):
            low, high = speed_up(answers, answers, make_times(answers, pairs=6, seed=seed), "wall").interval(0.95)
            inside += low <= 1.0 <= high
        assert inside >= 36

    @pytest.mark.parametrize("slower", [0.1, -0.1])
    def test_a_known_effect_is_inside(self, make_answers, make_times, slower):
        answers = make_answers()
        found = speed_up(answers, answers, make_times(answers, slower=slower), "processor")
        low, high = found.interval(0.999)
        assert low < 1.0 / (1.0 + slower) < high
        assert found.ratio == pytest.approx(1.0 / (1.0 + slower), abs=0.02)
        at = speed_up_at(0.7, answers, answers, make_times(answers, slower=slower), "processor")
        assert at.ratio == pytest.approx(found.ratio, abs=0.02)

    def test_less_recall_at_the_same_speed_is_a_slow_down(self, make_answers, make_times):
        base, worse = make_answers(), make_answers(loss=0.05)
        times = make_times(base)
        assert speed_up(base, worse, times, "wall").ratio < 0.9
        assert speed_up(base, base, times, "wall", "control").ratio == pytest.approx(1.0, abs=0.02)

    def test_two_pairs_know_no_spread(self, make_answers, make_times):
        answers = make_answers()
        found = speed_up(answers, answers, make_times(answers, pairs=2), "wall")
        assert not found.known
        assert math.isnan(found.interval(0.95)[0])
        assert found.chance_above(0.5) == 1.0

    def test_equal_seeds_give_equal_numbers(self, make_answers, make_times):
        answers = make_answers()
        times = make_times(answers)
        assert speed_up(answers, answers, times, "wall") == speed_up(answers, answers, times, "wall")


def estimate(ratio, error=0.005, pairs=8):
    return Estimate(math.log(ratio), error, pairs)


class TestVerdict:
    @pytest.mark.parametrize(
        ("head", "control", "state"),
        [
            (estimate(1.0), estimate(1.0), PASS),
            (estimate(1.3), estimate(1.0), PASS),
            (estimate(0.9), estimate(1.0), FAIL),
            (estimate(0.95), estimate(1.0), INCONCLUSIVE),
            (estimate(0.98, 0.02), estimate(1.0), INCONCLUSIVE),
            (estimate(1.0), estimate(1.0, 0.05), UNFIT),
            (estimate(0.8), estimate(1.0, 0.05), UNFIT),  # so large a loss, and still no clock to trust
            (estimate(1.0), estimate(1.04, 0.001), UNFIT),
            (estimate(math.nan), estimate(1.0), INCONCLUSIVE),
            (estimate(1.0), Estimate(math.nan, math.nan, 2), UNFIT),
        ],
    )
    def test_one_curve(self, head, control, state):
        (found,) = judge_times([(head, control)], 0.05, 1)
        assert found.state == state
        assert bool(found.reason) == (state != PASS)
        assert "\n" not in found.reason

    def test_all_looks_together_spend_the_level(self):
        assert sum(level_of_look(look) for look in range(1, 60)) == pytest.approx(0.05)

    def test_a_later_look_asks_for_more(self):
        pair = (estimate(0.934, 0.005), estimate(1.0, 0.002))
        assert judge_times([pair], 0.05, 1)[0].state == FAIL
        assert judge_times([pair], 0.05, 6)[0].state == INCONCLUSIVE

    def test_many_curves_ask_for_more(self):
        pair, fine = (estimate(0.934, 0.005), estimate(1.0, 0.002)), (estimate(1.0), estimate(1.0))
        assert judge_times([pair], 0.05, 1)[0].state == FAIL
        assert judge_times([pair, *[fine] * 30], 0.05, 1)[0].state == INCONCLUSIVE

    def test_decided_by_one_failure_or_all_passes(self):
        fine, slow, unsure = (estimate(ratio) for ratio in (1.0, 0.8, 0.95))
        judged = {
            name: judge_times([(one, estimate(1.0)) for one in ones], 0.05, 1)
            for name, ones in {"fine": [fine], "slow": [fine, unsure, slow], "unsure": [fine, unsure]}.items()
        }
        assert {name: decided(one) for name, one in judged.items()} == {"fine": True, "slow": True, "unsure": False}

    def test_words_and_codes(self):
        assert worst([]) == PASS
        assert worst([PASS, INCONCLUSIVE, FAIL, UNFIT]) == FAIL
        assert {EXIT_CODES[state] for state in (PASS, FAIL, INCONCLUSIVE, UNFIT)} == {0, 1, 3, 4}


class TestSteps:
    def test_levels_by_hand(self):
        rng = np.random.default_rng(0)
        values = np.concatenate([np.full(12, 0.0), np.full(9, 0.2), np.full(10, 0.1)]) + 0.01 * rng.standard_normal(31)
        found = steps(values)
        assert [step.place for step in found] == [12, 21]
        assert [round(step.after - step.before, 1) for step in found] == [0.2, -0.1]

    @pytest.mark.parametrize("seed", range(5))
    def test_noise_alone_does_not_step(self, seed):
        assert steps(0.03 * np.random.default_rng(seed).standard_normal(40)) == []

    def test_one_odd_run_is_no_step(self):
        values = 0.01 * np.random.default_rng(1).standard_normal(20)
        values[9] = 3.0
        assert steps(values) == []

    def test_too_short_to_say(self):
        assert steps(np.array([0.0, 0.0, 5.0, 5.0])) == []

    @given(st.lists(st.sampled_from([0.0, 0.01, 0.5, 0.52]), min_size=6, max_size=11))
    def test_one_cut_is_the_best_of_all(self, values):
        found = steps(np.array(values))

        def deviation(piece):
            return float(np.abs(piece - np.median(piece)).sum())

        if len(found) == 1:
            cost = {
                cut: deviation(np.array(values[:cut])) + deviation(np.array(values[cut:]))
                for cut in range(SHORTEST, len(values) - SHORTEST + 1)
            }
            assert cost[found[0].place] == pytest.approx(min(cost.values()))
