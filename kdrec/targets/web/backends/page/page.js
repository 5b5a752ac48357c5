// The page: search your items, tap them, see what is recommended. All of it happens in this browser.

import { combobox } from "./combobox.js";
import { replay } from "./golden.js";
import { Recommender } from "./recommender.js";
import { searcher } from "./search.js";

const LISTED = 10;
const SUGGESTED = 8;

const part = (id) => document.getElementById(id);
const state = { history: [], context: {}, asked: 0 };
let recommender;

start().catch((error) => {
  document.body.dataset.state = "failed";
  part("status").textContent = error.message;
});

async function start() {
  const { manifest: manifestSha256 } = document.documentElement.dataset;
  recommender = await Recommender.load({ manifestSha256 });
  const { items, manifest } = recommender;
  const bytes = manifest.files[manifest.signatures.score.file].bytes;
  part("facts").textContent =
    `${items.ids.length.toLocaleString("en")} items, a model of ${Math.ceil(bytes / 1024).toLocaleString("en")} KiB`;
  const search = searcher(items);
  combobox(part("search"), part("options"), (text) =>
    search(text, SUGGESTED).map((position) => ({
      label: items.titles[position],
      note: String(items.ids[position]),
      choose: () => add(position),
    })),
  );
  for (const [name, values] of Object.entries(manifest.context)) part("context").append(select(name, values));
  part("clear").addEventListener("click", () => {
    state.history = [];
    part("search").focus();
    return update();
  });
  part("check").addEventListener("click", check);
  part("search").disabled = false;
  await update();
  document.body.dataset.state = "ready";
}

function add(position) {
  // What is chosen again is the most recent.
  state.history = [...state.history.filter((each) => each !== position), position];
  return update();
}

function remove(position) {
  state.history = state.history.filter((each) => each !== position);
  part("search").focus();
  return update();
}

/** Ask the model, and show the lists; of questions that overlap only the last is shown. */
async function update() {
  const asked = ++state.asked;
  const { ids } = recommender.items;
  part("history").replaceChildren(...state.history.toReversed().map(chip));
  part("clear").hidden = state.history.length === 0;
  part("nothing").hidden = state.history.length > 0;
  const seen = state.history.map((position) => ids[position]);
  const k = Math.min(LISTED, ids.length - seen.length);
  if (k < 1) {
    part("list").replaceChildren();
    part("status").textContent = "Every item is yours already.";
    return;
  }
  const began = performance.now();
  const found = await recommender.recommend(seen, { k, context: state.context });
  const took = performance.now() - began;
  if (asked !== state.asked) return;
  part("heading").textContent = found.fallback ? "Most popular" : "Recommended";
  const lines = [...part("list").children];
  const focused = lines.findIndex((each) => each.contains(document.activeElement));
  part("list").replaceChildren(...found.items.map((id, place) => line(id, found.titles[place])));
  part("list").children[focused]?.firstChild.focus(); // by keys one goes on where one was
  part("status").textContent = found.fallback
    ? "Choose an item to get your own list."
    : `From ${seen.length} ${seen.length === 1 ? "item" : "items"}, in ${took.toFixed(1)} ms on this device.`;
}

function line(id, title) {
  const button = element("button", { type: "button" }, element("span", {}, title), element("small", {}, String(id)));
  button.setAttribute("aria-label", `${title}: add to your items`);
  button.addEventListener("click", () => add(recommender.items.ids.indexOf(id)));
  return element("li", {}, button);
}

function chip(position) {
  const title = recommender.items.titles[position];
  const button = element("button", { type: "button" }, title, element("span", { ariaHidden: "true" }, "×"));
  button.setAttribute("aria-label", `Remove ${title}`);
  button.addEventListener("click", () => remove(position));
  return element("li", {}, button);
}

function select(name, values) {
  const choices = element("select", {}, element("option", { value: "" }, "any"));
  choices.append(...values.map((value, index) => element("option", { value: String(index) }, String(value))));
  choices.addEventListener("change", () => {
    if (choices.value === "") delete state.context[name];
    else state.context[name] = values[Number(choices.value)];
    return update();
  });
  return element("label", {}, element("span", {}, name.replaceAll("_", " ")), choices);
}

async function check() {
  part("checked").textContent = "checking …";
  const { cases, equalBits, equalLists } = await replay(recommender);
  part("checked").textContent =
    `${equalLists} of ${cases} lists are those of the bundle's golden vectors; ` +
    `${equalBits} of ${cases} answers are equal to the bit.`;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
