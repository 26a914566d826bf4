#!/usr/bin/env node
// Drops a prompt into an sdspool folder, waits, and prints the paths of the pictures.
//   drop.mjs SPOOL PROMPT
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

if (process.argv.length !== 4) {
  console.error("usage: drop.mjs SPOOL PROMPT");
  process.exit(64);
}
const [spool, prompt] = process.argv.slice(2);

// A hidden name until the file is whole, then one rename.
const name = `hello-${process.pid}-${randomBytes(4).toString("hex")}`;
const hidden = join(spool, "inbox", `.${name}.json.tmp`);
await writeFile(hidden, JSON.stringify({ prompt, steps: 20, width: 512, height: 512 }));
await rename(hidden, join(spool, "inbox", `${name}.json`));

// A folder of results appears in one rename too: once seen, it is complete.
const done = join(spool, "done", name);
const failed = join(spool, "failed", name);
while (!existsSync(done) && !existsSync(failed)) await sleep(200);

if (existsSync(failed)) {
  const { message } = JSON.parse(await readFile(join(failed, "error.json"), "utf8"));
  console.error(message);
  process.exitCode = 1;
} else {
  const files = await readdir(done);
  for (const file of files.sort()) if (/\.(png|jpg|webp)$/.test(file)) console.log(join(done, file));
}
