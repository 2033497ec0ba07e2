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
vector.difference_tile = vector.make_tile(vector.QUERIES_PER_TILE, panels, differences=True)
from ivfbench.algorithms.kernels import nearest, panels, space

rows = np.load(sys.argv[2], allow_pickle=False)
room = space.make_space(rows, "euclidean")
held = panels.make_panels(rows, room, squared=True)
found = {}
for differences in (False, True):
    slots, scores = nearest.nearest(held, rows[:50], room, 10, 2, differences=differences)
    found |= {f"slots{differences:d}": slots, f"scores{differences:d}": scores}
np.savez(sys.argv[3], **found)
"""


def test_the_width_of_a_tile_changes_no_answer(tmp_path, normal):
    panels = 3 - PANELS_PER_TILE  # the one of 1 and 2 that this host does not use
    rows = normal(16 * 8 + 5, 33)  # nine panels: one is left over when they are taken in pairs
    space = make_space(rows, "euclidean")
    panels_of_rows = make_panels(rows, space, squared=True)
    expected = [nearest(panels_of_rows, rows[:50], space, 10, 2, differences=each) for each in (False, True)]
    np.save(tmp_path / "rows.npy", rows)
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(panels), str(tmp_path / "rows.npy"), str(tmp_path / "found.npz")],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        check=True,
        timeout=120,
    )
    with np.load(tmp_path / "found.npz") as found:
        for differences, (slots, scores) in enumerate(expected):
            np.testing.assert_array_equal(found[f"slots{differences}"], slots)
            assert found[f"scores{differences}"].tobytes() == scores.tobytes()
