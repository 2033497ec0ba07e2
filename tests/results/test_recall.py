"""Recall against plain loops where it goes wrong: ties, short rows, padding, repetitions, negatives."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ivfbench.results.errors import ResultError
from ivfbench.results.recall import recall, recall_ann_benchmarks


def naive_recall(ids, distances, truth_ids, truth_distances, k, metric):
    values = []
    for row, away, true, limits in zip(ids, distances, truth_ids, truth_distances, strict=False):
        farthest = max(limits[:k])
        limit = farthest + 1e-6 * abs(farthest)
        if metric in ("angular", "normalized", "cosine"):
            limit += 1e-12
        seen, hits = set(), 0
        for one, distance in list(zip(row, away, strict=True))[:k]:
            if one >= 0 and one not in seen and (one in set(true[:k]) or distance <= limit):
                hits += 1
            seen.add(one)
        values.append(min(hits, k) / k)
    return np.array(values)


def naive_ann_benchmarks(distances, stored, k):
    return np.array(
        [
            sum(float(d) <= float(true[k - 1]) + 1e-3 for d in row[:k]) / k
            for row, true in zip(distances, stored, strict=False)
        ]
    )


def one(ids, distances, truth_ids=(1, 2, 3), truth_distances=(1.0, 2.0, 3.0), k=3, metric="euclidean"):
    as_row = [np.array([values]) for values in (ids, distances, truth_ids, truth_distances)]
    return recall(*as_row, k, metric)[0]


class TestByHand:
    def test_all_found_in_any_order(self):
        assert one([3, 1, 2], [3.0, 1.0, 2.0]) == 1.0

    def test_one_wrong_id_farther_away(self):
        assert one([1, 2, 9], [1.0, 2.0, 3.1]) == pytest.approx(2 / 3)

    def test_a_tie_at_the_kth_distance_counts(self):
        assert one([1, 2, 9], [1.0, 2.0, 3.0]) == 1.0

    @pytest.mark.parametrize(("distance", "expected"), [(3.0 + 2.9e-6, 1.0), (3.0 + 3.1e-6, 2 / 3)])
    def test_the_tolerance_is_relative(self, distance, expected):
        assert one([1, 2, 9], [1.0, 2.0, distance]) == pytest.approx(expected)

    def test_the_tolerance_shrinks_with_the_scale(self):
        truth = {"truth_distances": (1e-6, 2e-6, 3e-6)}
        assert one([1, 2, 9], [1e-6, 2e-6, 4e-6], **truth) == pytest.approx(2 / 3)

    def test_padding_never_counts_even_where_its_distance_would(self):
        assert one([1, -1, -1], [1.0, 0.0, 0.0]) == pytest.approx(1 / 3)

    def test_padding_in_the_truth_does_not_make_padding_right(self):
        assert one([1, 2, -1], [1, 2, np.inf], truth_ids=(1, 2, -1), truth_distances=(1, 2, np.inf)) < 1.0

    def test_repetitions_count_once(self):
        assert one([1, 1, 1], [1.0, 1.0, 1.0]) == pytest.approx(1 / 3)

    def test_a_short_row_is_divided_by_k(self):
        assert one([1, 2], [1.0, 2.0]) == pytest.approx(2 / 3)

    def test_answers_beyond_k_are_not_looked_at(self):
        assert one([9, 8, 7, 1, 2, 3], [9.0, 9.0, 9.0, 1.0, 2.0, 3.0]) == 0.0

    def test_true_neighbours_beyond_k_do_not_count(self):
        truth = {"truth_ids": (1, 2, 3), "truth_distances": (1.0, 2.0, 3.0)}
        assert one([1, 3], [1.0, 3.0], k=2, **truth) == 0.5

    def test_negative_distances_widen_towards_zero(self):
        truth = {"truth_distances": (-3.0, -2.0, -1.0), "metric": "ip"}
        assert one([1, 2, 9], [-3.0, -2.0, -1.0 + 0.9e-6], **truth) == 1.0
        assert one([1, 2, 9], [-3.0, -2.0, -1.0 + 1.1e-6], **truth) == pytest.approx(2 / 3)

    @pytest.mark.parametrize(("metric", "expected"), [("angular", 1.0), ("normalized", 1.0), ("euclidean", 0.0)])
    def test_rounding_noise_at_distance_zero(self, metric, expected):
        assert one([9], [1e-13], truth_ids=[1], truth_distances=[0.0], k=1, metric=metric) == expected

    def test_a_truth_recomputed_out_of_order_uses_its_largest(self):
        assert one([9, 1, 2], [1.5, 1.0, 1.6], truth_ids=(1, 2, 3), truth_distances=(1.0, 1.6, 1.5)) == 1.0

    def test_rows_do_not_see_each_other(self):
        ids, truth = np.array([[5], [4]]), np.array([[4], [5]])
        far = np.array([[9.0], [9.0]])
        assert recall(ids, far, truth, np.ones((2, 1)), 1, "euclidean").tolist() == [0.0, 0.0]

    def test_a_prefix_of_the_queries(self):
        truth = np.array([[4], [5], [6]])
        assert recall(truth[:2], np.ones((2, 1)), truth, np.ones((3, 1)), 1, "euclidean").tolist() == [
            1.0,
            1.0,
        ]


small = st.integers(-1, 6)
near = st.sampled_from([-2.0, -1.0, -1.0 + 5e-7, 0.0, 1e-13, 1.0, 1.0 + 5e-7, 1.0 + 2e-6, 2.0, np.inf])


@st.composite
def answers(draw):
    queries, k = draw(st.integers(0, 4)), draw(st.integers(1, 4))
    width, stored = draw(st.integers(0, 5)), draw(st.integers(k, 6))
    truths = queries + draw(st.integers(0, 2))
    finite = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])
    return (
        draw(arrays.arrays(np.int32, (queries, width), elements=small)),
        draw(arrays.arrays(np.float64, (queries, width), elements=near)),
        draw(arrays.arrays(np.int32, (truths, stored), elements=small)),
        np.sort(draw(arrays.arrays(np.float64, (truths, stored), elements=finite)), axis=1),
        k,
        draw(st.sampled_from(["euclidean", "ip", "angular", "normalized", "manhattan"])),
    )


@settings(deadline=None, max_examples=150)
@given(answers())
def test_recall_equals_the_loop(case):
    np.testing.assert_array_equal(recall(*case), naive_recall(*case))


@settings(deadline=None, max_examples=80)
@given(answers())
def test_ann_benchmarks_equals_the_loop(case):
    _, distances, _, truth, k, _ = case
    stored = truth.astype(np.float32)
    np.testing.assert_array_equal(
        recall_ann_benchmarks(distances, stored, k), naive_ann_benchmarks(distances, stored, k)
    )


def test_ann_benchmarks_forgives_what_ours_does_not():
    ids, distances = np.array([[1, 1]]), np.array([[0.1, 0.1]])
    truth_ids, truth = np.array([[1, 2]]), np.array([[0.1, 0.2]])
    assert recall_ann_benchmarks(distances, truth.astype(np.float32), 2)[0] == 1.0
    assert recall(ids, distances, truth_ids, truth, 2, "angular")[0] == 0.5


@pytest.mark.parametrize(("distance", "expected"), [(0.2 + 0.9e-3, 1.0), (0.2 + 1.1e-3, 0.0), (np.inf, 0.0)])
def test_ann_benchmarks_slack_is_absolute(distance, expected):
    assert recall_ann_benchmarks(np.array([[distance]]), np.array([[0.2]], np.float32), 1)[0] == expected


def test_bad_shapes_are_one_clear_line():
    ids, distances = np.zeros((2, 3), int), np.zeros((2, 3))
    with pytest.raises(ResultError, match=r"truth of shape \(2, 3\), expected \(2, 4\) or more"):
        recall(ids, distances, ids, distances, 4, "euclidean")
    with pytest.raises(ResultError, match=r"ids \(2, 3\) and distances \(2, 2\)"):
        recall(ids, distances[:, :2], ids, distances, 2, "euclidean")
    with pytest.raises(ResultError, match=r"expected \(2, 1\) or more"):
        recall(ids, distances, ids[:1], distances[:1], 1, "euclidean")
