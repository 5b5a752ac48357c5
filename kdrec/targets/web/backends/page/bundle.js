// Reading a bundle: nothing of it is used before it has been compared with the manifest.

import { RecommenderError } from "./errors.js";

const SCHEMA = 2; // the newest that this module reads

/**
 * @param {URL} folder that holds manifest.json
 * @param {string|null} manifestSha256 of manifest.json, in hex; null takes any manifest
 * @returns {Promise<{manifest: object, items: object, read: (name: string) => Promise<Uint8Array>}>}
 */
export async function openBundle(folder, manifestSha256) {
  const content = await fetched(new URL("manifest.json", folder));
  if (manifestSha256 !== null) await check(content, manifestSha256, "manifest.json");
  const manifest = json(content, "manifest.json");
  if (!(manifest.schema <= SCHEMA)) {
    throw new RecommenderError(
      `manifest.json has schema ${manifest.schema}, this page reads ${SCHEMA}: export it again with a newer kdrec`,
    );
  }
  if (manifest.host) {
    throw new RecommenderError("the bundle must need no host part, and this one does; export one for the target web");
  }
  const read = async (name) => {
    const expected = manifest.files[name];
    if (expected === undefined) throw new RecommenderError(`manifest.json must list ${name}; export the bundle again`);
    const bytes = await fetched(new URL(name, folder));
    if (bytes.length !== expected.bytes) {
      throw new RecommenderError(
        `${name} must have ${expected.bytes} bytes, received ${bytes.length}: it was cut or replaced; copy it again`,
      );
    }
    await check(bytes, expected.sha256, name);
    return bytes;
  };
  const items = json(await read("items.json"), "items.json");
  if (items.ids.length !== manifest.data.n_items || items.titles.length !== items.ids.length) {
    throw new RecommenderError(
      `items.json must have ${manifest.data.n_items} ids and titles, received ${items.ids.length} and ` +
        `${items.titles.length}; export the bundle again`,
    );
  }
  return { manifest, items, read };
}

async function fetched(url) {
  // Revalidated, so that a new manifest never meets an old model from the browser's cache.
  const response = await fetch(url, { cache: "no-cache" }).catch((error) => {
    throw new RecommenderError(`${url} cannot be fetched (${error.message}); serve the whole folder over http`);
  });
  if (!response.ok) throw new RecommenderError(`${url} must be served, received ${response.status}; copy the folder`);
  return new Uint8Array(await response.arrayBuffer());
}

async function check(bytes, expected, name) {
  if (!globalThis.crypto?.subtle) {
    throw new RecommenderError("checksums need a secure page: serve it over https, or from localhost");
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const received = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (received !== expected) {
    throw new RecommenderError(
      `${name} was altered: its sha256 must be ${expected.slice(0, 12)}…, received ${received.slice(0, 12)}…; ` +
        "copy it again or export it again",
    );
  }
}

function json(bytes, name) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new RecommenderError(`${name} is no JSON (${error.message}); copy it again or export it again`);
  }
}
