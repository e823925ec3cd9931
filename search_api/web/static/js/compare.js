// <picture-compare>: both pictures on one canvas, under one zoom. Its buttons carry the keys that do the same, so that
// what the page says of its keys is what they do. Without scripts the pictures stand side by side.
import { isTyping } from "./workbench.js";

const MODES = ["side", "slider", "flicker", "overlay", "difference"];
const STEP = 1.25;
const MOVE = 60;
const MOST = 32;
const GRID_FROM = 8;
const DIVIDER_REACH = 14;

class PictureCompare extends HTMLElement {
  connectedCallback() {
    this.images = {};
    for (const image of this.querySelectorAll("img[data-part]")) this.images[image.dataset.part] = image;
    if (!this.images.A || !this.images.B) return;
    this.stage = this.querySelector(".stage");
    this.canvas = this.querySelector("canvas");
    this.share = this.querySelector(".share");
    this.buttons = [...this.querySelectorAll("[data-action]")];
    this.mode = "side";
    this.top = "B";
    Promise.all(Object.values(this.images).map((image) => image.decode())).then(() => this.start(), () => {});
  }

  disconnectedCallback() {
    this.leave?.abort();
  }

  start() {
    const { signal } = (this.leave = new AbortController());
    this.querySelector(".figures").hidden = true;
    this.querySelector(".viewer").hidden = false;
    for (const button of this.buttons) button.addEventListener("click", () => this.act(button.dataset.action), { signal });
    for (const button of document.querySelectorAll("[data-box]")) {
      button.hidden = false;
      button.nextElementSibling.hidden = true;
      button.addEventListener("click", () => this.goTo(button.dataset.box.split(",").map(Number)), { signal });
    }
    this.share.addEventListener("input", () => this.draw(), { signal });
    document.addEventListener("keydown", (event) => this.onKey(event), { signal });
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, this.pointOf(event));
    }, { signal, passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.grab(event), { signal });
    this.stage.addEventListener("pointermove", (event) => this.drag(event), { signal });
    for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, () => (this.held = null), { signal });
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(this.stage);
    signal.addEventListener("abort", () => this.resized.disconnect());
    this.act("reset");
  }

  // What the buttons and keys do.

  act(action) {
    if (MODES.includes(action)) this.show(action);
    else if (action === "toggle") this.toggle();
    else if (action === "in") this.zoom(STEP);
    else if (action === "out") this.zoom(1 / STEP);
    else if (action === "whole") this.zoomTo(1);
    else if (action === "reset") Object.assign(this, { scale: null, x: 0, y: 0, turned: 0, mirrored: false });
    else if (action === "turn") this.turned = (this.turned + 1) % 4;
    else if (action === "mirror") this.mirrored = !this.mirrored;
    else if (action === "left") this.x += MOVE;
    else if (action === "right") this.x -= MOVE;
    else if (action === "up") this.y += MOVE;
    else if (action === "down") this.y -= MOVE;
    else if (action === "save") this.save();
    if (action === "reset") this.resize();
    this.draw();
  }

  show(mode) {
    this.mode = mode;
    for (const button of this.buttons) if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", String(button.dataset.action === mode));
    this.share.hidden = mode !== "slider" && mode !== "overlay";
    this.resize();
  }

  /** Flickers to the other picture. */
  toggle() {
    if (this.mode === "flicker") this.top = this.top === "A" ? "B" : "A";
    else this.show("flicker");
  }

  onKey(event) {
    if (isTyping(event)) return;
    const name = event.key === " " ? "Space" : event.key;
    if (name === "Space" && event.target.closest("button, a, summary, input")) return;
    if (!event.shiftKey && (name === "ArrowLeft" || name === "ArrowRight")) {
      document.querySelector(`a[rel=${name === "ArrowLeft" ? "prev" : "next"}]`)?.click();
      return;
    }
    const pressed = event.shiftKey && name.startsWith("Arrow") ? `Shift+${name}` : name;
    const button = this.buttons.find((each) => each.dataset.keys.split(" ").includes(pressed));
    if (!button) return;
    event.preventDefault();
    this.act(button.dataset.action);
  }

  // Where things are. A point of the frame is seen at: middle of the pane + (x, y) + turned, mirrored, scaled.

  get pane() {
    const { width, height } = this.canvas;
    if (this.mode !== "side") return [width, height];
    return this.stacked ? [width, height / 2] : [width / 2, height];
  }

  get stacked() {
    return this.canvas.width < this.canvas.height;
  }

  get frame() {
    return this.turned % 2 ? [this.images.A.naturalHeight, this.images.A.naturalWidth] : [this.images.A.naturalWidth, this.images.A.naturalHeight];
  }

  get fitting() {
    return Math.min(this.pane[0] / this.frame[0], this.pane[1] / this.frame[1]);
  }

  resize() {
    this.dense = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.stage.clientWidth * this.dense), Math.round(this.stage.clientHeight * this.dense)];
    if (!width || !height) return;
    Object.assign(this.canvas, { width, height });
    this.draw();
  }

  pointOf(event) {
    const seen = this.canvas.getBoundingClientRect();
    const x = (event.clientX - seen.left) * this.dense, y = (event.clientY - seen.top) * this.dense;
    return [x % this.pane[0] - this.pane[0] / 2, y % this.pane[1] - this.pane[1] / 2];
  }

  zoom(times, at = [0, 0]) {
    this.zoomTo((this.scale ?? this.fitting) * times, at);
  }

  zoomTo(scale, at = [0, 0]) {
    const before = this.scale ?? this.fitting;
    this.scale = Math.min(MOST, Math.max(Math.min(1, this.fitting) / 4, scale));
    this.x = at[0] - (at[0] - this.x) * (this.scale / before);
    this.y = at[1] - (at[1] - this.y) * (this.scale / before);
    this.draw();
  }

  /** Shows a region, in pixels of the frame. */
  goTo([left, top, right, bottom]) {
    this.act("reset");
    if (this.mode === "side") this.show("flicker");
    this.scale = Math.min(MOST, 0.6 * Math.min(this.pane[0] / (right - left), this.pane[1] / (bottom - top)));
    this.x = ((this.images.A.naturalWidth - left - right) / 2) * this.scale;
    this.y = ((this.images.A.naturalHeight - top - bottom) / 2) * this.scale;
    this.draw();
    this.stage.scrollIntoView({ block: "nearest" });
    this.stage.focus({ preventScroll: true });
  }

  grab(event) {
    if (event.target.closest(".reveal")) return;
    this.stage.setPointerCapture(event.pointerId);
    const divider = (this.share.querySelector("input").value / 100) * this.canvas.width;
    const x = this.pointOf(event)[0] + this.canvas.width / 2;
    const divides = this.mode === "slider" && Math.abs(x - divider) < DIVIDER_REACH * this.dense;
    this.held = { x: event.clientX, y: event.clientY, divides };
  }

  drag(event) {
    if (!this.held) return;
    if (this.held.divides) {
      const x = this.pointOf(event)[0] + this.canvas.width / 2;
      this.share.querySelector("input").value = String(Math.round((100 * x) / this.canvas.width));
    } else {
      this.x += (event.clientX - this.held.x) * this.dense;
      this.y += (event.clientY - this.held.y) * this.dense;
    }
    Object.assign(this.held, { x: event.clientX, y: event.clientY });
    this.draw();
  }

  // Drawing.

  draw() {
    const pen = this.canvas.getContext("2d"), [width, height] = this.pane, part = this.share.querySelector("input").value / 100;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.mode === "side") {
      this.lay(pen, "A", [0, 0, width, height]);
      this.lay(pen, "B", this.stacked ? [0, height, width, height] : [width, 0, width, height]);
      this.tell("A, B");
    } else if (this.mode === "slider") {
      const divider = part * width;
      this.lay(pen, "A", [0, 0, width, height], [0, 0, divider, height]);
      this.lay(pen, "B", [0, 0, width, height], [divider, 0, width - divider, height]);
      pen.fillStyle = "#ffb703";
      pen.fillRect(divider - 1.5, 0, 3, height);
      this.tell("A | B");
    } else if (this.mode === "overlay") {
      this.lay(pen, "A", [0, 0, width, height]);
      pen.globalAlpha = part;
      this.lay(pen, "B", [0, 0, width, height]);
      pen.globalAlpha = 1;
      this.tell(`A + B ${Math.round(100 * part)} %`);
    } else {
      const shown = this.mode === "flicker" ? this.top : "difference";
      this.lay(pen, shown, [0, 0, width, height]);
      this.tell(shown === "difference" ? this.images.difference.alt : shown);
    }
  }

  /** One picture in a pane [left, top, width, height], as far as `clip` shows. */
  lay(pen, name, pane, clip = pane) {
    const image = this.images[name], scale = this.scale ?? this.fitting;
    // pictures that were not laid over each other are shown at one size
    const own = this.hasAttribute("data-registered") ? 1 : Math.min(this.images.A.naturalWidth / image.naturalWidth, this.images.A.naturalHeight / image.naturalHeight);
    pen.save();
    pen.beginPath();
    pen.rect(...clip);
    pen.clip();
    pen.translate(pane[0] + pane[2] / 2 + this.x, pane[1] + pane[3] / 2 + this.y);
    if (this.mirrored) pen.scale(-1, 1);
    pen.rotate((this.turned * Math.PI) / 2);
    pen.scale(scale * own, scale * own);
    pen.imageSmoothingEnabled = scale * own < 2;
    pen.translate(-image.naturalWidth / 2, -image.naturalHeight / 2);
    pen.drawImage(image, 0, 0);
    if (scale * own >= GRID_FROM) this.grid(pen, image, scale * own, pane);
    pen.restore();
    if (name !== "difference") this.tag(pen, name, name === "B" && this.mode === "slider" ? pane[0] + pane[2] - 34 * this.dense : pane[0], pane[1]);
  }

  /** The letter of a picture, in a corner. */
  tag(pen, letter, x, y) {
    const side = 26 * this.dense, gap = 8 * this.dense;
    pen.fillStyle = "#14213d";
    pen.fillRect(x + (letter === "B" && this.mode === "overlay" ? side + 2 * gap : gap), y + gap, side, side);
    pen.fillStyle = "#ffffff";
    pen.font = `600 ${16 * this.dense}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(letter, x + (letter === "B" && this.mode === "overlay" ? side + 2 * gap : gap) + side / 2, y + gap + side / 2);
  }

  /** A line between every two pixels that are in sight. */
  grid(pen, image, scale, pane) {
    const back = pen.getTransform().inverse(), corners = [[pane[0], pane[1]], [pane[0] + pane[2], pane[1] + pane[3]]].map(([x, y]) => back.transformPoint({ x, y }));
    const [left, right] = [Math.min(corners[0].x, corners[1].x), Math.max(corners[0].x, corners[1].x)].map((x) => Math.min(image.naturalWidth, Math.max(0, Math.round(x))));
    const [top, bottom] = [Math.min(corners[0].y, corners[1].y), Math.max(corners[0].y, corners[1].y)].map((y) => Math.min(image.naturalHeight, Math.max(0, Math.round(y))));
    pen.beginPath();
    for (let x = left; x <= right; x += 1) { pen.moveTo(x, top); pen.lineTo(x, bottom); }
    for (let y = top; y <= bottom; y += 1) { pen.moveTo(left, y); pen.lineTo(right, y); }
    pen.lineWidth = 1 / scale;
    pen.strokeStyle = "rgb(127 127 127 / 60%)";
    pen.stroke();
  }

  tell(words) {
    const zoomed = Math.round(100 * (this.scale ?? this.fitting));
    this.canvas.setAttribute("aria-label", words);
    const said = `${this.dataset.shows} ${words} · ${zoomed} %`;
    const line = this.querySelector(".shows");
    if (line.textContent !== said) line.textContent = said;
    Object.assign(this.dataset, { mode: this.mode, top: this.top, scale: String(zoomed), turned: String(this.turned), mirrored: String(this.mirrored), x: String(Math.round(this.x)), y: String(Math.round(this.y)) });
  }

  save() {
    this.canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${this.dataset.name}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    });
  }
}

customElements.define("picture-compare", PictureCompare);
