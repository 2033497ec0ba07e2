"""The obvious NumPy version of every kernel, in float64: what the fast ones are compared with.

No test imports this file: the fixture `naive` loads it. Symbols: n vectors, d dimension, q queries, k neighbours,
L lists, P panels.
"""

import numpy as np


def tile(panels, bias, first, queries, picks, panel_count, differences=False):
    """Scores of the picked queries against `panel_count` panels: (picks, panel_count * 16) float64."""
    chosen = panels[first : first + panel_count].astype(np.float64)
    if differences:
        apart = np.abs(queries[picks].astype(np.float64)[:, None, :, None] - chosen[None])
        return (bias[first : first + panel_count] + apart.sum(axis=2)).reshape(len(picks), -1)
    products = np.einsum("id,pdl->ipl", queries[picks].astype(np.float64), chosen)
    return (bias[first : first + panel_count] - products).reshape(len(picks), -1)


def lanes_at_most(scores, limit):
    """A bit for each score that is at most `limit`."""
    return sum(1 << lane for lane, score in enumerate(scores) if score <= limit)


def best(scores, k, slots=None):
    """The k columns of lowest score of each row, equal scores by slot (by default the column): (q, k), padded with -1.

    Infinite scores are left out.
    """
    slots = np.arange(scores.shape[1]) if slots is None else slots
    order = np.lexsort((np.broadcast_to(slots, scores.shape), scores), axis=-1)[:, :k]
    order = np.where(np.isfinite(np.take_along_axis(scores, order, axis=1)), order, -1)
    return np.pad(order, ((0, 0), (0, k - order.shape[1])), constant_values=-1)


def center(rows, metric):
    """What is subtracted from every vector."""
    return rows.mean(axis=0, dtype=np.float64) if metric == "euclidean" else np.zeros(rows.shape[1])


def prepare(rows, metric, middle):
    """Rows in the space of a metric, float64."""
    rows = rows.astype(np.float64) - middle
    if metric != "angular":
        return rows
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def distances(train, queries, metric):
    """Every distance, (q, n) float64, from the differences or products themselves."""
    train, queries = train.astype(np.float64), queries.astype(np.float64)
    if metric == "euclidean":
        return np.stack([np.linalg.norm(train - query, axis=1) for query in queries])
    if metric == "manhattan":
        return np.stack([np.abs(train - query).sum(axis=1) for query in queries])
    if metric == "angular":
        train, queries = prepare(train, metric, 0), prepare(queries, metric, 0)
    products = queries @ train.T
    return -products if metric == "ip" else 1.0 - products


def search(train, queries, metric, k, assignment=None, probes=None):
    """Neighbours in the probed lists: ids (q, k), distances (q, k), points scanned (q,).

    Of equal distances at the k-th place the earlier slot is kept: lower list, then lower row. Answers are ordered by
    distance as float32, then id.
    """
    assignment = np.zeros(len(train), int) if assignment is None else assignment
    probes = np.zeros((len(queries), 1), int) if probes is None else probes
    every = distances(train, queries, metric)
    opened = (assignment[None, :, None] == probes[:, None, :]).any(axis=2)
    slots = np.argsort(np.argsort(assignment, kind="stable"), kind="stable")
    ids = best(np.where(opened, every, np.inf), k, slots)
    found = np.where(ids >= 0, np.take_along_axis(every, ids, axis=1), np.inf).astype(np.float32)
    order = np.lexsort((ids, found), axis=-1)
    return np.take_along_axis(ids, order, axis=1), np.take_along_axis(found, order, axis=1), opened.sum(axis=1)


def recall(ids, train, queries, metric, k, relative=1e-6, absolute=1e-6):
    """The part of the k true neighbours that was found, ties accepted, duplicates not."""
    every = distances(train, queries, metric)
    hits = 0
    for i in range(len(queries)):
        kth = np.sort(every[i])[k - 1]
        answers = {j for j in ids[i, :k] if j >= 0}
        hits += sum(every[i, j] <= kth + relative * abs(kth) + absolute for j in answers)
    return hits / (k * len(queries))


def means(rows, assignment, lists):
    """Mean of each list, (L, d) float64; NaN where empty."""
    found = np.full((lists, rows.shape[1]), np.nan)
    for i in range(lists):
        if (assignment == i).any():
            found[i] = rows[assignment == i].mean(axis=0, dtype=np.float64)
    return found


def assign(rows, centroids):
    """The list of each row: nearest centroid, ties to the lower."""
    every = ((rows.astype(np.float64)[:, None] - centroids.astype(np.float64)[None]) ** 2).sum(axis=2)
    return every.argmin(axis=1), every.min(axis=1)
