"""Training by gradient descent: softmax cross-entropy over lists, with early stopping.

torch is imported here and nowhere else, when a router is fitted. Labels are list numbers, never one-hot rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..progress import Progress


@dataclass(frozen=True, slots=True)
class SoftmaxTask:
    """What is to be learnt.

    Attributes
    ----------
    queries : (m, d) float32
        Prepared, scaled to a mean square of 1 in each coordinate.
    labels : (m,) int64
        The list that each query should find.
    training, validation : int64
        Rows of `queries`; the two parts do not meet.
    lists : int
        L.
    start : (L, d) float32 or None
        Initial representatives, up to a common factor; None: Glorot-uniform.
    start_constants : (L,) float32 or None
        Initial constants, up to the same factor.
    bias : bool
        Whether each list learns a constant.
    """

    queries: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    training: npt.NDArray[np.int64]
    validation: npt.NDArray[np.int64]
    lists: int
    start: npt.NDArray[np.float32] | None
    start_constants: npt.NDArray[np.float32] | None
    bias: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is learnt.

    Adam, `batch` queries a step; what is evaluated and kept is the running average of the weights over about the last
    hundred steps, which takes the noise of the batches out (Polyak averaging). The learning rate halves after each
    epoch that does not lower the validation loss; after `patience` such epochs in a row training stops.
    """

    epochs: int
    patience: int
    batch: int
    learning_rate: float
    device: str


AVERAGING = 0.99  # what the running average of the weights keeps of itself at each step


def device_for(choice: str) -> str:
    """Return the torch device: `choice` itself, or under ``auto`` the GPU if there is one."""
    import torch

    if choice == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return choice


def _factor_for(logits: Any, labels: Any) -> float:
    # The inverse temperature under which the start fits the labels best, over a grid relative to the logits'
    # spread.
    import torch

    grid = torch.logspace(-1, 2, 31) / logits.std(correction=0).clamp_min(1e-30)
    losses = [float(torch.nn.functional.cross_entropy(logits * factor, labels)) for factor in grid]
    return float(grid[int(np.argmin(losses))])


def _initial(task: SoftmaxTask, generator: Any) -> tuple[Any, Any]:
    # The first W (L, d) and b (L,) or None.
    import torch

    weights = torch.empty(task.lists, task.queries.shape[1])
    constants = torch.zeros(task.lists)
    if task.start is None:
        torch.nn.init.xavier_uniform_(weights, generator=generator)
    else:
        if task.start_constants is not None:
            constants = torch.from_numpy(task.start_constants)
        some = task.training[:4096]
        start = torch.from_numpy(task.start)
        logits = torch.from_numpy(task.queries[some]) @ start.T + constants
        factor = _factor_for(logits, torch.from_numpy(task.labels[some]))
        weights, constants = start * factor, constants * factor
    return weights, constants if task.bias else None


def _evaluate(queries: Any, labels: Any, weights: Any, bias: Any) -> tuple[float, float]:
    # Mean loss and top-1 accuracy, in blocks.
    import torch

    loss, right = 0.0, 0
    with torch.no_grad():
        for start in range(0, len(queries), 8192):
            logits = torch.nn.functional.linear(queries[start : start + 8192], weights, bias)
            wanted = labels[start : start + 8192]
            loss += float(torch.nn.functional.cross_entropy(logits, wanted, reduction="sum"))
            right += int((logits.argmax(dim=1) == wanted).sum())
    return loss / len(queries), right / len(queries)


def _descend(task: SoftmaxTask, recipe: Recipe, seed: int, progress: Progress) -> tuple[list[Any], dict[str, Any]]:
    import torch

    generator = torch.Generator().manual_seed(seed)
    device = recipe.device
    queries, labels = torch.from_numpy(task.queries).to(device), torch.from_numpy(task.labels).to(device)
    training, validation = (torch.from_numpy(part).to(device) for part in (task.training, task.validation))
    held_queries, held_labels = queries[validation], labels[validation]
    weights: Any
    bias: Any
    weights, bias = (None if part is None else part.to(device).requires_grad_() for part in _initial(task, generator))
    learnables = [weights] if bias is None else [weights, bias]
    optimiser = torch.optim.Adam(learnables, lr=recipe.learning_rate, fused=True)
    best_loss, best_accuracy = _evaluate(held_queries, held_labels, weights, bias)
    first_accuracy = best_accuracy
    averages = [part.detach().clone() for part in learnables]
    best = [part.clone() for part in averages]
    best_epoch = epoch = steps = 0
    for epoch in range(1, recipe.epochs + 1):
        order = training[torch.randperm(len(training), generator=generator).to(device)]
        for start in range(0, len(order), recipe.batch):
            chosen = order[start : start + recipe.batch]
            optimiser.zero_grad(set_to_none=True)
            logits = torch.nn.functional.linear(queries[chosen], weights, bias)
            loss: Any = torch.nn.functional.cross_entropy(logits, labels[chosen])
            loss.backward()
            optimiser.step()
            steps += 1
            for average, part in zip(averages, learnables, strict=True):
                average.lerp_(part.detach(), 1.0 - min(AVERAGING, (1 + steps) / (10 + steps)))
        average_bias = averages[1] if task.bias else None
        held_loss, accuracy = _evaluate(held_queries, held_labels, averages[0], average_bias)
        if held_loss < best_loss:
            best_loss, best_accuracy, best_epoch = held_loss, accuracy, epoch
            best = [part.clone() for part in averages]
        progress("learn", epoch, recipe.epochs, f"validation accuracy {accuracy:.4f}, loss {held_loss:.4f}")
        if epoch - best_epoch >= recipe.patience:
            break
        if epoch > best_epoch:  # smaller steps from here: the noise of the batches has become the obstacle
            optimiser.param_groups[0]["lr"] *= 0.5
    return best, {
        "device": device,
        "epochs_run": epoch,
        "best_epoch": best_epoch,
        "validation_loss": best_loss,
        "validation_accuracy": best_accuracy,
        "validation_accuracy_at_start": first_accuracy,
        "lists_without_label": int(task.lists - len(np.unique(task.labels))),
    }


def train(
    task: SoftmaxTask, recipe: Recipe, *, seed: int, threads: int, progress: Progress
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None, dict[str, Any]]:
    """Minimise the cross-entropy and return the weights of lowest validation loss.

    Returns
    -------
    weights : (L, d) float32
    bias : (L,) float32 or None
    notes : dict
        Epochs run, the best epoch, validation loss and accuracy at the start and at the best epoch, and how
        many lists no training query labels.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        best, notes = _descend(task, recipe, seed, progress)
    finally:
        torch.set_num_threads(before)
    found = [part.cpu().numpy() for part in best]
    return found[0], found[1] if task.bias else None, notes
