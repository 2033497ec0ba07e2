"""What failed, and why: one row per build or sweep point that has no measures."""

from collections.abc import Iterable

import pandas as pd

from .canonical import canonical_json
from .run import FAILURES, Run
from .table import NO_MODE, dataset_name

FAILURE_COLUMNS = ("dataset", "k", "seed", "algorithm", "mode", "query_parameters", "status", "message")


def failures(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row per failure.

    Parameters
    ----------
    runs
        As `load_runs` gives them.

    Returns
    -------
    DataFrame
        `FAILURE_COLUMNS`; the mode is "none" where the build failed. What was skipped did not fail.
    """
    rows = []
    for run in runs:
        build = (dataset_name(run), run.k, run.seed, run.algorithm)
        if run.status in FAILURES:
            rows.append((*build, NO_MODE, "{}", run.status, run.message))
        for point in run.points:
            if point.status in FAILURES:
                asked = canonical_json(point.query_parameters, where="query_parameters")
                rows.append((*build, point.mode, asked, point.status, point.message))
    return pd.DataFrame(rows, columns=list(FAILURE_COLUMNS))


def describe_failures(frame: pd.DataFrame) -> str:
    """Return failures as lines for people: what was asked, and below it the status and the reason."""
    lines = []
    for row in frame.to_dict("records"):
        asked = "the build" if row["mode"] == NO_MODE else f"{row['mode']} {row['query_parameters']}"
        lines += [f"{row['algorithm']} on {row['dataset']}, k={row['k']}, seed {row['seed']}: {asked}"]
        lines += [f"    {row['status']}: {row['message']}"]
    return "\n".join(lines) or "nothing failed"
