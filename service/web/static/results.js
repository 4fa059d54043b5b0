// One dialogue's results: profile, trajectory, consistency, the text with its evidence.

import { courseOf, legend, partBars, traitRow } from "./charts.js";
import { byId, el, save } from "./dom.js";
import { reportOf } from "./report.js";
import { POLES, percent, signed, titleOf } from "./traits.js";

const STRONGEST = 4;
const FRAMEWORKS = { bigfive: "Big Five", mbti: "MBTI" };

/** State of what is shown: which dialogue, which two speakers, whose evidence. */
const shown = { found: null, item: 0, first: null, second: null, trait: "" };

/** Show what the service found. */
export function showResults(found) {
  shown.found = found;
  shown.item = 0;
  choosePeople();
  draw();
}

export function hideResults() {
  shown.found = null;
  byId("results").hidden = true;
  byId("results").replaceChildren();
}

function choosePeople() {
  const item = shown.found.items[shown.item];
  const names = speakersOf(item);
  const rows = shown.found.profiles.filter((r) => r.id === item.id);
  const scored = names.filter((n) => rows.some((r) => r.speaker === n && r.status === "scored"));
  shown.first = scored.includes(item.focus) ? item.focus : scored[0] ?? names[0] ?? null;
  shown.second = scored.find((n) => n !== shown.first) ?? null;
  shown.trait = "";
}

const speakersOf = (item) => [...new Set(item.turns.map((t) => t.speaker))];

function people(item) {
  return [["a", shown.first], ["b", shown.second]].filter(([, name]) => name !== null).map(([who, name]) => ({
    who, name,
    rows: shown.found.profiles.filter((r) => r.id === item.id && r.speaker === name),
    consistency: shown.found.consistency.find((r) => r.id === item.id && r.speaker === name) ?? null,
  }));
}

function draw() {
  const { found } = shown;
  const item = found.items[shown.item];
  const both = people(item);
  const box = byId("results");
  const focus = document.activeElement?.id;
  box.hidden = false;
  box.replaceChildren(
    head(item),
    el("div", { class: "grid" },
      el("div", { class: "stack" }, profileCards(both), trajectory(both)),
      el("div", { class: "stack" }, conversation(item, both), consistencyCard(both, found))),
    downloads(item, both));
  if (focus) byId(focus)?.focus();
}

