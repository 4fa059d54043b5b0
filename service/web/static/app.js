// The page: views, the form, and what happens when it is sent.

import { Failure, get, key, post } from "./api.js";
import { byId, el, showProblem, svg } from "./dom.js";
import { openJobs, leaveJobs } from "./jobs.js";
import { hideResults, showResults } from "./results.js";

const VIEWS = { analyse: { open() {}, leave() {} }, jobs: { open: openJobs, leave: leaveJobs } };
const MOST_FOR_CONSISTENCY = 12;

export const page = { items: [], samples: [] };
let view = null;
let run = 0;

function showView() {
  const wanted = location.hash.slice(1);
  const name = wanted in VIEWS ? wanted : view ?? "analyse";
  if (name === view) return;
  if (view !== null) VIEWS[view].leave();
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== name;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = name === "jobs" ? "Jobs · persona-lab" : "persona-lab";
  if (view !== null) byId("main").focus({ preventScroll: true });
  view = name;
  window.scrollTo(0, 0);
  VIEWS[name].open(page);
}

// colours

const SUN = "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10ZM12 1v2M12 21v2M4.2 4.2l1.4 1.4M18.400 18.400l1.400 1.400M1 12h2M21 12h2M4.200 19.800l1.400-1.400M18.400 5.600l1.400-1.400";
const MOON = "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z";

function showTheme() {
  const kept = document.documentElement.dataset.theme;
  const dark = kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const button = byId("theme");
  button.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  button.replaceChildren(svg("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" }, svg("path", { d: dark ? SUN : MOON })));
  return dark;
}

byId("theme").addEventListener("click", () => {
  const next = showTheme() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("persona-lab-theme", next);
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);

// samples and files

const asTranscript = (item) => item.turns.map((t) => `${t.speaker}: ${t.text.replaceAll("\n", " ")}`).join("\n");

async function loadSamples() {
  const found = await get("/v1/samples");
  page.samples = found.items;
  byId("samples").replaceChildren(...found.items.map((item) => el("button", {
    type: "button", class: "chip", "aria-pressed": "false",
    onclick: (event) => {
      byId("text").value = asTranscript(item);
      pressed(event.currentTarget);
      page.focus = item;
      analyse();
    },
  }, item.id.replaceAll("-", " "))));
}

function pressed(chip) {
  for (const other of byId("samples").children) other.setAttribute("aria-pressed", String(other === chip));
}

async function takeFile(file) {
  if (!file) return;
  byId("text").value = await file.text();
  pressed(null);
  page.focus = null;
  byId("status").textContent = `${file.name} is in the field.`;
}

const drop = byId("drop");
for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => { event.preventDefault(); takeFile(event.dataTransfer.files[0]); });
byId("file").addEventListener("change", (event) => { takeFile(event.target.files[0]); event.target.value = ""; });
byId("text").addEventListener("input", () => { pressed(null); page.focus = null; });

// analysis

async function analyse() {
  const mine = ++run;
  const say = (text) => { if (mine === run) byId("status").textContent = text; };
  showProblem(byId("problem"), null);
  const content = byId("text").value;
  if (!content.trim()) {
    say("");
    showProblem(byId("problem"), new Failure({ title: "There is no text yet", detail: "Paste one above, open a file, or pick a sample." }));
    byId("text").focus();
    return;
  }
  byId("go").setAttribute("aria-disabled", "true");
  say("Reading …");
  try {
    const read = page.focus ? { items: [page.focus], errors: [] } : await post("/v1/dialogues", { content });
    if (read.items.length === 0) throw new Failure({ title: "No dialogue could be read", detail: read.errors[0]?.detail ?? "The text holds none." });
    const framework = document.querySelector("input[name=framework]:checked").value;
    const target = byId("target").value.trim();
    say(`Scoring ${read.items.length === 1 ? "the text" : `${read.items.length} dialogues`} …`);
    const everybody = read.items.map(({ focus, ...item }) => item);
    const profiles = await post("/v1/profiles", { items: everybody, framework, explain: true });
    const found = { items: read.items, profiles: profiles.items, consistency: [], target, explained: true };
    if (mine !== run) return;
    page.items = read.items;
    const notes = read.errors.length ? [`${read.errors.length} rows could not be read`] : [];
    if (target || read.items.some((item) => item.turns.length > 1)) {
      if (read.items.length <= MOST_FOR_CONSISTENCY) {
        showResults(found);
        say("Measuring consistency …");
        const body = { items: everybody };
        if (target) body.target = target;
        const persona = byId("persona").value.split("\n").map((line) => line.trim()).filter(Boolean);
        if (persona.length) body.persona = persona;
        found.consistency = (await post("/v1/consistency", body)).items;
      } else notes.push(`consistency is measured for up to ${MOST_FOR_CONSISTENCY} dialogues at once`);
    }
    if (mine !== run) return;
    showResults(found);
    say(notes.length ? `Done; ${notes.join("; ")}.` : "Done.");
    byId("result-title").focus({ preventScroll: true });
    byId("results").scrollIntoView({ behavior: "smooth", block: "start" });
  } catch (failure) {
    if (mine !== run) return;
    say("");
    showProblem(byId("problem"), failure);
  } finally {
    if (mine === run) byId("go").removeAttribute("aria-disabled");
  }
}

byId("ask").addEventListener("submit", (event) => { event.preventDefault(); analyse(); });
byId("clear").addEventListener("click", () => {
  run++;
  byId("ask").reset();
  byId("go").removeAttribute("aria-disabled");
  pressed(null);
  page.focus = null;
  page.items = [];
  hideResults();
  showProblem(byId("problem"), null);
  byId("status").textContent = "";
  byId("text").focus();
});
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); analyse(); }
});

byId("forget-key").addEventListener("click", () => { key.forget(); location.reload(); });

async function begin() {
  showTheme();
  window.addEventListener("hashchange", showView);
  showView();
  try {
    await loadSamples();
    const { items } = await get("/v1/models");
    const model = items.find((m) => m.default);
    byId("model-line").textContent = `model ${model.name} ${model.version}`;
  } catch (failure) {
    showProblem(byId("problem"), failure);
  }
  byId("forget-key").hidden = key.get() === null;
}

begin();
