// Asks POST /v1/search with the picture a person drops, chooses or pastes, and shows the answer.
// Everything from the server goes in as text, never as HTML: names, captions and labels are other people's words.
"use strict";

const BASE = document.body.dataset.base;
const OUTCOMES = {
  known_fake_match: "A known fake",
  shares_part_with_known_fake: "Shares a part with a known fake",
  similar_to_known_fake: "Similar to known fakes",
  no_match_found: "No known fake found",
  inconclusive: "Inconclusive",
  not_assessable: "Could not be assessed",
};
const RELATIONS = {
  same_file: "Same file",
  same_picture: "Same picture",
  shares_part: "Shares a part",
  same_origin: "Same origin",
};
const MEASURES = {
  sha256: (score) => (score.value === 1 ? "identical bytes" : "different bytes"),
  pdq_distance: (score) => `PDQ distance ${score.value} of 256 (counts up to ${score.threshold})`,
  overlap: (score) => `${score.value} features lie alike (counts from ${score.threshold})`,
  copy_cosine: (score) => `copy score ${score.value.toFixed(3)} (counts from ${score.threshold})`,
  cls_cosine: (score) => `cosine ${score.value.toFixed(3)} (counts from ${score.threshold})`,
};
const $ = (id) => document.getElementById(id);
const shown = [];
let asking = null;

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function words(slug) {
  return slug.replaceAll("_", " ");
}

function authorised() {
  const token = $("token");
  return token ? { Authorization: `Bearer ${token.value}` } : {};
}

function tell(message, isError = false, status = $("status")) {
  status.textContent = message;
  status.classList.toggle("error", isError);
}

function objectUrl(blob) {
  const url = URL.createObjectURL(blob);
  shown.push(url);
  return url;
}

async function ask(file) {
  asking?.abort();
  const mine = (asking = new AbortController());
  while (shown.length) URL.revokeObjectURL(shown.pop());
  $("answer").hidden = true;
  tell("Comparing…");
  try {
    show(await posted("/v1/search", file, {}, mine.signal), file);
    tell("");
  } catch (error) {
    if (!mine.signal.aborted) tell(error.message || "The server could not be reached.", true);
  }
}

