"""How long a learnt router trains, by queries, lists and dimension; and how soon it is best on a real dataset.

Usage: ``python tests/benchmarks/training_time.py [--data FILE.hdf5] [--threads T] [--output FIGURE.png]``

Each cost is varied alone around 20,000 queries, 328 lists and 384 dimensions; a straight line fitted to the medians
says how far from linear it is. Random numbers cost what real ones do.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ivfbench.algorithms.clustering.kmeans import KMeans
from ivfbench.algorithms.ivf import IVF
from ivfbench.algorithms.routers.learnt import Learnt
from ivfbench.algorithms.routers.router import TrainingQueries
from ivfbench.algorithms.routers.training.descent import Recipe, alone, descend
from ivfbench.algorithms.routers.training.lessons import Lessons
from ivfbench.algorithms.routers.training.targets import Targets

MIDDLE = {"queries": 20_000, "lists": 328, "dimension": 384}
VARIED = {
    "queries": (5_000, 10_000, 20_000, 40_000, 80_000),
    "lists": (164, 328, 656, 1312, 2624),
    "dimension": (96, 192, 384, 768, 1536),
}
EPOCHS = 4  # the first is left out


def lessons(queries: int, lists: int, dimension: int) -> Lessons:
    """Random lessons of a size."""
    random = np.random.default_rng(0)
    held = max(1, queries // 10)
    labels = random.integers(0, lists, (queries, 10))
    return Lessons(
        random.standard_normal((queries, dimension)).astype(np.float32),
        Targets(labels, np.full(labels.shape, 0.1, np.float32), False),
        np.arange(held, queries), np.arange(held), np.float32(1), lists, 10, 0.0,
    )  # fmt: skip


def seconds_per_epoch(queries: int, lists: int, dimension: int, threads: int) -> float:
    """Median seconds of an epoch."""
    from ivfbench.algorithms.routers.training.modules import Linear

    ends: list[float] = []
    recipe = Recipe(EPOCHS, EPOCHS, 512, 1e-3, "cpu")
    with alone(0, threads):
        module = Linear(np.zeros((lists, dimension), np.float32), None, None)
        descend(module, lessons(queries, lists, dimension), recipe, lambda *_: ends.append(time.perf_counter()))
    return float(np.median(np.diff(ends)))


def sweep(threads: int) -> dict[str, list[float]]:
    """Seconds of an epoch for every value of `VARIED`."""
    found = {}
    for name, values in VARIED.items():
        found[name] = [seconds_per_epoch(**{**MIDDLE, name: value}, threads=threads) for value in values]
        slope, fixed = np.polyfit(values, found[name], 1)
        worst = max(
            abs(second / (slope * value + fixed) - 1) for value, second in zip(values, found[name], strict=True)
        )
        told = ", ".join(f"{value:,}: {seconds:.3f} s" for value, seconds in zip(values, found[name], strict=True))
        print(f"{name:9} {told}; line {fixed:.3f} s + {slope:.2e} s each, farthest from it {100 * worst:.0f} %")
    return found


def draw(found: dict[str, list[float]], output: Path) -> None:
    """Draw seconds per epoch over each size, with a straight line."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
    for axes, (name, seconds) in zip(panels, found.items(), strict=True):
        values = np.array(VARIED[name], float)
        slope, fixed = np.polyfit(values, seconds, 1)
        axes.plot([0, values[-1]], [fixed, slope * values[-1] + fixed], color="0.75", zorder=1)
        axes.plot(values, seconds, "o", color="#0072b2", zorder=2)
        axes.set(xlabel=name, xlim=(0, None), ylim=(0, None))
    panels[0].set_ylabel("seconds per epoch")
    figure.savefig(output, dpi=160)
    print(f"figure: {output}")


def real(path: str, threads: int) -> None:
    """Train on a dataset, and say how long it took to the best validation loss."""
    from ivfbench.datasets.load import load

    data = load(path)
    began: list[float] = []
    ends: list[float] = []

    def progress(stage: str, done: int, total: int, remark: str = "") -> None:
        if stage == "layout" and done == total:
            began.append(time.perf_counter())
        if stage == "learn":
            ends.append(time.perf_counter())

    training = TrainingQueries(data.learn, data.learn_neighbors)
    index = IVF(KMeans(), Learnt()).build(data.train, data.metric, training, threads=threads, progress=progress)
    notes = index.built.notes
    spent = ends[notes["best_epoch"] - 1] - began[0]
    print(
        f"{data.name}: {len(data.learn):,} training queries, {index.count} lists, {data.dimension} dimensions: "
        f"best validation loss {notes['validation_loss']:.4f} after {notes['best_epoch']} epochs, {spent:.1f} s; "
        f"stopped after {index.built.learn_seconds:.1f} s"
    )


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("training-time.png"))
    chosen = parser.parse_args()
    if chosen.data:
        real(chosen.data, chosen.threads)
    draw(sweep(chosen.threads), chosen.output)


if __name__ == "__main__":
    main()
