// Asks POST /v1/search/region with a box drawn on the picture that was asked about, and shows which known fakes hold it
// and where. The helpers are those of search.js.
"use strict";

const EDGES = ["left", "top", "right", "bottom"];
let picture = null;
let corner = null;
let askingRegion = null;

function offerRegion(file) {
  askingRegion?.abort();
  picture = file;
  $("whole").src = objectUrl(file);
  $("region").open = false;
  $("ask-region").reset();
  draw();
  $("regions").replaceChildren();
  $("region-limits").replaceChildren();
  tellRegion("");
}

function tellRegion(message, isError = false) {
  $("region-status").textContent = message;
  $("region-status").classList.toggle("error", isError);
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

// Lays an element over a picture that fills its parent, in shares of the picture's sides.
function place(over, [left, top, right, bottom], width, height) {
  over.style.left = `${(100 * left) / width}%`;
  over.style.top = `${(100 * top) / height}%`;
  over.style.width = `${(100 * (right - left)) / width}%`;
  over.style.height = `${(100 * (bottom - top)) / height}%`;
}

async function askRegion() {
  askingRegion?.abort();
  const mine = (askingRegion = new AbortController());
  $("regions").replaceChildren();
  $("region-limits").replaceChildren();
  tellRegion("Looking for this part…");
  const body = new FormData();
  body.append("image", picture, picture.name || "pasted picture");
  for (const edge of EDGES) body.append(edge, $(edge).value);
  try {
    const response = await fetch(`${BASE}/v1/search/region`, { method: "POST", body, headers: authorised(), signal: mine.signal });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail || response.statusText);
    showRegion(answer);
  } catch (error) {
    if (!mine.signal.aborted) tellRegion(error.message || "The server could not be reached.", true);
  }
}

function showRegion(answer) {
  const found = answer.matches.length;
  const searched = `Known fakes looked through: ${answer.searched}; features of this part: ${answer.features}.`;
  tellRegion(`${found ? `Found in ${found}.` : "Found in none."} ${searched}`);
  $("regions").replaceChildren(...answer.matches.map(regionItem));
  $("region-limits").replaceChildren(...answer.limitations.map((limit) => element("li", limit)));
}

function regionItem(match) {
  const { image } = match.image;
  const framed = element("div", undefined, "framed");
  const box = element("div", undefined, "box");
  box.hidden = true;
  const seen = thumbnail(image);
  seen.addEventListener("load", () => {
    place(box, match.box, image.width, image.height);
    box.hidden = false;
  });
  framed.append(seen, box);
  const why = element("p", `${match.inliers} of ${match.matches} local features lie alike.`, "quiet");
  return knownItem(framed, match.firm ? "Contains this part" : "May contain this part", match.image, why);
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
