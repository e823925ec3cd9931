// <region-box>: a picture to draw a box on. The four fields of its form are the same box for the keyboard.

const EDGES = ["left", "top", "right", "bottom"];

class RegionBox extends HTMLElement {
  /** Shows the file's picture, once its part of the card is opened. */
  setPicture(file) {
    this.stage = this.querySelector(".stage");
    this.image = this.stage.querySelector("img");
    this.box = this.stage.querySelector(".box");
    this.corner = null;
    this.closest("details").addEventListener("toggle", () => this.open(file), { once: true });
    this.stage.addEventListener("pointerdown", (event) => {
      this.corner = this.pixelAt(event);
      this.stage.setPointerCapture(event.pointerId);
      this.drag(event);
    });
    this.stage.addEventListener("pointermove", (event) => this.corner && this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, () => (this.corner = null));
    this.querySelector("form").addEventListener("input", () => this.draw());
  }

  disconnectedCallback() {
    if (this.url) URL.revokeObjectURL(this.url);
  }

  open(file) {
    this.url = URL.createObjectURL(file);
    this.image.addEventListener("error", () => (this.stage.hidden = true));  // a format that browsers do not show
    this.image.src = this.url;
    this.stage.hidden = false;
  }

  field(edge) {
    return this.querySelector(`[name=${edge}]`);
  }

  /** The pixel of the picture under the pointer, within the picture. */
  pixelAt(event) {
    const seen = this.image.getBoundingClientRect();
    const within = (share) => Math.min(1, Math.max(0, share));
    return [
      Math.round(within((event.clientX - seen.left) / seen.width) * Number(this.dataset.width)),
      Math.round(within((event.clientY - seen.top) / seen.height) * Number(this.dataset.height)),
    ];
  }

  drag(event) {
    const [x, y] = this.pixelAt(event);
    const edges = [Math.min(this.corner[0], x), Math.min(this.corner[1], y), Math.max(this.corner[0], x), Math.max(this.corner[1], y)];
    EDGES.forEach((edge, index) => (this.field(edge).value = edges[index]));
    this.draw();
  }

  /** Lays the box where the fields say. */
  draw() {
    const [left, top, right, bottom] = EDGES.map((edge) => this.field(edge).valueAsNumber);
    this.box.hidden = [left, top, right, bottom].some(Number.isNaN);
    const { width, height } = this.dataset;
    this.box.style.left = `${(100 * left) / width}%`;
    this.box.style.top = `${(100 * top) / height}%`;
    this.box.style.width = `${(100 * (right - left)) / width}%`;
    this.box.style.height = `${(100 * (bottom - top)) / height}%`;
  }
}

customElements.define("region-box", RegionBox);
