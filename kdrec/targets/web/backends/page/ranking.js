// Ranking order: score descending, then lower position.

/**
 * Positions of the k best allowed items.
 * @param {Float32Array} scores one an item
 * @param {Uint8Array} allowed one an item, 0 or 1, at least k of them 1
 * @param {number} k
 * @returns {number[]}
 */
export function best(scores, allowed, k) {
  const positions = [...allowed.keys()].filter((position) => allowed[position]);
  const sorted = Float32Array.from(positions, (position) => scores[position]).sort();
  const least = sorted[sorted.length - k];
  // Only those no worse than the k-th best are sorted; stable, so equal scores stay in position order.
  const near = positions.filter((position) => scores[position] >= least);
  return near.sort((a, b) => scores[b] - scores[a]).slice(0, k);
}

/**
 * The k best allowed items, if the top K that a file ranked itself is enough to know them.
 *
 * It is not when fewer than k of it are allowed, nor when the k-th is as good as the last of K: an item beyond K may
 * then tie with it and have a lower position.
 * @param {Int32Array} positions of the file's top K
 * @param {Float32Array} scores theirs
 * @param {Uint8Array} allowed one an item of the catalogue
 * @param {number} k
 * @returns {number[]|null} indices into the top K
 */
export function bestOfTop(positions, scores, allowed, k) {
  const ranked = [...positions.keys()].sort((a, b) => scores[b] - scores[a] || positions[a] - positions[b]);
  const kept = ranked.filter((index) => allowed[positions[index]]);
  if (kept.length < k) return null;
  const least = scores[ranked[ranked.length - 1]];
  if (positions.length < allowed.length && scores[kept[k - 1]] === least) return null;
  return kept.slice(0, k);
}

/**
 * The k most popular allowed items; those that the bundle does not order follow by position.
 * @param {number[]} popular positions, best first
 * @param {Uint8Array} allowed one an item
 * @param {number} k
 * @returns {number[]}
 */
export function mostPopular(popular, allowed, k) {
  const named = new Set(popular);
  const found = popular.filter((position) => allowed[position]).slice(0, k);
  for (let position = 0; found.length < k; position++) {
    if (allowed[position] && !named.has(position)) found.push(position);
  }
  return found;
}
