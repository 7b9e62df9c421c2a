// Signing in with badge and PIN. The session comes in a cookie that no script can read.

const ANSWER_LIMIT_MS = 15000;
const DEVICE = "wardporter-device";

const form = document.getElementById("sign-in");
const refused = document.getElementById("refused");
const enter = document.getElementById("enter");

form.elements.device.value = localStorage.getItem(DEVICE) ?? `browser-${crypto.randomUUID().slice(0, 8)}`;

function refuse(sentence) {
  refused.hidden = sentence === "";
  refused.textContent = sentence;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  enter.disabled = true;
  refuse("");
  const { badge, pin, device } = form.elements;
  try {
    const answer = await fetch("/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ badge: badge.value, pin: pin.value, device: device.value }),
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    if (answer.ok) {
      localStorage.setItem(DEVICE, device.value);
      location.assign("/");
      return;
    }
    refuse((await answer.json()).detail);
    pin.value = "";
    pin.focus();
  } catch {
    refuse("No answer came. Try again.");
  } finally {
    enter.disabled = false;
  }
});
