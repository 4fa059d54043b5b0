// The documentation: what /openapi.json says, for people, with code to paste.

import { byId, el } from "./dom.js";
import { pythonFor } from "./snippet.js";

const TAGS = { scoring: "Scoring", jobs: "Jobs", results: "Jobs", catalogue: "What there is", service: "Service" };
const ORDER = ["scoring", "jobs", "results", "catalogue", "service"];

function typeOf(schema, spec) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.enum) return schema.enum.map((x) => JSON.stringify(x)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map((part) => typeOf(part, spec)).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items, spec)}[]`;
  if (schema.type === "object" && schema.additionalProperties && schema.additionalProperties !== true) return `{name: ${typeOf(schema.additionalProperties, spec)}}`;
  return schema.type ?? "any";
}

function fields(name, spec) {
  const schema = spec.components.schemas[name];
  if (!schema?.properties) return null;
  const needed = new Set(schema.required ?? []);
  return el("div", { class: "job-rows", tabindex: "0", role: "region", "aria-label": `Fields of ${name}` }, el("table", {},
    el("caption", { class: "visually-hidden" }, `Fields of ${name}`),
    el("thead", {}, el("tr", {}, ["field", "type", ""].map((t) => el("th", { scope: "col" }, t)))),
    el("tbody", {}, Object.entries(schema.properties).map(([field, part]) => el("tr", {},
      el("td", {}, el("code", {}, field), needed.has(field) ? el("span", { class: "hint" }, " needed") : ""),
      el("td", { class: "wrap" }, el("code", {}, typeOf(part, spec))),
      el("td", {}, part.description ?? ""))))));
}

/** Names of all schemas below one, itself first. */
function below(name, spec, found = []) {
  if (!name || found.includes(name)) return found;
  found.push(name);
  for (const [, ref] of JSON.stringify(spec.components.schemas[name]).matchAll(/"#\/components\/schemas\/(\w+)"/g)) below(ref, spec, found);
  return found;
}

function shapes(title, name, spec) {
  const names = below(name, spec);
  if (names.length === 0) return null;
  return [el("h3", {}, title), fields(names[0], spec),
    names.slice(1).map((other) => el("details", {}, el("summary", {}, other),
      el("p", {}, spec.components.schemas[other].description ?? ""), fields(other, spec)))];
}

const refOf = (content) => content?.["application/json"]?.schema?.$ref?.split("/").at(-1);

function code(text, label) {
  const button = el("button", { type: "button", class: "link-button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return [el("div", { class: "code-head" }, el("h3", {}, label), button), el("pre", { tabindex: "0" }, el("code", {}, text))];
}

function operationCard(path, verb, operation, spec) {
  const ok = Object.keys(operation.responses).find((status) => status < 300);
  const bodyName = refOf(operation.requestBody?.content);
  const example = spec.components.schemas[bodyName]?.examples?.[0];
  const query = operation.parameters.filter((p) => p.in === "query");
  const refusals = Object.keys(operation.responses).filter((status) => status >= 400);
  return el("article", { class: "card operation", id: operation.operationId },
    el("h2", {}, el("span", { class: `verb ${verb}` }, verb.toUpperCase()), path),
    el("p", { class: "summary" }, operation.summary),
    operation.description && el("p", {}, operation.description),
    query.length > 0 && [el("h3", {}, "Query"), el("table", {}, el("tbody", {}, query.map((p) => el("tr", {}, el("td", {}, el("code", {}, p.name)), el("td", {}, el("code", {}, typeOf(p.schema, spec))), el("td", {}, p.description ?? p.schema.description ?? "")))))],
    shapes("Body", bodyName, spec),
    shapes(`Answer ${ok}`, refOf(operation.responses[ok].content), spec),
    el("p", { class: "hint" }, `Refusals: ${refusals.join(", ")} as application/problem+json.`),
    code(pythonFor(location.origin, verb, path, example), "Python"));
}

async function begin() {
  const spec = await (await fetch("/openapi.json")).json();
  byId("about").textContent = spec.info.description;
  const all = Object.entries(spec.paths).flatMap(([path, verbs]) => Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })));
  all.sort((x, y) => ORDER.indexOf(x.operation.tags[0]) - ORDER.indexOf(y.operation.tags[0]));
  let heading = "";
  for (const { path, verb, operation } of all) {
    const title = TAGS[operation.tags[0]] ?? operation.tags[0];
    if (title !== heading) byId("toc").append(el("h2", {}, heading = title));
    byId("toc").append(el("a", { href: `#${operation.operationId}` }, `${verb.toUpperCase()} ${path.replace("/v1", "")}`));
    byId("operations").append(operationCard(path, verb, operation, spec));
  }
  byId("toc").append(el("h2", {}, "Errors"), el("a", { href: "#problems" }, "All kinds"));
  byId("operations").append(el("article", { class: "card", id: "problems" }, el("h2", {}, "Errors"),
    el("p", { class: "hint" }, "RFC 9457 problem documents; the kind is the end of “type”, the detail says what to do."),
    el("table", {}, el("thead", {}, el("tr", {}, ["kind", "status", "meaning"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, spec["x-problems"].map((p) => el("tr", { id: p.kind }, el("td", {}, el("code", {}, p.kind)), el("td", {}, String(p.status)), el("td", {}, p.title)))))));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

begin();