function select(id, label, options, value, choose) {
  const box = el("select", { id, onchange: () => choose(box.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));
  return el("label", { for: id }, label, box);
}

function head(item) {
  const { items } = shown.found;
  const names = speakersOf(item);
  const change = (part) => (value) => { shown[part] = value || null; draw(); };
  return el("div", { class: "result-head" },
    el("h2", { id: "result-title", tabindex: "-1" }, item.id === "stdin" ? "Your text" : item.id),
    el("div", { class: "pick" },
      items.length > 1 && select("pick-item", `Dialogue (${items.length})`, items.map((x, i) => [String(i), x.id]), String(shown.item),
        (value) => { shown.item = Number(value); choosePeople(); draw(); }),
      names.length > 1 && select("pick-first", "Speaker", names.map((n) => [n, n]), shown.first, (value) => {
        if (value === shown.second) shown.second = shown.first;
        shown.first = value;
        draw();
      }),
      names.length > 1 && select("pick-second", "Compare with", [["", "nobody"], ...names.filter((n) => n !== shown.first).map((n) => [n, n])], shown.second ?? "", change("second"))));
}

function profileCards(both) {
  const names = [...new Set(both.flatMap((p) => p.rows.map((r) => r.framework)))];
  return names.map((framework) => {
    const scored = both.map((p) => ({ ...p, row: p.rows.find((r) => r.framework === framework) })).filter((p) => p.row);
    const good = scored.filter((p) => p.row.status === "scored").map((p) => ({ ...p, traits: p.row.traits }));
    const traits = [...new Set(good.flatMap((p) => Object.keys(p.traits)))];
    return el("section", { class: "card" },
      el("header", {}, el("h2", {}, FRAMEWORKS[framework] ?? "Profile"),
        el("p", {}, "bar: 90 % interval; dashed: the middle")),
      good.length > 0 && legend(good.map((p) => ({ who: p.who, name: `${p.name} · ${p.row.word_count} words` }))),
      framework === "mbti" && el("p", { class: "types" }, good.map((p) => el("span", { class: p.who }, `${p.name} `, el("span", { class: "type-code" }, p.row.type)))),
      traits.map((trait) => traitRow(trait, good)),
      scored.filter((p) => p.row.status !== "scored").map((p) => el("p", { class: "warning-line" }, `${p.name} is not scored: ${p.row.reason}.`)),
      good.flatMap((p) => p.row.warnings.map((w) => el("p", { class: "warning-line" }, `${p.name}: ${w.message}.`))));
  });
}

function trajectory(both) {
  const withCourse = both.filter((p) => (p.consistency?.details?.stability?.windows?.length ?? 0) > 1).map((p) => ({
    who: p.who, name: p.name, windows: p.consistency.details.stability.windows, change: p.consistency.change_point,
  }));
  if (withCourse.length === 0) return null;
  const traits = Object.keys(withCourse[0].windows[0].p_high);
  return el("section", { class: "card" },
    el("header", {}, el("h2", {}, "Over the turns"), el("p", {}, "probability in windows of turns")),
    legend(withCourse),
    el("div", { class: "minis" }, traits.map((trait) => courseOf(trait, withCourse))),
    withCourse.map(({ name, change }) => change && el("p", { class: "explanation" },
      change.probability >= 0.5
        ? `${name}: a change at turn ${change.turn + 1} is likely (${percent(change.probability)}), the red line.${changed(change)}`
        : `${name}: no change point (${percent(change.probability)} at the likeliest turn, ${change.turn + 1}).`)));
}

function changed({ before, after }) {
  if (!before) return "";
  const phase = ({ words, turns }) => words + (turns.length ? ` (turns ${turns.map((t) => t + 1).join(", ")})` : "");
  return ` Before: ${phase(before)}; after: ${phase(after)}.`;
}

function consistencyCard(both, found) {
  const rated = both.filter((p) => p.consistency);
  if (rated.length === 0) return null;
  return el("section", { class: "card" },
    el("header", {}, el("h2", {}, "Consistency"), el("p", {}, found.target ? `target ${found.target}` : "0 to 1")),
    rated.map(({ who, name, consistency: row }) => el("div", { class: `person ${who}` },
      el("h3", {}, el("span", { class: "dot-name", "aria-hidden": "true" }), name),
      row.status === "scored"
        ? [el("p", { class: "score-line" }, el("span", { class: "big" }, row.score.toFixed(2)), el("span", { class: "hint" }, `90 % interval ${row.low.toFixed(2)}–${row.high.toFixed(2)}`)),
          partBars(row),
          targetMatch(row),
          el("details", {}, el("summary", {}, "Why"), el("p", { class: "explanation" }, row.explanation))]
        : el("p", { class: "explanation" }, `Not scored: ${row.reason}.`))));
}

function targetMatch(row) {
  const match = row.details.target;
  if (!match) return null;
  return el("p", { class: "explanation" }, match.success ? "Every wanted trait is on the wanted side: " : "Not every wanted trait is on the wanted side: ",
    Object.entries(match.traits).map(([trait, value]) => `${titleOf(trait)} ${percent(value)}`).join(", "), ".");
}

function conversation(item, both) {
  const moves = new Map();
  const found = new Set();
  for (const person of both) {
    const evidence = person.rows.flatMap((row) => row.evidence ?? []).sort((x, y) => Math.abs(y.weight) - Math.abs(x.weight));
    for (const e of evidence) found.add(e.trait);
    // everything at once would mark every turn
    const told = shown.trait ? evidence.filter((e) => e.trait === shown.trait) : evidence.slice(0, STRONGEST);
    for (const e of told) moves.set(e.utterance_id, [...(moves.get(e.utterance_id) ?? []), e]);
  }
  const traits = Object.keys(POLES).filter((trait) => found.has(trait));
  const clashes = new Map();
  for (const { consistency } of both) for (const c of consistency?.contradictions ?? []) {
    clashes.set(c.b_turn, [...(clashes.get(c.b_turn) ?? []), c]);
    if (c.a_turn !== null) clashes.set(c.a_turn, [...(clashes.get(c.a_turn) ?? []), c]);
  }
  const who = Object.fromEntries(both.map((p) => [p.name, p.who]));
  return el("section", { class: "card" },
    el("header", {}, el("h2", {}, "What it rests on"),
      el("p", {}, shown.found.explained ? "marked turns moved a trait most; numbers are log-odds" : "")),
    traits.length > 0 && el("div", { class: "chips", role: "group", "aria-label": "Evidence for" },
      [["", "the strongest"], ...traits.map((t) => [t, titleOf(t)])].map(([trait, text]) =>
        el("button", { type: "button", class: "chip", id: `chip-${trait || "all"}`, "aria-pressed": String(shown.trait === trait), onclick: () => { shown.trait = trait; draw(); } }, text))),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The text, turn by turn" },
      el("ol", { class: "turns" }, item.turns.map((turn, i) => turnOf(turn, i, moves.get(turn.id) ?? [], clashes.get(i) ?? [], who[turn.speaker])))));
}

