"""Kernels that are timed alone find what the public functions find."""

import numpy as np
import pytest
from ivfbench.algorithms.kernels.alone import finish_each, scan_each, scan_together
from ivfbench.algorithms.kernels.panels import make_panels
from ivfbench.algorithms.kernels.search import search_lists
from ivfbench.algorithms.kernels.space import make_space, prepare


@pytest.mark.parametrize("metric", ["euclidean", "angular", "ip", "manhattan"])
def test_they_find_what_a_search_finds(normal, metric):
    rows, queries = normal(200, 9), normal(13, 9, seed=1)
    space = make_space(rows, metric)
    assignment = (np.arange(200) % 6).astype(np.int32)
    panels = make_panels(rows, space, assignment, 6, squared=metric == "euclidean")
    probes = np.array([[i % 6, (i + 2) % 6, -1] for i in range(13)], dtype=np.int32)
    ids, distances, _ = search_lists(panels, queries, space, metric, probes, 7)
    prepared = prepare(queries, space)
    each = scan_each(panels, queries, space, metric, probes, 7)
    np.testing.assert_array_equal(scan_together(panels, queries, space, metric, probes, 7), each)
    before = each.copy()
    found_ids, found_distances = finish_each(panels, prepared, metric, each)
    np.testing.assert_array_equal(found_ids, ids)
    np.testing.assert_array_equal(found_distances, distances)
    np.testing.assert_array_equal(each, before)
