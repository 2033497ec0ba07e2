"""A comparison for people: Markdown that fits the summary of a job, worst news first."""

import json
import math

import numpy as np

from .comparison import Comparison, Judged
from .intervals import Estimate
from .states import FAIL, INCONCLUSIVE, NOT_JUDGED, ORDER, PASS, UNFIT
from .verdict import SHOWN

SIGNS = {PASS: "✅", FAIL: "❌", INCONCLUSIVE: "❔", UNFIT: "⚠️", NOT_JUDGED: "➖"}
MEANINGS = {
    PASS: "not slower than tolerated, nothing lost",
    FAIL: "slower than tolerated, or something is lost",
    INCONCLUSIVE: "the noise of this machine does not let this be told within the budget",
    UNFIT: "on this machine base is not even as fast as itself",
}


def as_markdown(comparison: Comparison, figure: str = "") -> str:
    """Return the report.

    Parameters
    ----------
    comparison
        What was judged.
    figure
        Address or path of the figure of the fronts; empty for none.
    """
    state, limits = comparison.state, comparison.limits
    lines = [
        f"## {SIGNS[state]} {comparison.head} against {comparison.base}: {state}",
        "",
        f"{MEANINGS.get(state, '')}. Tolerated: {100 * limits.time:g} % of speed at equal recall, "
        f"{100 * limits.recall:g} points of recall at any setting, {100 * limits.work:g} % of work at equal recall."
        + (" Nothing may change." if limits.exact else ""),
        "",
    ]
    lines += _table(comparison)
    lines += [f"- ❌ missing in head: {missing}" for missing in comparison.missing]
    lines += [""] if comparison.missing else []
    for one in comparison.judged:
        if one.reasons or one.accepted:
            lines += _details(one)
    if figure:
        lines += [f"![fronts]({figure})", ""]
    lines += [_machine(comparison), ""]
    lines += [f"{remark}\n" for remark in comparison.remarks]
    return "\n".join(lines)


def _table(comparison: Comparison) -> list[str]:
    head = "| | curve | speed-up at equal recall | base against itself | recall lost, worst | points scanned | index "
    head += "| build, not judged | memory of the build, not judged |"
    order = sorted(comparison.judged, key=lambda one: (-ORDER.index(one.state), one.curve))
    return [head, f"|{'---|' * 9}", *(_row(one) for one in order), ""]


def _row(one: Judged) -> str:
    lost = 100 * max(row.base_recall - row.head_recall for row in one.work.differences)
    points = 100 * (1.0 / one.work.frugality - 1.0) if one.work.frugality > 0 else math.nan
    grown = 100 * (one.work.head_bytes / one.work.base_bytes - 1.0) if one.work.base_bytes else math.nan
    told = "" if math.isnan(one.told) else f"{one.told:.3f}, not judged"
    quick = speed(one.time.speed_up) if one.time else told
    control = speed(one.time.control) if one.time else ""
    return (
        f"| {SIGNS[one.state]} | {one.curve} | {quick} | {control} | {_points(lost)} | {_percent(points)} "
        f"| {_percent(grown)} | {_build(one)} | {_memory(one)} |"
    )


def speed(estimate: Estimate) -> str:
    """Return a speed-up with its 95 % interval."""
    if math.isnan(estimate.log):
        return "no overlap"
    low, high = estimate.interval(SHOWN)
    return f"{estimate.ratio:.3f} ({low:.3f} to {high:.3f})" if estimate.known else f"{estimate.ratio:.3f}"


def _build(one: Judged) -> str:
    base, again, head = one.base.build_seconds, one.rebuild_seconds, one.head.build_seconds
    if math.isnan(base) or math.isnan(head):
        return ""
    second = "" if math.isnan(again) else f", again {again:.2f}"
    return f"{base:.2f}{second} → {head:.2f} s"


def _memory(one: Judged) -> str:
    base, head = one.base.peak_bytes, one.head.peak_bytes
    return f"{base / 1e6:,.0f} → {head / 1e6:,.0f} MB" if base and head else ""


def _points(lost: float) -> str:
    return "none" if lost <= 1e-9 else f"{lost:.2f} points"


def _percent(grown: float) -> str:
    return "" if math.isnan(grown) else "same" if abs(grown) < 5e-4 else f"{grown:+.2f} %"


def _details(one: Judged) -> list[str]:
    lines = [f"<details><summary>{SIGNS[one.state]} {one.curve}</summary>", ""]
    lines += [f"- {reason}" for reason in one.reasons]
    lines += [f"- accepted: {one.accepted}"] if one.accepted else []
    at = [f"{level:g}: {speed(found)}" for level, found in one.at.items() if not math.isnan(found.log)]
    lines += [f"- speed-up at recall {'; '.join(at)}"] if at else []
    lines += ["", "| setting | recall | points scanned | lists | ids |", "|---|---|---|---|---|"]
    for row in one.work.differences:
        named = ", ".join(f"{name} {value}" for name, value in json.loads(row.setting).items()) or "all"
        lines.append(
            f"| {named} | {_both(row.base_recall, row.head_recall, '.4f')} | "
            f"{_both(row.base_points, row.head_points, ',.0f')} | {_both(row.base_lists, row.head_lists, ',.1f')} | "
            f"{'same' if row.same_ids else 'changed'} |"
        )
    return [*lines, "", "</details>", ""]


def _both(base: float, head: float, style: str) -> str:
    first, second = f"{base:{style}}", f"{head:{style}}"
    return first if first == second else f"{first} → {second}"


def _machine(comparison: Comparison) -> str:
    timed = [one.times for one in comparison.judged if one.times is not None]
    if not timed:
        return "No clock: answers, counts of work and sizes only."
    load = np.concatenate([times.load.ravel() for times in timed])
    steal = np.concatenate([times.steal.ravel() for times in timed])
    reference = np.concatenate([times.reference.ravel() for times in timed])
    clocks = " and ".join(sorted({one.clock for one in comparison.judged if one.clock}))
    spread = 100 * reference.std() / reference.mean()
    stolen = f", stolen {100 * np.nanmean(steal):.1f} %" if np.isfinite(steal).any() else ""
    return (
        f"{comparison.rounds} pairs of fresh processes, looked at {comparison.looks}×, {comparison.seconds:.0f} s; "
        f"{clocks} time; {comparison.machine.get('processor', 'unknown processor')}; "
        f"load {np.nanmean(load):.1f}{stolen}; reference kernel {1000 * np.median(reference):.2f} ms ± {spread:.0f} %."
    )
