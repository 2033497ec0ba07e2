"""The learnt router exactly as the SIGIR paper's code trains it, for reproduction.

After arXiv 2404.11731 and its published code: queries as they are, the list of the nearest neighbour as the label,
Glorot-uniform weights and no bias, Adam with learning rate 1e-3 and ε 1e-7, batches of 512, 100 epochs, a fifth of the
queries held out; then e* is the epoch of lowest validation loss, counted from 0, and the router is trained again from
scratch for e* epochs. Counting from 0 trains one epoch less than was best, and e* = 0 leaves the weights as they were
drawn. That is kept, because this router exists to be what was published; `Learnt` keeps the best weights.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..rows import positive
from ..value import Value
from .linear import linear_routes
from .router import Fitted, Fitting
from .training.descent import Tensors, accuracies, alone, device_for
from .training.lessons import Lessons, Syllabus, make_lessons
from .training.trained import fitted


@dataclass(frozen=True, slots=True, repr=False)
class PaperLearnt(Value):
    """Route by representatives learnt as published.

    Parameters
    ----------
    epochs : int
        Of the first training; at least 1.
    validation : float
        Part of the training queries that is held out.
    batch : int
    learning_rate : float
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    epochs: int = 100
    validation: float = 0.2
    batch: int = 512
    learning_rate: float = 1e-3
    device: str = "auto"

    def __post_init__(self) -> None:
        positive(self.epochs, "PaperLearnt.epochs")
        positive(self.batch, "PaperLearnt.batch")
        if not 0.0 < self.validation < 1.0:
            raise ValueError(f"PaperLearnt.validation: found {self.validation!r}, expected a part between 0 and 1")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"PaperLearnt.learning_rate: found {self.learning_rate!r}, expected a positive number")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"PaperLearnt.device: found {self.device!r}, expected one of auto, cpu, cuda")

    @property
    def linear(self) -> bool:
        """One representative for each list."""
        return True

    @property
    def learns(self) -> bool:
        """Training queries needed."""
        return True

    def resolve(self, metric: str) -> "PaperLearnt":
        """Nothing depends on the metric."""
        return self

    def fit(self, fitting: Fitting) -> Fitted:
        """Train twice, and lay the second weights out for routing.

        Raises
        ------
        MissingTrainingQueries
            There are none, or fewer than two.
        """
        syllabus = Syllabus("top-1", 1, "given", None, 0, self.validation)
        lessons = make_lessons(fitting, syllabus, "PaperLearnt")
        started = time.perf_counter()
        with alone(fitting.seed, fitting.threads):
            weights, notes = self._train(fitting, lessons)
        learn_seconds = time.perf_counter() - started
        routes = linear_routes(weights, np.zeros(len(weights), dtype=np.float32), fitting.space)
        return fitted(fitting, lessons, routes, learn_seconds, notes)

    def _train(self, fitting: Fitting, lessons: Lessons) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        tensors = Tensors(lessons, device_for(self.device))
        tensors.queries = tensors.queries / float(lessons.scale)  # the paper trains on queries as they are
        losses, reached = [], []
        for epoch, module in enumerate(self._epochs(tensors, fitting.seed, self.epochs, lessons), 1):
            loss, accuracy = tensors.evaluate(module, tensors.validation)
            losses.append(loss)
            reached.append(accuracy)
            fitting.progress("learn", epoch, 2 * self.epochs, f"validation accuracy {accuracy:.4f}, loss {loss:.4f}")
        again = int(np.argmin(losses))
        module = self._fresh(lessons, fitting.seed).to(tensors.queries.device)
        for epoch, trained in enumerate(self._epochs(tensors, fitting.seed, again, lessons), 1):
            module = trained
            fitting.progress("learn", self.epochs + epoch, self.epochs + again, "again, from scratch")
        notes = {
            "device": str(tensors.queries.device),
            "epochs_run": self.epochs + again,
            "best_epoch": again,
            "converged": again < self.epochs - 1,
            "validation_loss": tensors.evaluate(module, tensors.validation)[0],
            "validation_losses": losses,
            "validation_accuracies": reached,
            **accuracies(module, tensors),
        }
        return module.weights.detach().cpu().numpy(), notes

    def _fresh(self, lessons: Lessons, seed: int) -> Any:
        import torch

        from .training.modules import Linear

        torch.manual_seed(seed)
        weights = torch.empty(lessons.lists, lessons.queries.shape[1])
        torch.nn.init.xavier_uniform_(weights)
        return Linear(weights, None, None)

    def _epochs(self, tensors: Tensors, seed: int, epochs: int, lessons: Lessons) -> Any:
        # Trains a fresh module and yields it after each epoch.
        import torch

        module = self._fresh(lessons, seed).to(tensors.queries.device)
        optimiser = torch.optim.Adam(module.parameters(), lr=self.learning_rate, eps=1e-7, fused=True)
        for _ in range(epochs):
            order = tensors.training[torch.randperm(len(tensors.training)).to(tensors.training.device)]
            for rows in torch.split(order, self.batch):
                optimiser.zero_grad(set_to_none=True)
                tensors.loss(module, rows).backward()
                optimiser.step()
            yield module
