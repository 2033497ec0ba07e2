"use strict";
/* Curves and what is read off them, as results/at_recall.py does it: pure functions, nothing of the page.
   A curve is an array of points by rising recall; a point is an object of numbers, null where one is missing. */
const curves = (() => {
  const SAME = 1e-6; // recalls on a page have six digits

  /* What a point or a build may cost. `better`: 1 more, -1 less. A cost of the build has no front: all its points share it. */
  const COSTS = {
    qps: {title: "queries per second", unit: "/s", better: 1},
    latency_p50_ms: {title: "latency, median (ms)", unit: "ms", better: -1},
    latency_p95_ms: {title: "latency, 95th percentile (ms)", unit: "ms", better: -1},
    latency_p99_ms: {title: "latency, 99th percentile (ms)", unit: "ms", better: -1},
    points_scanned: {title: "points scanned per query", unit: "points", better: -1},
    lists_probed: {title: "lists probed per query", unit: "lists", better: -1},
    build_total: {title: "build, learning and labelling (s)", unit: "s", better: -1, ofBuild: true},
    index_bytes: {title: "index size (bytes)", unit: "bytes", better: -1, ofBuild: true},
  };

  /* The columns of one curve as points, its build's costs with each. */
  function points(curve) {
    const names = Object.keys(curve.points);
    const build = curve.build || {};
    const total = ["build_seconds", "learn_seconds", "label_seconds"].reduce((sum, name) => sum + (build[name] || 0), 0);
    return curve.points.recall.map((_, place) => {
      const point = {build_total: total, index_bytes: build.index_bytes, curve};
      for (const name of names) point[name] = curve.points[name][place];
      return point;
    });
  }

  /* The points that no other point beats in both recall and cost. */
  function front(all, cost) {
    const {better, ofBuild} = COSTS[cost];
    const told = all.filter((point) => point[cost] > 0); // the axis is logarithmic, and null is not above 0
    if (ofBuild) return told;
    told.sort((one, other) => other.recall - one.recall || better * (other[cost] - one[cost]));
    const kept = [];
    let best = -Infinity;
    for (const point of told) {
      if (better * point[cost] > best) {
        kept.push(point);
        best = better * point[cost];
      }
    }
    return kept.reverse();
  }

  /* The cost at a recall: {value, state}. Between two points its logarithm is linear; nothing is extrapolated: below the
     sweep the value is that of its first point, which the curve does at least as well as. */
  function read(onFront, cost, level) {
    if (!onFront.length) return {state: "not told"};
    const above = onFront.findIndex((point) => point.recall >= level - SAME);
    if (above < 0) return {state: "not reached"};
    const high = onFront[above];
    if (Math.abs(high.recall - level) <= SAME) return {value: high[cost], state: "reached"};
    if (above === 0) return {value: high[cost], state: "below the sweep"};
    const low = onFront[above - 1];
    const share = (level - low.recall) / (high.recall - low.recall);
    return {value: Math.exp((1 - share) * Math.log(low[cost]) + share * Math.log(high[cost])), state: "reached"};
  }

  const WORST_FIRST = ["not told", "not reached", "below the sweep", "reached"];

  /* One reading for several seeds: the median, where every one of them has a value. */
  function together(readings) {
    const worst = WORST_FIRST.find((state) => readings.some((reading) => reading.state === state));
    if (readings.some((reading) => reading.value === undefined)) return {state: worst};
    return {value: median(readings.map((reading) => reading.value)), state: worst};
  }

  function median(values) {
    const ordered = [...values].sort((one, other) => one - other);
    const middle = ordered.length >> 1;
    return ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
  }

  return {COSTS, points, front, read, together, median};
})();