// The answer to a form with a picture; an answer that is a problem is thrown as its words.
async function posted(address, file, fields, signal) {
  const body = new FormData();
  body.append("image", file, file.name || "pasted picture");
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  const response = await fetch(BASE + address, { method: "POST", body, headers: authorised(), signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail || response.statusText);
  return answer;
}

function show(answer, file) {
  const verdict = answer.verdict;
  $("asked").src = objectUrl(file);
  $("verdict").className = `verdict ${verdict.outcome}`;
  $("outcome").textContent = OUTCOMES[verdict.outcome] || words(verdict.outcome);
  $("summary").textContent = verdict.summary;
  $("detector").textContent = detectorWords(answer.detector, verdict);
  const holding = answer.matches.filter((match) => match.holds);
  const near = answer.matches.filter((match) => !match.holds);
  $("matches-title").textContent = holding.length ? `Matches (${holding.length})` : "No matches";
  $("matches").replaceChildren(...holding.map(matchItem));
  $("nearest").hidden = near.length === 0;
  $("nearest").open = false;
  $("nearest-count").textContent = near.length;
  $("near").replaceChildren(...near.map(matchItem));
  offerRegion(file);
  const limits = answer.scope_note ? [answer.scope_note, ...verdict.limitations] : verdict.limitations;
  $("limits").replaceChildren(...limits.map((limit) => element("li", limit)));
  $("evidence").replaceChildren(...verdict.evidence.map((piece) => element("li", `${piece.statement} (${words(piece.kind)})`)));
  $("origin").replaceChildren(...definitions({
    "SHA-256 of the picture": answer.query.sha256,
    "PDQ hash, quality": `${answer.query.pdq}, ${answer.query.pdq_quality}`,
    "Picture": `${answer.query.format} ${answer.query.width} × ${answer.query.height}${answer.query.notes.map((n) => `, ${n}`).join("")}`,
    "Index snapshot, embeddings searched": `${verdict.index.snapshot}, ${verdict.index.size}`,
    "Decided at": verdict.decided_at,
  }));
  $("before").hidden = true;
  $("answer").hidden = false;
  $("drop").classList.add("small");
}

function detectorWords(finding, verdict) {
  if (!finding) return "";
  if (finding.p_fake === null) return `The detector ${finding.name} is not trained, so it has no score for this picture.`;
  const statement = verdict.evidence.find((piece) => piece.measure === "p_fake").statement;
  return verdict.verbal_band ? `${statement} By its score alone: ${verdict.verbal_band}.` : statement;
}

function* definitionPairs(entries) {
  for (const [term, value] of Object.entries(entries)) {
    yield element("dt", term);
    yield element("dd", value);
  }
}

function definitions(entries) {
  return [...definitionPairs(entries)];
}

function matchItem(match) {
  const title = match.holds ? RELATIONS[match.relation] : "No match";
  const seen = thumbnail(match.image.image);
  const why = scoreTable(match.scores);
  if (!match.overlap) return knownItem(seen, title, match.image, why);
  const both = element("div");
  both.append(element("p", overlapWords(match.overlap), "quiet"), why);
  return knownItem(framed(seen, match.overlap.known_box, match.image.image), title, match.image, both);
}

// How the two pictures lie in each other.
function overlapWords(overlap) {
  const share = (part) => `${Math.max(1, Math.round(100 * part))} %`;
  const turned = Math.abs(overlap.turned) < 2 ? "" : `, turned by ${Math.abs(overlap.turned).toFixed(0)}°`;
  return `Both show the same in ${share(overlap.query_share)} of your picture and ${share(overlap.known_share)} of the `
    + `known one (framed)${overlap.mirrored ? ", mirrored" : ""}${turned}.`;
}

// A picture with a box on it, in pixels of the image it is a thumbnail of.
function framed(seen, edges, image) {
  const frame = element("div", undefined, "framed");
  const box = element("div", undefined, "box");
  box.hidden = true;
  seen.addEventListener("load", () => {
    place(box, edges, image.width, image.height);
    box.hidden = false;
  });
  frame.append(seen, box);
  return frame;
}

// Lays an element over a picture that fills its parent, in shares of the picture's sides.
function place(over, [left, top, right, bottom], width, height) {
  over.style.left = `${(100 * left) / width}%`;
  over.style.top = `${(100 * top) / height}%`;
  over.style.width = `${(100 * (right - left)) / width}%`;
  over.style.height = `${(100 * (bottom - top)) / height}%`;
}

function thumbnail(image) {
  const picture = element("img", undefined, "thumb");
  picture.alt = `Known image ${image.sha256.slice(0, 12)}`;
  loadThumbnail(picture, `/v1/images/${image.sha256}/thumbnail`);
  return picture;
}

function knownItem(picture, title, { image, campaigns, sightings }, why) {
  const item = element("li");
  const text = element("div");
  text.append(element("h4", title), labelLine(image.label));
  for (const place of campaigns) text.append(element("p", `Campaign: ${place.name} (${place.campaign})`));
  for (const seen of sightings.slice(0, 3)) text.append(element("p", sightingWords(seen), "quiet"));
  if (sightings.length > 3) text.append(element("p", `and ${sightings.length - 3} more sightings`, "quiet"));
  text.append(why);
  const name = element("p", undefined, "quiet");
  name.append("SHA-256 ", element("code", image.sha256));
  text.append(name);
  item.append(picture, text);
  return item;
}

function labelLine(label) {
  const line = element("p");
  const value = label.disputed ? "disputed" : label.value;
  line.append(element("span", value === "unknown" ? "not labelled" : value, `tag ${value}`));
  const details = [];
  if (label.source) details.push(`says ${label.source} (${words(label.source_kind)})`);
  if (label.technique !== "unknown") details.push(words(label.technique));
  if (label.generator) details.push(label.generator);
  if (details.length) line.append(element("span", details.join(" · ")));
  return line;
}

function sightingWords(seen) {
  const when = seen.posted_at ? seen.posted_at.slice(0, 10) : null;
  const parts = [seen.platform, seen.account, when, seen.url, seen.claim || seen.caption].filter(Boolean);
  return `Seen: ${parts.join(" · ")}`;
}

function scoreTable(scores) {
  const table = element("table");
  for (const score of scores) {
    const row = element("tr");
    const note = score.note ? `, ${words(score.note)}` : "";
    row.append(
      element("th", RELATIONS[score.relation]),
      element("td", MEASURES[score.measure](score) + note),
      element("td", words(score.band)),
    );
    table.append(row);
  }
  return table;
}

async function loadThumbnail(picture, address) {
  const response = await fetch(BASE + address, { headers: authorised() });
  if (response.ok) picture.src = objectUrl(await response.blob());
}

function take(files) {
  const file = [...(files || [])][0];
  if (file) ask(file);
}

$("picture").addEventListener("change", (event) => {
  take(event.target.files);
  event.target.value = "";
});
$("ask").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("paste", (event) => take(event.clipboardData.files));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") take(event.dataTransfer.files);
  });
}
