// Asks POST /v1/search/region with a box drawn on the picture that was asked about, and shows which known fakes hold it
// and where. The helpers are those of search.js.
"use strict";

const EDGES = ["left", "top", "right", "bottom"];
let picture = null;
let corner = null;
let askingRegion = null;

function offerRegion(file) {
  picture = file;
  $("whole").src = $("asked").src;
  $("region").open = false;
  $("ask-region").reset();
  draw();
  forgetRegion("");
}

// Drops the last answer, and the question if it is still open, and says what comes instead.
function forgetRegion(message) {
  askingRegion?.abort();
  $("regions").replaceChildren();
  $("region-limits").replaceChildren();
  tell(message, false, $("region-status"));
}

// The pixel of the picture under the pointer, within the picture.
function pixelAt(event) {
  const whole = $("whole");
  const seen = whole.getBoundingClientRect();
  const within = (share) => Math.min(1, Math.max(0, share));
  return [
    Math.round(within((event.clientX - seen.left) / seen.width) * whole.naturalWidth),
    Math.round(within((event.clientY - seen.top) / seen.height) * whole.naturalHeight),
  ];
}

function drag(event) {
  const [x, y] = pixelAt(event);
  const edges = [Math.min(corner[0], x), Math.min(corner[1], y), Math.max(corner[0], x), Math.max(corner[1], y)];
  EDGES.forEach((edge, number) => ($(edge).value = edges[number]));
  draw();
}

// The box as the edges say.
function draw() {
  const whole = $("whole");
  const edges = EDGES.map((edge) => $(edge).valueAsNumber);
  $("box").hidden = edges.some(Number.isNaN);
  if (!$("box").hidden) place($("box"), edges, whole.naturalWidth, whole.naturalHeight);
}

async function askRegion() {
  forgetRegion("Looking for this part…");
  const mine = (askingRegion = new AbortController());
  const edges = Object.fromEntries(EDGES.map((edge) => [edge, $(edge).value]));
  try {
    showRegion(await posted("/v1/search/region", picture, edges, mine.signal));
  } catch (error) {
    if (!mine.signal.aborted) tell(error.message || "The server could not be reached.", true, $("region-status"));
  }
}

function showRegion(answer) {
  const found = answer.matches.length;
  const searched = `Known fakes looked through: ${answer.searched}; features of this part: ${answer.features}.`;
  tell(`${found ? `Found in ${found}.` : "Found in none."} ${searched}`, false, $("region-status"));
  $("regions").replaceChildren(...answer.matches.map(regionItem));
  $("region-limits").replaceChildren(...answer.limitations.map((limit) => element("li", limit)));
}

function regionItem(match) {
  const { image } = match.image;
  const seen = framed(thumbnail(image), match.box, image);
  const why = element("p", `${match.inliers} of ${match.matches} local features lie alike.`, "quiet");
  return knownItem(seen, match.firm ? "Contains this part" : "May contain this part", match.image, why);
}

$("stage").addEventListener("pointerdown", (event) => {
  corner = pixelAt(event);
  $("stage").setPointerCapture(event.pointerId);
  drag(event);
});
$("stage").addEventListener("pointermove", (event) => corner && drag(event));
$("stage").addEventListener("pointerup", () => (corner = null));
$("stage").addEventListener("pointercancel", () => (corner = null));
$("ask-region").addEventListener("input", draw);
$("ask-region").addEventListener("submit", (event) => {
  event.preventDefault();
  askRegion();
});
