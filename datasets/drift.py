"""``drift``: the dataset that needs no download, made so that routing has something to learn.

Passages and the questions about them are embedded by one model and still do not look alike: questions are
shorter, share a tone, and point at the gist of a passage more than at its details. This synthetic set has
these traits and no others. Documents are unit vectors around topics of uneven popularity, uneven breadth and
a decaying spectrum. A query takes a document's topic and a part of its details, sends both through one fixed
linear distortion, adds a direction shared by all queries, and noise. So the list whose centroid is nearest is
often not the list that holds the neighbours, and past queries tell where they are. Results on it rank
methods; they say nothing about any real collection.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .catalogue import GENERATED
from .errors import DatasetError
from .truth import Progress, exact_neighbors
from .write import write_dataset

GENERATOR_VERSION = 1
METRIC = "angular"
MOST = 2**31  # of anything: ids are int32
_ROWS = 65_536  # documents drawn at a time; sets of no more than that depend on it in no bit

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drift:
    """Every parameter of the generator; a change of any makes another file.

    Attributes
    ----------
    n, dimension, learn, test
        Documents, coordinates, training queries (may be none), test queries.
    topics
        How many topics.
    popularity
        Exponent of the topics' Zipf law; 0 makes all equally popular.
    decay
        Exponent of the spectrum: coordinate j has scale (j + 1) ** -decay before a fixed rotation.
    breadth, unevenness
        Median spread of a topic relative to the spread of topics, and the deviation of its logarithm.
    detail
        How much of a document's own deviation from its topic a query keeps.
    distortion, shift, noise
        Size of the linear map added to the identity, of the direction all queries share, and of a query's
        noise.
    k, learn_k
        True neighbours stored per test query and per training query.
    seed
        Of everything.
    """

    n: int = 50_000
    dimension: int = 96
    learn: int = 20_000
    test: int = 2_000
    topics: int = 600
    popularity: float = 0.6
    decay: float = 0.35
    breadth: float = 0.55
    unevenness: float = 0.9
    detail: float = 0.5
    distortion: float = 1.3
    shift: float = 0.8
    noise: float = 0.7
    k: int = 100
    learn_k: int = 10
    seed: int = 20_260

    @property
    def file_name(self) -> str:
        """Name of the file that holds this set: it changes with every parameter and with the generator."""
        text = json.dumps({"generator_version": GENERATOR_VERSION, **asdict(self)}, sort_keys=True)
        return f"drift-{self.dimension}-{METRIC}-{hashlib.sha256(text.encode()).hexdigest()[:10]}.hdf5"


def drift_of(name: str) -> Drift:
    """Return the parameters that a name tells: ``drift``, or ``drift:n=1000000,dimension=384``.

    Raises
    ------
    DatasetError
        An unknown parameter, with the nearest known one, or a value that is no number, or none that can be.
    """
    known: dict[str, type] = {name: type(value) for name, value in asdict(Drift()).items()}
    told: dict[str, Any] = {}
    for part in filter(None, name.removeprefix(GENERATED).removeprefix(":").split(",")):
        key, _, value = part.partition("=")
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0.0)
            raise DatasetError(f"{name}: {key!r}: no such parameter, the nearest is {near[0] if near else 'n'}")
        try:
            told[key] = known[key](value)
        except ValueError:
            raise DatasetError(f"{name}: {key}: found {value!r}, expected {known[key].__name__}") from None
        least = 0 if key in ("learn", "seed") or known[key] is float else 1
        if not least <= told[key] < MOST:
            raise DatasetError(f"{name}: {key}: found {value}, expected {least} to {MOST:,}")
    return Drift(**told)


@dataclass(frozen=True, eq=False)
class _World:
    """What documents and queries share: topics, their spread, the spectrum and the distortion."""

    weights: _Floats  # (topics,)
    centres: _Floats  # (topics, d)
    spreads: _Floats  # (topics,)
    spectrum: _Floats  # (d,)
    rotation: _Floats  # (d, d)
    distortion: _Floats  # (d, d)
    shift: _Floats  # (d,)


def write_drift(folder: Path, parameters: Drift | None = None, progress: Progress | None = None) -> Path:
    """Generate the set with its exact ground truth and write it; a set already there is left alone.

    Parameters
    ----------
    folder
        Where the file goes.
    parameters
        The defaults if None.
    progress
        Called with (queries searched, queries in all).

    Returns
    -------
    pathlib.Path
        The file, named after the parameters.

    Raises
    ------
    DatasetError
        If the file cannot be written.
    """
    parameters = Drift() if parameters is None else parameters
    path = folder / parameters.file_name
    if path.is_file():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below; it has no name to leave behind
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}") from error
    with scratch:
        return _write(path, parameters, scratch, progress)


def _write(path: Path, parameters: Drift, scratch: IO[bytes], progress: Progress | None) -> Path:
    # Documents lie in a file from the beginning: ten million of them are more than memory may hold.
    train = np.memmap(scratch, dtype=np.float32, shape=(parameters.n, parameters.dimension))
    _, test, learn = generate(parameters, train)
    total = len(test) + len(learn)
    before = 0

    def report(done: int, _: int | None) -> None:
        if progress is not None:
            progress(before + done, total)

    ids, distances = exact_neighbors(train, test, min(parameters.k, len(train)), METRIC, progress=report)
    before = len(test)
    width = min(parameters.learn_k, len(train))
    learn_ids = exact_neighbors(train, learn, width, METRIC, progress=report)[0] if len(learn) else None
    told = {"synthetic": True, "seed": parameters.seed, "generator_version": GENERATOR_VERSION}
    return write_dataset(
        path,
        train=train,
        test=test,
        metric=METRIC,
        neighbors=ids,
        distances=distances,
        learn=learn if len(learn) else None,
        learn_neighbors=learn_ids,
        attributes={**told, "description": _DESCRIPTION, "parameters": json.dumps(asdict(parameters))},
    )


_DESCRIPTION = "Synthetic: clustered documents, and queries from a distorted, shifted view of the same topics."


def generate(
    parameters: Drift, train: npt.NDArray[np.float32] | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Draw documents, test queries and training queries.

    Parameters
    ----------
    parameters
        What to draw; the same parameters give the same bits.
    train
        (n, d) float32 to be filled with the documents; by default memory is asked for.

    Returns
    -------
    train, test, learn : numpy.ndarray
        (n, d), (test, d) and (learn, d) float32 unit vectors; test and learn are independent draws of one
        law.
    """
    train = np.empty((parameters.n, parameters.dimension), np.float32) if train is None else train
    generator = np.random.default_rng(parameters.seed)
    world = _world(parameters, generator)
    start = 0
    for documents, _ in _documents(parameters.n, world, generator):
        train[start : start + len(documents)] = _unit(documents @ world.rotation)
        start += len(documents)
    queries = _queries(parameters, world, generator)
    return train, queries[: parameters.test], queries[parameters.test :]


