"use strict";
/* The overview: one still chart for each dataset, the fronts of its first way of asking. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  function drawAll() {
    for (const element of document.querySelectorAll(".preview")) {
      const lines = data.charts[Number(element.dataset.chart)].curves.map((curve) => ({
        member: data.members[curve.member],
        points: curves.front(curves.points(curve), "qps"),
      }));
      const traces = lines.map((line) => chart.trace(line, "qps", "logit", "preview"));
      chart.drawStill(element, traces, chart.layout(lines.flatMap((line) => line.points), "qps", "logit", true));
    }
  }

  drawAll();
  chart.whenRestyled(drawAll);
})();
