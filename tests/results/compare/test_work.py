"""The layer without a clock: what changed, and for the worse or not. Folders, baselines and stored fronts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from ivfbench.results.compare.baseline import check_baseline, is_baseline, write_baseline
from ivfbench.results.compare.folders import compare_runs
from ivfbench.results.compare.states import FAIL, INCONCLUSIVE, PASS
from ivfbench.results.compare.stored_front import front_of, load_front, save_front
from ivfbench.results.compare.work import Limits, compare_work
from ivfbench.results.errors import ResultError
from ivfbench.runner.compare.selftest import recall_trials, with_less_recall


class TestWork:
    def test_the_same_is_a_pass_without_a_word(self, make_answers):
        found = compare_work(make_answers(), make_answers(), Limits(exact=True))
        assert (found.state, found.reasons, found.changed, found.frugality) == (PASS, (), False, pytest.approx(1.0))

    @pytest.mark.parametrize("queries", [40, 300])
    def test_half_a_point_of_recall_is_caught_every_time(self, make_answers, queries):
        assert recall_trials(make_answers(queries=queries), Limits(), 100) == 100

    def test_what_is_injected_is_half_a_point_at_one_setting(self, make_answers):
        base = make_answers()
        less = with_less_recall(base, 0.005, np.random.default_rng(3))
        lost = base.mean_recall - less.mean_recall
        assert sorted(np.round(lost, 9))[-2:] == [0.0, 0.005]
        assert (less.recall >= 0).all()

    def test_a_loss_below_the_tolerance_is_told_and_tolerated(self, make_answers):
        base = make_answers()
        less = with_less_recall(base, 0.0005, np.random.default_rng(0))
        found = compare_work(base, less, Limits())
        assert found.state == PASS
        assert found.reasons == ("ids changed at 1 of 5 settings",)
        assert compare_work(base, less, Limits(recall=0.0)).state == FAIL
        assert compare_work(base, less, Limits(exact=True)).state == FAIL

    def test_a_gain_passes(self, make_answers):
        assert compare_work(make_answers(loss=0.02), make_answers(), Limits()).state == PASS

    def test_more_work_for_the_same_recall_fails(self, make_answers):
        found = compare_work(make_answers(), make_answers(work=1.1), Limits())
        assert found.state == FAIL
        assert found.frugality == pytest.approx(1 / 1.1, rel=1e-3)
        assert any("+10.0 %" in reason for reason in found.reasons)
        assert compare_work(make_answers(), make_answers(work=0.9), Limits()).state == PASS

    def test_a_larger_index_fails(self, make_answers):
        assert compare_work(make_answers(), make_answers(index_bytes=1020), Limits()).state == FAIL
        assert compare_work(make_answers(), make_answers(index_bytes=1009), Limits()).state == PASS

    def test_what_is_not_deterministic_is_resampled(self, make_answers):
        base, again = make_answers(queries=100), make_answers(queries=100, seed=1)
        assert compare_work(base, again, Limits()).state == FAIL  # the luck of a seed, taken for a fact
        found = compare_work(base, again, Limits(), control=make_answers(queries=100, seed=2))
        assert not found.deterministic
        assert found.state == INCONCLUSIVE
        worse = make_answers(queries=100, seed=1, loss=0.1)
        assert compare_work(base, worse, Limits(), control=again).state == FAIL

    def test_other_settings_are_refused(self, make_answers):
        with pytest.raises(ResultError, match=r"found 5 settings .* 4 of"):
            compare_work(make_answers(), make_answers(settings=4), Limits())

    @pytest.mark.parametrize("wrong", [{"time": 0.0}, {"time": 1.0}, {"recall": -0.1}, {"work": 2.0}])
    def test_tolerances_are_shares(self, wrong):
        with pytest.raises(ResultError, match="tolerance of"):
            Limits(**wrong)


def changed(run, place, **fields):
    points = list(run.points)
    points[place] = replace(points[place], **fields)
    return replace(run, points=tuple(points))


class TestFolders:
    def test_equal_folders_pass_and_times_are_only_told(self, sample_runs):
        found = compare_runs(sample_runs(), sample_runs(), Limits(exact=True))
        assert (found.state, len(found.judged), found.missing) == (PASS, 4, ())
        assert all(one.told == pytest.approx(1.0) and one.time is None for one in found.judged)

    def test_settings_of_a_curve_are_in_order_of_work(self, sample_runs):
        judged = compare_runs(sample_runs(), sample_runs(), Limits()).judged[0]
        assert list(judged.base.points.mean(axis=1)) == sorted(judged.base.points.mean(axis=1))

    def test_a_lost_neighbour_of_one_query_is_seen(self, sample_runs):
        runs = sample_runs()
        ids, distances = runs[0].points[3].ids.copy(), runs[0].points[3].distances.copy()
        hit = np.argwhere(ids >= 0)[0]
        ids[tuple(hit)], distances[tuple(hit)] = -1, np.inf
        found = compare_runs(runs, [changed(runs[0], 3, ids=ids, distances=distances), runs[1]], Limits())
        assert found.state == FAIL  # one of 400: a quarter of a point
        assert [one.state for one in found.judged].count(FAIL) == 1

    def test_what_head_lacks_fails(self, sample_runs):
        runs = sample_runs()
        assert len(compare_runs(runs, runs[:1], Limits()).missing) == 2
        fewer = replace(runs[0], points=runs[0].points[1:])
        found = compare_runs(runs, [fewer, runs[1]], Limits())
        assert (found.state, len(found.missing)) == (FAIL, 1)
        assert "nprobe" in found.missing[0]

    def test_other_data_are_refused(self, sample_runs):
        other = [replace(run, dataset_sha256="cd" * 32) for run in sample_runs()]
        with pytest.raises(ResultError, match="other data"):
            compare_runs(sample_runs(), other, Limits())

    def test_nothing_to_compare_is_refused(self):
        with pytest.raises(ResultError, match="no search that succeeded"):
            compare_runs([], [], Limits())


class TestBaseline:
    def test_holds_itself_to_the_last_id(self, sample_runs, tmp_path):
        path = write_baseline(tmp_path / "baseline.json", sample_runs())
        assert is_baseline(path)
        assert path.read_bytes() == write_baseline(tmp_path / "again.json", sample_runs()).read_bytes()
        found = check_baseline(path, sample_runs())
        assert (found.exact, found.curves, found.settings, found.problems) == (True, 4, 32, ())

    def test_sees_one_other_id_where_it_was_written(self, sample_runs, tmp_path):
        path = write_baseline(tmp_path / "baseline.json", sample_runs())
        runs = sample_runs()
        ids = runs[0].points[0].ids.copy()
        ids[0] = ids[0][::-1]
        found = check_baseline(path, [changed(runs[0], 0, ids=ids), runs[1]])
        assert [problem.endswith("other ids") for problem in found.problems] == [True]

    def test_is_tolerant_elsewhere_and_says_so(self, sample_runs, tmp_path):
        path = write_baseline(tmp_path / "baseline.json", sample_runs())
        runs = [replace(run, environment={"processor": "another"}) for run in sample_runs()]
        nearly = changed(runs[0], 0, points_scanned=runs[0].points[0].points_scanned + 1)
        found = check_baseline(path, [nearly, runs[1]])
        assert (found.exact, found.problems) == (False, ())
        twice = changed(runs[0], 0, points_scanned=runs[0].points[0].points_scanned * 2)
        (problem,) = check_baseline(path, [twice, runs[1]]).problems
        assert ": points " in problem

    def test_other_curves_are_named(self, sample_runs, tmp_path):
        path = write_baseline(tmp_path / "baseline.json", sample_runs())
        problems = check_baseline(path, sample_runs()[:1]).problems
        assert len(problems) == 2
        assert all(problem.endswith("not measured") for problem in problems)
        assert all("not in" in problem for problem in check_baseline(path, sample_runs(seed=8)).problems[4:])

    def test_other_files_are_none(self, tmp_path):
        (tmp_path / "other.json").write_text("[1]")
        assert not is_baseline(tmp_path / "other.json")
        with pytest.raises(ResultError, match="expected a file"):
            check_baseline(tmp_path / "other.json", [])


class TestStoredFront:
    TRUTH = np.arange(40).reshape(4, 10)

    def test_comes_back_as_it_was(self, tmp_path):
        found = {"few": self.TRUTH[:, ::2], "many": (self.TRUTH, np.array([5, 6, 7, 9]))}
        front = front_of(found, self.TRUTH)
        assert front.recall.tolist() == [[0.6] * 4, [1.0] * 4]  # of 0, 2, 4, 6, 8 the first five know three
        back = load_front(save_front(tmp_path / "front.json", front))
        assert not compare_work(front, back, Limits(exact=True)).changed
        assert back.points.sum(axis=1).tolist() == [0.0, 27.0]

    def test_padding_and_repetitions_do_not_count(self):
        ids = np.array([[0, 0, -1, -1], [10, 11, 12, 13], [20, 20, 20, 20], [30, 39, 31, -1]])
        assert front_of({"a": ids}, self.TRUTH).recall[0].tolist() == [0.25, 1.0, 0.25, 0.5]

    @pytest.mark.parametrize("ids", [np.zeros(4), np.zeros((3, 2)), np.zeros((4, 11))])
    def test_shapes_are_checked(self, ids):
        with pytest.raises(ResultError, match="found ids"):
            front_of({"a": ids}, self.TRUTH)

    def test_other_files_are_refused(self, tmp_path):
        (tmp_path / "x.json").write_text(json.dumps({"schema": "else", "settings": {}}))
        for name in ("x.json", "none.json"):
            with pytest.raises(ResultError, match="expected a stored front"):
                load_front(tmp_path / name)
