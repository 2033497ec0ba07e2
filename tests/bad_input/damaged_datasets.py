"""Datasets that must be refused: how each is made, and what is said of it."""

import zlib
from pathlib import Path

import h5py
import numpy as np
from ivfbench.datasets.truth import exact_neighbors
from ivfbench.datasets.write import write_dataset


def vectors(metric="euclidean"):
    """Twelve vectors, three test queries, three training queries, and the truth about them."""
    rng = np.random.default_rng(0)
    train, test, learn = (rng.integers(-9, 10, (rows, 4)).astype("f4") for rows in (12, 3, 3))
    neighbors, distances = exact_neighbors(train, test, 3, metric)
    learned, _ = exact_neighbors(train, learn, 2, metric)
    return {
        "train": train,
        "test": test,
        "neighbors": neighbors,
        "distances": distances,
        "learn": learn,
        "learn_neighbors": learned,
    }


NEAREST = vectors()


def sound(path, metric="euclidean", **replaced):
    """Write a dataset with some of its arrays replaced; None leaves one out."""
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = metric
        for key, array in {**vectors(metric), **replaced}.items():
            if array is not None:
                file[key] = array


def with_arrays(**makers):
    """A dataset whose arrays are what the makers turn them into."""
    return lambda path: sound(path, **{key: make(vectors()[key]) for key, make in makers.items()})


def without(*keys):
    return lambda path: sound(path, **dict.fromkeys(keys))


def planted(place, value, dtype=None):
    def make(array):
        changed = array.astype(dtype or array.dtype)
        changed[place] = value
        return changed

    return make


def in_file(act, libver=None):
    """A dataset that `act` then changes."""

    def make(path):
        sound(path)
        with h5py.File(path, "r+", libver=libver) as file:
            act(file)

    return make


def instead(key, put):
    def act(file):
        del file[key]
        put(file)

    return in_file(act)


def marked(**attributes):
    return in_file(lambda file: file.attrs.update(attributes))


def linked(key, link):
    return instead(key, lambda file: file.update({key: link}))


def cut(share):
    def make(path):
        sound(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])

    return make


def patched(old, new):
    """A dataset as this project writes it, with bytes exchanged."""

    def make(path):
        write_dataset(path, metric="euclidean", **vectors())
        whole = path.read_bytes()
        assert whole.count(old) == 1
        path.write_bytes(whole.replace(old, new))

    return make


def long_attribute(path):
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["distance"] = "euclidean"
        file.attrs["note"] = np.zeros(2**21, "u1")


def many_attributes(path):
    with h5py.File(path, "w", libver="latest") as file:
        for place in range(1001):
            file.attrs[f"a{place}"] = 1


def elsewhere(path):
    """Another file, which a bad one points to."""
    other = path.with_name("elsewhere.h5")
    with h5py.File(other, "w") as file:
        file["train"] = vectors()["train"]
    return other


def virtual(path):
    layout = h5py.VirtualLayout((12, 4), "f4")
    layout[:] = h5py.VirtualSource(elsewhere(path), "train", (12, 4))
    instead("train", lambda file: file.create_virtual_dataset("train", layout))(path)


def external_storage(path):
    raw = [(str(path.with_suffix(".raw")), 0, 192)]
    instead("train", lambda file: file.create_dataset("train", (12, 4), "f4", external=raw))(path)


def soft_link_through_external(path):
    def put(file):
        file["there"] = h5py.ExternalLink(elsewhere(path), "/")
        file["train"] = h5py.SoftLink("/there/train")

    instead("train", put)(path)


def empty_chunks(shape, **options):
    return instead("train", lambda file: file.create_dataset("train", shape, "f4", chunks=(1024, 4), **options))


def deflate_bomb(path):
    packed = zlib.compress(bytes(2**23))

    def put(file):
        item = file.create_dataset("train", (9 * 2**19, 4), "f4", chunks=(2**19, 4), compression="gzip")
        for start in range(0, 9 * 2**19, 2**19):
            item.id.write_direct_chunk((start, 0), packed)

    instead("train", put)(path)


