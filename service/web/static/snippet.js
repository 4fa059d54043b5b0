// A Python client for one operation that works when it is pasted; standard library only.

/** JSON as Python writes it. */
function literal(value, indent = 0) {
  const [pad, inner] = ["    ".repeat(indent), "    ".repeat(indent + 1)];
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return value.length ? `[\n${value.map((v) => inner + literal(v, indent + 1)).join(",\n")},\n${pad}]` : "[]";
  if (typeof value === "object") {
    const parts = Object.entries(value).map(([k, v]) => `${inner}${JSON.stringify(k)}: ${literal(v, indent + 1)}`);
    return parts.length ? `{\n${parts.join(",\n")},\n${pad}}` : "{}";
  }
  return JSON.stringify(value);
}

export function pythonFor(origin, verb, path, example) {
  const address = origin + path.replace("{id}", "JOB_ID").replace("{name}", "default");
  const lines = ["import json", "import os", "import urllib.request", ""];
  if (example !== undefined) lines.push(`body = ${literal(example)}`);
  lines.push(
    "request = urllib.request.Request(",
    `    ${JSON.stringify(address)},`,
    ...(example === undefined ? [] : ["    data=json.dumps(body).encode(),"]),
    `    method=${JSON.stringify(verb.toUpperCase())},`,
    `    headers={"Content-Type": "application/json"},`,
    ")",
    `if key := os.environ.get("PERSONA_LAB_KEY"):`,
    `    request.add_header("Authorization", f"Bearer {key}")`,
    "with urllib.request.urlopen(request) as answer:",
    path.endsWith("/results") && verb === "get"
      ? "    for line in answer:\n        print(json.loads(line))"
      : "    print(json.dumps(json.load(answer), indent=1))",
  );
  return lines.join("\n");
}
