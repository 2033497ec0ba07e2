"""A linear router through a bottleneck: W = B A with A (t, d), B (L, t).

The linear counterpart of a network, and the hidden layer that the thesis' published code offers: fewer parameters and
fewer multiply-adds, t(d + L) instead of d L, for what rank t can express.
"""

from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .layers import LayeredRoutes, dense, dense_from
from .router import Fitting, Routes
from .training.lessons import Lessons
from .training.trained import Trained, first_offset, size_constants


@dataclass(frozen=True, slots=True, repr=False)
class LowRank(Trained):
    """Route by representatives of low rank.

    Parameters
    ----------
    rank : int
        t.

    Notes
    -----
    The other fields are those of `Trained`. Lists have constants, unlike in `Learnt`.
    """

    rank: int = 64

    def __post_init__(self) -> None:
        Trained.__post_init__(self)
        positive(self.rank, "LowRank.rank")

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return two dense layers with nothing between them."""
        from .training.modules import layered

        widths = (lessons.queries.shape[1], self.rank, lessons.lists)
        return layered(widths, rectified=False, dropout=0.0, offset=first_offset(lessons))

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return the same layers for query time."""
        from .training.modules import dense_layers

        first, last = dense_layers(module)
        constants = last.bias.detach().numpy() + size_constants(fitting, self.size_exponent)
        layers = (dense_from(first, lessons.scale), dense(last.weight.detach().numpy(), constants))
        return LayeredRoutes(layers, fitting.space, False)

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return the number of parameters."""
        return {"router_parameters": sum(part.numel() for part in module.parameters())}
