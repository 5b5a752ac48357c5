// The .tflite file in LiteRT.js: called by signature and by name, never by order.

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";
import { RecommenderError } from "./errors.js";

let runtime; // one WebAssembly module serves every model of a page

/**
 * Compile a model.
 * @param {Uint8Array} bytes of the .tflite file
 * @param {object} signatures of the manifest
 * @param {URL} wasm folder with the WebAssembly files of @litertjs/core
 */
export async function openModel(bytes, signatures, wasm) {
  runtime ??= loadLiteRt(wasm.href);
  await runtime.catch((error) => {
    runtime = undefined;
    throw new RecommenderError(`LiteRT.js cannot be started from ${wasm} (${error.message}); run npm install there`);
  });
  return new Model(await loadAndCompile(bytes, { accelerator: "wasm" }), signatures);
}

class Model {
  #compiled;
  #signatures;

  constructor(compiled, signatures) {
    this.#compiled = compiled;
    this.#signatures = signatures;
  }

  has(signature) {
    return Object.hasOwn(this.#signatures, signature);
  }

  /**
   * Outputs by name, as they leave the file.
   * @param {string} signature
   * @param {Object<string, Int32Array>} inputs
   */
  async run(signature, inputs) {
    const tensors = {};
    let outputs = {};
    try {
      for (const [name, spec] of Object.entries(this.#signatures[signature].inputs)) {
        tensors[name] = new Tensor(inputs[name], spec.shape);
      }
      outputs = await this.#compiled.run(signature, tensors);
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, tensor.toTypedArray()]));
    } finally {
      // Their memory is WebAssembly's, which the garbage collector does not see.
      for (const tensor of [...Object.values(tensors), ...Object.values(outputs)]) tensor.delete();
    }
  }

  /** Stored numbers of an output as float32: scale · (stored − zero point) where it is quantized. */
  dequantized(signature, name, stored) {
    const { scale, zero_point: zeroPoint } = this.#signatures[signature].outputs[name];
    if (scale === null) return stored;
    return Float32Array.from(stored, (value) => (value - zeroPoint) * Math.fround(scale));
  }

  /** Free its memory; it cannot be used afterwards. */
  close() {
    this.#compiled.delete();
  }
}
