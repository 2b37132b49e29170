// Asks for one budget and says it in words:
//
//   node dist/ask.js client.yaml client/token request.json PROTO [SECONDS]
//
// request.json is an AssembleBudgetRequest; PROTO is the folder with the messages. With SECONDS it
// asks again and again for that long, on the one client, and then says how often.

import { readFileSync } from "node:fs";
import { type Budget, Client, type Request } from "./client.js";

const [config, token, request, proto, seconds] = process.argv.slice(2) as [string, string, string, string, string?];

const euros = (cents: string | undefined): string => {
  if (cents === undefined) return "niet bekend";
  const n = BigInt(cents);
  const whole = (n < 0n ? -n : n).toString().padStart(3, "0");
  return `${n < 0n ? "-" : ""}€ ${whole.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ".")},${whole.slice(-2)}`;
};

function say(b: Budget): void {
  console.log(`Het budget van ${b.window?.from} tot en met ${b.window?.to}.`);
  for (const line of b.lines ?? []) {
    console.log(`- ${line.person}: ${line.product?.label || line.product?.code} (${line.law}), betaald door ${line.funder}: ${euros(line.value_cents)}`);
  }
  console.log(`Samen voor zorg: ${euros(b.care_total_cents)}. Inkomen: ${euros(b.income_cents)}.`);
  for (const f of b.findings ?? []) console.log(`Let op: ${f.text_nl}`);
  for (const g of b.gaps ?? []) console.log(`Ontbreekt: ${g.person} bij ${g.source} (${g.reason})`);
  const peers = (b.sources ?? []).filter((s) => s.disclosure).length;
  console.log(`Gecontroleerd: de handtekening, de inhoud, het bewijs van het logboek en ${peers} verklaringen van bronnen kloppen.`);
}

const client = new Client(config, proto, () => readFileSync(token, "utf8").trim());
const asked = JSON.parse(readFileSync(request, "utf8")) as Request;
const until = Date.now() + 1000 * Number(seconds ?? 0);
let times = 0;
try {
  do {
    const budget = await client.assembleBudget(asked);
    if (times++ === 0) say(budget);
    if (seconds) await new Promise((done) => setTimeout(done, 100));
  } while (Date.now() < until);
  if (seconds) console.log(`${times} keer gevraagd en gecontroleerd.`);
} catch (e) {
  console.error(`Geen budget: ${(e as Error).message}`);
  process.exitCode = 1;
} finally {
  client.close();
}
