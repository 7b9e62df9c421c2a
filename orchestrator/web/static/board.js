// Keeps the page live: one event stream says that something changed, HTTP says what.
//
// Nothing from the server is ever read as markup: rows are copies of the page's own templates, filled with text.

import { listenForActs, showActs } from "./acts.js";
import { centrePlans, showClosedLanes, showFleet, showRobots, showStations } from "./plans.js";

const RELOAD_SOON_MS = 300;
const RELOAD_QUIET_MS = 5000;
const ANSWER_LIMIT_MS = 4000;
const REOPEN_MS = 2000;
const NUMBERED_EVENTS = [
  "delivery_changed", "robot_changed", "robot_arrived", "factsheet_checked", "alarm", "lane_closed", "lane_opened",
  "emergency_changed",
];

const shortTime = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const dayTime = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const exactTime = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const byId = (id) => document.getElementById(id);

// -- lists ------------------------------------------------------------------------------------------------------------

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

function fill(row, said) {
  for (const place of row.querySelectorAll("[data-field]")) {
    const value = said[place.dataset.field];
    setText(place, value === null || value === undefined ? "" : String(value));
  }
  for (const place of row.querySelectorAll("[data-time]")) showTime(place, said[place.dataset.time]);
}

function showTime(place, moment) {
  if (!moment) {
    place.removeAttribute("datetime");
    setText(place, "");
    return;
  }
  place.dateTime = moment;
  setText(place, timeWords(new Date(moment)));
}

/** The time of day, and which day when it is not that of the board. */
function timeWords(moment) {
  return (moment.toDateString() === asOf.toDateString() ? shortTime : dayTime).format(moment);
}

const dress = {
  tasks(row, said) {
    setData(row, "alarm", said.is_alarm ? "yes" : "no");
  },
  deliveries(row, said) {
    setData(row, "state", said.state);
    setData(row, "priority", said.priority);
    setData(row, "closed", said.is_closed ? "yes" : "no");
    setData(row.querySelector(".due"), "late", said.is_late ? "yes" : "no");
  },
  robots(row, said) {
    setData(row, "doing", said.doing);
    setData(row, "home", said.home);
    setData(row, "clock", said.clock_off_s === null ? "" : String(said.clock_off_s));
    setText(row.querySelector(".battery"), said.battery === null ? "" : `${said.battery} %`);
    showActs(row, said.acts);
  },
  closures(row, said) {
    showActs(row, said.acts);
  },
};

function showList(name, rows) {
  const list = document.querySelector(`[data-list="${name}"]`);
  const there = new Map([...list.children].map((row) => [row.dataset.id, row]));
  let next = list.firstElementChild;
  for (const said of rows) {
    const row = there.get(said.id) ?? byId(`row-${name}`).content.firstElementChild.cloneNode(true);
    there.delete(said.id);
    setData(row, "id", said.id);
    fill(row, said);
    dress[name](row, said);
    if (row === next) next = row.nextElementSibling;
    else list.insertBefore(row, next);
  }
  for (const gone of there.values()) gone.remove();
  document.querySelector(`[data-nothing="${name}"]`).hidden = rows.length > 0;
}

// -- the board --------------------------------------------------------------------------------------------------------

const wordsOf = new Map();

function tellChanges(deliveries) {
  const told = [];
  for (const one of deliveries) {
    const before = wordsOf.get(one.id);
    if (wordsOf.has(one.id) ? before !== one.words : wordsOf.size > 0) told.push(`Delivery ${one.name}: ${one.words}.`);
  }
  wordsOf.clear();
  for (const one of deliveries) wordsOf.set(one.id, one.words);
  if (told.length) byId("told").textContent = told.slice(0, 3).join(" ");
}

