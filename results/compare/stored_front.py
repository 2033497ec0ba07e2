"""A front in a small JSON file: what a search found at each setting, query by query, and the work that it did.

For projects that assert a front in their own tests: the file is committed beside them, and a change of answers or of
work is a visible difference. Recall is by ids alone: the share of the k true ids of a query that were returned, where
repetitions and -1 do not count.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ResultError
from ..files import replacing
from .sides import Answers, digest

SCHEMA = "ivfbench front 1"


def front_of(found: Mapping[str, Any], truth: npt.ArrayLike) -> Answers:
    """Return answers at each setting, compared with the truth.

    Parameters
    ----------
    found
        By setting: ids (q, k), or ids and points scanned, the latter (q,) or one number for each query.
    truth
        (q, K) true ids, K >= k, nearest first.

    Raises
    ------
    ResultError
        Nothing found, or shapes that do not fit.
    """
    if not found:
        raise ResultError("front: found no settings, expected at least one")
    true_ids = np.asarray(truth)
    digests, recalls, points = [], [], []
    for setting, answer in found.items():
        ids, scanned = answer if isinstance(answer, tuple) else (answer, 0)
        ids = np.asarray(ids)
        if ids.ndim != 2 or true_ids.ndim != 2 or len(ids) != len(true_ids) or ids.shape[1] > true_ids.shape[1]:
            raise ResultError(
                f"front at {setting}: found ids {ids.shape}, expected (q, k) for a truth {true_ids.shape}"
            )
        k = ids.shape[1]
        hits = [len(set(row) & set(right)) for row, right in zip(ids.tolist(), true_ids[:, :k].tolist(), strict=True)]
        digests.append(digest(ids.astype(np.int32)))
        recalls.append(np.array(hits) / k)
        # Only the sum is kept in the file, so each query is given the same share here too.
        points.append(np.full(len(ids), int(np.broadcast_to(np.asarray(scanned), len(ids)).sum()) / len(ids)))
    work = np.stack(points)
    return Answers(tuple(found), tuple(digests), np.stack(recalls), np.zeros_like(work), work, 0)


def save_front(path: Path, front: Answers) -> Path:
    """Write a front, whole or not at all; equal fronts give equal bytes."""
    settings = {
        setting: {
            "ids": front.digests[place],
            "recall": [float(value) for value in front.recall[place]],
            "points": round(float(front.points[place].sum())),
        }
        for place, setting in enumerate(front.settings)
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(held)}" for name, held in settings.items())
    with replacing(path) as temporary:
        temporary.write_text(f'{{"schema": "{SCHEMA}", "settings": {{\n{lines}\n}}}}\n', "utf-8")
    return path


def load_front(path: Path) -> Answers:
    """Read what `save_front` wrote.

    Raises
    ------
    ResultError
        No such file, or another one.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        held = document["settings"] if document["schema"] == SCHEMA else {}
        recall = np.array([one["recall"] for one in held.values()], np.float64)
        queries = recall.shape[1]
        points = np.array([[one["points"] / queries] * queries for one in held.values()])
        digests = tuple(str(one["ids"]) for one in held.values())
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        found = "another file" if path.exists() else "no such file"
        raise ResultError(f"{path}: found {found}, expected a stored front") from error
    return Answers(tuple(held), digests, recall, np.zeros(recall.shape, np.int64), points, 0)
