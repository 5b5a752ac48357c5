// The bundle's golden vectors, asked again: whether this browser's runtime answers as the one that made them.

/**
 * @param {import("./recommender.js").Recommender} recommender
 * @returns {Promise<{cases: number, equalBits: number, equalLists: number}>} how many cases have the stored scores to
 *   the bit, and how many have the same lists
 */
export async function replay(recommender) {
  const golden = JSON.parse(new TextDecoder().decode(await recommender.bundle.read("golden.json")));
  const replayed = { cases: golden.cases.length, equalBits: 0, equalLists: 0 };
  for (const { inputs, outputs } of golden.cases) {
    const encoded = Object.fromEntries(Object.entries(inputs).map(([name, tokens]) => [name, Int32Array.from(tokens)]));
    const { scores } = await recommender.run("score", encoded);
    const top = [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, outputs.score.top.length);
    let lists = equal(top, outputs.score.top);
    let bits = (await sha256(scores)) === outputs.score.sha256;
    if (outputs.recommend !== undefined) {
      const own = await recommender.run("recommend", encoded);
      lists &&= equal(own.items, outputs.recommend.items);
      bits &&= equal(own.scores, outputs.recommend.scores);
    }
    replayed.equalBits += bits;
    replayed.equalLists += lists;
  }
  return replayed;
}

function equal(received, expected) {
  return received.length === expected.length && expected.every((value, index) => received[index] === value);
}

async function sha256(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