def zero_vectors(path):
    arrays = vectors("angular")
    arrays["train"][arrays["neighbors"][0, 0]] = 0
    sound(path, "angular", **{**arrays, "learn": None, "learn_neighbors": None})


def unending(path):
    """The free space of the heap of texts has no size: HDF5 steps over it for ever."""
    write_dataset(path, metric="euclidean", **vectors())
    whole = bytearray(path.read_bytes())
    heap = whole.index(b"GCOL\x01\0\0\0")
    place = heap + 16
    while int.from_bytes(whole[place : place + 2], "little"):
        place += 16 + -(-int.from_bytes(whole[place + 8 : place + 16], "little") // 8) * 8
    whole[place + 8 : place + 16] = bytes(8)
    path.write_bytes(whole)


def other_metric(path):
    arrays = vectors("ip")
    sound(path, **{key: arrays[key] for key in ("neighbors", "distances", "learn_neighbors")})


DATASETS = {
    "missing": (lambda path: None, "no such file"),
    "folder": (Path.mkdir, "is not a file"),
    "empty file": (Path.touch, "not a readable HDF5 file"),
    "web page": (lambda path: path.write_text("<!DOCTYPE html>"), "not a readable HDF5 file"),
    "only a signature": (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "not a readable HDF5 file"),
    **{f"cut at {share}": (cut(share), "not a readable HDF5 file") for share in (0.001, 0.02, 0.2, 0.5, 0.9, 0.9999)},
    **{f"no {key}": (without(key), f"{key!r} is missing") for key in ("train", "test", "neighbors")},
    "nothing in it": (without(*vectors()), "'train' is missing: found nothing"),
    **{f"vector for {key}": (with_arrays(**{key: lambda array: array[0]}), f"{key!r} has shape") for key in vectors()},
    "cube": (with_arrays(train=lambda array: array[None]), "'train' has shape (1, 12, 4): expected a matrix"),
    "number": (with_arrays(neighbors=lambda array: array[0, 0]), "'neighbors' has shape (): expected a matrix"),
    "d of queries": (with_arrays(test=lambda array: array[:, 1:]), "'test' has 3 columns, expected 4 as in 'train'"),
    "d of learn": (with_arrays(learn=lambda array: array[:, 1:]), "'learn' has 3 columns, expected 4 as in 'train'"),
    "d said": (marked(dimension=5), "'train' has 4 columns, but attribute 'dimension' says 5"),
    "rows of neighbors": (with_arrays(neighbors=lambda array: array[1:]), "'neighbors' has 2 rows, expected 3"),
    "shape of distances": (with_arrays(distances=lambda array: array[:, 1:]), "'distances' has shape (3, 2)"),
    "fewer rows than neighbors": (with_arrays(train=lambda array: array[:2]), "'neighbors' has 3 columns, but 'train'"),
    "NaN": (with_arrays(train=planted((5, 1), np.nan)), "'train' row 5, column 1: found nan, expected a finite"),
    "infinity": (with_arrays(test=planted((1, 2), -np.inf)), "'test' row 1, column 2: found -inf, expected a finite"),
    "beyond float32": (with_arrays(train=planted((5, 1), 1e300, "f8")), "'train' row 5, column 1: found 1e+300"),
    "NaN to learn from": (with_arrays(learn=planted((1, 0), np.nan)), "'learn' row 1, column 0: found nan"),
    "NaN distance": (with_arrays(distances=planted((1, 0), np.nan)), "'distances' row 1: holds NaN"),
    "no rows": (with_arrays(train=lambda array: array[:0]), "'train' has shape (0, 4): expected a matrix"),
    "no columns": (with_arrays(train=lambda array: array[:, :0]), "'train' has shape (12, 0): expected a matrix"),
    "K < k": (lambda path: sound(path, neighbors=NEAREST["neighbors"][:, :1], distances=None), "at least k = 2"),
    "id n": (with_arrays(neighbors=planted((2, 1), 12)), "'neighbors' row 2, rank 1: found id 12, expected 0 .. 11"),
    "id -1": (with_arrays(neighbors=planted((2, 1), -1)), "'neighbors' row 2, rank 1: found id -1, expected 0 .. 11"),
    "id 2^33": (with_arrays(neighbors=planted((2, 1), 2**33, "i8")), "found id 8589934592, expected 0 .. 11"),
    "learnt id": (with_arrays(learn_neighbors=planted((2, 1), 12)), "'learn_neighbors' row 2, rank 1: found id 12"),
    "id twice": (with_arrays(neighbors=lambda array: array[:, [0, 0, 2]]), "row 0: names an id twice, expected"),
    "not sorted": (with_arrays(distances=lambda array: array[:, ::-1]), "expected nearest first"),
    "another metric": (other_metric, "'neighbors' of query 0, rank 0: found id 5 at distance"),
    "squared": (with_arrays(distances=np.square), "'distances' of query 0, rank 0: found"),
    "not the nearest": (with_arrays(neighbors=lambda array: (array + 1) % 12), "'neighbors' of query 0"),
    "zero vectors under angular": (zero_vectors, "of query 0"),
    "unknown metric": (marked(distance="euclidan"), "did you mean 'euclidean'?"),
    "metric not measured": (marked(distance="hamming"), "'hamming' is not supported"),
    "no metric": (in_file(lambda file: file.attrs.clear()), "does not say its metric"),
    "sparse": (marked(type="sparse"), "only dense vectors"),
    "texts": (with_arrays(train=lambda array: array.astype("S8")), "'train' has dtype |S8: expected numbers"),
    "texts of any length": (
        instead("train", lambda file: file.create_dataset("train", data=[["1"] * 4] * 12, dtype=h5py.string_dtype())),
        "'train' has dtype object: expected numbers",
    ),
    "bits": (with_arrays(train=lambda array: array > 0), "'train' has dtype bool"),
    "ids with fractions": (with_arrays(neighbors=lambda array: array.astype("f4")), "'neighbors' has dtype float32"),
    "attribute of 2 MB": (long_attribute, "attribute 'note' has 2,097,152 bytes, expected at most 1,048,576"),
    "1001 attributes": (many_attributes, "has 1,001 attributes, expected at most 1,000"),
    "attribute that claims 4 GB": (
        # In the file a text is its length, the address of its heap and its place there.
        patched(b"\x09\0\0\0\0\x08\0\0", b"\xf0\xff\xff\xff\0\x08\0\0"),
        "not a readable HDF5 file",
    ),
    "heap of texts without end": (unending, "not a readable HDF5 file"),
    "shape of a terabyte": (empty_chunks((2**36, 4)), "'train' has 0 chunks: expected 67,108,864"),
    "chunks left out": (empty_chunks((2048, 4)), "'train' has 0 chunks: expected 2"),
    "values left out": (
        instead("train", lambda file: file.create_dataset("train", (2**36, 4), "f4")),
        "'train' has 0 bytes of values: expected 1,099,511,627,776",
    ),
    "deflate bomb": (deflate_bomb, "expected at most 200 times as many"),
    "external link": (
        lambda path: linked("train", h5py.ExternalLink(elsewhere(path), "train"))(path),
        "'train' is a link to another file",
    ),
    "external link behind another": (soft_link_through_external, "'train' is a link to another file"),
    "dangling link": (
        linked("train", h5py.SoftLink("/nowhere")),
        "'train' is a dangling link",
    ),
    "group": (instead("train", lambda file: file.create_group("train")), "'train' is a group: expected an array"),
    "virtual dataset": (virtual, "'train' is a virtual dataset: expected the array itself"),
    "external storage": (external_storage, "'train' keeps its values in another file"),
}  # fmt: skip
