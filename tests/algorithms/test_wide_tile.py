"""Hosts with 512-bit registers score two panels at once; here the same code is made to, whatever this host has."""

import os
import subprocess
import sys

import numpy as np
from ivfbench.algorithms.kernels.nearest import nearest
from ivfbench.algorithms.kernels.panels import make_panels
from ivfbench.algorithms.kernels.space import make_space
from ivfbench.algorithms.kernels.vector import PANELS_PER_TILE

SCRIPT = """
import sys
import numpy as np
from ivfbench.algorithms.kernels import vector

vector.PANELS_PER_TILE = panels = int(sys.argv[1])
vector.tile = vector.make_tile(vector.QUERIES_PER_TILE, panels)
from ivfbench.algorithms.kernels import nearest, panels, space

rows = np.load(sys.argv[2], allow_pickle=False)
room = space.make_space(rows, "euclidean")
slots, scores = nearest.nearest(panels.make_panels(rows, room, squared=True), rows[:50], room, 10, 2)
np.savez(sys.argv[3], slots=slots, scores=scores)
"""


def test_the_width_of_a_tile_changes_no_answer(tmp_path, normal):
    panels = 3 - PANELS_PER_TILE  # the one of 1 and 2 that this host does not use
    rows = normal(16 * 8 + 5, 33)  # nine panels: one is left over when they are taken in pairs
    space = make_space(rows, "euclidean")
    slots, scores = nearest(make_panels(rows, space, squared=True), rows[:50], space, 10, 2)
    np.save(tmp_path / "rows.npy", rows)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(panels), str(tmp_path / "rows.npy"), str(tmp_path / "found.npz")],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        check=True,
        timeout=120,
    )
    with np.load(tmp_path / "found.npz") as found:
        np.testing.assert_array_equal(found["slots"], slots)
        assert found["scores"].tobytes() == scores.tobytes()
