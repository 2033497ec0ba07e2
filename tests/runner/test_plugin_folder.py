"""The plug-in for ann-benchmarks as a folder of definitions, which our own command line runs too."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ivfbench
import pytest
from ivfbench.algorithms.plugin.module import CODECS, ROUTERS
from ivfbench.results.store import load_runs
from ivfbench.results.table import table
from ivfbench.runner.definitions import expand_definitions, read_definitions

PLUGIN = Path(ivfbench.__file__).parent / "algorithms" / "plugin"


@pytest.fixture
def folder(tmp_path):
    """The plug-in as ann-benchmarks has it."""
    shutil.copytree(PLUGIN, tmp_path / "algorithms" / "ivfbench", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "algorithms"


@pytest.mark.parametrize("metric", ["angular", "euclidean"])
def test_its_configuration_names_four_curves(folder, metric):
    found = list(expand_definitions(read_definitions(folder), metric, 100, 10))
    assert {one.name for one, _ in found} == {
        f"ivfbench-{router}{'' if codec == 'float32' else '-compressed'}" for router in ROUTERS for codec in CODECS
    }
    for one, points in found:
        assert one.refused == ""
        told, lists, router, *codec = one.arguments
        assert (told, router in ROUTERS, codec in ([], ["compressed"])) == (metric, True, True)
        assert one.name == "-".join(["ivfbench", router, *codec])
        for point in points:
            assert len(point["query_arguments"]) == (2 if codec else 1)
            assert all(1 <= number <= lists for number in point["query_arguments"])


def test_it_runs_beside_any_other_definition(folder, with_learn):
    text = (folder / "ivfbench" / "config.yml").read_text()
    (folder / "ivfbench" / "config.yml").write_text(
        re.sub(r"\[\[(1|8),.*384.*?\]", "[[30]", text).replace("2048, 4096", "30")
    )
    command = [sys.executable, "-m", "ivfbench", "run", "--definitions", str(folder), "--dataset", str(with_learn)]
    more = [
        "--algorithm",
        "*-learnt'*, 30, *",
        "--algorithm",
        "*-centroid-compressed*",
        "--threads",
        "1",
        "--repetitions",
        "2",
        "--out",
        "out",
        "--no-figures",
    ]

    def run():
        return subprocess.run(
            [*command, *more], cwd=folder.parent, env={**os.environ, "COLUMNS": "100"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    done = run()
    assert done.returncode == 0, done.stderr
    runs = load_runs(folder.parent / "out")
    assert sorted(run.parameters["name"] for run in runs) == [
        "ivfbench-centroid-compressed", "ivfbench-learnt",
    ]  # fmt: skip
    frame = table(runs)
    assert sorted(frame["query_parameters"]) == sorted(
        2 * [f'{{"query_arguments":{asked}}}' for asked in ("[30]", "[30,30]", "[30,60]", "[30,120]")]
    )
    assert set(frame["status"]) == {"ok"}
    assert (frame["recall"] >= 0.99).all()
    assert (frame["points_scanned"] == 900 + 30).all()
    assert run().stderr.splitlines()[0].startswith("0 to build and sweep")
