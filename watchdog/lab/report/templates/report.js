"use strict";
// Draws what the page holds. Colours follow the reader's light or dark choice, also when it changes.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const config = { responsive: true, displaylogo: false, 
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]] };

  const layout = (title, more) => ({
    title: { text: title, font: { size: 14 }, x: 0.01, xanchor: "left" },
    margin: { l: 60, r: 20, t: 40, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("text"), family: "system-ui, sans-serif", size: 12 },
    showlegend: false,
    hovermode: "closest",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent") },
    ...more,
  });
  const axis = (more) => ({
    gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"),
    automargin: true, ...more,
  });
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function rule(place, each) {
    const high = Math.max(each.limit ?? 0, ...each.values, 0);
    const line = {
      x: each.times, y: each.values, type: "scatter", mode: "lines",
      line: { color: colour("accent"), width: 1.5, shape: "hv" }, name: plain(each.name),
    };
    const fired = {
      x: each.fired.map((one) => one.at), y: each.fired.map(() => each.limit ?? high),
      text: each.fired.map((one) => plain(one.text)), hovertemplate: "%{x}<br>%{text}<extra></extra>",
      type: "scatter", mode: "markers",
      marker: {
        size: 10, color: colour("bad"),
        symbol: each.fired.map((one) => (one.acted ? "triangle-up" : "triangle-up-open")),
      },
    };
    const shapes = each.incidents.map((one) => ({
      type: "rect", xref: "x", yref: "paper", x0: one.start, x1: one.end, y0: 0, y1: 1,
      fillcolor: colour("shade"), line: { width: 0 }, layer: "below",
    }));
    if (each.limit !== null) {
      shapes.push({
        type: "line", xref: "paper", x0: 0, x1: 1, y0: each.limit, y1: each.limit,
        line: { color: colour("bad"), width: 1, dash: "dash" },
      });
    }
    return Plotly.react(place, [line, fired], layout(plain(each.name), {
      shapes, xaxis: axis({ type: "date", range: data.span }), yaxis: axis({ title: { text: each.unit }, rangemode: "tozero" }),
    }), config);
  }

  function sweep(place, found) {
    const spot = (one) => [one.false_a_month, one.detection_p50_seconds];
    const known = found.points.filter((one) => one.detection_p50_seconds !== null);
    const best = known.filter((one) => one.best).sort((a, b) => spot(a)[0] - spot(b)[0] || spot(b)[1] - spot(a)[1]);
    const text = (one) => plain(`${one.number}: ${one.text}; recall ${Math.round(one.recall * 1000) / 10} %`);
    const hover = "%{text}<br>%{x:.3g} " + found.counts + " a month, %{y:.4g} s<extra></extra>";
    return Plotly.react(place, [
      { x: best.map((one) => spot(one)[0]), y: best.map((one) => spot(one)[1]), type: "scatter", mode: "lines",
        line: { color: colour("accent"), width: 1 }, hoverinfo: "skip" },
      { x: known.map((one) => spot(one)[0]), y: known.map((one) => spot(one)[1]), text: known.map(text),
        hovertemplate: hover, type: "scatter", mode: "markers", cliponaxis: false,
        marker: {
          size: known.map((one) => (one.present ? 16 : 9)), opacity: 0.85,
          color: known.map((one) => one.recall), cmin: 0, cmax: 1, colorscale: "Viridis", showscale: true,
          colorbar: { title: { text: "recall" }, tickformat: ".0%" },
          line: { width: known.map((one) => (one.present ? 3 : 0)), color: colour("bad") },
        } },
    ], layout("", {
      xaxis: axis({ title: { text: `${found.counts} a month` }, rangemode: "tozero" }),
      yaxis: axis({ title: { text: "median detection, seconds" }, rangemode: "tozero" }),
    }), config);
  }

  const places = document.getElementById("plots");
  for (const each of data.rules) {
    const place = document.createElement("div");
    place.className = "plot";
    places.append(place);
  }
  const draw = () => Promise.all([
    ...data.rules.map((each, number) => rule(places.children[number], each)),
    ...(data.sweep ? [sweep(document.getElementById("sweep"), data.sweep)] : []),
  ]).then(() => { document.body.dataset.drawn = "yes"; });
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
