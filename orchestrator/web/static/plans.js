// The live part of the floor plans: robots, doors, lifts, and stations where somebody is waited for.
//
// Coordinates are metres in the site frame, y negated, as the plans are drawn.

import { placeWords } from "./labels.js";

const SVG = "http://www.w3.org/2000/svg";

const robots = new Map();
let rows = new Map();

function make(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

/** Metres that one unit of symbols is: 1 on a plan of 60 m. */
function unitOf(plan) {
  const box = plan.viewBox.baseVal;
  return Math.max(0.35, Math.min(2.5, Math.max(box.width, box.height) / 64));
}

// -- robots -----------------------------------------------------------------------------------------------------------

function makeRobot(id) {
  const group = make("g", { class: "robot", "data-robot": id });
  const size = make("g", {}, group);
  const heading = make("g", { class: "heading" }, size);
  make("path", { class: "nose", d: "M0.45 -0.8 L1.5 0 L0.45 0.8 Z" }, heading);
  make("circle", { class: "body", r: "0.95" }, size);
  make("text", { class: "number", "font-size": "1.05" }, size).textContent = id.match(/\d+$/)?.[0].slice(-2) ?? id.slice(0, 2);
  const label = make("text", { class: "robot-label", "font-size": "1.05", y: "-1.4" }, size);
  make("title", {}, group);
  return { group, size, heading, label, turn: 0, level: null, unit: 1, x: 0, y: 0, place: -1.4 };
}

function showRobot(now) {
  const shown = robots.get(now.id) ?? makeRobot(now.id);
  robots.set(now.id, shown);
  if (now.pose === null) {
    shown.group.remove();
    shown.level = null;
    return;
  }
  if (shown.level !== now.pose.level) {
    const live = document.getElementById(`level-${now.pose.level}-live`);
    if (live === null) return;
    // Taken out and put in elsewhere, so that it does not glide across from the other floor.
    live.append(shown.group);
    shown.level = now.pose.level;
    shown.unit = unitOf(live.ownerSVGElement);
    shown.size.setAttribute("transform", `scale(${shown.unit})`);
  }
  shown.group.style.transform = `translate(${now.pose.x_m}px, ${-now.pose.y_m}px)`;
  [shown.x, shown.y] = [now.pose.x_m, -now.pose.y_m];
  // Clockwise on the screen, and the short way round from the last one.
  const wanted = -now.pose.theta_rad;
  shown.turn += Math.atan2(Math.sin(wanted - shown.turn), Math.cos(wanted - shown.turn));
  shown.heading.style.transform = `rotate(${shown.turn}rad)`;
  dressRobot(now.id, now.is_lost);
}

function dressRobot(id, isLost) {
  const shown = robots.get(id);
  const row = rows.get(id);
  if (!shown || !row) return;
  const doing = isLost ? "lost" : row.doing;
  shown.group.dataset.doing = doing;
  const words = row.short_words ? `${id}: ${row.short_words}` : id;
  if (shown.label.textContent !== words) shown.label.textContent = words;
  const title = shown.group.querySelector("title");
  if (title.textContent !== `${id} ${row.words}`) title.textContent = `${id} ${row.words}`;
}

const names = new Map();

/** The boxes of the names of stations on a floor. */
function namesOn(level) {
  if (!names.has(level)) {
    const boxes = [...document.querySelectorAll(`[id="level-${CSS.escape(level)}"] text.label`)].map((text) => text.getBBox());
    names.set(level, boxes.map((box) => ({ left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height })));
  }
  return names.get(level);
}

function showWords() {
  for (const level of new Set([...robots.values()].map((robot) => robot.level).filter((level) => level !== null))) {
    const here = [...robots.values()].filter((robot) => robot.level === level);
    const places = placeWords(here.map((robot) => ({ ...robot, words: robot.label.textContent })), namesOn(level));
    here.forEach((robot, index) => {
      if (robot.place === places[index]) return;
      robot.place = places[index];
      robot.label.setAttribute("y", robot.place);
    });
  }
}

/** Show what each robot is doing, by the rows of the board. */
export function showRobots(said) {
  rows = new Map(said.map((row) => [row.id, row]));
  for (const row of said) dressRobot(row.id, row.doing === "lost");
  showWords();
}

// -- doors and lifts --------------------------------------------------------------------------------------------------

const DOOR_WORDS = { offline: "does not answer", unknown: "not heard of yet" };

function showDoor(door) {
  const line = document.getElementById(`door-${door.id}`);
  if (line === null) return;
  const isOutOfUse = door.is_obstructed || door.position === "offline";
  const words = (DOOR_WORDS[door.position] ?? door.position) + (door.is_obstructed ? ", something is in its way" : "");
  if (line.dataset.words === words) return;
  line.setAttribute("pathLength", "100");
  line.dataset.words = words;
  line.dataset.position = door.position;
  line.dataset.outOfUse = isOutOfUse ? "yes" : "no";
  const title = line.querySelector("title");
  if (title === null) return;
  line.dataset.name ??= title.textContent;
  title.textContent = `${line.dataset.name}, ${words}`;
}

const HERE_WORDS = { open: "open here", closed: "here", moving: "here", offline: "does not answer", unknown: "not heard of yet" };
const MODE_WORDS = { out_of_service: "out of service", people: "used by people", fire: "fire mode", stuck: "stuck" };

/** What is wrong with a lift, or nothing. */
function troubleOf(lift) {
  if (lift.doors === "offline") return HERE_WORDS.offline;
  return MODE_WORDS[lift.mode] ?? (lift.is_occupied ? "people inside" : "");
}

function showLift(lift) {
  for (const shaft of document.querySelectorAll(`[id^="lift-${CSS.escape(lift.id)}--"]:not(text)`)) {
    const level = shaft.id.slice(`lift-${lift.id}--`.length);
    const isHere = lift.level === level;
    shaft.dataset.cabin = isHere ? "here" : "away";
    shaft.dataset.doors = isHere ? lift.doors : "closed";
    const trouble = troubleOf(lift);
    shaft.dataset.outOfUse = trouble ? "yes" : "no";
    showLiftWords(shaft, level, trouble || (isHere ? HERE_WORDS[lift.doors] : whereIs(lift.level)));
  }
}

function whereIs(level) {
  if (level === null) return "between floors";
  return document.getElementById(`level-${level}`)?.getAttribute("aria-label") ?? level;
}

function showLiftWords(shaft, level, words) {
  const live = document.getElementById(`level-${level}-live`);
  if (live === null) return;
  const id = `${shaft.id}-words`;
  let text = document.getElementById(id);
  if (text === null) {
    const box = shaft.getBBox();
    const unit = unitOf(live.ownerSVGElement);
    text = make("text", { id, class: "lift-words", "font-size": 0.95 * unit }, live);
    text.setAttribute("x", box.x + box.width / 2);
    text.setAttribute("y", box.y + box.height + unit);
    live.prepend(text);
  }
  if (text.textContent !== words) text.textContent = words;
}

/** On a narrow screen, begin in the middle of each plan. */
export function centrePlans() {
  for (const frame of document.querySelectorAll(".plan-frame")) {
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
  }
}

/** Show where everything is, by a `fleet` event. */
export function showFleet(fleet) {
  fleet.robots.forEach(showRobot);
  showWords();
  fleet.doors.forEach(showDoor);
  fleet.lifts.forEach(showLift);
}

// -- lanes ------------------------------------------------------------------------------------------------------------

/** Mark the lanes that people have closed, and no others; what is drawn for both directions is marked for either. */
export function showClosedLanes(lanes) {
  const wanted = new Set(lanes);
  for (const drawn of document.querySelectorAll(".plan [id^='lane-']")) {
    const isClosed = wanted.has(drawn.id.slice("lane-".length)) || wanted.has(drawn.dataset.back);
    if (drawn.classList.contains("is-closed") !== isClosed) drawn.classList.toggle("is-closed", isClosed);
  }
}

// -- stations ---------------------------------------------------------------------------------------------------------

/** Mark the stations where somebody is waited for, and no others. */
export function showStations(waited) {
  const wanted = new Set(waited.map((station) => `station-${station}`));
  for (const marked of document.querySelectorAll(".station.is-waited-for")) {
    if (!wanted.has(marked.id)) marked.classList.remove("is-waited-for");
  }
  for (const id of wanted) document.getElementById(id)?.classList.add("is-waited-for");
}
