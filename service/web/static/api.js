// Talks to the service; every answer that is an error becomes a Failure with its problem.

const KEY = "persona-lab-key";

export class Failure extends Error {
  constructor(problem) {
    super(problem.detail || problem.title || "The service does not answer.");
    this.problem = problem;
  }
}

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

let asking = null;

/** Ask the user for a key once, however many requests need it. */
function askForKey() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key-dialog");
    const field = document.getElementById("key");
    field.value = "";
    dialog.addEventListener("close", () => {
      asking = null;
      if (dialog.returnValue === "use" && field.value.trim()) {
        key.set(field.value.trim());
        resolve(true);
      } else resolve(false);
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function request(method, path, body, headers = {}) {
  const given = key.get();
  if (given) headers.Authorization = `Bearer ${given}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Failure({ title: "No connection", detail: "The service cannot be reached. Is it still running?" });
  }
  if (response.status === 401) {
    key.forget();
    if (await askForKey()) return request(method, path, body, headers);
  }
  if (!response.ok) {
    let problem;
    try { problem = await response.json(); } catch { problem = { title: `HTTP ${response.status}`, status: response.status }; }
    const wait = response.headers.get("Retry-After");
    if (wait) problem.detail += ` (in ${wait} s)`;
    throw new Failure(problem);
  }
  return response;
}

export const get = async (path) => (await request("GET", path)).json();
export const post = async (path, body, headers) => (await request("POST", path, body, headers)).json();
export const remove = async (path) => (await request("DELETE", path)).json();

/** All result rows of a job that are there now. */
export async function rowsOf(job) {
  const rows = [];
  let cursor = "0";
  for (;;) {
    const response = await request("GET", `${job.links.results}?cursor=${cursor}`);
    const lines = (await response.text()).split("\n").filter(Boolean);
    rows.push(...lines.map((line) => JSON.parse(line)));
    cursor = response.headers.get("X-Next-Cursor");
    if (cursor === null || lines.length === 0) return rows;
  }
}
