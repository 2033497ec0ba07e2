"""The torch modules behind the trained routers: queries (b, d) in, logits (b, L) out.

torch is imported at the top, so this file is imported inside functions only. What each module computes is computed
again without torch at query time, by the routes of the router that trains it.
"""

import itertools
from typing import Any

import torch
from torch import nn


def _parameter(values: Any) -> Any:
    return None if values is None else nn.Parameter(torch.as_tensor(values, dtype=torch.float32).clone())


class Linear(nn.Module):
    """Logits W q + b, and under the multi-label loss one offset common to all lists, which moves no rank."""

    def __init__(self, weights: Any, constants: Any, offset: float | None) -> None:
        super().__init__()
        self.weights, self.constants = _parameter(weights), _parameter(constants)
        self.offset = None if offset is None else nn.Parameter(torch.tensor(offset))

    def forward(self, queries: Any) -> Any:
        """Return the logits."""
        logits = nn.functional.linear(queries, self.weights, self.constants)
        return logits if self.offset is None else logits + self.offset


class Grouped(nn.Module):
    """r representatives per list: the logit is the log-sum-exp of their scores."""

    def __init__(self, weights: Any, constants: Any, offset: float | None, count: int) -> None:
        super().__init__()
        self.parts, self.count = Linear(weights, constants, offset), count

    def forward(self, queries: Any) -> Any:
        """Return the logits."""
        scores = self.parts(queries)
        return torch.logsumexp(scores.view(len(scores), -1, self.count), dim=2)


class Spread(nn.Module):
    """Linear logits plus a coefficient per list times a given feature of that list; input (b, d + L)."""

    def __init__(self, weights: Any, constants: Any, offset: float | None) -> None:
        super().__init__()
        self.base = Linear(weights, constants, offset)
        self.dimension = self.base.weights.shape[1]
        self.coefficients = nn.Parameter(torch.zeros(self.base.weights.shape[0]))

    def forward(self, queries_and_features: Any) -> Any:
        """Return the logits."""
        queries, features = queries_and_features.split([self.dimension, len(self.coefficients)], dim=1)
        return self.base(queries) + self.coefficients * features


def layered(widths: tuple[int, ...], *, rectified: bool, dropout: float, offset: float) -> Any:
    """Return dense layers between `widths`: with ReLU and dropout after each but the last, or plain (a low rank).

    Parameters
    ----------
    widths : tuple of int
        d, then the hidden widths, then L.
    rectified : bool
    dropout : float
    offset : float
        Where the last layer's constants start.
    """
    parts: list[Any] = []
    for width, following in itertools.pairwise(widths):
        parts.append(nn.Linear(width, following, bias=rectified or following == widths[-1]))
        if rectified and len(parts) < 3 * (len(widths) - 2):
            parts += [nn.ReLU(), nn.Dropout(dropout)]
    with torch.no_grad():
        parts[-1].bias.fill_(offset)
    return nn.Sequential(*parts)


def dense_layers(module: Any) -> list[Any]:
    """Return the dense layers inside a module, in order."""
    return [part for part in module.modules() if isinstance(part, nn.Linear)]


class TwoTower(nn.Module):
    """LIRA's network: one tower reads the standardised centroid scores, the other the query; see `two_tower`."""

    def __init__(
        self, centroid_weights: Any, centroid_constants: Any, lists: int, dimension: int, offset: float
    ) -> None:
        super().__init__()
        self.register_buffer("centroid_weights", torch.as_tensor(centroid_weights))
        self.register_buffer("centroid_constants", torch.as_tensor(centroid_constants))
        self.towers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
            for width in (lists, dimension)
        )
        self.head = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, lists))
        with torch.no_grad():
            last: Any = self.head[-1]
            last.bias.fill_(offset)

    def forward(self, queries: Any) -> Any:
        """Return the logits."""
        weights, constants = torch.as_tensor(self.centroid_weights), torch.as_tensor(self.centroid_constants)
        scores = nn.functional.linear(queries, weights, constants)
        return self.head(torch.cat([self.towers[0](scores), self.towers[1](queries)], dim=1))
