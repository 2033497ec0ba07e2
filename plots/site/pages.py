"""The pages of a report, each as plain data for its template: tables of text, facts, and the data of its charts."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ...results.at_recall import BELOW
from ...results.builds import BUILD_COLUMNS, builds
from ...results.caption import caption, remarks
from ...results.cells import Cells, cells, number
from ...results.comparison import GROUP, comparison
from ...results.competition import BASELINE, contests
from ...results.document import Document
from ...results.key import slug
from ...results.labels import short_labels
from ...results.laboratory import laboratory
from ...results.paired import RESAMPLES
from ...results.probing import with_probing
from ...results.report import report
from ...results.run import Run
from ...results.table import dataset_name
from .explorer import curves, members, settings
from .provenance import data_facts, environments, failures, flat

LEVELS = (0.8, 0.9, 0.95, 0.99)
_BUILD_COLUMNS = tuple(name for name in BUILD_COLUMNS if name not in ("algorithm", "message"))
PRELIMINARY = (
    "While results arrive, intervals and p-values come of {fewer} resamples; of {all:,} in the report that "
    "`ivfbench report` writes."
)


@dataclass(frozen=True)
class Page:
    """One page: its file, its template, its title, and what the template is given."""

    file: str
    template: str
    title: str
    content: Mapping[str, Any]


def pages(runs: Sequence[Run], frame: pd.DataFrame, baseline: str = BASELINE, resamples: int = RESAMPLES) -> list[Page]:
    """Return the pages of a report, the overview first.

    Parameters
    ----------
    runs
        As `load_runs` gives them, one at least.
    frame
        Their table.
    baseline
        What routers are compared with, see `contests`.
    resamples
        Of each comparison of routers.
    """
    known = members(frame)
    names = sorted({dataset_name(run) for run in runs})
    files = {name: f"dataset-{stem}.html" for name, stem in unique_slugs(names).items()}
    found = [_overview(runs, frame, known, files)]
    found += [_dataset(name, files[name], runs, frame, known) for name in names]
    found += [_algorithms(runs, frame, known, files)]
    if contests(runs, baseline):
        compared = laboratory(runs, baseline, resamples=resamples)
        found += [_routing(report("routers", "Routing", compared), resamples)]
    found += [_failures(runs), _environment(runs)]
    return found


def _overview(
    runs: Sequence[Run], frame: pd.DataFrame, known: Sequence[Mapping[str, str]], files: Mapping[str, str]
) -> Page:
    facts = {fact["dataset"]: fact for fact in data_facts(runs)}
    datasets = []
    for name, file in files.items():
        rows = frame[frame["dataset"] == name]
        asked = settings(rows)
        datasets.append(
            {
                "name": name,
                "file": file,
                "facts": facts.get(name, {}),
                "fastest": fastest(rows),
                "chart": {"settings": asked[:1], "curves": curves(_of(rows, asked[0]), known, only_fronts=True)}
                if asked
                else None,
            }
        )
    counts = {
        "datasets": len(files),
        "algorithms": len({run.algorithm for run in runs}),
        "builds": len(runs),
        "measured points": int((frame["status"] == "ok").sum()),
        "failed or skipped": len(failures(runs)),
    }
    content = {
        "counts": counts,
        "levels": LEVELS,
        "datasets": datasets,
        "explanation": [caption(frame), *remarks(runs)] if len(frame) else [],
        "data": {"members": known, "charts": [one["chart"] for one in datasets]},
    }
    return Page("index.html", "overview.html", "Overview", content)


def _of(rows: pd.DataFrame, setting: Mapping[str, Any]) -> pd.DataFrame:
    wanted = pd.Series(True, rows.index)
    for name, value in setting.items():
        wanted &= rows[name] == value
    return rows[wanted]


def fastest(rows: pd.DataFrame) -> list[tuple[dict[str, Any], list[dict[str, str] | None]]]:
    """Return who answers most queries per second at each of `LEVELS`, for each way of asking of one dataset.

    A curve that starts above a level counts with the fastest point it has, and says so by a sign: ≥.
    """
    if not settings(rows):
        return []
    labels, compared = short_labels(rows["algorithm"]), at_levels(rows)
    found = []
    for asked in settings(rows):
        own = _of(compared, asked)
        found.append((asked, [_best(own[own["recall"] == level], labels) for level in LEVELS]))
    return found


def _best(rows: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, str] | None:
    reached = rows[rows["qps"].notna()]
    if reached.empty:
        return None
    row = max(reached.to_dict("records"), key=lambda record: record["qps"])
    return {"qps": row["text"], "label": with_probing(labels[row["algorithm"]], row["probing"])}


def at_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the comparison at `LEVELS`, each number as ``text`` too, and numbers also for sweeps that start above."""
    measured = rows[rows["status"] == "ok"]
    compared = comparison(measured, LEVELS)
    names = [*GROUP, "algorithm", "probing"]
    # The fastest point of each curve is the first of its front; as everywhere, several seeds give their median.
    first = measured.groupby([*names, "seed"])["qps"].max().groupby(level=names).median()
    below = compared["qps_state"] == BELOW
    starts = [first.get(tuple(row), math.nan) for row in compared[names].itertuples(index=False)]
    compared["qps"] = compared["qps"].where(~below, starts)
    signs = below.map({True: "≥ ", False: ""})
    pairs = zip(signs, compared["qps"], compared["qps_state"], strict=True)
    compared["text"] = [f"{sign}{number('qps', value)}" if value == value else state for sign, value, state in pairs]
    return compared


