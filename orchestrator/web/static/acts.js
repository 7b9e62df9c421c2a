// What an operator does with a robot or a lane: a button, a dialog that asks who and why, and one request.
//
// A dialog keeps its Idempotency-Key until it is answered, so that pressing twice or trying again does nothing twice.

const ANSWER_LIMIT_MS = 8000;

const WORDS = {
  pause: ["Pause", "It stands at once, keeps its order and goes on when it is resumed."],
  resume: ["Resume", "Only when somebody has been there: it drives on from where it stands."],
  send: ["Send home", "It drives to its own resting place."],
  "out-of-service": ["Take out of service", "It ends its trip, goes to its resting place and gets no work."],
  "in-service": ["Put in service", "It gets work again."],
  "fence-off": ["Fence off", "Nothing is granted to it until it is resumed; others keep away from where it stands."],
  open: ["Open", "Robots drive over it again."],
};

const dialog = document.getElementById("act");
const form = dialog.querySelector("form");
const refused = document.getElementById("act-refused");
const doIt = document.getElementById("act-do");
const removed = document.getElementById("act-removed");
const clock = document.getElementById("act-clock");

let asked = null;
let tellDone = () => {};

/** Show the buttons of a row for what may be done, and no others. */
export function showActs(row, acts) {
  for (const button of row.querySelectorAll("button[data-act]")) {
    const isHidden = !acts.includes(button.dataset.act);
    if (button.hidden !== isHidden) button.hidden = isHidden;
  }
}

/** Answer every button of the page; `done` is called when something was done. */
export function listenForActs(done) {
  tellDone = done;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-act]");
    if (button !== null) open(button);
  });
  document.getElementById("act-cancel").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
}

function open(button) {
  const row = button.closest("[data-id]");
  const act = button.dataset.act;
  const kind = act === "open" ? "lanes" : "robots";
  const name = act === "open" ? row.querySelector("[data-field='way']").textContent : row.dataset.id;
  asked = { path: `/api/v1/${kind}/${encodeURIComponent(row.dataset.id)}/${act}`, act, home: row.dataset.home, clock: row.dataset.clock, key: crypto.randomUUID() };
  const [words, what] = WORDS[act];
  document.getElementById("act-title").textContent = `${words}: ${name}`;
  document.getElementById("act-what").textContent = what;
  doIt.textContent = words;
  removed.hidden = act !== "fence-off";
  form.elements.is_removed.checked = false;
  clock.hidden = act !== "resume" || !asked.clock;
  form.elements.is_clock_taken.checked = false;
  form.elements.reason.value = "";
  const by = form.elements.by;
  if (by) by.value = sessionStorage.getItem("by") ?? "";
  refuse("");
  dialog.showModal();
  (by && !by.value ? by : form.elements.reason).focus();
}

function bodyOf(act) {
  const body = { reason: form.elements.reason.value };
  if (act === "send") body.station = asked.home;
  if (act === "resume" && form.elements.is_clock_taken.checked) body.clock_off_s = Number(asked.clock);
  if (act === "fence-off") body.is_removed = form.elements.is_removed.checked;
  return body;
}

function refuse(sentence) {
  refused.hidden = sentence === "";
  refused.textContent = sentence;
}

async function ask() {
  // Only in development does anybody say who they are; else the session in the cookie does.
  const by = form.elements.by?.value;
  const said = JSON.stringify(bodyOf(asked.act));
  // Another reason is another request; the same one, tried again, is not.
  if (asked.said !== undefined && asked.said !== said) asked.key = crypto.randomUUID();
  asked.said = said;
  doIt.disabled = true;
  refuse("");
  try {
    const answer = await fetch(asked.path, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": asked.key,
        ...(by ? { "Wardporter-Principal": by } : {}),
      },
      body: said,
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    if (answer.ok) {
      if (by) sessionStorage.setItem("by", by);
      dialog.close();
      tellDone();
    } else {
      refuse((await answer.json()).detail);
    }
  } catch {
    refuse("No answer came; whether it was done is not certain. Try again: it is not done twice.");
  } finally {
    doIt.disabled = false;
  }
}
