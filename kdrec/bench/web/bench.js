// Stands in for the exported page's own script: times the bundle in this browser, and posts what it found to its server.

const STEPS = 20; // of the clock, which browsers make coarse, that a batch of calls takes at least
const LISTED = 10;
const WARM_UP = 500; // milliseconds beyond the calls asked for, in which browsers still compile

measure()
  .catch((error) => ({ error: `${error.name}: ${error.message}` }))
  .then((answer) => fetch("answer", { method: "POST", body: JSON.stringify(answer) }));

async function measure() {
  const asked = await (await fetch("asked.json")).json();
  // Imported here, so that a module that is missing is an answer, too.
  const { getGlobalLiteRt } = await import("@litertjs/core");
  const { Recommender } = await import("./recommender.js");
  const { manifest: manifestSha256 } = document.documentElement.dataset;
  const recommender = await Recommender.load({ manifestSha256 });
  const cases = JSON.parse(new TextDecoder().decode(await recommender.bundle.read("golden.json"))).cases;
  const inputs = cases.map(({ inputs }) => inputs);
  const step = clockStep();
  const signature = asked.signature ?? (recommender.manifest.signatures.recommend ? "recommend" : "score");
  const encoded = inputs.map((each) =>
    Object.fromEntries(Object.entries(each).map(([name, tokens]) => [name, Int32Array.from(tokens)])),
  );
  const calls = { [signature]: await timed((each) => recommender.run(signature, each), encoded, asked, step) };
  if (asked.signature === null) {
    const questions = inputs.map((each) => question(each, recommender));
    calls["recommend()"] = await timed((each) => recommender.recommend(...each), questions, asked, step);
  }
  return {
    browser: navigator.userAgent.match(/Chrome\/(\d+)/)?.[1] ?? "of unknown version",
    cases: cases.length,
    memory_bytes: getGlobalLiteRt().liteRtWasm.HEAPU8.byteLength,
    calls,
  };
}

/** Arguments of `recommend` from tokens: ids of the history, how many are listed, and values of the context. */
function question({ history, ...context }, { items, manifest }) {
  const ids = history.filter((token) => token > 0).map((token) => items.ids[token - 1] ?? items.rare[0]);
  const values = Object.entries(context).filter(([, [token]]) => token > 0);
  const k = Math.min(LISTED, items.ids.length - new Set(ids).size);
  return [ids, { k, context: Object.fromEntries(values.map(([name, [token]]) => [name, manifest.context[name][token - 1]])) }];
}

/** Microseconds of a call in each of `runs` batches, whose calls take turns with the cases. */
async function timed(call, cases, { runs, warmup }, step) {
  let next = 0;
  const batch = async (size) => {
    const began = performance.now();
    for (let left = size; left > 0; left--) await call(cases[next++ % cases.length]);
    return (1000 * (performance.now() - began)) / size;
  };
  await batch(warmup);
  let once = Infinity; // of the quickest, for other processes take their share of some
  const until = performance.now() + WARM_UP;
  do once = Math.min(once, await batch(cases.length));
  while (performance.now() < until);
  const size = Math.max(1, Math.ceil((STEPS * step * 1000) / Math.max(once, 1)));
  const microseconds = [];
  while (microseconds.length < runs) microseconds.push(await batch(size));
  return { batch: size, microseconds };
}

/** Milliseconds by which the browser's clock goes on. */
function clockStep() {
  const steps = Array.from({ length: 10 }, () => {
    const began = performance.now();
    let now = began;
    while (now === began) now = performance.now();
    return now - began;
  });
  return Math.max(...steps);
}
