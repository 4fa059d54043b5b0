// Charts as plain SVG. Each has a text that says the same for people who cannot see it.

import { el, svg } from "./dom.js";
import { PARTS, POLES, isAxis, percent, placed, titleOf, verdict } from "./traits.js";

const at = (x) => `${100 * x}%`;

/** A dot for the first speaker, a diamond for the second: colour is never the only sign. */
function marker(who, x, y) {
  if (who === "a") return svg("circle", { class: "point", cx: at(x), cy: y, r: 7 });
  return svg("svg", { x: at(x), y, overflow: "visible" }, svg("path", { class: "point", d: "M0 -8 L8 0 L0 8 L-8 0 Z" }));
}

/** Key to the speakers. */
export function legend(people) {
  return el("p", { class: "legend" }, people.map(({ who, name }) =>
    el("span", { class: who },
      svg("svg", { viewBox: "0 0 26 14", "aria-hidden": "true" },
        svg("line", { class: "interval", x1: 4, x2: 22, y1: 7, y2: 7 }),
        who === "a" ? svg("circle", { class: "point", cx: 13, cy: 7, r: 5.5 }) : svg("path", { class: "point", d: "M13 0 L20 7 L13 14 L6 7 Z" })),
      name)));
}

/** One trait of one or two speakers: low pole, track with intervals, high pole. */
export function traitRow(trait, people) {
  const [low, high] = POLES[trait];
  const scored = people.filter((p) => p.traits[trait]);
  const middle = scored.length === 2 ? 22 : 15;
  const threshold = scored.length > 0 ? placed(scored[0].traits[trait]).threshold : 0.5;
  const words = scored.map(({ name, traits }) => {
    const s = placed(traits[trait]);
    return `${name}: ${s.text} towards ${high}, interval ${s.range}, ${verdict(trait, traits[trait])}`;
  }).join("; ");
  const track = svg("svg", { class: "track", role: "img", "aria-label": `${titleOf(trait)}. ${words}` },
    svg("line", { class: "axis", x1: "0%", x2: "100%", y1: middle, y2: middle }),
    svg("line", { class: "threshold", x1: at(threshold), x2: at(threshold), y1: 0, y2: 2 * middle }),
    scored.map(({ who, traits }, i) => {
      const y = scored.length === 2 ? 12 + 20 * i : 15;
      const s = placed(traits[trait]);
      return svg("g", { class: who },
        svg("line", { class: "interval", x1: at(s.low), x2: at(s.high), y1: y, y2: y }),
        marker(who, s.point, y));
    }));
  return el("div", { class: `trait${scored.length === 2 ? " two" : ""}${isAxis(trait) ? " mbti" : ""}` },
    el("h3", {}, titleOf(trait)),
    el("span", { class: "pole low" }, low), track, el("span", { class: "pole high" }, high),
    el("div", { class: "said" }, scored.map(({ who, name, traits }) => {
      const s = placed(traits[trait]);
      const unsure = traits[trait].label === "abstain";
      return el("span", { class: who }, scored.length === 2 ? `${name} ` : "", el("b", {}, s.text), ` (${s.range}) `,
        el("span", { class: `badge${unsure ? " unsure" : ""}` }, verdict(trait, traits[trait])));
    })));
}

/** The course of one trait over the turns, for one or two speakers. */
export function courseOf(trait, people) {
  const [w, h, left, bottom] = [220, 96, 26, 16];
  const turns = people.flatMap((p) => p.windows.flatMap((x) => [x.first, x.last]));
  const [first, last] = [Math.min(...turns), Math.max(...turns, Math.min(...turns) + 1)];
  const x = (turn) => left + ((turn - first) / (last - first)) * (w - left - 4);
  const y = (p) => 4 + (1 - p) * (h - bottom - 8);
  const lines = people.map(({ who, windows, change }) => {
    const points = windows.map((v) => [x((v.first + v.last) / 2), y(v.p_high[trait])]);
    return svg("g", { class: who },
      change && change.probability >= 0.5 && svg("line", { class: "change", x1: x(change.turn), x2: x(change.turn), y1: 4, y2: h - bottom }),
      svg("polyline", { class: "course", points: points.map((p) => p.map((n) => n.toFixed(1)).join(",")).join(" "), "stroke-dasharray": who === "b" ? "5 3" : null }),
      points.map(([cx, cy]) => svg("circle", { class: "dot", cx, cy, r: 2.2 })));
  });
  const words = people.map(({ name, windows }) =>
    `${name} from ${percent(windows[0].p_high[trait])} to ${percent(windows.at(-1).p_high[trait])}`).join("; ");
  return el("figure", { class: "mini" },
    el("figcaption", {}, titleOf(trait)),
    svg("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": `${titleOf(trait)} over the turns: ${words}` },
      svg("rect", { class: "frame", x: left, y: 4, width: w - left, height: h - bottom - 4, rx: 4 }),
      svg("line", { class: "threshold", x1: left, x2: w, y1: y(0.5), y2: y(0.5) }),
      svg("text", { x: left - 5, y: y(1) + 6, "text-anchor": "end" }, "100"),
      svg("text", { x: left - 5, y: y(0) + 2, "text-anchor": "end" }, "0"),
      svg("text", { x: left, y: h - 2 }, `turn ${first + 1}`),
      svg("text", { x: w, y: h - 2, "text-anchor": "end" }, `${last + 1}`),
      lines));
}

/** The parts of a consistency score as bars; one without a score says why. */
export function partBars(row) {
  return el("div", { class: "parts" }, Object.entries(PARTS).map(([name, title]) => {
    const value = row.parts[name];
    if (value === null) {
      return el("div", { class: "part none" }, el("span", {}, title), el("span", { class: "why" }, (row.unscored[name] ?? "not scored").split(";")[0]));
    }
    return el("div", { class: "part" }, el("span", {}, title),
      svg("svg", { "aria-hidden": "true" },
        svg("line", { class: "axis", x1: 4, x2: "99%", y1: 5, y2: 5 }),
        svg("line", { class: "fill", x1: 4, x2: at(Math.max(0.02, 0.99 * value)), y1: 5, y2: 5 })),
      el("span", { class: "value" }, value.toFixed(2)));
  }));
}
