"""What `ivfbench datasets` says about datasets: lines of text for people."""

import difflib

from .catalogue import COLLECTIONS, GENERATED, catalogue
from .drift import METRIC, Drift
from .errors import DatasetError
from .load import cache_folder, peek
from .verify import Verification


def list_lines(collection: str | None = None) -> list[str]:
    """Return one line for each dataset that can be named, the embedded default first.

    Raises
    ------
    DatasetError
        An unknown collection.
    """
    if collection is not None and collection not in COLLECTIONS:
        near = difflib.get_close_matches(collection, COLLECTIONS, n=1, cutoff=0.0)[0]
        raise DatasetError(f"collection {collection!r}: unknown, the nearest is {near}")
    here = cache_folder()
    lines = [f"{'name':44} {'metric':11} {'d':>5} {'n':>11} {'queries':>8}  where"]
    if collection is None:
        made = Drift()
        shape = f"{made.dimension:5} {made.n:11,} {made.test:8,}"
        lines.append(f"{GENERATED:44} {METRIC:11} {shape}  generated here (synthetic)")
    for entry in catalogue():
        if collection in (None, entry.collection):
            cached = ", in the cache" if (here / f"{entry.name}.hdf5").is_file() else ""
            count = f"{entry.n:,}" if entry.n else "?"
            queries = f"{entry.queries:,}" if entry.queries else "?"
            shape = f"{entry.dimension:5} {count:>11} {queries:>8}"
            lines.append(f"{entry.name:44} {entry.metric:11} {shape}  {entry.collection}{cached}")
    return lines


def info_lines(name_or_path: str) -> list[str]:
    """Return what is in a dataset, one fact a line."""
    told = peek(name_or_path)
    learn = f"{told.learn_count:,} with {told.learn_neighbors} neighbours each" if told.learn_count else "none"
    facts = [
        ("name", told.name + (" (synthetic)" if told.synthetic else "")),
        ("path", str(told.path)),
        ("bytes", f"{told.bytes:,}"),
        ("metric", told.metric),
        ("vectors", f"{told.n:,} of {told.dimension} dimensions"),
        ("test queries", f"{told.queries:,} with {told.neighbors} neighbours each"),
        ("training queries", learn),
        ("stored as", ", ".join(f"{key} {dtype}" for key, dtype in told.dtypes.items())),
        ("attributes", ", ".join(f"{key}={value!r}" for key, value in told.attributes.items()) or "none"),
    ]
    if told.description:
        facts.append(("description", told.description))
    return [f"{what:17} {fact}" for what, fact in facts]


def verify_lines(report: Verification) -> list[str]:
    """Return what a verification found, one fact a line."""
    return [
        f"{report.path}: sound",
        f"sha256            {report.sha256}",
        f"vectors           {report.vectors:,} of {report.dimension} dimensions, all finite",
        f"test queries      {report.queries_checked:,} of {report.queries:,} searched again",
        f"training queries  {report.learn_checked:,} of {report.learn_queries:,} searched again",
    ]
