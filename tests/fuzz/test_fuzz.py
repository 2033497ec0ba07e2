"""The readers under fuzz, briefly: the corpus itself, and inputs of it with a few bytes changed.

`make fuzz` goes on from here with atheris.
"""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
CORPUS = sorted(path for path in (HERE / "corpus").rglob("*") if path.is_file())
KNOWN = sorted(path for path in (HERE / "known").rglob("*") if path.is_file())  # over which HDF5 loops; and old layouts
LARGE = 64 * 2**10


@pytest.fixture(scope="module")
def targets():
    """The four targets by name."""
    specification = importlib.util.spec_from_file_location("targets", HERE / "targets.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.TARGETS


def test_every_target_has_a_corpus_and_no_more(targets):
    assert {path.parent.name for path in CORPUS} == set(targets)
    assert max(path.stat().st_size for path in CORPUS) < LARGE


@pytest.mark.parametrize("path", [*CORPUS, *KNOWN], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_corpus(targets, path):
    targets[path.parent.name](path.read_bytes())


CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
@settings(derandomize=True, max_examples=60, deadline=None)  # the same at every time: HDF5 may crash over a new one
@given(changes=CHANGES, kept=st.one_of(st.just(1.0), st.floats(0, 1)))
def test_changed_bytes(targets, path, changes, kept):
    content = bytearray(path.read_bytes())
    held = [place for place, value in enumerate(content) if value]  # HDF5 files are mostly zeros
    for share, value in changes:
        content[held[int(share * len(held))]] = value
    targets[path.parent.name](bytes(content[: int(kept * len(content))]))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(content=st.binary(max_size=400))
def test_any_bytes(targets, content):
    for target in targets.values():
        target(content)
