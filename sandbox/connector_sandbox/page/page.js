import { count, fill, make, receivedRow, requestRow, responseRow, time } from "./rows.js";

const POLL_MS = 500;
const TITLES = {
  feedbacks: (id) => `Response ${id} and its feedback`,
  users: (id) => `End user ${id} and its user at Birdie`,
};

const byId = (id) => document.getElementById(id);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

let view = null;
let opened = null;

// Requests.

async function request(method, path, body) {
  const reply = await fetch(path, {
    method,
    cache: "no-store",
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const value = await reply.json();
  if (!reply.ok) throw new Error(value.message);
  return value;
}

/** Change something, show a message, and refresh the page. */
async function change(method, path, body, message) {
  try {
    const value = await request(method, `/_control/${path}`, body);
    say(message(value));
  } catch (error) {
    say(`Failed: ${error.message}`);
  }
  await refresh();
}

function say(text) {
  byId("said").textContent = text;
}

async function refresh() {
  const asked = opened;
  let shown = null;
  let pair = null;
  try {
    shown = await request("GET", "/_control/page");
    if (asked) pair = await request("GET", `/_control/page/${asked.kind}/${encodeURIComponent(asked.id)}`);
  } catch {
    connected(false);
    return;
  }
  connected(true);
  show(shown);
  if (asked && asked === opened) showPair(pair);
}

function connected(yes) {
  const pill = byId("connection");
  const text = yes ? "running" : "no connection, retrying";
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = yes ? "pill good" : "pill bad";
}

// The lists.

function show(next) {
  const first = view === null;
  view = next;
  showNps(next.nps);
  const { responses, end_users, declines } = next.wootric;
  byId("wootric-counts").textContent = [
    count(responses, "response"),
    count(end_users, "person", "people"),
    count(declines, "decline"),
  ].join(" · ");
  byId("birdie-counts").textContent = [
    count(next.birdie.feedbacks, "feedback"),
    count(next.birdie.users, "user"),
    count(next.puts, "PUT"),
  ].join(" · ");
  fill(byId("responses"), next.responses, responseRow, first);
  showReceived(first);
  fill(byId("requests"), next.requests, requestRow, first);
  showFaults(next.faults);
}

function showReceived(first) {
  fill(byId("received"), view.received[byId("received-kind").value], receivedRow, first);
}

function showNps(nps) {
  byId("nps").hidden = nps.responses === 0;
  byId("nps-value").textContent = `${nps.nps}`.replace("-", "−");
  const groups = ["promoter", "passive", "detractor"];
  const bar = byId("nps-bar");
  bar.ariaLabel = groups.map((group) => count(nps[`${group}s`], group)).join(", ");
  bar.title = bar.ariaLabel;
  bar.replaceChildren(
    ...groups.map((group) => {
      const part = make("i", group);
      part.style.flexGrow = nps[`${group}s`];
      return part;
    }),
  );
}

// The faults.

function showFaults({ on, known }) {
  const names = byId("fault-name");
  if (names.options.length === 0) {
    names.append(...Object.keys(known).map((name) => new Option(name)));
    names.value = "500" in known ? "500" : names.value;
    explain();
  }
  fill(byId("faults"), on, faultChip, true);
}

function explain() {
  byId("fault-help").textContent = view.faults.known[byId("fault-name").value];
}

function faultChip(rule) {
  const often = rule.times === null ? `${Math.round(100 * rule.share)} %` : `${rule.times} ×`;
  const place = rule.api === null ? "" : ` of ${rule.api === "wootric" ? "Wootric" : "Birdie"}`;
  const off = make("button", "", "off");
  off.type = "button";
  off.setAttribute("aria-label", `Switch off ${rule.name}`);
  off.addEventListener("click", () =>
    change("DELETE", `faults/${rule.name}`, undefined, () => `Fault ${rule.name} switched off.`),
  );
  return make("li", "", `${rule.name}, ${often}${place}: ${count(rule.hits, "failure")}`, off);
}

// A record next to its source.

function openRow(event) {
  const row = event.target.closest("button");
  if (row !== null) open(row.dataset);
}

function open({ kind, id }) {
  opened = { kind, id };
  const response = kind === "feedbacks";
  byId("pair-title").textContent = TITLES[kind]?.(id) ?? `${kind}: ${id}`;
  byId("pair-change").hidden = !response || !/^\d+$/.test(id);
  byId("pair-text").value = "";
  showPair({ wootric: "", birdie: "" });
  byId("pair").showModal();
  refresh();
}

function showPair(pair) {
  showJson(byId("pair-wootric"), pair.wootric, "Not found at Wootric.");
  showJson(byId("pair-birdie"), pair.birdie, "Not received by Birdie.");
  for (const button of byId("pair-change").querySelectorAll("button")) button.disabled = pair.wootric === null;
}

/** Show JSON with highlighted keys, or a text if it is empty. */
function showJson(pre, json, none) {
  const text = json ?? none;
  pre.classList.toggle("none", json === null);
  if (pre.textContent === text) return;
  const lines = text.split(/(?<=\n)/).map((line) => {
    const parts = /^(\s*)("(?:[^"\\]|\\.)*")(: .*\n?)$/s.exec(line);
    return parts ? [parts[1], make("span", "key", parts[2]), parts[3]] : [line];
  });
  pre.replaceChildren(...lines.flat());
}

function changeOpened(event) {
  event.preventDefault();
  const id = Number(opened.id);
  const value = byId("pair-text").value;
  const [body, done] = {
    comment: [{ response_id: id, text: value }, "has a new comment"],
    tag: [{ response_id: id, tag: value }, "has a new tag"],
    delete: [{ stream: "responses", record_id: id }, "is deleted"],
  }[event.submitter.value];
  byId("pair-text").value = "";
  change("POST", `store/${event.submitter.value}`, body, () => `Response ${id} ${done}.`);
}

// The buttons.

/** Change the newest response without a comment or tag, or else the newest response. */
function late(method, name, value) {
  const empty = (row) => (method === "tag" ? row.tags.length === 0 : row.text === "");
  const target = view?.responses.find(empty) ?? view?.responses[0];
  if (target === undefined) {
    say("There are no responses yet. Add one first.");
    return;
  }
  const body = { response_id: target.id, [name]: value };
  change("POST", `store/${method}`, body, () => `Response ${target.id} has a new ${method}.`);
}

function addResponses(n) {
  const added = (rows) => (n === 1 ? `Response ${rows[0].id} added.` : `${n} responses added.`);
  change("POST", "responses", { n }, added);
}

function switchOn(event) {
  event.preventDefault();
  const name = byId("fault-name").value;
  const api = byId("fault-api").value || null;
  const body = { name, api, ...JSON.parse(byId("fault-share").value) };
  change("POST", "faults", body, () => `Fault ${name} switched on.`);
}

function listen() {
  byId("add").addEventListener("click", () => addResponses(1));
  byId("add-many").addEventListener("click", () => addResponses(100));
  byId("comment").addEventListener("click", () =>
    late("comment", "text", `On second thought, at ${time(new Date().toISOString())}: keep going.`),
  );
  byId("tag").addEventListener("click", () => late("tag", "tag", `late ${time(new Date().toISOString())}`));
  byId("received-kind").addEventListener("change", () => view && showReceived(true));
  byId("fault").addEventListener("submit", switchOn);
  byId("fault-name").addEventListener("change", explain);
  for (const list of ["responses", "received"]) byId(list).addEventListener("click", openRow);
  byId("pair-change").addEventListener("submit", changeOpened);
  byId("pair-close").addEventListener("click", () => byId("pair").close());
  byId("pair").addEventListener("click", (event) => event.target === byId("pair") && byId("pair").close());
  byId("pair").addEventListener("close", () => {
    opened = null;
  });
}

async function run() {
  listen();
  fetch("/", { headers: { Accept: "text/plain" } })
    .then((reply) => reply.text())
    .then((addresses) => {
      byId("addresses").textContent = addresses;
    });
  for (;;) {
    if (!document.hidden) await refresh();
    await wait(POLL_MS);
  }
}

run();
