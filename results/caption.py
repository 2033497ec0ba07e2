"""What a reader must know to believe a table or a figure, in sentences that follow from its rows."""

from collections.abc import Iterable

import pandas as pd

from .conditions import disturbances
from .run import Run
from .table import dataset_name

RECALL = (
    "Recall@k is the share of the k true neighbours among the ids returned; an id as near as the k-th "
    "neighbour, within a relative 1e-6, counts, repeated ids and padding never do."
)
RECALL_ANN_BENCHMARKS = "recall_ann_benchmarks counts distances up to d_k + 1e-3, the definition of ann-benchmarks."
RATE = (
    "Queries per second are the median over repetitions; low and high are order statistics that cover the "
    "true median with at least 90 % probability from five repetitions on "
    "(five: minimum to maximum, 93.75 %)."
)
MODES = {
    "single": "Mode single: one query per call, one thread.",
    "batch": "Mode batch: all queries in one call; the threads are part of every row.",
}


def caption(frame: pd.DataFrame) -> str:
    """Return the notes that belong under a table or figure made from these rows.

    Parameters
    ----------
    frame
        The results table, or any frame with some of its columns; only what it has is explained.

    Returns
    -------
    str
        One paragraph: the definition of recall, the meaning of the interval, the modes, which datasets are
        synthetic, and how many rows failed or were skipped.
    """
    sentences = [RECALL] if "recall" in frame else []
    sentences += [RECALL_ANN_BENCHMARKS] if "recall_ann_benchmarks" in frame else []
    sentences += [RATE] if "qps" in frame else []
    sentences += [text for mode, text in MODES.items() if mode in set(frame.get("mode", ()))]
    sentences += _synthetic(frame) + _without_measures(frame)
    return " ".join(sentences)


def remarks(runs: Iterable[Run]) -> list[str]:
    """Return what these runs did that their rows do not say, one sentence each.

    Parameters
    ----------
    runs
        As `load_runs` gives them.

    Returns
    -------
    list of str
        Where learnt routers took their training queries from, if not from the dataset's own set, and on what
        probing policies were calibrated; which results another suite measured; which test queries single mode asked,
        if not all; and what makes times incomparable: more cores used than given, a busy machine, time stolen.
    """
    runs = list(runs)
    said: dict[str, None] = {}
    for run in runs:
        source = run.notes.get("training_source", "learn")
        known, _, left_out = source.partition(", ")
        if known != "learn":
            said[f"On {dataset_name(run)} learnt routers trained on a stand-in for training queries: {source}."] = None
        elif left_out:
            said[f"On {dataset_name(run)} the training queries repeat test queries: {left_out}."] = None
        calibrated = run.notes.get("calibration_source", "learn")
        if calibrated.partition(", ")[0] != "learn":
            said[f"On {dataset_name(run)} probing policies were calibrated on a stand-in: {calibrated}."] = None
        suite = run.notes.get("suite")
        if suite is not None:
            best = all(len(point.seconds) == 1 for point in run.points)
            rate = "; queries per second are those of its best run" if best else ""
            said[f"On {dataset_name(run)} {suite} measured{rate}."] = None
        for point in run.points:
            if point.status == "ok" and len(point.ids) < len(run.truth_ids):
                asked = f"the first {len(point.ids):,} of {len(run.truth_ids):,} test queries"
                said[f"On {dataset_name(run)} mode {point.mode} asked {asked}."] = None
    return [*said, *disturbances(runs)]


def _synthetic(frame: pd.DataFrame) -> list[str]:
    names = sorted(name for name in set(frame.get("dataset", ())) if name.endswith("(synthetic)"))
    return [f"Generated, not collected: {', '.join(names)}."] if names else []


def _without_measures(frame: pd.DataFrame) -> list[str]:
    reasons = {
        "failed": "they failed",
        "timeout": "they took too long",
        "killed": "their process was killed",
        "memory": "they took too much memory",
        "skipped": "they were skipped",
    }
    counts = {reason: sum(found == status for found in frame.get("status", ())) for status, reason in reasons.items()}
    return [f"Rows without measures because {reason}: {count}." for reason, count in counts.items() if count]
