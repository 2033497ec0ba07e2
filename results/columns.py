"""The columns of the table: name, unit, meaning and type, defined once and in order."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: `dtype` is "str", "int64" or "float64"; `unit` is empty for text and pure numbers."""

    name: str
    unit: str
    meaning: str
    dtype: str


COLUMNS: tuple[Column, ...] = (
    Column("dataset", "", "name of the dataset, marked (synthetic) where it is", "str"),
    Column("n", "vectors", "size of the database", "int64"),
    Column("dimension", "", "coordinates of a vector", "int64"),
    Column("algorithm", "", "canonical text of the algorithm", "str"),
    Column("parameters", "", "every parameter of the build, canonical JSON", "str"),
    Column("query_parameters", "", "every parameter of the search, canonical JSON", "str"),
    Column("probing", "", "policy that decided how many lists to open; none: no lists, or no build", "str"),
    Column("k", "", "neighbours asked for", "int64"),
    Column("mode", "", "single: one query per call; batch: all in one call; none: no build", "str"),
    Column("threads", "", "threads used to answer; 0: not told", "int64"),
    Column("build_threads", "", "threads of the build", "int64"),
    Column("seed", "", "seed of the build", "int64"),
    Column("recall", "", "mean recall@k: ids, ties within a relative 1e-6", "float64"),
    Column("recall_promised", "", "recall that the probing policy was asked for; missing where for none", "float64"),
    Column("recall_ann_benchmarks", "", "mean recall@k as in ann-benchmarks: distance <= d_k + 1e-3", "float64"),
    Column("qps", "1/s", "queries per second, median over repetitions", "float64"),
    Column("qps_low", "1/s", "lower end of the interval for that median", "float64"),
    Column("qps_high", "1/s", "upper end of the interval for that median", "float64"),
    Column("latency_p50_ms", "ms", "median latency of a query, all repetitions; single mode only", "float64"),
    Column("latency_p95_ms", "ms", "95th percentile of the latency; single mode only", "float64"),
    Column("latency_p99_ms", "ms", "99th percentile of the latency; single mode only", "float64"),
    Column("lists_probed", "lists", "lists opened per query, mean; missing where not told", "float64"),
    Column("lists_probed_p10", "lists", "10th percentile of the lists opened, over queries", "float64"),
    Column("lists_probed_p50", "lists", "median of the lists opened, over queries", "float64"),
    Column("lists_probed_p90", "lists", "90th percentile of the lists opened, over queries", "float64"),
    Column("points_scanned", "points", "vectors scored per query, mean; missing where not told", "float64"),
    Column("build_seconds", "s", "time to build the index", "float64"),
    Column("learn_seconds", "s", "time to train the router", "float64"),
    Column("label_seconds", "s", "time to label its training queries", "float64"),
    Column("compile_seconds", "s", "time to compile the kernels", "float64"),
    Column("index_bytes", "bytes", "size of the index", "int64"),
    Column("router_bytes", "bytes", "size of the router inside it", "int64"),
    Column("peak_memory_bytes", "bytes", "largest resident size of the build, its data included", "int64"),
    Column("cores_used", "cores", "CPU time over wall time while the clock ran; missing where not told", "float64"),
    Column("status", "", "ok; failed, timeout, killed or memory; skipped", "str"),
)

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
CURVE: tuple[str, ...] = ("dataset", "k", "mode", "threads", "algorithm", "build_threads", "seed", "probing")
"""Rows that agree on these are one curve: one build, one way of asking, one kind of probing policy."""
