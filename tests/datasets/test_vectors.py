import numpy as np
import pytest
from ivfbench.datasets.errors import DatasetError
from ivfbench.datasets.vectors import FORMATS, read_vectors_file

TYPES = {"f": "<f4", "i": "<i4", "b": "u1", "fbin": "<f4", "ibin": "<i4", "u8bin": "u1", "i8bin": "i1"}


def put(path, rows):
    """Write rows in the format of the suffix, byte by byte as the formats are defined."""
    suffix = path.suffix[1:]
    if suffix == "npy":
        np.save(path, rows)
        return path
    stored = rows.astype(TYPES[suffix if suffix.endswith("bin") else suffix[0]])
    if suffix.endswith("vecs"):
        lead = np.int32(rows.shape[1]).tobytes()
        path.write_bytes(b"".join(lead + row.tobytes() for row in stored))
    else:
        path.write_bytes(np.array(rows.shape, "<u4").tobytes() + stored.tobytes())
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_round_trips_mapped(tmp_path, suffix):
    rows = np.arange(35).reshape(7, 5).astype("f4")
    read = read_vectors_file(put(tmp_path / f"rows{suffix}", rows))
    np.testing.assert_array_equal(read, rows)
    assert not read.flags.writeable
    base = read
    while base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)


def test_a_k_nn_file_gives_its_ids(tmp_path):
    path = tmp_path / "truth.ibin"
    ids, distances = np.arange(6, dtype="<i4"), np.zeros(6, "<f4")
    path.write_bytes(np.array([2, 3], "<u4").tobytes() + ids.tobytes() + distances.tobytes())
    np.testing.assert_array_equal(read_vectors_file(path), ids.reshape(2, 3))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("cut", [1, 30])
def test_truncated(tmp_path, suffix, cut):
    path = put(tmp_path / f"rows{suffix}", np.ones((7, 5)))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DatasetError, match="rows"):
        read_vectors_file(path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_empty_file(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"")
    with pytest.raises(DatasetError):
        read_vectors_file(path)


def test_a_row_of_another_dimension(tmp_path):
    path = put(tmp_path / "rows.ivecs", np.ones((4, 3)))
    content = bytearray(path.read_bytes())
    content[2 * 16] = 2
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="row 2 has dimension 2, expected 3"):
        read_vectors_file(path)


def test_pickled_objects_are_never_loaded(tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError) as caught:
        read_vectors_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rows", [np.ones(4), np.ones((2, 2), "S1"), np.ones((0, 3)), np.ones((1, 1, 1))])
def test_arrays_that_are_no_matrix_of_numbers(tmp_path, rows):
    np.save(tmp_path / "rows.npy", rows)
    with pytest.raises(DatasetError, match="expected a matrix of numbers"):
        read_vectors_file(tmp_path / "rows.npy")


def test_an_archive_under_the_wrong_name(tmp_path):
    np.savez(tmp_path / "rows.npz", np.ones((2, 2)))
    (tmp_path / "rows.npz").rename(tmp_path / "rows.npy")
    with pytest.raises(DatasetError, match="archive"):
        read_vectors_file(tmp_path / "rows.npy")


def test_unknown_format_and_absent_file(tmp_path):
    with pytest.raises(DatasetError, match=r"'\.csv', expected one of \.npy"):
        read_vectors_file(tmp_path / "rows.csv")
    with pytest.raises(DatasetError, match="no such file"):
        read_vectors_file(tmp_path / "rows.npy")
