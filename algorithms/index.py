"""What the runner asks of an algorithm and of the index that it builds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from .found import Found
from .progress import Progress, silent
from .routers.router import TrainingQueries


class Unavailable(ValueError):  # noqa: N818 - nothing went wrong
    """An algorithm that cannot be measured here: its library is missing, or does not know the metric."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build cost and what there is to know about it.

    Attributes
    ----------
    build_seconds : float
        Everything but learning and labelling.
    learn_seconds, label_seconds : float
        Of a learnt router; 0 otherwise.
    notes : mapping
        Facts for the results: list sizes, validation accuracy, ...
    """

    build_seconds: float
    learn_seconds: float = 0.0
    label_seconds: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)


class Prepared(NamedTuple):
    """A search that is ready to be timed, of an index whose answers need work before and after that is not its own.

    Attributes
    ----------
    run : callable
        All that the clock encloses.
    found : callable
        Turns what `run` returned into the answer.
    """

    run: Callable[[], Any]
    found: Callable[[Any], Found]


class Index(Protocol):
    """A built index. One with a method `prepare`, of the arguments of `search`, is timed by what that returns."""

    @property
    def built(self) -> Built:
        """What the build cost."""

    @property
    def nbytes(self) -> int:
        """Bytes of everything that a search reads."""

    @property
    def router_nbytes(self) -> int:
        """Bytes of that which serve routing; 0 without a router."""

    def search(self, queries: npt.ArrayLike, k: int = 10, *, threads: int = 1, **query_parameters: Any) -> Found:
        """Answer queries (q, d)."""


class Algorithm(Protocol):
    """A frozen value that can build an index and prints itself canonically.

    It may have `unavailable(metric, dimension)`, which says in one line why it cannot be measured here, and
    `load_code()`, which imports what it needs where a tiny build for warming up makes no sense.
    """

    @property
    def learns(self) -> bool:
        """Whether `build` needs training queries."""

    def resolve(self, metric: str, count: int) -> "Algorithm":
        """Return the algorithm with every choice made that depends on the metric and on the count of rows."""

    def query_grid(self) -> tuple[Mapping[str, Any], ...]:
        """Return a sensible sweep: one mapping of query parameters for each point."""

    def build(
        self,
        train: npt.ArrayLike,
        metric: str,
        training: TrainingQueries | None = None,
        *,
        threads: int = 1,
        progress: Progress = silent,
    ) -> Index:
        """Build an index over the rows (n, d)."""