function turnOf(turn, index, moves, clashes, who) {
  const strongest = moves.reduce((best, e) => (Math.abs(e.weight) > Math.abs(best?.weight ?? 0) ? e : best), null);
  const tint = strongest ? (strongest.weight > 0 ? " high" : " low") : "";
  // places count characters, and a string's own places count emoji twice
  const letters = Array.from(turn.text);
  const [start, end] = [strongest?.start ?? 0, strongest?.end ?? letters.length];
  const part = (from, to) => letters.slice(from, to).join("");
  const words = el("span", { class: "words" }, strongest
    ? [part(0, start), el("mark", {}, part(start, end)), part(end)]
    : turn.text);
  const sums = {};
  for (const e of moves) sums[e.trait] = (sums[e.trait] ?? 0) + e.weight;
  return el("li", { class: `turn ${who ?? ""}${tint}${clashes.length ? " clash" : ""}`, id: `turn-${index}` },
    el("span", { class: "number", "aria-hidden": "true" }, String(index + 1)),
    el("div", {},
      el("div", { class: "who" }, turn.speaker),
      words,
      moves.length > 0 && el("div", { class: "moves" }, Object.entries(sums).map(([trait, weight]) =>
        el("span", { class: "move" }, `${signed(weight)} ${POLES[trait][weight > 0 ? 1 : 0]}`))),
      clashes.length > 0 && el("div", { class: "moves" }, clashes.map((c) => clashOf(c, index)))));
}

function clashOf(clash, index) {
  const other = clash.b_turn === index ? clash.a_turn : clash.b_turn;
  const text = `contradicts ${other === null || other === index ? `the persona: “${clash.a}”` : `turn ${other + 1}`} (${percent(clash.p)})`;
  if (other === null || other === index) return el("span", { class: "clash-link" }, text);
  const link = el("a", { class: "clash-link", href: `#turn-${other}` }, text);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    byId(`turn-${other}`).scrollIntoView({ block: "center" });
  });
  return link;
}

function downloads(item, both) {
  const { found } = shown;
  return el("section", { class: "downloads", "aria-label": "Downloads" },
    el("button", { type: "button", class: "quiet", onclick: () => save("persona-lab.json", "application/json",
      JSON.stringify({ profiles: found.profiles, consistency: found.consistency }, null, 1)) }, "Download JSON"),
    el("button", { type: "button", class: "quiet", onclick: async () => save("persona-lab.html", "text/html",
      await reportOf(byId("results"), item.id, both.map((p) => p.name))) }, "Download HTML report"));
}