def _dataset(
    name: str, file: str, runs: Sequence[Run], frame: pd.DataFrame, known: Sequence[Mapping[str, str]]
) -> Page:
    own = [run for run in runs if dataset_name(run) == name]
    rows = frame[frame["dataset"] == name]
    content = {
        "facts": [{key: value for key, value in fact.items() if key != "dataset"} for fact in data_facts(own)],
        "settings": settings(rows),
        "failures": failures(own),
        "explanation": [caption(rows), *remarks(own)] if len(rows) else [],
        "data": {"members": known, "settings": settings(rows), "curves": curves(rows, known)},
    }
    return Page(file, "dataset.html", name, content)


def _algorithms(
    runs: Sequence[Run], frame: pd.DataFrame, known: Sequence[Mapping[str, str]], files: Mapping[str, str]
) -> Page:
    every = builds(runs)
    told = {run.algorithm: run for run in runs}
    labels = short_labels(told)
    anchors = unique_slugs(sorted(told))
    measured = frame[frame["status"] == "ok"]
    compared = at_levels(frame) if len(measured) else None
    algorithms = []
    for text in sorted(told, key=lambda text: labels[text]):
        own = every[every["algorithm"] == text]
        rows = None if compared is None else compared[compared["algorithm"] == text]
        notes = own[[name for name in own.columns if name.startswith("notes.") and own[name].notna().any()]]
        algorithms.append(
            {
                "text": text,
                "label": labels[text],
                "anchor": anchors[text],
                "only": ",".join(str(place) for place, one in enumerate(known) if one["algorithm"] == text),
                "parameters": flat(told[text].parameters),
                "builds": cells(own[list(_BUILD_COLUMNS)]),
                "notes": cells(notes.rename(columns=lambda name: name.removeprefix("notes."))) if len(notes.columns)
                else None,
                "at_recall": _rates(rows) if rows is not None and len(rows) else None,
                "datasets": [(name, files[name]) for name in sorted(set(own["dataset"]))],
            }
        )  # fmt: skip
    return Page("algorithms.html", "algorithms.html", "Algorithms", {"algorithms": algorithms})


def _rates(rows: pd.DataFrame) -> Cells:
    """One line for each way of asking an algorithm, its rate at each level across."""
    names = [*GROUP, *(["probing"] if rows["probing"].nunique() > 1 else [])]
    lines = tuple((*map(str, key), *own["text"]) for key, own in rows.groupby(names))
    return Cells(
        (*names, *(f"recall ≥ {level:g}" for level in LEVELS)), lines, (False,) * len(names) + (True,) * len(LEVELS)
    )


def _routing(document: Document, resamples: int) -> Page:
    said = PRELIMINARY.format(fewer=resamples, all=RESAMPLES) if resamples < RESAMPLES else ""
    return Page("routing.html", "routing.html", "Routing", {"document": document, "preliminary": said})


def _failures(runs: Sequence[Run]) -> Page:
    return Page("failures.html", "failures.html", "Failures", {"failures": failures(runs)})


def _environment(runs: Sequence[Run]) -> Page:
    content = {"environments": environments(runs), "datasets": data_facts(runs)}
    return Page("environment.html", "environment.html", "Environment", content)


def unique_slugs(names: Iterable[str]) -> dict[str, str]:
    """Return a piece of a file name for each name; where two would share one, the later gets a number."""
    taken: set[str] = set()
    found = {}
    for name in names:
        stem = slug(name)
        free = stem
        place = 2
        while free.lower() in taken:  # some file systems do not tell A from a
            free, place = f"{stem}-{place}", place + 1
        taken.add(free.lower())
        found[name] = free
    return found
