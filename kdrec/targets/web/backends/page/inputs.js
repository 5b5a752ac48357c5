// Histories and context as the file takes them: int32 tokens, position + 1, right-aligned; 0 is padding or unknown.

import { RecommenderError } from "./errors.js";

/**
 * What stands for each id in a history: its position + 1, or the one token that rare items share.
 * @param {{ids: (number|string)[], rare?: (number|string)[]}} items of items.json
 * @returns {Map<number|string, number>}
 */
export function tokensOf(items) {
  const tokens = new Map(items.ids.map((id, position) => [id, position + 1]));
  for (const id of items.rare ?? []) tokens.set(id, items.ids.length + 1);
  return tokens;
}

/**
 * Tokens of the ids that the catalogue has, and the ids that it has not, both in order.
 * @param {Iterable<number|string>} ids
 * @param {Map<number|string, number>} tokens by id
 * @param {string} argument for errors
 */
export function splitKnown(ids, tokens, argument) {
  if (typeof ids === "string" || typeof ids?.[Symbol.iterator] !== "function") {
    throw new RecommenderError(`${argument} must be a list of item ids, received ${show(ids)}; put ids into a list`);
  }
  const known = [];
  const unknown = [];
  for (const id of ids) {
    if (typeof id !== "number" && typeof id !== "string") {
      throw new RecommenderError(
        `${argument} must hold item ids, integers or strings, received ${show(id)}; give ids`,
      );
    }
    if (tokens.has(id)) known.push(tokens.get(id));
    else unknown.push(id);
  }
  return { known, unknown };
}

/**
 * The last `length` tokens, zeros on the left where there are fewer.
 * @returns {Int32Array} of that length
 */
export function rightAligned(tokens, length) {
  const kept = tokens.slice(-length);
  const padded = new Int32Array(length);
  padded.set(kept, length - kept.length);
  return padded;
}

/**
 * A token for each context feature of the model: index of the value + 1, or 0 when absent or unknown.
 * @param {Object<string, number|string>} context value by name; a name that the model does not have is refused
 * @param {Object<string, (number|string)[]>} vocabularies values by name
 */
export function contextTokens(context, vocabularies) {
  for (const name of Object.keys(context)) {
    if (!Object.hasOwn(vocabularies, name)) {
      const known = Object.keys(vocabularies).sort().join(", ") || "none";
      throw new RecommenderError(`context has no "${name}", the model takes ${known}; leave "${name}" out`);
    }
  }
  const tokens = {};
  const unknown = [];
  for (const [name, values] of Object.entries(vocabularies)) {
    tokens[name] = Object.hasOwn(context, name) ? values.indexOf(context[name]) + 1 : 0;
    if (Object.hasOwn(context, name) && tokens[name] === 0) unknown.push(name);
  }
  return { tokens, unknown };
}

export function show(value) {
  return JSON.stringify(value) ?? String(value);
}
