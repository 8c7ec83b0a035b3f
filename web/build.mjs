/** Bundles scripts and styles into static/dist: hashed names, manifest.json, brotli and gzip beside each file.
 *
 * Run after `python -m web.build`, which writes the messages of each page and language into static/dist/messages.
 */

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { build } from "esbuild";

const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const SOURCES = path.join(HERE, "client/src");
const DIST = path.join(HERE, "static/dist");
const ASSETS = path.join(DIST, "assets");
const MESSAGES = path.join(DIST, "messages");
const PAGES = [
  "invite",
  "visit",
  "board",
  "desk",
  "signin",
  "newconsult",
  "interpreters",
  "recordings",
  "recording",
  "demo",
];
// What every page has, and what only the pages of recordings have.
const STYLES = ["meridian", "playback"];
const COMPRESSED = /\.(js|css|svg)$/;
const BYTES_WORTH_COMPRESSING_MIN = 200;

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/** Entry points by name: one script a page, one script of messages a page and language, the style sheets. */
async function entries() {
  const found = Object.fromEntries(STYLES.map((name) => [name, path.join(HERE, `static/src/${name}.css`)]));
  for (const page of PAGES) {
    const file = path.join(SOURCES, `${page}.ts`);
    if (existsSync(file)) found[page] = file;
  }
  for (const file of existsSync(MESSAGES) ? await readdir(MESSAGES) : []) {
    found[`messages.${path.basename(file, ".js")}`] = path.join(MESSAGES, file);
  }
  return found;
}

/** The name templates use (`board.js`) for each built entry, and every file a page preloads with it. */
function manifestOf(outputs) {
  const manifest = {};
  for (const [file, output] of Object.entries(outputs)) {
    if (!output.entryPoint || file.endsWith(".map")) continue;
    const built = path.basename(file);
    const name = built.replace(/-[0-9A-Z]{8}(\.\w+)$/, "$1");
    const imports = output.imports
      .filter((one) => one.kind === "import-statement" && !one.external)
      .map((one) => `assets/${path.basename(one.path)}`);
    manifest[name] = { file: `assets/${built}`, imports };
  }
  return manifest;
}

/** Last, so that whoever reads the folder meanwhile finds either the old files or the new ones. */
async function removeStale(folder, outputs) {
  const built = new Set(Object.keys(outputs).map((file) => path.basename(file)));
  for (const name of await readdir(folder)) {
    if (!built.has(name.replace(/\.(br|gz)$/, ""))) await rm(path.join(folder, name));
  }
}

async function compress(folder) {
  for (const name of await readdir(folder)) {
    if (!COMPRESSED.test(name)) continue;
    const file = path.join(folder, name);
    const plain = await readFile(file);
    if (plain.length < BYTES_WORTH_COMPRESSING_MIN) continue;
    await writeFile(
      `${file}.br`,
      await brotli(plain, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }),
    );
    await writeFile(`${file}.gz`, await gzip(plain, { level: 9 }));
  }
}

await mkdir(ASSETS, { recursive: true });
const result = await build({
  entryPoints: await entries(),
  outdir: ASSETS,
  entryNames: "[name]-[hash]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  minify: true,
  metafile: true,
  legalComments: "none",
  // Baseline phones: Safari 15.4 and Chrome 87; socket.io-client cannot be lowered below Safari 14.1.
  target: ["safari15.4", "chrome87", "firefox91"],
  logLevel: "warning",
});
await compress(ASSETS);
const manifest = manifestOf(result.metafile.outputs);
await writeFile(path.join(DIST, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await writeFile(path.join(DIST, "meta.json"), JSON.stringify(result.metafile));
await removeStale(ASSETS, result.metafile.outputs);
