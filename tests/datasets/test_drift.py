from dataclasses import fields, replace

import h5py
import numpy as np
import pytest
from ivfbench.datasets import drift as module
from ivfbench.datasets.drift import Drift, drift_of, generate, write_drift
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.load import load, peek
from ivfbench.datasets.reader import read_dataset
from ivfbench.datasets.verify import verify

SMALL = Drift(n=900, dimension=24, learn=300, test=50, topics=20, k=15, learn_k=4)


def test_the_file_is_a_true_dataset_of_both_worlds(tmp_path):
    path = write_drift(tmp_path, SMALL)
    report = verify(path)
    assert (report.queries_checked, report.learn_checked) == (50, 300)
    dataset = read_dataset(path)
    assert (dataset.metric, dataset.synthetic) == ("angular", True)
    assert (dataset.train.shape, dataset.test.shape, dataset.learn.shape) == ((900, 24), (50, 24), (300, 24))
    assert (dataset.neighbors.shape, dataset.learn_neighbors.shape) == ((50, 15), (300, 4))
    with h5py.File(path) as file:
        assert file.attrs["seed"] == SMALL.seed
        assert file.attrs["generator_version"] == 1
        assert "Synthetic" in file.attrs["description"]


def test_the_same_seed_gives_the_same_bits():
    for first, second in zip(generate(SMALL), generate(SMALL), strict=True):
        assert first.tobytes() == second.tobytes()
    other = generate(replace(SMALL, seed=1))
    assert not np.array_equal(other[0], generate(SMALL)[0])


def test_every_parameter_changes_the_name():
    changed = {replace(SMALL, **{field.name: getattr(SMALL, field.name) + 1}).file_name for field in fields(Drift)}
    assert len(changed | {SMALL.file_name}) == len(fields(Drift)) + 1


def test_a_set_already_there_is_left_alone(tmp_path):
    path = write_drift(tmp_path, SMALL)
    before = path.stat().st_mtime_ns
    told = []
    assert write_drift(tmp_path, SMALL, progress=lambda *at: told.append(at)) == path
    assert path.stat().st_mtime_ns == before
    assert told == []


def test_vectors_are_unit_and_queries_drift():
    train, test, learn = generate(replace(SMALL, n=3000, test=1000, learn=1000))
    for rows in (train, test, learn):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    documents, first, second = (rows.mean(axis=0) for rows in (train, test, learn))
    assert np.linalg.norm(first - second) < 0.5 * np.linalg.norm(first - documents)


def test_progress_counts_test_and_training_queries(tmp_path):
    told = []
    write_drift(tmp_path, SMALL, progress=lambda *at: told.append(at))
    assert told == [(50, 350), (306, 350), (350, 350)]


def test_no_query_is_a_training_query():
    _, test, learn = generate(SMALL)
    assert not {row.tobytes() for row in test} & {row.tobytes() for row in learn}


def test_the_default_is_what_the_documentation_says():
    drift = Drift()
    assert (drift.n, drift.dimension, drift.learn, drift.test, drift.seed) == (
        50_000,
        96,
        20_000,
        2_000,
        20_260,
    )
    assert (drift.k, drift.learn_k) == (100, 10)


@pytest.mark.parametrize("k", [900, 2000])
def test_more_neighbours_than_documents(tmp_path, k):
    path = write_drift(tmp_path, replace(SMALL, test=3, learn=2, k=k))
    assert read_dataset(path).neighbors.shape == (3, 900)


def test_rows_drawn_in_pieces_are_the_same_rows(monkeypatch):
    whole = generate(SMALL)
    monkeypatch.setattr(module, "_ROWS", 128)
    for first, second in zip(whole, generate(SMALL), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-7)


def test_no_training_queries(tmp_path):
    dataset = read_dataset(write_drift(tmp_path, replace(SMALL, learn=0)))
    assert not dataset.has_learn
    assert dataset.queries == 50


def test_a_name_tells_the_parameters(tmp_path):
    assert drift_of("drift") == Drift()
    assert drift_of("drift:n=1000,decay=0.5,learn=0") == Drift(n=1000, decay=0.5, learn=0)
    name = "drift:n=900,dimension=24,learn=300,test=50,topics=20,k=15,learn_k=4"
    assert peek(name, cache=tmp_path).n == 900
    dataset = load(name, cache=tmp_path)
    assert dataset.name == name
    assert dataset.train.tobytes() == generate(SMALL)[0].tobytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("drift:m=5", "'m': no such parameter, the nearest is"),
        ("drift:dimensions=5", "the nearest is dimension"),
        ("drift:n", "n: found '', expected int"),
        ("drift:n=many", "n: found 'many', expected int"),
        ("drift:n=1e6", "n: found '1e6', expected int"),
        ("drift:n=0", "n: found 0, expected 1 to"),
        ("drift:n=99999999999", "n: found 99999999999, expected 1 to"),
        ("drift:noise=nan", "noise: found nan"),
    ],
)
def test_a_name_that_tells_nonsense(tmp_path, name, said):
    with pytest.raises(DatasetError, match=said) as caught:
        load(name, cache=tmp_path)
    assert name in str(caught.value)
    assert not list(tmp_path.iterdir())
