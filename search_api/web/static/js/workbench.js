// What every page has: "/" focuses the search field, Escape closes the menu, local times beside UTC, problems as toasts.

/** Shows a message for a while; it stays while the pointer or the focus is on it. */
export function toast(text, isError = false) {
  const item = document.createElement("div");
  item.className = isError ? "toast error" : "toast";
  const words = document.createElement("p");
  words.textContent = text;
  item.append(words);
  document.getElementById("toasts").append(item);
  dismissLater(item);
}

/** The headers of a request by a script: the token of forms, and that a part of a page is wanted. */
export function partHeaders() {
  return { "HX-Request": "true", "X-CSRF-Token": document.body.dataset.csrf };
}

function dismissLater(item) {
  let timer = setTimeout(() => item.remove(), 8000);
  const hold = () => clearTimeout(timer);
  const release = () => (timer = setTimeout(() => item.remove(), 4000));
  item.addEventListener("pointerenter", hold);
  item.addEventListener("focusin", hold);
  item.addEventListener("pointerleave", release);
  item.addEventListener("focusout", release);
}

/** Whether keys are being typed into a field, and are therefore not commands. */
export function isTyping(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]") !== null;
}

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.valueOf())) continue;
    const { lang } = document.documentElement;
    time.title = moment.toLocaleString(lang, { dateStyle: "medium", timeStyle: "long" });
    if (!moment.getTimezoneOffset() || !/\d:\d/.test(time.textContent)) continue; // the local time is UTC, or only a day is told
    const local = document.createElement("span");
    local.className = "local-time";
    const otherDay = moment.getDate() !== moment.getUTCDate() ? { month: "short", day: "numeric" } : {};
    local.textContent = ` (\u2068${moment.toLocaleString(lang, { ...otherDay, hour: "numeric", minute: "2-digit", timeZoneName: "short" })}\u2069)`;
    time.after(local);
  }
}

document.addEventListener("keydown", (event) => {
  const field = document.getElementById("find");
  if (event.key === "/" && field && !isTyping(event)) {
    event.preventDefault();
    field.focus();
    field.select();
  }
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});
document.addEventListener("pointerdown", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status < 400) return;
  detail.shouldSwap = true;
  detail.target = document.getElementById("toasts");
  detail.swapOverride = "beforeend";
});
document.body.addEventListener("htmx:sendError", () => toast(document.body.dataset.unreachable, true));
document.body.addEventListener("htmx:afterSwap", ({ target }) => localTimes(target));
localTimes(document);
for (const item of document.querySelectorAll("#toasts .toast")) if (!item.querySelector("form")) dismissLater(item);
