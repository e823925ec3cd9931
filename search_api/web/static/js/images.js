// The page of images: choosing cards by mouse and keyboard, and drawing over the months to choose a time. Without scripts
// the boxes, the two dates and the table of months do the same.

const TYPED_INTO = "textarea, select, [contenteditable], input:not([type=checkbox])";

class ChooseImages extends HTMLElement {
  connectedCallback() {
    this.boxes = [...this.querySelectorAll("input[name=images]")];
    this.count = this.querySelector(".chosen-count");
    this.last = null;
    for (const hidden of this.querySelectorAll(".choose-all, .choose-none, .keys")) hidden.hidden = false;
    this.querySelector(".choose-all").addEventListener("click", () => this.all(true));
    this.querySelector(".choose-none").addEventListener("click", () => this.all(false));
    this.addEventListener("click", (event) => {
      const box = this.boxOf(event.target);
      if (box && event.target === box) this.chosen(box, event.shiftKey);
    });
    this.addEventListener("keydown", (event) => this.key(event));
    this.tell(); // a browser that goes back to the page restores the boxes
  }

  /** The box of the card that something is in. */
  boxOf(target) {
    const card = target.closest(".picture-card");
    return card && card.querySelector("input[name=images]");
  }

  /** A box was set or cleared; with shift, all from the one before are the same. */
  chosen(box, withRange) {
    if (withRange && this.last) {
      const [from, to] = [this.boxes.indexOf(this.last), this.boxes.indexOf(box)].sort((a, b) => a - b);
      for (const other of this.boxes.slice(from, to + 1)) other.checked = box.checked;
    }
    this.last = box;
    this.tell();
  }

  all(on) {
    for (const box of this.boxes) box.checked = on;
    this.tell();
  }

  tell() {
    const count = this.boxes.filter((box) => box.checked).length;
    this.count.textContent = this.dataset.chosen.replace("{count}", count);
  }

  key(event) {
    const box = this.boxOf(event.target);
    if (!box || event.ctrlKey || event.metaKey || event.altKey || event.target.matches(TYPED_INTO)) return;
    const pressed = event.key.toLowerCase();
    if (pressed === "x" || (pressed === " " && event.shiftKey)) {
      event.preventDefault();
      box.checked = !box.checked;
      box.focus();
      this.chosen(box, event.shiftKey);
    } else if (event.key === "Enter" && event.target === box) {
      event.preventDefault(); // it would send the form
      box.closest(".picture-card").querySelector(".picture a").click();
    } else if (event.key.startsWith("Arrow")) {
      const next = this.boxes[this.boxes.indexOf(box) + this.step(event.key)];
      if (!next) return;
      event.preventDefault();
      next.focus();
    }
  }

  /** By how many cards an arrow key moves. */
  step(key) {
    const forward = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (key === "ArrowLeft" || key === "ArrowRight") return key === forward ? 1 : -1;
    const cards = this.boxes.map((box) => box.closest("li").offsetTop);
    const columns = cards.filter((top) => top === cards[0]).length;
    return key === "ArrowDown" ? columns : -columns;
  }
}

class MonthRange extends HTMLElement {
  connectedCallback() {
    const section = this.closest(".months");
    this.months = [...this.querySelectorAll("g")];
    this.drawing = this.querySelector("svg");
    this.form = section.querySelector("form");
    section.dataset.ready = "";
    this.from = null;
    this.drawing.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.before = this.months.map((month) => month.classList.contains("chosen"));
      this.from = this.at(event);
      this.drawing.setPointerCapture(event.pointerId);
      this.draw(event);
    });
    this.drawing.addEventListener("pointermove", (event) => this.from !== null && this.draw(event));
    this.drawing.addEventListener("pointercancel", () => this.forget());
    this.drawing.addEventListener("pointerup", (event) => {
      if (this.from === null) return;
      this.draw(event);
      this.from = null;
      this.form.requestSubmit();
    });
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.forget());
  }

  /** The month under the pointer. */
  at(event) {
    const seen = this.drawing.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - seen.left) / seen.width));
    return Math.min(this.months.length - 1, Math.floor(share * this.months.length));
  }

  draw(event) {
    const [first, last] = [this.from, this.at(event)].sort((a, b) => a - b);
    this.months.forEach((month, index) => month.classList.toggle("chosen", first <= index && index <= last));
    this.form.elements.posted_from.value = this.months[first].dataset.start;
    this.form.elements.posted_to.value = this.months[last].dataset.end;
  }

  forget() {
    if (this.from === null) return;
    this.from = null;
    this.months.forEach((month, index) => month.classList.toggle("chosen", this.before[index]));
  }
}

// Beside the pictures there is room for the facets; above them they would be all one sees.
if (matchMedia("(max-width: 48rem)").matches) for (const facets of document.querySelectorAll(".facets-all")) facets.open = false;
customElements.define("choose-images", ChooseImages);
customElements.define("month-range", MonthRange);
