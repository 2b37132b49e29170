// A client of one gateway: client.yaml, mutual TLS, an access token for each call, and no budget
// that does not verify.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";
import { parse } from "yaml";
import { Trust, type TrustFile } from "./verify.js";

export interface Request {
  purpose: string;
  window: { from: string; to: string };
  persons: { ref: string; identifiers: { bsn: string } }[];
  asks: { person: string; source: string }[];
}

/** A budget as the JSON mapping of protobuf has it, proto names; amounts are texts, in cents. */
export interface Budget {
  purpose: string;
  window?: { from: string; to: string };
  lines?: { person: string; law: string; funder: string; value_cents?: string; product?: { code: string; label?: string }; period?: { start: string; end?: string } }[];
  care_total_cents?: string;
  income_cents?: string;
  gaps?: { person: string; source: string; reason: string }[];
  findings?: { text_nl: string }[];
  matrix?: { person: string }[];
  sources?: { source: string; disclosure?: unknown }[];
  complete?: boolean;
}

/** What came does not verify, or answers another request: nothing of it may be used. */
export class NotVerified extends Error {}

interface ClientFile {
  gateway: string; // host:port
  releaser: string; // party code
  trust: string;
  tls: { certificate: string; key: string; ca: string };
}

/** Reads whose word counts: client.yaml, the trust file it names, and the keys that that names. */
export function readTrust(path: string): Trust {
  const conf = parse(readFileSync(path, "utf8")) as ClientFile;
  const at = join(dirname(path), conf.trust);
  const file = parse(readFileSync(at, "utf8")) as { parties: (Omit<TrustFile["parties"][0], "keys"> & { keys: { id: string; alg: string; kinds: string[]; file: string; lost?: boolean }[] })[] };
  return new Trust({
    releaser: conf.releaser,
    parties: file.parties.map((p) => ({ ...p, keys: p.keys.map((k) => ({ ...k, pem: readFileSync(join(dirname(at), k.file), "utf8") })) })),
  });
}

export class Client {
  private readonly stub: grpc.Client & Record<string, any>;
  private readonly trust: Trust;

  /**
   * Opens a client.yaml. The folder proto of the project is read as it is. token is asked for an
   * access token at every call; it may keep one for as long as it lives. Make one client and keep it.
   */
  constructor(path: string, proto: string, private readonly token: () => string) {
    const conf = parse(readFileSync(path, "utf8")) as ClientFile;
    const file = (name: string): Buffer => readFileSync(join(dirname(path), name));
    this.trust = readTrust(path);
    const definition = loader.loadSync("ontschot/v1/exchange.proto", { includeDirs: [proto, join(proto, "third_party")], keepCase: true, longs: String, bytes: String });
    const root = grpc.loadPackageDefinition(definition) as any;
    this.stub = new root.ontschot.v1.ExchangeService(
      conf.gateway,
      grpc.credentials.createSsl(file(conf.tls.ca), file(conf.tls.key), file(conf.tls.certificate)),
      { "grpc.max_receive_message_length": 16 << 20 },
    );
  }

  /** Asks for the integrated budget of the persons in the request, and verifies what comes. */
  assembleBudget(request: Request, progress: (source: string) => void = () => {}): Promise<Budget> {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", "Bearer " + this.token());
    metadata.set("idempotency-key", randomUUID()); // under which a client that gets no response can retry
    const stream = this.stub.assembleBudget(request, metadata, { deadline: Date.now() + 30_000 }) as grpc.ClientReadableStream<{ progress?: { source: string }; budget?: Budget }>;
    return new Promise((resolve, reject) => {
      let budget: Budget | undefined;
      stream.on("data", (event) => {
        if (event.progress) progress(event.progress.source);
        budget = event.budget ?? budget;
      });
      stream.on("error", reject); // a grpc.ServiceError: code, and details in words
      stream.on("end", () => {
        try {
          resolve(this.checked(budget, request));
        } catch (e) {
          reject(e);
        }
      });
    });
  }

  private checked(budget: Budget | undefined, request: Request): Budget {
    if (!budget) throw new NotVerified("the stream ended without a budget");
    const { reason } = this.trust.budget(Buffer.from(JSON.stringify(budget), "utf8"));
    if (reason) throw new NotVerified(reason);
    // An older budget of the same gateway verifies as well.
    const persons = (budget.matrix ?? []).map((row) => row.person).join();
    const same = budget.purpose === request.purpose && budget.window?.from === request.window.from && budget.window.to === request.window.to;
    if (!same || persons !== request.persons.map((p) => p.ref).join()) throw new NotVerified("it answers another request");
    return budget;
  }

  close(): void {
    this.stub.close();
  }
}
