"""The plug-in for ann-benchmarks, driven as that suite drives it."""

import numpy as np
import pytest
from ivfbench.algorithms.plugin.module import IVFBench

LISTS = 12


@pytest.fixture(scope="module")
def rows():
    drawn = np.random.default_rng(8).standard_normal((700, 12))
    return drawn, drawn[:40] + 0.3 * np.random.default_rng(9).standard_normal((40, 12))  # float64, as theirs may be


@pytest.mark.parametrize(
    ("metric", "router", "codec"),
    [
        ("angular", "centroid", "float32"),
        ("euclidean", "centroid", "compressed"),
        ("euclidean", "learnt", "float32"),
        ("angular", "learnt", "compressed"),
    ],
)
def test_every_kind_is_exact_where_all_lists_are_opened(naive, rows, metric, router, codec):
    train, queries = rows
    algorithm = IVFBench(metric, LISTS, router, codec)
    assert algorithm.get_memory_usage() == 0
    before = train.tobytes(), queries.tobytes()
    algorithm.fit(train)
    algorithm.set_query_arguments(LISTS, *([200] if codec == "compressed" else []))
    single = [algorithm.query(query, 10) for query in queries]
    algorithm.batch_query(queries, 10)
    np.testing.assert_array_equal(algorithm.get_batch_results(), single)
    assert (train.tobytes(), queries.tobytes()) == before
    train, queries = (part.astype(np.float32) for part in rows)
    assert naive.recall(np.stack(single), train, queries, metric, 10) >= 0.999
    assert algorithm.get_additional() == {"dist_comps": 2 * 40 * (700 + LISTS)}
    assert algorithm.get_memory_usage() > 700 * 12 * 0.5 / 1024
    assert f"nprobe={LISTS}" in str(algorithm)
    assert "Learnt(" in str(algorithm) if router == "learnt" else "Centroid(" in str(algorithm)


def test_the_counter_starts_anew_with_the_query_arguments(rows):
    algorithm = IVFBench("euclidean", LISTS)
    algorithm.fit(rows[0])
    told = []
    for nprobe in (1, 3, 1):
        algorithm.set_query_arguments(nprobe)
        found = [algorithm.query(query, 500) for query in rows[1]]
        told.append(algorithm.get_additional()["dist_comps"])
        if nprobe == 1:  # lists of less than 500 rows: what was scanned was found, and nothing is padded
            assert told[-1] == sum(map(len, found)) + 40 * LISTS
            assert min(ids.min() for ids in found) >= 0
    assert told[0] == told[2] < told[1]
    algorithm.done()
    with pytest.raises(RuntimeError, match="expected fit before it"):
        algorithm.query(rows[1][0], 10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("angular", 4, "centre"), "router: found 'centre', expected one of centroid, learnt"),
        (("angular", 4, "learnt", "zip"), "codec: found 'zip', expected one of float32, compressed"),
        (("hamming", 4), "metric: found 'hamming'"),
    ],
)
def test_wrong_arguments(arguments, said):
    with pytest.raises(ValueError, match=said):
        IVFBench(*arguments)
