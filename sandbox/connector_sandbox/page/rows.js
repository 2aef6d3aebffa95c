// The rows of the lists.

const CHANGED_MS = 60_000;
const STATES = {
  current: ["good", "in Birdie"],
  outdated: ["late", "changed later"],
  missing: ["", "not in Birdie"],
};
const OUTCOMES = { created: ["good", "created"], updated: ["late", "updated"] };

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
export const time = (moment) => moment.slice(11, 19);

/** Create an element from elements and texts; texts are never parsed as HTML. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Update a list; unchanged rows keep their element and the focus. */
export function fill(list, rows, build, first) {
  const wanted = rows.map((row) => JSON.stringify(row));
  const kept = new Map();
  const stays = new Set(wanted);
  for (const element of [...list.children]) {
    if (stays.has(element.shows)) kept.set(element.shows, element);
    else element.remove();
  }
  let place = list.firstElementChild;
  rows.forEach((row, i) => {
    let element = kept.get(wanted[i]);
    if (element === undefined) {
      element = build(row);
      element.shows = wanted[i];
      if (!first) element.classList.add("fresh");
    }
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
  });
}

function score(value, group) {
  const known = value !== null && value !== undefined;
  const name = group ?? (known ? "score" : "no score");
  return make("span", `score ${group ?? ""}`, make("b", "", known ? String(value) : "–"), name);
}

function text(value) {
  if (value === "") return make("span", "text none", "no comment");
  const element = make("span", "text", value);
  element.dir = "auto";
  return element;
}

function item(kind, id, parts, [tone, state]) {
  const [badge, words, ...meta] = parts;
  const body = make("span", "", words, make("span", "meta", ...meta));
  const button = make("button", "row", badge, body, make("span", `pill ${tone}`, state));
  button.type = "button";
  button.dataset.kind = kind;
  button.dataset.id = id;
  return make("li", "", button);
}

export function responseRow(row) {
  const later = Date.parse(row.updated_at) - Date.parse(row.created_at) >= CHANGED_MS;
  const tags = row.tags.map((tag) => make("span", "label", String(tag)));
  const meta = [
    make("span", "", `#${row.id}`),
    moment("", row.created_at),
    ...(later ? [moment("changed ", row.updated_at)] : []),
    ...tags,
  ];
  return item("feedbacks", row.id, [score(row.score, row.group), text(row.text), ...meta], STATES[row.feedback]);
}

/** Day and minute, with the exact time as tooltip. */
function moment(before, value) {
  const element = make("time", "", `${before}${value.slice(0, 16).replace("T", " ")}`);
  element.title = value;
  return element;
}

export function receivedRow(row) {
  const feedback = row.kind === "feedbacks";
  const badge = feedback ? score(row.rating, row.group) : make("span", "score", row.kind.replace(/s$/, ""));
  const words = feedback ? text(row.text) : make("span", "text none", "details on click");
  const meta = [make("span", "", `#${row.id}`), make("span", "", `received ${time(row.received_at)}`)];
  return item(row.kind, row.id, [badge, words, ...meta], OUTCOMES[row.outcome]);
}

export function requestRow(row) {
  const path = make("td", "path", row.path);
  if (row.query) path.append(make("small", "", `?${row.query}`));
  const tone = row.status >= 200 && row.status < 300 ? "good" : "bad";
  const status = row.status === 0 ? "no reply" : String(row.status);
  return make(
    "tr",
    row.fault ? "failed" : "",
    make("td", "", time(row.at)),
    make("td", "", row.api === "wootric" ? "Wootric" : "Birdie"),
    make("td", "", row.method),
    path,
    make("td", "", make("span", `pill ${tone}`, status)),
    make("td", "number", row.ms.toFixed(1)),
    make("td", "", ...(row.fault ? [make("span", "pill bad", row.fault)] : [])),
  );
}
