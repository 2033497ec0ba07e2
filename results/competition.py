"""Who competes with whom: routers over the same lists of the same data, asked the same queries.

A contest is one dataset under one clustering; what differs between its runs is the router, and the seed. Only
inside it are routers compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .canonical import canonical_json
from .labels import router_and_rest
from .routing import accuracy_at_points
from .run import Run
from .table import dataset_name

BASELINE = "*, Centroid(scoring='normalised')*"  # the comma keeps MultiCentroid out
ORACLE = "Oracle("  # how the text of a router begins that knows the answers: a bound, not a competitor


@dataclass(frozen=True, eq=False)
class Contest:
    """Routers that can be compared.

    Attributes
    ----------
    dataset : str
        Its name as people must see it.
    clustering : str
        Short label of everything that is held equal.
    n, queries : int
        Database vectors and test queries.
    runs : mapping of str to mapping of int to Run
        By the router's canonical text, then by seed, both sorted.
    labels : mapping of str to str
        Short label of each router.
    baseline : str or None
        The router that the others are compared with.
    """

    dataset: str
    clustering: str
    n: int
    queries: int
    runs: Mapping[str, Mapping[int, Run]]
    labels: Mapping[str, str]
    baseline: str | None

    def of(self, router: str) -> list[Run]:
        """The runs of a router, by seed."""
        return list(self.runs[router].values())

    def pairs(self, router: str) -> tuple[list[Run], list[Run]]:
        """The runs of a router and of the baseline under the seeds that both have."""
        if self.baseline is None:
            return [], []
        ours, theirs = self.runs[router], self.runs[self.baseline]
        seeds = [seed for seed in ours if seed in theirs]
        return [ours[seed] for seed in seeds], [theirs[seed] for seed in seeds]

    @property
    def depth(self) -> int:
        """True neighbours that every run follows."""
        runs = (run for of_router in self.runs.values() for run in of_router.values())
        return min(int(run.routing.rank.shape[1]) for run in runs if run.routing is not None)


def contests(runs: Iterable[Run], baseline: str = BASELINE) -> list[Contest]:
    """Return the contests among runs with routing, by dataset and clustering.

    The same build under several k is one competitor: the routing of the first is taken.

    Parameters
    ----------
    runs
        As `load_runs` gives them; those without routing are left out.
    baseline
        A glob over the canonical texts of the algorithms. Where it names several routers of a contest, or none, the
        baseline is the best centroid router: the most accurate at 1 % of the points for k = 1.
    """
    found: dict[tuple[str, ...], dict[str, dict[int, Run]]] = {}
    shown: dict[str, tuple[str, str]] = {}
    for run in runs:
        split = router_and_rest(run.algorithm)
        if run.routing is None or run.status != "ok" or split is None:
            continue
        router, label, rest, clustering = split
        shown[router], shown[rest] = (label, ""), (clustering, "")
        place = (dataset_name(run), clustering, rest, run.dataset_sha256)
        found.setdefault(place, {}).setdefault(router, {}).setdefault(run.seed, run)
    return [_contest(place, members, shown, baseline) for place, members in sorted(found.items())]


def _contest(
    place: tuple[str, ...], members: dict[str, dict[int, Run]], shown: dict[str, tuple[str, str]], baseline: str
) -> Contest:
    ordered = {router: dict(sorted(members[router].items())) for router in sorted(members)}
    first = next(iter(next(iter(ordered.values())).values()))
    return Contest(
        dataset=place[0],
        clustering=place[1],
        n=first.n,
        queries=len(first.truth_ids),
        runs=ordered,
        labels=distinct({router: shown[router][0] for router in ordered}),
        baseline=_baseline(ordered, baseline),
    )


def distinct(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels by text, the text itself where two would share a label."""
    taken = list(labels.values())
    return {text: label if taken.count(label) == 1 else text for text, label in labels.items()}


def _baseline(members: Mapping[str, Mapping[int, Run]], glob: str) -> str | None:
    named = [router for router in members if _matches(members[router], glob)]
    if len(named) == 1:
        return named[0]
    centroids = [router for router in members if router.startswith("Centroid(")]
    return max(named or centroids, key=lambda router: _accuracy(members[router]), default=None)


def _matches(runs: Mapping[int, Run], glob: str) -> bool:
    return fnmatchcase(next(iter(runs.values())).algorithm, glob)


def _accuracy(runs: Mapping[int, Run]) -> float:
    found = [float(accuracy_at_points(run, 1, 0.01 * run.n).mean()) for run in runs.values()]
    return sum(found) / len(found)


def parameters_text(run: Run) -> str:
    """Return every parameter of the build as canonical JSON."""
    return canonical_json(run.parameters, where="parameters")
