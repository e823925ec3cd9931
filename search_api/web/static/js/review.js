// <review-queue>: one item at a time, decided with one key. The buttons of the legend carry their keys, so that what the
// legend says is what they do. A decision counts whatever is enlarged. Without scripts each item is a form.
import { isTyping, partHeaders, toast } from "./workbench.js";

class ReviewQueue extends HTMLElement {
  connectedCallback() {
    this.items = [...this.querySelectorAll(".review-item")];
    this.legend = this.querySelector(".legend");
    this.why = this.querySelector(".why");
    this.buttons = [...this.querySelectorAll("[data-action]")];
    this.decided = [];
    this.querySelector(".review-keys").hidden = false;
    for (const button of this.buttons) button.addEventListener("click", () => this.act(button.dataset.action));
    for (const button of this.why.querySelectorAll("button")) button.addEventListener("click", () => this.decide("cannot_tell", button.dataset.reason));
    for (const item of this.items) {
      item.addEventListener("focusin", () => this.choose(item, false));
      item.querySelector(".decision")?.addEventListener("submit", (event) => {
        event.preventDefault();
        this.choose(item, false);
        this.decide(event.submitter.value, event.target.elements.reason.value);
      });
    }
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.choose(this.items[0], false);
    this.tell();
  }

  onKey(event) {
    if (isTyping(event)) return;
    const among = this.why.hidden ? this.buttons : [...this.why.querySelectorAll("button"), ...this.buttons];
    const button = among.find((each) => each.dataset.keys === event.key);
    if (event.key === "Escape" && !this.why.hidden) this.why.hidden = true;
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  act(action) {
    if (action === "yes" || action === "no") this.decide(action, this.reason);
    else if (action === "cannot_tell") this.ask();
    else if (action === "undo") this.undo();
    else if (action === "following") this.move(1);
    else if (action === "before") this.move(-1);
    else if (action === "zoom") this.zoom();
    else if (action === "assign") this.assign();
    else if (action === "legend") this.show();
  }

  get reason() {
    return this.current.querySelector("[name=reason]").value;
  }

  get open() {
    return this.items.filter((item) => !item.classList.contains("decided"));
  }

  choose(item, focus = true) {
    if (!item) return;
    this.current?.classList.remove("current");
    this.current = item;
    item.classList.add("current");
    this.why.hidden = true;
    if (focus) {
      item.focus({ preventScroll: true });
      item.scrollIntoView({ block: "nearest" });
    }
  }

  /** To the next item that is not decided, or the one before. */
  move(step) {
    const open = this.open;
    if (!open.length) return;
    const at = this.items.indexOf(this.current);
    const ahead = step > 0 ? open.find((item) => this.items.indexOf(item) > at) : open.filter((item) => this.items.indexOf(item) < at).pop();
    this.choose(ahead ?? (step > 0 ? open[0] : open[open.length - 1]));
  }

  /** Larger pictures for all items: what is decided while they are large counts as ever. */
  zoom() {
    const large = !this.current.classList.contains("large");
    for (const item of this.items) item.classList.toggle("large", large);
    this.current.scrollIntoView({ block: "nearest" });
  }

  ask() {
    this.why.hidden = false;
    this.why.querySelector("button").focus();
  }

  assign() {
    const part = this.current.querySelector(".assign");
    if (!part) return;
    part.open = true;
    part.querySelector("[name=person]").focus();
  }

  show() {
    this.legend.hidden = !this.legend.hidden;
    this.querySelector("[data-action=legend]").setAttribute("aria-expanded", String(!this.legend.hidden));
  }

  async decide(choice, reason) {
    const item = this.current, form = item.querySelector(".decision");
    if (!form || item.classList.contains("decided")) return;
    item.classList.add("decided");
    this.why.hidden = true;
    this.move(1);
    this.tell();
    const body = new URLSearchParams({ csrf: document.body.dataset.csrf, next: location.pathname + location.search, choice, reason });
    let response, part;
    try {
      response = await fetch(form.action, { method: "POST", body, headers: partHeaders() });
      part = new DOMParser().parseFromString(await response.text(), "text/html").body;
    } catch {
      this.reopen(item, document.body.dataset.unreachable);
      return;
    }
    if (response.ok) this.keep(item, part.querySelector(".toast"));
    else if (response.status === 409) this.settled(item, part.textContent.trim());
    else this.reopen(item, part.textContent.trim());
  }

  /** The decision was kept: the message that takes it back stands until the next one. */
  keep(item, message) {
    this.decided.push({ item, number: message.dataset.number });
    for (const earlier of document.querySelectorAll("#toasts [data-number]")) earlier.remove();
    const shown = document.adoptNode(message);
    shown.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.undo();
    });
    document.getElementById("toasts").append(shown);
    if (!this.open.length && this.dataset.next) location.assign(this.dataset.next);
  }

  /** Somebody else decided meanwhile: it stays out of the queue, and the page says who it was. */
  settled(item, words) {
    const said = document.createElement("p");
    said.className = "message error";
    said.textContent = words;
    item.querySelector(".decision").replaceWith(said);
    toast(words, true);
  }

  reopen(item, words) {
    item.classList.remove("decided");
    this.choose(item);
    this.tell();
    toast(words, true);
  }

  async undo() {
    const last = this.decided.pop();
    if (!last) return;
    const body = new URLSearchParams({ csrf: document.body.dataset.csrf });
    try {
      const response = await fetch(`${document.body.dataset.base}/review/decisions/${last.number}/undo`, { method: "POST", body, redirect: "manual" });
      if (response.type !== "opaqueredirect" && !response.ok) throw new Error(response.statusText);
    } catch (error) {
      this.decided.push(last);
      toast(error.message || document.body.dataset.unreachable, true);
      return;
    }
    for (const earlier of document.querySelectorAll("#toasts [data-number]")) earlier.remove();
    last.item.classList.remove("decided");
    this.choose(last.item);
    this.tell();
  }

  tell() {
    const left = this.open.length;
    this.querySelector(".left").textContent = left ? this.dataset.left.replace("{count}", left) : this.dataset.empty;
  }
}

customElements.define("review-queue", ReviewQueue);
