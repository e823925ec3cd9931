// <picture-zoom>: the picture of an image's page, larger and larger; its frame scrolls by keyboard and pointer.
import { isTyping, toast } from "./workbench.js";

const STEP = 1.5;
const MOST = 16;

class PictureZoom extends HTMLElement {
  connectedCallback() {
    this.stage = this.querySelector(".zoom-stage");
    this.image = this.stage.querySelector("img");
    this.scale = 1;
    this.stage.tabIndex = 0;
    this.querySelector(".zoom-tools").hidden = false;
    for (const button of this.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => this.act(button.dataset.zoom));
    this.addEventListener("keydown", (event) => {
      const action = { "+": "in", "=": "in", "-": "out", 0: "all" }[event.key];
      if (!action || isTyping(event)) return;
      event.preventDefault();
      this.act(action);
    });
    this.stage.addEventListener("pointerdown", (event) => this.grab(event));
    this.image.draggable = false;
  }

  act(action) {
    const before = this.scale;
    this.scale = action === "all" ? 1 : Math.min(MOST, Math.max(1, before * (action === "in" ? STEP : 1 / STEP)));
    if (this.scale > 1) this.load();
    const { stage } = this;
    const middle = [stage.scrollLeft + stage.clientWidth / 2, stage.scrollTop + stage.clientHeight / 2];
    this.classList.toggle("zoomed", this.scale > 1);
    this.image.style.inlineSize = this.scale > 1 ? `${this.scale * 100}%` : "";
    const grown = this.scale / before;
    stage.scrollTo(middle[0] * grown - stage.clientWidth / 2, middle[1] * grown - stage.clientHeight / 2);
    this.querySelector("output").textContent = `${Math.round(this.scale * 100)} %`;
  }

  /** Loads the large picture in place of the small one, once. */
  async load() {
    const address = this.dataset.large;
    if (!address || this.loading) return;
    this.loading = true;
    const large = new Image();
    large.src = address;
    try {
      await large.decode();
      this.image.src = address;
    } catch {
      this.loading = false;
      toast(this.dataset.failed, true);
    }
  }

  grab(event) {
    if (event.pointerType !== "mouse" || this.scale === 1) return;
    const { stage } = this;
    const move = ({ movementX, movementY }) => stage.scrollBy(-movementX, -movementY);
    stage.setPointerCapture(event.pointerId);
    stage.addEventListener("pointermove", move);
    stage.addEventListener("lostpointercapture", () => stage.removeEventListener("pointermove", move), { once: true });
  }
}

customElements.define("picture-zoom", PictureZoom);
