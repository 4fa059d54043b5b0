// A report: what is on the page, as one HTML file that needs nothing else.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (c) => ESCAPES[c]);

export async function reportOf(results, title, names) {
  const style = await (await fetch("/static/style.css")).text();
  const copy = results.cloneNode(true);
  copy.hidden = false;
  for (const control of copy.querySelectorAll(".downloads, .pick, .chips")) control.remove();
  for (const details of copy.querySelectorAll("details")) details.open = true;
  for (const box of copy.querySelectorAll(".scroll")) box.className = "";
  const note = document.querySelector(".note").cloneNode(true);
  const name = escaped(`${title}: ${names.join(" and ")}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>persona-lab: ${name}</title><style>${style}</style></head>
<body><main class="wide view">${copy.outerHTML}${note.outerHTML}
<p class="hint">Made with persona-lab on ${new Date().toISOString().slice(0, 10)}.</p></main></body></html>
`;
}
