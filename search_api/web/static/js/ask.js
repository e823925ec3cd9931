// The Ask page: a queue of pictures, each sent by itself, its card put in when the answer comes. Without scripts the same
// form sends all pictures at once. What the server answers is HTML that it has escaped; nothing else goes in as HTML.
import { isTyping, partHeaders } from "./workbench.js";
import "./region.js";

const AT_A_TIME = 2;
const RETRY_MS = 3000;

class AskQueue extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector(".ask-form");
    this.input = this.form.querySelector("input[type=file]");
    this.drop = this.form.querySelector(".drop");
    this.list = this.querySelector(".queue");
    this.answers = this.querySelector(".answers");
    this.message = this.querySelector(".queue-message");
    this.items = [];
    this.running = 0;
    this.offline = false;
    this.form.querySelector("button").hidden = true;
    this.input.addEventListener("change", () => this.take(this.input.files));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take(this.input.files);
    });
    document.addEventListener("paste", (event) => {
      if (event.clipboardData.files.length && !isTyping(event)) this.take(event.clipboardData.files);
    });
    for (const kind of ["dragover", "dragleave", "drop"]) {
      document.addEventListener(kind, (event) => {
        event.preventDefault();
        this.drop.classList.toggle("over", kind === "dragover");
        if (kind === "drop") this.take(event.dataTransfer.files);
      });
    }
    addEventListener("online", () => this.resume());
    addEventListener("beforeunload", (event) => {
      if (this.items.some((item) => !item.done)) event.preventDefault();
    });
    if (this.input.files.length) this.take(this.input.files); // chosen before this script ran
  }

  /** Takes files into a new queue; the cards of the last one go. */
  take(files) {
    const given = [...(files || [])];
    this.input.value = "";
    if (!given.length) return;
    if (given.length > Number(this.dataset.most)) {
      this.tell(this.dataset.tooMany.replace("{count}", given.length));
      return;
    }
    for (const item of this.items) item.abort.abort();
    this.list.replaceChildren();
    this.answers.replaceChildren();
    const before = document.querySelector(".before");
    if (before) before.hidden = true;
    this.drop.classList.add("small");
    this.tell("");
    this.offline = false;
    this.running = 0;
    this.items = given.map((file, index) => this.newItem(file, index + 1));
    this.querySelector(".overview").hidden = given.length < 2;
    this.progress();
    this.next();
  }

  newItem(file, number) {
    const row = document.createElement("li");
    const link = document.createElement("a");
    const name = document.createElement("bdi");
    name.textContent = file.name || "pasted picture";
    link.href = `#picture-${number}`;
    link.append(name);
    const state = document.createElement("span");
    row.append(link, " ", state);
    this.list.append(row);
    const slot = document.createElement("div");
    slot.className = "answer card pending";
    slot.id = `picture-${number}`;
    const words = document.createElement("p");
    const shown = document.createElement("bdi");
    shown.textContent = name.textContent;
    const said = document.createElement("span");
    said.className = "quiet";
    words.append(shown, " ", said);
    slot.append(words);
    this.answers.append(slot);
    const item = { file, number, row, state, slot, said, done: false, sent: false, abort: new AbortController() };
    this.mark(item, "waiting", this.dataset.waiting);
    return item;
  }

  mark(item, kind, words) {
    item.state.className = `state ${kind}`;
    item.state.textContent = words;
    item.said.textContent = words;
  }

  /** Sends what waits, a few at a time. */
  next() {
    while (this.running < AT_A_TIME && !this.offline) {
      const item = this.items.find((candidate) => !candidate.sent && !candidate.done);
      if (!item) return;
      item.sent = true;
      this.running += 1;
      const items = this.items;
      this.send(item).finally(() => {
        if (items !== this.items) return;
        this.running -= 1;
        this.progress();
        this.next();
      });
    }
  }

  async send(item) {
    if (item.file.size > Number(this.dataset.maxBytes)) {
      this.refuse(item, this.dataset.tooLarge);
      return;
    }
    this.mark(item, "asking", this.dataset.asking);
    const body = new FormData();
    body.append("pictures", item.file, item.file.name || "pasted picture");
    let response, html;
    try {
      response = await fetch(this.form.action, { method: "POST", body, headers: partHeaders(), signal: item.abort.signal });
      html = await response.text();
    } catch {
      if (!item.abort.signal.aborted) this.lost(item);
      return;
    }
    const redirect = response.headers.get("HX-Redirect");
    if (redirect) {
      this.items.forEach((each) => (each.done = true));
      location.assign(redirect);
      return;
    }
    const part = new DOMParser().parseFromString(html, "text/html").body;
    if (response.ok) this.show(item, part);
    else this.refuse(item, part.textContent.trim() || response.statusText, response.status >= 500);
  }

  show(item, part) {
    item.done = true;
    const cards = [...part.querySelectorAll("article.answer")].map((card) => document.adoptNode(card));
    cards.forEach((card, index) => (card.id = index ? `picture-${item.number}-${index + 1}` : `picture-${item.number}`));
    const [first] = cards;
    if (cards.length === 1) this.mark(item, first.dataset.outcome, first.dataset.headline);
    else this.showPacked(item, cards);
    item.slot.replaceWith(...cards);
    if (cards.length === 1) this.giveFile(first, item.file);
    for (const card of cards) window.htmx.process(card);
  }

  /** The pictures of an archive as rows below its own. */
  showPacked(item, cards) {
    item.state.textContent = "";
    const rows = document.createElement("ol");
    rows.className = "queue";
    for (const card of cards) {
      const row = document.createElement("li");
      const link = document.createElement("a");
      const state = document.createElement("span");
      link.href = `#${card.id}`;
      link.append(card.querySelector("bdi").cloneNode(true));
      state.className = `state ${card.dataset.outcome}`;
      state.textContent = card.dataset.headline;
      row.append(link, " ", state);
      rows.append(row);
    }
    item.row.append(rows);
    this.querySelector(".overview").hidden = false;
  }

  /** Puts the file into the forms of its card, so that nobody chooses it twice. */
  giveFile(card, file) {
    const held = new DataTransfer();
    held.items.add(file);
    for (const label of card.querySelectorAll(".same-file")) {
      label.querySelector("input").files = held.files;
      label.hidden = true;
    }
    for (const part of card.querySelectorAll("details.compare-with")) part.replaceWith(part.querySelector("form"));
    card.querySelector("region-box")?.setPicture(file);
  }

  /** Says why a picture got no answer; `again` offers to send it once more. */
  refuse(item, words, again = false) {
    item.done = true;
    this.mark(item, "refused", this.dataset.failed);
    const card = document.createElement("article");
    card.className = "answer card refused";
    card.id = `picture-${item.number}`;
    const title = document.createElement("h2");
    const name = document.createElement("bdi");
    name.textContent = item.file.name;
    title.append(name);
    const why = document.createElement("p");
    why.className = "message error";
    why.textContent = words;
    card.append(title, why);
    if (again) {
      const button = document.createElement("button");
      button.textContent = this.dataset.again;
      button.addEventListener("click", () => {
        Object.assign(item, { done: false, sent: false, slot: card });
        button.remove();
        this.next();
      });
      card.append(button);
    }
    item.slot.replaceWith(card);
    item.slot = card;
  }

  /** The connection is gone: the picture goes back into the queue, which waits. */
  lost(item) {
    item.sent = false;
    this.mark(item, "waiting", this.dataset.waiting);
    if (this.offline) return;
    this.offline = true;
    this.tell(this.dataset.offline);
    setTimeout(() => this.resume(), RETRY_MS);
  }

  resume() {
    if (!this.offline) return;
    this.offline = false;
    this.tell("");
    this.next();
  }

  progress() {
    const done = this.items.filter((item) => item.done).length;
    const words = this.dataset.progress.replace("{done}", done).replace("{all}", this.items.length);
    const single = this.items.length === 1 && done === 1;
    this.querySelector(".queue-progress").textContent = single ? `${words}. ${this.items[0].state.textContent}` : words;
  }

  tell(words) {
    this.message.textContent = words;
    this.message.className = "queue-message message error";
    this.message.hidden = !words;
  }
}

customElements.define("ask-queue", AskQueue);
