"""The plug-in for ann-benchmarks, driven as that suite drives it, and run by our own command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import ivfbench
import numpy as np
import pytest
from ivfbench.algorithms.plugin.module import CODECS, ROUTERS, IVFBench
from ivfbench.results.store import load_runs
from ivfbench.results.table import table
from ivfbench.runner.definitions import expand_definitions, read_definitions

PLUGIN = Path(ivfbench.__file__).parent / "algorithms" / "plugin"
LISTS = 12


@pytest.fixture(scope="module")
def rows():
    drawn = np.random.default_rng(8).standard_normal((700, 12))
    return drawn, drawn[:40] + 0.3 * np.random.default_rng(9).standard_normal((40, 12))  # float64, as theirs may be


@pytest.mark.parametrize("metric", ["angular", "euclidean"])
@pytest.mark.parametrize(("router", "codec"), [(router, codec) for router in ROUTERS for codec in CODECS])
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


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        """The plug-in as ann-benchmarks has it."""
        shutil.copytree(PLUGIN, tmp_path / "algorithms" / "ivfbench", ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path / "algorithms"

    @pytest.mark.parametrize("metric", ["angular", "euclidean"])
    def test_its_configuration_names_four_curves(self, folder, metric):
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

    def test_it_runs_beside_any_other_definition(self, folder, with_learn):
        text = (folder / "ivfbench" / "config.yml").read_text()
        (folder / "ivfbench" / "config.yml").write_text(
            text.replace("2048, 4096", "30").replace("[1, 2, 4, 6, 8", "[30")
        )
        command = [sys.executable, "-m", "ivfbench", "run", "--definitions", str(folder), "--dataset", str(with_learn)]
        more = ["--algorithm", "*, 30, *", "--threads", "2", "--repetitions", "2", "--out", "out", "--no-figures"]

        def run():
            return subprocess.run(
                [*command, *more], cwd=folder.parent, env={**os.environ, "COLUMNS": "100"},
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip

        done = run()
        assert done.returncode == 0, done.stderr
        runs = load_runs(folder.parent / "out")
        assert sorted(run.parameters["name"] for run in runs) == [
            "ivfbench-centroid", "ivfbench-centroid-compressed", "ivfbench-learnt", "ivfbench-learnt-compressed",
        ]  # fmt: skip
        frame = table(runs)
        assert set(frame["status"]) == {"ok"}
        everything = frame[frame["query_parameters"].str.contains(r"\[384,120\]|\[30\]")]
        assert len(everything) == 8
        assert (everything["recall"] >= 0.99).all()
        assert (everything["points_scanned"] == 900 + 30).all()
        assert run().stderr.splitlines()[0].startswith("0 to build and sweep")