def _world(parameters: Drift, generator: np.random.Generator) -> _World:
    d, topics = parameters.dimension, parameters.topics
    weights = (1.0 + np.arange(topics)) ** -parameters.popularity
    spectrum = _unit_row(np.asarray((1.0 + np.arange(d)) ** -parameters.decay, dtype=np.float64))
    return _World(
        weights=weights / weights.sum(),
        centres=generator.standard_normal((topics, d)) * spectrum,
        spreads=parameters.breadth * np.exp(parameters.unevenness * generator.standard_normal(topics)),
        spectrum=spectrum,
        rotation=np.linalg.qr(generator.standard_normal((d, d)))[0],
        distortion=np.eye(d) + parameters.distortion * generator.standard_normal((d, d)) / np.sqrt(d),
        shift=parameters.shift * _unit_row(generator.standard_normal(d) * spectrum),
    )


def _documents(count: int, world: _World, generator: np.random.Generator) -> Iterator[tuple[_Floats, _Floats]]:
    """Draw documents and the centres of their topics, some at a time: two (m, d)."""
    topics = generator.choice(len(world.weights), size=count, p=world.weights)
    for start in range(0, count, _ROWS):
        chosen = topics[start : start + _ROWS]
        centres = world.centres[chosen]
        deviation = generator.standard_normal(centres.shape) * np.sqrt(world.spectrum / np.sqrt(len(world.spectrum)))
        yield centres + world.spreads[chosen, None] * deviation, centres


def _queries(parameters: Drift, world: _World, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    drawn = list(_documents(parameters.test + parameters.learn, world, generator))
    documents, centres = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    gist = centres + parameters.detail * (documents - centres)
    noise = parameters.noise * generator.standard_normal(gist.shape) / np.sqrt(parameters.dimension)
    return _unit((gist @ world.distortion + world.shift + noise) @ world.rotation)


def _unit(rows: _Floats) -> npt.NDArray[np.float32]:
    return np.asarray(rows / np.sqrt(np.square(rows).sum(axis=1, keepdims=True)), dtype=np.float32)


def _unit_row(row: _Floats) -> _Floats:
    return np.asarray(row / np.sqrt(np.square(row).sum()))
