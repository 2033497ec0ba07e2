"""A few figures as they must look, compared to images with a tolerance: what no test of numbers sees.

After a change that is meant, `IVFBENCH_BASELINE=1 python -m pytest tests/plots/test_images.py` draws them anew; look at
them before they are committed.
"""

import os
import shutil
from pathlib import Path

import pytest
from ivfbench.plots.draw import draw
from ivfbench.plots.kind import Options
from ivfbench.plots.registry import KINDS
from matplotlib.testing.compare import compare_images

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 6.0  # root mean square of 255: letters may move by a part of a pixel between versions of matplotlib
FIGURES = {
    "recall-qps": Options(axis="nines", facet=True),
    "cost": Options(width="single"),
    "critical-difference": Options(),
    "hardest-queries": Options(),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_looks_as_it_did(rows, tmp_path, monkeypatch, name):
    monkeypatch.setattr("ivfbench.plots.style.SMALL", {**_small(), "savefig.dpi": 60})
    first = draw(rows(KINDS[name]), KINDS[name], tmp_path, ("png",), FIGURES[name])[0]
    expected = BASELINE / f"{name}.png"
    if os.environ.get("IVFBENCH_BASELINE"):
        BASELINE.mkdir(exist_ok=True)
        shutil.copy(first, expected)
    told = compare_images(str(expected), str(first), tol=TOLERANCE)
    assert told is None, told


def test_another_figure_is_not_the_same(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("ivfbench.plots.style.SMALL", {**_small(), "savefig.dpi": 60})
    options = Options(axis="linear", facet=True)
    (path,) = draw(rows(KINDS["recall-qps"]), KINDS["recall-qps"], tmp_path, ("png",), options)
    assert compare_images(str(BASELINE / "recall-qps.png"), str(path), tol=TOLERANCE) is not None


def _small():
    from ivfbench.plots.style import SMALL

    return SMALL
