"""A nonlinear router: a network with one or two hidden layers.

The thesis asks (section 5.5.1) whether routing needs more than a linear function and answers that linear is the best
balance of accuracy and cost; the architectures behind the answer are not published. These are ours: ReLU layers and
dropout, trained exactly as the linear router is, so that the two differ in nothing else. Its cost at query time, d·h +
h·L multiply-adds instead of d·L, is reported beside its accuracy.
"""

from dataclasses import dataclass
from typing import Any

from ..rows import positive
from .layers import LayeredRoutes, dense, dense_from
from .router import Fitting, Routes
from .training.lessons import Lessons
from .training.trained import Trained, first_offset, size_constants


@dataclass(frozen=True, slots=True, repr=False)
class Network(Trained):
    """Route by a small network.

    Parameters
    ----------
    hidden : int
        Width of each hidden layer.
    layers : int
        Hidden layers, 1 or 2.
    dropout : float
        Part of the hidden units left out at each training step. Without it the network knows its training queries by
        heart.

    Notes
    -----
    The other fields are those of `Trained`.
    """

    hidden: int = 1024
    layers: int = 1
    dropout: float = 0.5

    def __post_init__(self) -> None:
        Trained.__post_init__(self)
        positive(self.hidden, "Network.hidden")
        if self.layers not in (1, 2) or isinstance(self.layers, bool):
            raise ValueError(f"Network.layers: found {self.layers!r}, expected 1 or 2")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"Network.dropout: found {self.dropout!r}, expected a part of at least 0 and below 1")

    def module(self, fitting: Fitting, lessons: Lessons) -> Any:
        """Return dense layers with ReLU and dropout."""
        from .training.modules import layered

        widths = (lessons.queries.shape[1], *[self.hidden] * self.layers, lessons.lists)
        return layered(widths, rectified=True, dropout=self.dropout, offset=first_offset(lessons))

    def routes(self, module: Any, fitting: Fitting, lessons: Lessons) -> Routes:
        """Return the same layers for query time."""
        from .training.modules import dense_layers

        first, *between, last = dense_layers(module)
        constants = last.bias.detach().numpy() + size_constants(fitting, self.size_exponent)
        layers = (
            dense_from(first, lessons.scale),
            *(dense_from(layer) for layer in between),
            dense(last.weight.detach().numpy(), constants),
        )
        return LayeredRoutes(layers, fitting.space, True)

    def facts(self, module: Any, fitting: Fitting, lessons: Lessons) -> dict[str, Any]:
        """Return the number of parameters."""
        return {"router_parameters": sum(part.numel() for part in module.parameters())}
