/**
 * The search page. The key lives in this tab's session storage and in the Authorization header, never in an address.
 * Event text reaches the page as text nodes only.
 */
const element = (id) => document.getElementById(id);
const [form, q, range, unlock, key, forget] = ["search", "q", "range", "unlock", "key", "forget"].map(element);
const [status, problem, list, more] = ["status", "problem", "events", "more"].map(element);
const store = "astralog.query-key";
let running;
let shown = 0;
let cursor = null;

const make = (tag, className, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
};

const number = new Intl.NumberFormat("en");
const marks = { trace: "T", debug: "D", info: "I", warn: "W", error: "E", fatal: "F" };

/** Local time with the fraction as sent; the zone and all nine digits are in the title. */
const timeOf = (timestamp) => {
  const date = new Date(timestamp);
  const pad = (value, length = 2) => String(value).padStart(length, "0");
  const node = make(
    "time",
    "",
    `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`,
  );
  node.dateTime = timestamp;
  node.title = `${timestamp} (shown in ${Intl.DateTimeFormat().resolvedOptions().timeZone})`;
  return node;
};

/** A value as it is written in a query. */
const literal = (value) => (/^[\w./@-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`);
const fieldName = (name) => (/^[A-Za-z_@$][\w.@$/-]*$/.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`);

const fieldsOf = (event) => [
  ...["id", "timestamp", "received_at", "level", "source", "service", "host", "trace_id", "span_id"].map((name) => [
    name,
    event[name],
    name,
  ]),
  ...Object.entries(event.attributes).map(([name, value]) => [name, value, "attribute"]),
];

const fieldList = (event) => {
  const rows = make("dl", "");
  for (const [name, value, kind] of fieldsOf(event)) {
    if (value === "" && kind !== "attribute") continue;
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    const plain = ["id", "timestamp", "received_at"].includes(kind) || typeof value === "object";
    const cell = make("dd", "");
    if (plain) cell.append(text);
    else {
      const button = make("button", "", text === "" ? '""' : text);
      button.type = "button";
      button.title = "Add to the query";
      button.addEventListener("click", () => {
        q.value = `${q.value.trim()} ${fieldName(name)}:${text === "" ? '""' : literal(text)}`.trim();
        void search();
      });
      cell.append(button);
    }
    rows.append(make("dt", "", name), cell);
  }
  return rows;
};

const rowOf = (event) => {
  const level = make("span", `level ${event.level}`, marks[event.level] ?? "·");
  level.title = event.level || "no level";
  const details = make(
    "details",
    "",
    make(
      "summary",
      "",
      level,
      timeOf(event.timestamp),
      make("span", "service", event.service),
      make("span", "message", event.message),
    ),
  );
  details.addEventListener("toggle", () => details.childElementCount === 1 && details.append(fieldList(event)), {
    once: true,
  });
  return make("li", "", details);
};

const tell = (answer) => {
  problem.replaceChildren(make("strong", "", answer.detail ?? "The answer could not be read."));
  if (answer.column) problem.append(make("pre", "", `${q.value}\n${" ".repeat(answer.column - 1)}^`));
  if (answer.suggestion) problem.append(make("div", "", answer.suggestion));
  if (answer.request_id) problem.append(make("small", "", `Request ${answer.request_id}`));
  problem.hidden = false;
};

const lock = () => {
  sessionStorage.removeItem(store);
  unlock.hidden = false;
  forget.hidden = true;
  key.focus();
};

const ask = async (next, signal) => {
  const parameters = new URLSearchParams({ q: q.value, limit: "100" });
  if (range.value) parameters.set("from", range.value);
  if (next) parameters.set("cursor", next);
  const response = await fetch(`api/v1/search?${parameters}`, {
    headers: { authorization: `Bearer ${sessionStorage.getItem(store)}` },
    signal,
  });
  return { ok: response.ok, status: response.status, body: await response.json() };
};

const search = async (next = null) => {
  if (!sessionStorage.getItem(store)) return lock();
  running?.abort();
  const mine = (running = new AbortController());
  const begun = performance.now();
  const clock = setInterval(
    () => (status.textContent = `Searching, ${((performance.now() - begun) / 1000).toFixed(1)} s`),
    300,
  );
  list.classList.toggle("stale", next === null);
  problem.hidden = true;
  history.replaceState(null, "", `?${new URLSearchParams({ q: q.value, from: range.value })}`);
  try {
    const { ok, status: code, body } = await ask(next, mine.signal);
    if (mine !== running) return;
    status.textContent = "";
    if (!ok) {
      tell(body);
      if (code === 401) lock();
      return;
    }
    unlock.hidden = true;
    forget.hidden = false;
    if (next === null) {
      list.replaceChildren();
      shown = 0;
    }
    list.append(...body.events.map(rowOf));
    shown += body.events.length;
    cursor = body.next;
    more.hidden = cursor === null;
    const cost = `read ${number.format(body.stats.rows)} rows in ${number.format(body.stats.ms)} ms`;
    status.textContent =
      shown === 0 ? empty(cost) : `${number.format(shown)} events${cursor ? ", and older ones" : ""} · ${cost}`;
  } catch (error) {
    if (error.name !== "AbortError")
      tell({ detail: "The api did not answer. It may be starting; search again in a moment." });
  } finally {
    clearInterval(clock);
    if (mine === running && problem.hidden) list.classList.remove("stale");
  }
};

const empty = (cost) => {
  const where = range.value
    ? ` in the last ${range.selectedOptions[0].textContent}; try all time`
    : q.value.trim()
      ? "; try fewer words, or a star: time*"
      : " yet; send one with astralog send";
  return `No event${q.value.trim() ? ` for ${q.value.trim()}` : ""}${where} · ${cost}`;
};

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void search();
});
range.addEventListener("change", () => void search());
more.addEventListener("click", () => void search(cursor));
forget.addEventListener("click", () => {
  list.replaceChildren();
  more.hidden = true;
  status.textContent = "";
  lock();
});
unlock.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(store, key.value.trim());
  key.value = "";
  void search();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
  event.preventDefault();
  q.select();
});

const address = new URLSearchParams(location.search);
q.value = address.get("q") ?? "";
if (address.has("from")) range.value = address.get("from");
if (range.selectedIndex < 0) range.value = "";
void search();
