"""`ivfbench datasets`, as people meet it: real processes, from arguments to exit codes."""

import importlib.util

import numpy as np
import pytest
from ivfbench.datasets.layout import describe


class TestDatasets:
    def test_info(self, ivfbench):
        done = ivfbench("datasets", "info", "small.hdf5")
        assert done.returncode == 0, done.stderr
        for said in ("small (synthetic)", "angular", "900 of 16 dimensions", "60 with 20 neighbours", "300 with 10"):
            assert said in done.stdout

    def test_verify(self, ivfbench):
        done = ivfbench("datasets", "verify", "small.hdf5", "--sample", "10")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("small.hdf5: sound\n")
        assert "10 of 60 searched again" in done.stdout

    def test_make(self, ivfbench, folder, tmp_path):
        rng = np.random.default_rng(0)
        for name, rows in (("base", 50), ("queries", 5)):
            np.save(tmp_path / f"{name}.npy", rng.standard_normal((rows, 6)).astype(np.float32))
        arguments = ("--base", tmp_path / "base.npy", "--queries", tmp_path / "queries.npy", "--metric", "euclidean")
        done = ivfbench("datasets", "make", tmp_path / "made.hdf5", *arguments, "-k", "7")
        assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'made.hdf5'}\n"), done.stderr
        made = describe(tmp_path / "made.hdf5")
        assert (made.n, made.dimension, made.queries, made.neighbors, made.metric) == (50, 6, 5, 7, "euclidean")

    def test_derive(self, ivfbench, tmp_path):
        out = tmp_path / "thin.hdf5"
        arguments = ("--pca", "4", "--normalise", "--metric", "ip", "--base", "500", "--learn", "50", "--learn-k", "20")
        done = ivfbench("datasets", "derive", "small.hdf5", out, *arguments)
        assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
        assert "searching 0/110" in done.stderr
        made = describe(out)
        assert (made.n, made.dimension, made.metric, made.synthetic) == (500, 4, "ip", True)
        assert (made.queries, made.neighbors, made.learn_count, made.learn_neighbors) == (60, 100, 50, 20)

    def test_embed_says_what_to_install(self, ivfbench, tmp_path):
        if importlib.util.find_spec("sentence_transformers"):
            pytest.skip("sentence-transformers is installed here")
        done = ivfbench("datasets", "embed", tmp_path / "x.hdf5", "--corpus", "c", "--queries", "q", "--model", "m")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("ivfbench: ")
        assert done.stderr.count("\n") == 1
        assert "pip install 'ivfbench[text]'" in done.stderr
        assert list(tmp_path.iterdir()) == []
