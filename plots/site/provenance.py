"""Where numbers come from: data, machines, software, and what could not be measured."""

from collections.abc import Iterable, Mapping
from typing import Any

from ...results.canonical import canonical_json
from ...results.run import Run
from ...results.table import dataset_name

# Of the process and its moment, not of the machine; and command lines name people's folders.
VOLATILE = (
    *("arguments", "command", "conditions_of_the_build", "floor", "load_average", "memory_available_bytes"),
    *("swap_used_bytes", "thread_pools", "threading_layer"),
)
# Each process has those that it needs: together they say what was there.
TOGETHER = ("libraries", "variables")
Facts = dict[str, str]


def data_facts(runs: Iterable[Run]) -> list[Facts]:
    """Return what was searched: one entry for each content that a dataset's name stood for, by name."""
    found = {(dataset_name(run), run.dataset_sha256, run.n): run for run in runs if run.n > 0}
    return [
        {
            "dataset": name,
            "vectors": f"{run.n:,}",
            "dimension": str(run.dimension),
            "metric": run.metric,
            "test queries": f"{len(run.truth_ids):,}",
            "neighbours known": str(run.truth_ids.shape[1]),
            "sha256": sha256,
        }
        for (name, sha256, _), run in sorted(found.items(), key=lambda item: item[0])
    ]


def environments(runs: Iterable[Run]) -> list[tuple[list[str], Facts]]:
    """Return the machines and the software: the datasets measured there, and every fact by its dotted name.

    Runs whose processes alone differed share one, which says the lowest and the highest load, and every library and
    environment variable that any of them had.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(canonical_json(_lasting(run), strict=False, where="environment"), []).append(run)
    found = []
    for alike in groups.values():
        together = {name: _together([run.environment.get(name) for run in alike]) for name in TOGETHER}
        facts = flat(_lasting(alike[0])) | flat(together) | _load(alike) | {"runs": str(len(alike))}
        found.append((sorted({dataset_name(run) for run in alike}), facts))
    return found


def _lasting(run: Run) -> dict[str, Any]:
    return {name: value for name, value in run.environment.items() if name not in (*VOLATILE, *TOGETHER)}


def _together(told: Iterable[Any]) -> dict[str, list[str]]:
    # Every value of each name: a library may have been updated between two runs.
    mappings = [one for one in told if isinstance(one, Mapping)]
    pairs = {(name, str(value)) for one in mappings for name, value in one.items() if value not in (None, "")}
    return {name: sorted(value for other, value in pairs if other == name) for name in sorted(dict(pairs))}


def _load(runs: Iterable[Run]) -> Facts:
    # Over the last minute before each build: a busy machine measures others.
    told = [run.environment.get("load_average") for run in runs]
    loads = [one[0] for one in told if isinstance(one, list | tuple) and one]
    return {"load before the builds": f"{min(loads):.2f} to {max(loads):.2f}"} if loads else {}


def failures(runs: Iterable[Run]) -> list[Facts]:
    """Return every build and every sweep point that is not ok, with its reason."""
    found = []
    for run in runs:
        where = {"dataset": dataset_name(run), "algorithm": run.algorithm, "k": str(run.k), "seed": str(run.seed)}
        if run.status != "ok":
            found.append({**where, "asked": "the build", "status": run.status, "reason": run.message})
        for point in run.points:
            if point.status != "ok":
                asked = canonical_json(point.query_parameters, strict=False, where="query_parameters")
                threads = "1 thread" if point.threads == 1 else f"{point.threads} threads"
                asked = f"{point.mode}, {threads}, {asked}"
                found.append({**where, "asked": asked, "status": point.status, "reason": point.message})
    return found


def flat(content: Mapping[str, Any], path: str = "") -> Facts:
    """Return nested facts as text by dotted name, in their order; what is not told is left out."""
    facts: Facts = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            facts.update(flat(value, f"{path}{name}."))
        elif value is not None and value != "":
            facts[f"{path}{name}"] = value if isinstance(value, str) else _text(value)
    return facts


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        parts = [", ".join(flat(part).values()) if isinstance(part, Mapping) else str(part) for part in value]
        return "; ".join(parts)
    return canonical_json(value, strict=False, where="fact")
