// Says of every vector in a folder what this verifier says: node dist/vectors.js FOLDER
// prints a line "FILE REASON" for each, and ends with 1 when one is not as the list has it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Trust } from "./verify.js";

const folder = process.argv[2] ?? "../../../proto/testdata/verify";
const list = JSON.parse(readFileSync(join(folder, "vectors.json"), "utf8")) as { file: string; of: "budget" | "account" | "dissolution"; trust: string; reason: string }[];
const trusts = new Map<string, Trust>();
let wrong = 0;
for (const v of list) {
  const trust = trusts.get(v.trust) ?? new Trust(JSON.parse(readFileSync(join(folder, v.trust), "utf8")));
  trusts.set(v.trust, trust);
  const { reason } = trust[v.of](readFileSync(join(folder, v.file)));
  console.log(v.file, reason);
  if (reason !== v.reason) {
    wrong++;
    console.error(`${v.file}: ${reason || "it verifies"}, and not ${v.reason || "that it verifies"}`);
  }
}
console.error(`${list.length} vectors, ${wrong} wrong`);
process.exitCode = wrong === 0 && list.length > 0 ? 0 : 1;
