// The command palette (Ctrl-K): pages, the sections of this one and what can be done on it. And buttons that copy.
import { toast } from "./workbench.js";

const dialog = document.getElementById("palette");
const field = document.getElementById("palette-text");
const list = document.getElementById("palette-list");
const status = document.getElementById("palette-none");
let shown = [];
let chosen = 0;

/** Puts text where it can be pasted from, and says so. */
export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch { // the clipboard is closed to pages without TLS on other machines
    toast(dialog.dataset.uncopied, true);
  }
}

function name(element) {
  const copied = element.cloneNode(true);
  for (const part of copied.querySelectorAll("kbd, .visually-hidden")) part.remove();
  return copied.textContent.trim().replace(/\s+/g, " ");
}

function commands() {
  const all = [];
  const add = (words, run) => words && all.push({ words, run });
  for (const link of document.querySelectorAll(".top-nav a, .menu-links a")) add(name(link), () => link.click());
  add(dialog.dataset.link, () => copy(location.href, dialog.dataset.copied));
  for (const part of document.querySelectorAll("main summary, main a.button, main button[type=button]")) {
    if (part.checkVisibility()) add(name(part), () => (part.focus(), part.click()));
  }
  for (const heading of document.querySelectorAll("main h2[id]")) {
    add(name(heading), () => {
      heading.tabIndex = -1;
      heading.focus();
      heading.scrollIntoView();
    });
  }
  return all;
}

function fill() {
  const text = field.value.trim();
  const parts = text.toLocaleLowerCase().split(/\s+/);
  shown = dialog.commands.filter(({ words }) => parts.every((part) => words.toLocaleLowerCase().includes(part))).slice(0, 50);
  const search = document.querySelector(".top-search");
  if (text && search) shown.push({ words: `${dialog.dataset.find}: ${text}`, run: () => (location.href = `${search.action}?q=${encodeURIComponent(text)}`) });
  list.replaceChildren(...shown.map(({ words, run }, index) => {
    const option = document.createElement("li");
    option.id = `palette-${index}`;
    option.role = "option";
    option.textContent = words;
    option.addEventListener("click", () => finish(run));
    return option;
  }));
  status.textContent = shown.length ? "" : status.dataset.none;
  choose(0);
}

function choose(index) {
  chosen = Math.max(0, Math.min(shown.length - 1, index));
  for (const [number, option] of [...list.children].entries()) option.ariaSelected = String(number === chosen);
  const option = list.children[chosen];
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

function finish(run) {
  dialog.close();
  run();
}

function open() {
  if (document.querySelector("dialog[open]")) return;
  dialog.commands = commands();
  field.value = "";
  dialog.showModal();
  fill();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  open();
});
field.addEventListener("input", fill);
field.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen - 1);
  else if (event.key === "Enter" && shown[chosen]) finish(shown[chosen].run);
  else return;
  event.preventDefault();
});
dialog.addEventListener("keydown", (event) => event.stopPropagation()); // keys of the page rest meanwhile
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
const opener = document.getElementById("open-palette");
opener.hidden = false;
opener.addEventListener("click", open);
for (const row of document.querySelectorAll(".copying")) row.hidden = false;
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-copy]");
  if (button) copy(button.dataset.copy, button.dataset.copied);
});
