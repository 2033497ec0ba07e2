"""The kinds of figures, in the order in which they are shown: a new one is one file and one line here."""

from .errors import PlotError
from .kind import Kind
from .kinds.accuracy import ACCURACY
from .kinds.builds import LEARNING, LIST_SIZES
from .kinds.cost import COST
from .kinds.critical_difference import CRITICAL_DIFFERENCE
from .kinds.growth import GROWTH
from .kinds.latency import LATENCY
from .kinds.queries import HARDEST_QUERIES, QUERY_RECALL
from .kinds.recall import RECALL_LISTS, RECALL_POINTS, RECALL_QPS
from .kinds.roofline import ROOFLINE
from .kinds.speed_up import SPEED_UP

_ALL = (
    *(RECALL_QPS, RECALL_POINTS, RECALL_LISTS, LATENCY, COST, SPEED_UP, GROWTH, ACCURACY),
    *(QUERY_RECALL, HARDEST_QUERIES, CRITICAL_DIFFERENCE, LIST_SIZES, LEARNING, ROOFLINE),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
USUAL = (RECALL_QPS.name, RECALL_POINTS.name, RECALL_LISTS.name)
"""What is drawn where nobody says what."""


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    Raises
    ------
    PlotError
        There is none of this name.
    """
    if name not in KINDS:
        raise PlotError(f"kind of figure: found {name!r}, expected one of {', '.join(KINDS)}")
    return KINDS[name]
