// The view of jobs: start, follow, stop, look at, download, delete.

import { get, post, remove, rowsOf } from "./api.js";
import { byId, el, save, showProblem } from "./dom.js";
import { titleOf } from "./traits.js";

const KINDS = { filters: "Filter", psycot: "Language model ratings", interviews: "Interview" };
const EVERY_MS = 1000;
const ROWS_SHOWN = 50;

const state = { jobs: [], timer: null, open: false, rows: new Map(), page: null };

export function openJobs(page) {
  state.page = page;
  state.open = true;
  chooseItems();
  loadServers();
  refresh();
}

export function leaveJobs() {
  state.open = false;
  clearTimeout(state.timer);
}

function chooseItems() {
  const { items, samples } = state.page;
  byId("job-items").replaceChildren(
    ...(items.length ? [el("option", { value: "items" }, `what you analysed (${items.length})`)] : []),
    el("option", { value: "samples" }, `all bundled samples (${samples.length})`));
}

async function loadServers() {
  const hint = byId("llm-hint");
  try {
    const { limits } = await get("/v1/models/" + encodeURIComponent((await get("/v1/models")).items[0].name));
    const servers = limits.llm_urls ?? [];
    byId("llm").replaceChildren(...servers.map((url) => el("option", { value: url }, url)));
    hint.textContent = servers.length ? "It rates each speaker on the items of a questionnaire." : "None is allowed: list servers in PERSONA_LAB_LLM_URLS.";
  } catch (failure) { hint.textContent = failure.message; }
}

async function refresh() {
  clearTimeout(state.timer);
  let again = false;
  try {
    const before = new Map(state.jobs.map((j) => [j.id, j.status]));
    state.jobs = (await get("/v1/jobs?limit=50")).items;
    const ended = state.jobs.filter((j) => before.get(j.id) && before.get(j.id) !== j.status && !isOpen(j));
    if (ended.length) byId("job-news").textContent = ended.map((j) => `${KINDS[j.kind] ?? j.kind} ${j.status}`).join("; ");
    again = state.jobs.some(isOpen);
    draw();
  } catch (failure) {
    showProblem(byId("start-problem"), failure);
  }
  if (again && state.open) state.timer = setTimeout(refresh, EVERY_MS);
}

const isOpen = (job) => job.status === "queued" || job.status === "running";

function draw() {
  const box = byId("job-list");
  if (state.jobs.length === 0) {
    box.replaceChildren(el("p", { class: "empty" }, "No jobs yet. Start one above."));
    return;
  }
  const focus = document.activeElement?.id;
  box.replaceChildren(...state.jobs.map(jobCard));
  if (focus) byId(focus)?.focus();
}

function jobCard(job) {
  const { done, total, unscored } = job.progress;
  const name = KINDS[job.kind] ?? job.kind;
  const act = (what) => async () => {
    try { await what(); } catch (failure) { showProblem(byId("start-problem"), failure); }
    refresh();
  };
  const button = (id, text, call) => el("button", { type: "button", class: "quiet small", id: `${id}-${job.id}`, onclick: call, "aria-label": `${text}: ${name}, ${job.id.slice(0, 6)}` }, text);
  return el("article", { class: "card job" },
    el("div", { class: "job-row" },
      el("h3", {}, name), el("span", { class: `state ${job.status}` }, job.cancel_requested && isOpen(job) ? "stopping" : job.status),
      el("span", { class: "hint" }, `${done} of ${total} done${unscored ? `, ${unscored} not scored` : ""}${job.attempts > 1 ? `, attempt ${job.attempts}` : ""}`),
      el("span", { class: "when" }, `${job.id.slice(0, 6)} · ${new Date(job.created_at).toLocaleString()}`)),
    isOpen(job) && el("progress", { max: Math.max(total, 1), value: job.status === "queued" ? 0 : done, "aria-label": `Progress of ${name}` }),
    job.error && el("p", { class: "problem" }, el("strong", {}, "It failed: "), job.error.detail),
    el("div", { class: "downloads" },
      isOpen(job) && button("stop", "Stop", act(() => remove(job.links.self))),
      job.rows > 0 && button("rows", state.rows.has(job.id) ? "Hide rows" : "Show rows", act(async () => {
        if (!state.rows.delete(job.id)) state.rows.set(job.id, await rowsOf(job));
      })),
      job.rows > 0 && button("save", "Download rows", act(async () => {
        const rows = await rowsOf(job);
        save(`${job.kind}-${job.id.slice(0, 6)}.jsonl`, "application/x-ndjson", rows.map((r) => JSON.stringify(r)).join("\n") + "\n");
      })),
      !isOpen(job) && job.rows > 0 && button("delete", "Delete rows", act(async () => {
        await remove(job.links.results);
        state.rows.delete(job.id);
      }))),
    state.rows.has(job.id) && table(job.kind, state.rows.get(job.id)));
}

const failing = (row) => row.speakers.filter((s) => s.reason).map((s) => `${s.speaker}: ${s.reason}`).join("; ");
const scores = (traits) => Object.entries(traits).map(([t, s]) => `${titleOf(t)} ${s.p_high.toFixed(2)}`).join(", ");

const COLUMNS = {
  filters: [["id", (r) => r.id], ["verdict", (r) => r.verdict], ["why", (r) => r.reason ?? failing(r)]],
  psycot: [["id", (r) => r.id], ["speaker", (r) => r.speaker], ["result", (r) => r.reason ?? scores(r.traits)]],
  interviews: [["persona", (r) => r.persona], ["question", (r) => r.question], ["answer", (r) => r.answer ?? r.reason]],
};

function table(kind, given) {
  const columns = COLUMNS[kind];
  // the last row of an interview is its result, for programs
  const rows = given.filter((row) => row.row !== "profile");
  return el("div", { class: "job-rows", tabindex: "0", role: "region", "aria-label": "Rows" },
    el("table", {},
      el("thead", {}, el("tr", {}, columns.map(([name]) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.slice(0, ROWS_SHOWN).map((row) => el("tr", {}, columns.map(([, read]) => el("td", { class: "wrap" }, read(row) ?? "")))))),
    rows.length > ROWS_SHOWN && el("p", { class: "hint" }, `${rows.length - ROWS_SHOWN} more in the download`));
}

for (const radio of document.querySelectorAll("input[name=kind]")) {
  radio.addEventListener("change", () => {
    for (const part of document.querySelectorAll("#start [data-kind]")) part.hidden = part.dataset.kind !== radio.value;
  });
}

byId("start").addEventListener("submit", async (event) => {
  event.preventDefault();
  const kind = document.querySelector("input[name=kind]:checked").value;
  const items = state.page[byId("job-items").value];
  const body = kind === "filters" ? { items, keep: byId("keep").value } : { items, llm: { url: byId("llm").value || "none" } };
  showProblem(byId("start-problem"), null);
  byId("start-status").textContent = "Sending …";
  try {
    await post(`/v1/${kind}`, body, { "Idempotency-Key": crypto.randomUUID?.() ?? String(Math.random()) });
    byId("start-status").textContent = "Started.";
    await refresh();
  } catch (failure) {
    byId("start-status").textContent = "";
    showProblem(byId("start-problem"), failure);
  }
});
