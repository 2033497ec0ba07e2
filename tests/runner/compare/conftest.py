"""A project of its own: an exact search in the style of ann-benchmarks, under git, in several revisions."""

import subprocess

import numpy as np
import pytest

MODULE = """
import numpy as np


class Partial:
    \"\"\"Looks at a part of the vectors, all in one order.\"\"\"

    def __init__(self, metric, keep):
        assert metric == "euclidean"
        self.keep = keep

    def fit(self, rows):
        self.rows = rows
        self.computed = 0

    def set_query_arguments(self, share):
        self.count = int(share * len(self.rows))

    def query(self, row, k):
        distances = ((self.rows[: self.count] - row) ** 2).sum(axis=1)
        self.computed += self.count
        found = np.argsort(distances, kind="stable")[:k]
        return np.where(found % 50 < self.keep, found, -1)

    def get_additional(self):
        return {"dist_comps": self.computed}
"""
SUBJECT = """
dataset: small.hdf5
module: bench/partial.py
constructor: Partial
arguments: ["@metric", 50]
query_arguments: [[0.25], [0.5], [1.0]]
k: 5
"""


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A repository with the tags first, same (other text, same answers), worse (some neighbours are lost), astray
    (with ids that no row has), broken, mended."""
    from ivfbench.datasets.truth import exact_neighbors
    from ivfbench.datasets.write import write_dataset

    folder = tmp_path_factory.mktemp("project")
    rng = np.random.default_rng(0)
    train, test = (rng.standard_normal((count, 8)).astype(np.float32) for count in (400, 40))
    neighbors, distances = exact_neighbors(train, test, 10, "euclidean")
    write_dataset(
        folder / "small.hdf5", train=train, test=test, metric="euclidean", neighbors=neighbors, distances=distances
    )
    (folder / "subject.yml").write_text(SUBJECT)
    module = folder / "bench" / "partial.py"
    module.parent.mkdir()
    git(folder, "init", "-q")
    revisions = {
        "first": MODULE,
        "same": MODULE + "# and nothing else\n",
        "worse": MODULE.replace("< self.keep", "< self.keep - 1"),
        "astray": MODULE.replace("return np.where(found % 50 < self.keep, found, -1)", "return found + 10**6"),
        "broken": MODULE.replace("self.rows = rows", "self.rows = None"),
        "mended": MODULE,
    }
    for tag, text in revisions.items():
        module.write_text(text)
        git(folder, "add", "bench", "subject.yml")
        git(folder, "commit", "-q", "-m", tag)
        git(folder, "tag", tag)
    return folder
