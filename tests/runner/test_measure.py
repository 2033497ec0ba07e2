"""The clock: what it encloses, what is kept, and what is refused."""

import itertools
import time

import numpy as np
import pytest
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.exact import Exact
from ivfbench.algorithms.found import Found
from ivfbench.algorithms.ivf import IVF
from ivfbench.runner.measure import UnstableAnswersError, measure

ROWS = np.random.default_rng(3).standard_normal((300, 12)).astype(np.float32)
QUERIES = np.random.default_rng(4).standard_normal((70, 12)).astype(np.float32)


@pytest.fixture(scope="module", params=["exact", "lists"])
def index_and_point(request):
    if request.param == "exact":
        return Exact().build(ROWS, "euclidean"), {}
    return IVF(KMeans(lists=9)).build(ROWS, "euclidean"), {"nprobe": 2}


def found(count, k, first=0):
    ids = np.full((count, k), first, dtype=np.int32)
    work = np.ones(count, dtype=np.int64)
    return Found(ids, np.zeros((count, k), dtype=np.float32), work, work)


class Diary:
    """An index that writes down how it is asked."""

    def __init__(self):
        self.asked = []

    def search(self, queries, k, *, threads, **point):
        self.asked.append((len(queries), k, threads, point))
        return found(len(queries), k)


class Fickle:
    """An index whose answers change after `calls` calls: the id is the number of times it has changed."""

    def __init__(self, calls):
        self.calls = calls
        self.count = itertools.count()

    def search(self, queries, k, *, threads):
        return found(len(queries), k, next(self.count) // self.calls)


class Slow:
    """An index that takes at least 5 ms for each call."""

    def search(self, queries, k, *, threads):
        time.sleep(0.005)
        return found(len(queries), k)


class TestRealIndex:
    @pytest.mark.parametrize(("mode", "width"), [("single", 70), ("batch", 1)])
    def test_shapes_and_answers(self, index_and_point, mode, width):
        index, point = index_and_point
        measured = measure(index, QUERIES, 10, point, mode=mode, threads=2, repetitions=5)
        assert measured.seconds.shape == (5, width)
        assert measured.seconds.dtype == np.float64
        assert (measured.seconds > 0).all()
        direct = index.search(QUERIES, 10, **point)
        for name in ("ids", "probed", "scanned"):
            told, expected = getattr(measured.found, name), getattr(direct, name)
            np.testing.assert_array_equal(told, expected, name)
            assert told.dtype == expected.dtype
        np.testing.assert_allclose(measured.found.distances, direct.distances, rtol=1e-6)

    def test_single_queries_and_batches_answer_alike(self, index_and_point):
        index, point = index_and_point
        asked = {"threads": 2, "repetitions": 1}
        single = measure(index, QUERIES, 10, point, mode="single", **asked).found
        batch = measure(index, QUERIES, 10, point, mode="batch", **asked).found
        np.testing.assert_array_equal(single.ids, batch.ids)
        np.testing.assert_array_equal(single.scanned, batch.scanned)

    def test_queries_are_not_written_to(self, index_and_point):
        index, point = index_and_point
        queries = QUERIES.copy()
        queries.flags.writeable = False
        for mode in ("single", "batch"):
            measure(index, queries, 10, point, mode=mode, threads=1, repetitions=1)
        np.testing.assert_array_equal(queries, QUERIES)


class TestCalls:
    def test_single_mode_asks_one_query_per_call_on_one_thread(self):
        index = Diary()
        measure(index, QUERIES, 3, {"nprobe": 4}, mode="single", threads=8, repetitions=5)
        assert set(map(str, index.asked)) == {str((1, 3, 1, {"nprobe": 4}))}
        assert len(index.asked) == 64 + 5 * 70  # an untimed pass over some, then every repetition over all

    def test_batch_mode_asks_all_queries_in_one_call_on_all_threads(self):
        index = Diary()
        measure(index, QUERIES, 3, {}, mode="batch", threads=8, repetitions=5)
        assert index.asked == [(64, 3, 8, {}), *[(70, 3, 8, {})] * 5]


class TestClock:
    @pytest.mark.parametrize("mode", ["single", "batch"])
    def test_encloses_the_search(self, mode):
        measured = measure(Slow(), QUERIES[:4], 3, {}, mode=mode, threads=1, repetitions=5)
        assert measured.seconds.shape == (5, 4 if mode == "single" else 1)
        assert measured.seconds.min() >= 0.005

    def test_no_repetitions(self):
        with pytest.raises(ValueError, match="repetitions: found 0, expected at least 1"):
            measure(Diary(), QUERIES, 3, {}, mode="batch", threads=1, repetitions=0)


class TestUnstableAnswers:
    def test_batches(self):
        index = Fickle(calls=3)  # the untimed call and two repetitions agree
        with pytest.raises(UnstableAnswersError, match=r"^query 0: repetition 3 returned other ids than repetition 1$"):
            measure(index, QUERIES, 3, {}, mode="batch", threads=1, repetitions=5)

    def test_single_queries_name_the_query(self):
        index = Fickle(calls=5 + 5 + 2)  # 5 untimed, 5 of repetition 1, 2 of repetition 2
        with pytest.raises(UnstableAnswersError, match=r"^query 2: repetition 2 returned other ids than repetition 1$"):
            measure(index, QUERIES[:5], 3, {}, mode="single", threads=1, repetitions=5)

    def test_the_last_repetition_counts_too(self):
        index = Fickle(calls=5)
        with pytest.raises(UnstableAnswersError, match="repetition 5"):
            measure(index, QUERIES, 3, {}, mode="batch", threads=1, repetitions=5)
        assert measure(Fickle(calls=6), QUERIES, 3, {}, mode="batch", threads=1, repetitions=5).seconds.shape == (5, 1)
