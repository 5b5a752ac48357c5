// Recommendations from a bundle, in the browser: what kdrec's Recommender answers in Python.

import { openBundle } from "./bundle.js";
import { RecommenderError } from "./errors.js";
import { contextTokens, rightAligned, show, splitKnown, tokensOf } from "./inputs.js";
import { openModel } from "./model.js";
import { best, bestOfTop, mostPopular } from "./ranking.js";

export { RecommenderError };

/** A bundle, ready to recommend; `Recommender.load()` makes one. */
export class Recommender {
  #model;
  #tokens;
  #positions;

  constructor(bundle, model) {
    this.manifest = bundle.manifest;
    this.items = bundle.items;
    this.bundle = bundle;
    this.#model = model;
    this.#tokens = tokensOf(bundle.items);
    this.#positions = new Map(bundle.items.ids.map((id, position) => [id, position]));
  }

  /**
   * Verify a bundle's checksums and compile its model.
   * @param {object} [options]
   * @param {string|URL} [options.folder] of the bundle; beside this module by default
   * @param {string|URL} [options.wasm] folder of LiteRT.js' WebAssembly files
   * @param {string|null} [options.manifestSha256] of manifest.json, if the page knows it
   */
  static async load({
    folder = new URL("./", import.meta.url),
    wasm = new URL("./node_modules/@litertjs/core/wasm/", import.meta.url),
    manifestSha256 = null,
  } = {}) {
    const at = (address) => new URL(address, globalThis.location?.href);
    const bundle = await openBundle(at(folder), manifestSha256);
    const { signatures } = bundle.manifest;
    const model = await openModel(await bundle.read(signatures.score.file), signatures, at(wasm));
    const recommender = new Recommender(bundle, model);
    // Browsers compile WebAssembly where it is first run, which would make the first list slow.
    await recommender.recommend(bundle.items.ids.slice(0, 1), { k: 1, excludeHistory: false });
    return recommender;
  }

  /**
   * The k best items for a history: score descending, then lower position.
   *
   * The file's own top K answers when it is enough; else the scores of all items are ranked. A history without any known
   * item gives the most popular items.
   * @param {Iterable<number|string>} history item ids, the most recent last
   * @param {object} [options]
   * @param {number} [options.k] how many items
   * @param {Iterable<number|string>} [options.exclude] ids that are not listed
   * @param {Iterable<number|string>|null} [options.candidates] ids that may be listed; null allows all
   * @param {Object<string, number|string>} [options.context] value of each context feature, by name
   * @param {boolean} [options.excludeHistory] whether items of the history are left out
   * @returns {Promise<{items: (number|string)[], titles: string[], scores: number[], unknown: (number|string)[],
   *   unknownContext: string[], fallback: boolean}>}
   */
  async recommend(history, { k = 10, exclude = [], candidates = null, context = {}, excludeHistory = true } = {}) {
    const { ids, titles, popular } = this.items;
    const seen = splitKnown(history, this.#tokens, "history");
    const barred = splitKnown(exclude, this.#positions, "exclude");
    const wanted = splitKnown(candidates ?? [], this.#positions, "candidates");
    const allowed = new Uint8Array(ids.length).fill(candidates === null ? 1 : 0);
    for (const position of wanted.known) allowed[position] = 1;
    for (const position of barred.known) allowed[position] = 0;
    if (excludeHistory) for (const token of seen.known) if (token <= ids.length) allowed[token - 1] = 0;
    checkK(k, allowed);
    const { tokens, unknown: unknownContext } = contextTokens(context, this.manifest.context);
    const unknown = [...new Set([...seen.unknown, ...barred.unknown, ...wanted.unknown])];
    const fallback = seen.known.length === 0;
    const { positions, scores } = fallback
      ? { positions: mostPopular(popular, allowed, k), scores: new Array(k).fill(0) }
      : await this.#rank(this.encode(seen.known, tokens), allowed, k, candidates !== null);
    return {
      items: positions.map((position) => ids[position]),
      titles: positions.map((position) => titles[position]),
      scores,
      unknown,
      unknownContext,
      fallback,
    };
  }

  /** Inputs of the file by name, of tokens of a history and of each context feature. */
  encode(history, context) {
    const inputs = { history: rightAligned(history, this.manifest.history.length) };
    for (const name of Object.keys(this.manifest.context)) inputs[name] = Int32Array.of(context[name]);
    return inputs;
  }

  /** Outputs of one of the file's signatures by name, as they leave it: `recommend`, `score`, `embed`. */
  async run(signature, inputs) {
    if (!this.#model.has(signature)) throw new RecommenderError(`the file has no signature "${signature}"`);
    return this.#model.run(signature, inputs);
  }

  /** Free the model's memory. */
  close() {
    this.#model.close();
  }

  async #rank(inputs, allowed, k, whole) {
    if (!whole && this.#model.has("recommend")) {
      const top = await this.#model.run("recommend", inputs);
      const scores = this.#model.dequantized("recommend", "scores", top.scores);
      const listed = bestOfTop(top.items, scores, allowed, k);
      if (listed) {
        return { positions: listed.map((index) => top.items[index]), scores: listed.map((index) => scores[index]) };
      }
    }
    const stored = (await this.#model.run("score", inputs)).scores;
    const scores = this.#model.dequantized("score", "scores", stored);
    const positions = best(scores, allowed, k);
    return { positions, scores: positions.map((position) => scores[position]) };
  }
}

function checkK(k, allowed) {
  if (!Number.isInteger(k) || k < 1) {
    throw new RecommenderError(`k must be an integer of at least 1, received ${show(k)}; 10 is usual`);
  }
  const left = allowed.reduce((sum, one) => sum + one, 0);
  if (k > left) {
    throw new RecommenderError(
      `k must be at most ${left}, the items that may be listed of a catalogue of ${allowed.length}, received ${k}; ` +
        "ask for fewer, exclude less or give more candidates",
    );
  }
}