function showBoard(board) {
  asOf = new Date(board.at);
  showList("tasks", board.tasks);
  showList("deliveries", board.deliveries);
  showList("robots", board.robots);
  showList("closures", board.closures);
  showClosedLanes(board.closures.flatMap((closure) => closure.lanes));
  showRobots(board.robots);
  showStations(board.tasks.map((task) => task.station).filter(Boolean));
  setText(byId("summary"), board.summary);
  byId("not-shown").hidden = board.not_shown === 0;
  setText(byId("not-shown").querySelector("[data-count]"), String(board.not_shown));
  tellChanges(board.deliveries);
  byId("as-of").dateTime = board.at;
  setText(byId("as-of"), exactTime.format(asOf));
}

let asOf = new Date(byId("as-of").dateTime);
let isReloading = false;
let isReloadWanted = false;
let reloadTimer = 0;

function reloadIn(delayMs) {
  clearTimeout(reloadTimer);
  reloadTimer = setTimeout(reload, delayMs);
}

/** Ask for the board soon; what comes meanwhile is asked for together. */
function wantReload() {
  if (isReloading || isReloadWanted) {
    isReloadWanted = true;
    return;
  }
  isReloadWanted = true;
  reloadIn(RELOAD_SOON_MS);
}

async function reload() {
  isReloading = true;
  isReloadWanted = false;
  try {
    const answer = await fetch("/board", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    if (answer.status === 401) return signIn();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    showBoard(await answer.json());
    answers = true;
  } catch {
    // Said on the page by the bar; the next look is in a moment.
    answers = false;
  }
  showConnection();
  isReloading = false;
  reloadIn(isReloadWanted ? RELOAD_SOON_MS : answers && isStreaming ? RELOAD_QUIET_MS : REOPEN_MS);
}

// -- who is signed in ----------------------------------------------------------------------------------------------------

function signIn() {
  location.assign("/sign-in");
}

byId("sign-out")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  const refused = byId("sign-out-refused");
  button.disabled = true;
  refused.hidden = true;
  try {
    const answer = await fetch("/sign-out", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    // Not known any more is signed out as well.
    if (!answer.ok && answer.status !== 401) throw new Error(`status ${answer.status}`);
    signIn();
  } catch {
    // Whoever leaves a shared device has to know that the next one acts in their name.
    refused.hidden = false;
  } finally {
    button.disabled = false;
  }
});

// -- the connection ---------------------------------------------------------------------------------------------------

let answers = true;
let isStreaming = true;

function showConnection() {
  const isLost = !(answers && isStreaming);
  const bar = byId("connection-lost");
  document.body.classList.toggle("is-stale", isLost);
  setText(byId("link-word"), isLost ? "As of" : "Live, as of");
  bar.hidden = !isLost;
  setText(bar, isLost ? lostWords() : "");
}

function lostWords() {
  if (answers) return "Connection lost, trying again. The lists are fresh; robots are shown where they were last seen.";
  return `Connection lost, trying again. What you see is as it was at ${exactTime.format(asOf)}.`;
}

let last = "";
let lastDriving = "";

function openStream() {
  const stream = new EventSource(last ? `/api/v1/events?after=${encodeURIComponent(last)}` : "/api/v1/events");
  stream.addEventListener("hello", () => {
    isStreaming = true;
    wantReload();
  });
  for (const kind of NUMBERED_EVENTS) {
    stream.addEventListener(kind, (event) => {
      last = event.lastEventId || last;
      wantReload();
    });
  }
  stream.addEventListener("session_ended", signIn);
  stream.addEventListener("fleet", (event) => {
    const fleet = JSON.parse(event.data);
    showFleet(fleet);
    const driving = JSON.stringify(fleet.robots.map((robot) => [robot.is_driving, robot.is_lost]));
    if (driving !== lastDriving) wantReload();
    lastDriving = driving;
  });
  stream.addEventListener("error", () => {
    isStreaming = false;
    showConnection();
    // The browser tries again by itself, with Last-Event-ID, unless it has given up.
    if (stream.readyState === EventSource.CLOSED) setTimeout(openStream, REOPEN_MS);
  });
}

centrePlans();
listenForActs(wantReload);
openStream();
wantReload();
