"""Gradient descent with early stopping, for any torch module from queries to logits over lists.

Adam, `batch` queries a step; what is evaluated and kept is the running average of the weights over about the last
hundred steps, which takes the noise of the batches out (Polyak averaging). The learning rate halves after each epoch
that does not lower the validation loss; after `patience` such epochs in a row training stops.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...progress import Progress
from .lessons import Lessons
from .targets import found_by_the_best, loss_of

AVERAGING = 0.99  # what the running average of the weights keeps of itself at each step
LARGEST_EVALUATION = 8192  # queries at a time


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a module is trained; the fields of `Trained` of the same names."""

    epochs: int
    patience: int
    batch: int
    learning_rate: float
    device: str


def device_for(choice: str) -> str:
    """Return the torch device: `choice` itself, or under ``auto`` the GPU if there is one."""
    import torch

    if choice == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return choice


class Tensors:
    """The lessons as torch tensors on a device."""

    def __init__(self, lessons: Lessons, device: str) -> None:
        import torch

        self.queries = torch.from_numpy(lessons.queries).to(device)
        self.labels = torch.from_numpy(lessons.targets.labels).to(device)
        self.weights = torch.from_numpy(lessons.targets.weights).to(device)
        self.training = torch.from_numpy(lessons.training).to(device)
        self.validation = torch.from_numpy(lessons.validation).to(device)
        self.sigmoid = lessons.targets.sigmoid

    def loss(self, module: Any, rows: Any) -> Any:
        """Return the mean loss over some rows, with a gradient."""
        return loss_of(module(self.queries[rows]), self.labels[rows], self.weights[rows], self.sigmoid).mean()

    def evaluate(self, module: Any, rows: Any) -> tuple[float, float]:
        """Return mean loss and mean accuracy with one probe over some rows, in blocks."""
        import torch

        loss = right = 0.0
        module.eval()
        with torch.no_grad():
            for block in torch.split(rows, LARGEST_EVALUATION):
                logits = module(self.queries[block])
                labels, weights = self.labels[block], self.weights[block]
                loss += float(loss_of(logits, labels, weights, self.sigmoid).sum())
                right += float(found_by_the_best(logits, labels, weights).sum())
        module.train()
        return loss / len(rows), right / len(rows)


def _copies(module: Any) -> list[Any]:
    return [part.detach().clone() for part in module.parameters()]


def _put(module: Any, values: list[Any]) -> None:
    import torch

    with torch.no_grad():
        for part, value in zip(module.parameters(), values, strict=True):
            part.copy_(value)


def _epoch(module: Any, tensors: Tensors, optimiser: Any, averages: list[Any], steps: int, recipe: Recipe) -> int:
    # One pass over the training queries in random order; returns the steps taken so far.
    import torch

    order = tensors.training[torch.randperm(len(tensors.training)).to(tensors.training.device)]
    for rows in torch.split(order, recipe.batch):
        optimiser.zero_grad(set_to_none=True)
        tensors.loss(module, rows).backward()
        optimiser.step()
        steps += 1
        with torch.no_grad():
            for average, part in zip(averages, module.parameters(), strict=True):
                average.lerp_(part, 1.0 - min(AVERAGING, (1 + steps) / (10 + steps)))
    return steps


def descend(module: Any, lessons: Lessons, recipe: Recipe, progress: Progress) -> dict[str, Any]:
    """Train a module in place, and leave in it the weights of lowest validation loss.

    torch's global random state and number of threads are the caller's to set (`alone`).

    Parameters
    ----------
    module : torch.nn.Module
        Queries (b, d) to logits (b, L).
    lessons : Lessons
    recipe : Recipe
    progress : callable

    Returns
    -------
    dict
        Epochs run, the best epoch, whether training ended by itself, validation loss, and accuracy with one probe on
        validation and training queries; loss and accuracy on the validation queries before and after each epoch.
    """
    import torch

    tensors = Tensors(lessons, recipe.device)
    module.to(recipe.device)
    optimiser = torch.optim.Adam(module.parameters(), lr=recipe.learning_rate, fused=True)
    best_loss, accuracy_at_start = tensors.evaluate(module, tensors.validation)
    losses, reached = [best_loss], [accuracy_at_start]
    averages, best = _copies(module), _copies(module)
    best_epoch = epoch = steps = 0
    for epoch in range(1, recipe.epochs + 1):
        steps = _epoch(module, tensors, optimiser, averages, steps, recipe)
        latest = _copies(module)
        _put(module, averages)
        held_loss, accuracy = tensors.evaluate(module, tensors.validation)
        losses.append(held_loss)
        reached.append(accuracy)
        _put(module, latest)
        if held_loss < best_loss:
            best_loss, best_epoch, best = held_loss, epoch, [part.clone() for part in averages]
        progress("learn", epoch, recipe.epochs, f"validation accuracy {accuracy:.4f}, loss {held_loss:.4f}")
        if epoch - best_epoch >= recipe.patience:
            break
        if epoch > best_epoch:  # smaller steps from here: the noise of the batches has become the obstacle
            optimiser.param_groups[0]["lr"] *= 0.5
    _put(module, best)
    notes = {
        "device": recipe.device,
        "epochs_run": epoch,
        "best_epoch": best_epoch,
        "converged": epoch == 0 or best_epoch < recipe.epochs,
        "validation_loss": best_loss,
        "validation_accuracy_at_start": accuracy_at_start,
        "validation_losses": losses,
        "validation_accuracies": reached,
        **accuracies(module, tensors),
    }
    module.eval()  # as it will be asked: nothing dropped
    return notes


def accuracies(module: Any, tensors: Tensors) -> dict[str, float]:
    """Return the accuracy with one probe on the validation queries, and on as many training queries."""
    return {
        "validation_accuracy": tensors.evaluate(module, tensors.validation)[1],
        "training_accuracy": tensors.evaluate(module, tensors.training[: len(tensors.validation)])[1],
    }


class alone:  # noqa: N801 - read as a word: `with alone(seed, threads)`
    """Seed torch and set its threads for the length of a block, and put both back afterwards."""

    def __init__(self, seed: int, threads: int) -> None:
        self.seed, self.threads = seed, threads

    def __enter__(self) -> None:
        import torch

        self.before = torch.get_num_threads(), torch.get_rng_state()
        torch.set_num_threads(max(1, self.threads))
        torch.manual_seed(self.seed)

    def __exit__(self, *_: object) -> None:
        import torch

        torch.set_num_threads(self.before[0])
        torch.set_rng_state(self.before[1])


def inverse_temperature(logits: Any, targets_labels: Any, targets_weights: Any) -> float:
    """Return the factor under which scores (b, L) fit the labels best as logits, on a grid relative to their spread."""
    import torch

    spread = float(logits.std(correction=0))
    if not spread > 0:
        return 1.0  # scores that are all the same fit equally well under any
    grid = torch.logspace(-1, 2, 31) / spread
    losses = [float(loss_of(logits * factor, targets_labels, targets_weights, False).mean()) for factor in grid]
    return float(grid[int(np.argmin(losses))])
