// Is this budget exactly what the gateway released? Offline, with what is pinned of the parties,
// and with nothing but Node's own cryptography. Reasons are those of every other verifier of the
// project; docs/clients.md says which bytes are which.

import { type KeyObject, createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { type Json, NotJson, Num, canonical as jcs, parse } from "./json.js";
import { type Message, canonical, read } from "./message.js";

/** Whose word counts, as client.yaml and its trust file say it, with the keys in it. */
export interface TrustFile {
  releaser: string; // party code
  parties: {
    code: string;
    oin: string;
    keys: { id: string; alg: string; kinds: string[]; pem: string; lost?: boolean }[];
    log_keys?: string[];
  }[];
}

interface LogKey {
  name: string;
  hash: Buffer;
  key: KeyObject;
}
interface Party {
  oin: string;
  keys: Map<string, { alg: string; kinds: string[]; key: KeyObject; lost: boolean }>;
  log: LogKey[];
}

/** What is signed beside a budget. Times are seconds since 1970. */
export interface Claims {
  case: string;
  complete: boolean;
  digest: string;
  exp: bigint; // not to be built upon after this
  iat: bigint;
  iss: string; // OIN
  jti: string;
  kept?: bigint; // may be kept until then; absent: as exp
  policy_revision: string;
  receipt: string;
}

/** The answer: reason is empty where it verifies, and only then there are claims and a message. */
export type Verdict = { reason: ""; claims: Record<string, string | boolean | bigint>; message: Message } | { reason: string };

class Refused extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

function refuse(reason: string): never {
  throw new Refused(reason);
}

const sha256 = (...parts: (Buffer | string)[]): Buffer => parts.reduce((h, p) => h.update(p), createHash("sha256")).digest();

/** Trust in parties, by their pinned keys. The constructor throws when the file is not right. */
export class Trust {
  readonly byCode = new Map<string, Party>();
  readonly releaser: Party;

  constructor(file: TrustFile) {
    for (const p of file.parties) {
      const party: Party = { oin: p.oin, keys: new Map(), log: (p.log_keys ?? []).map(logKey) };
      for (const k of p.keys) {
        const key = createPublicKey(k.pem);
        if (party.keys.has(k.id) || !fits(k.alg, k.kinds, key)) throw new Error(`trust: key ${k.id} of ${p.code}`);
        party.keys.set(k.id, { alg: k.alg, kinds: k.kinds, key, lost: k.lost ?? false });
      }
      if (party.log.some((k) => k.name !== party.log[0]!.name)) throw new Error(`trust: log_keys of ${p.code}`);
      this.byCode.set(p.code, party);
    }
    const releaser = this.byCode.get(file.releaser);
    if (!releaser) throw new Error("trust: the releaser is no party");
    this.releaser = releaser;
  }

  /** The party with an OIN. */
  of(oin: string): Party | undefined {
    return [...this.byCode.values()].find((p) => p.oin === oin);
  }

  budget(raw: Uint8Array): Verdict {
    return this.verdict("Budget", raw, (b) => this.checkBudget(b));
  }

  account(raw: Uint8Array): Verdict {
    const claims = { digest: "string", funder: "string", iat: "int", iss: "string", jti: "string" };
    return this.verdict("Account", raw, (a) => this.checkDrawnUp("Account", a, claims, "funder"));
  }

  dissolution(raw: Uint8Array): Verdict {
    const claims = { date: "string", digest: "string", iat: "int", iss: "string", jti: "string" };
    return this.verdict("Dissolution", raw, (d) => this.checkDrawnUp("Dissolution", d, claims, "date"));
  }

  private verdict(kind: string, raw: Uint8Array, check: (m: Message) => Record<string, string | boolean | bigint>): Verdict {
    try {
      const message = read(kind, raw);
      return { reason: "", claims: check(message), message };
    } catch (e) {
      if (e instanceof Refused) return { reason: e.reason };
      if (e instanceof NotJson) return { reason: "MALFORMED" };
      throw e;
    }
  }

  private checkBudget(b: Message): Record<string, string | boolean | bigint> {
    const claims = this.signed(text(b.signature), resultClaims);
    if (claims.iss !== this.releaser.oin) refuse("RELEASER");
    const digest = sha256(canonical("Budget", b, "receipt", "signature"));
    if (claims.digest !== digest.toString("base64url")) refuse("CHANGED");
    const receipt = (b.receipt ?? Object.create(null)) as Message;
    if (claims.receipt !== sha256(canonical("Receipt", receipt)).toString("base64url")) refuse("RECEIPT_CHANGED");
    checkReceipt(b.receipt as Message | undefined, digest, this.releaser.log);
    this.checkDisclosures((b.sources ?? []) as Message[]);
    return claims;
  }

  private checkDrawnUp(kind: string, m: Message, spec: Spec, same: string): Record<string, string | boolean | bigint> {
    const claims = this.signed(text(m.signature), spec);
    if (claims.iss !== this.releaser.oin) refuse("RELEASER");
    if (claims[same] !== text(m[same])) refuse("CHANGED");
    if (claims.digest !== sha256(canonical(kind, m, "signature")).toString("base64url")) refuse("CHANGED");
    return claims;
  }

  private checkDisclosures(reports: Message[]): void {
    const seen = new Set<unknown>();
    for (const report of reports) {
      if (report.disclosure === undefined) continue;
      try {
        const id = this.checkDisclosure(text(report.source), report.disclosure as Message);
        if (seen.has(id)) refuse("TWICE");
        seen.add(id);
      } catch (e) {
        throw e instanceof Refused ? new Refused("DISCLOSURE_" + e.reason) : e;
      }
    }
  }

  private checkDisclosure(code: string, d: Message): unknown {
    const source = this.byCode.get(code);
    if (!source) refuse("PARTY");
    const s = this.signed(text(d.statement), statementClaims);
    if (s.iss !== source.oin || s.aud !== this.releaser.oin) refuse("AUDIENCE");
    if (!sound(s)) refuse("FORM");
    if (source.log.length === 0) refuse("LOG_KEY_MISSING");
    const receipt = d.receipt as Message | undefined;
    if ((receipt?.decision_index ?? 0n) !== s.decision) refuse("DECISION");
    checkReceipt(receipt, Buffer.from(s.answer as string, "base64url"), source.log);
    return s.jti;
  }

  /** Verifies a compact JWS of a result and gives its claims, which are exactly those of spec. */
  private signed(jws: string, spec: Spec): Record<string, string | boolean | bigint> {
    const parts = jws.split(".");
    if (Buffer.byteLength(jws) > 16 << 10 || parts.length !== 3 || parts[0]!.length > 8 << 10) refuse("SIGNATURE_MALFORMED");
    const [head, payload, signature] = parts.map(unbase64url) as [Buffer, Buffer, Buffer];
    if (signature.length === 0) refuse("SIGNATURE_MALFORMED");
    const { alg, kid } = header(head);
    const claims = claimsOf(payload);
    const key = this.of(claims.get("iss") as string)?.keys.get(kid);
    if (!key || key.lost || key.alg !== alg || !key.kinds.includes(resultKind)) refuse("SIGNATURE_KEY");
    if (!checkSignature(key, `${parts[0]}.${parts[1]}`, signature)) refuse("SIGNATURE_INVALID");
    return exactly(claims, spec);
  }
}

const resultKind = "ontschot-result+jwt";

type Spec = Record<string, string>;

const resultClaims: Spec = {
  case: "string", complete: "bool", digest: "string", exp: "int", iat: "int", iss: "string", jti: "string", kept: "int?", policy_revision: "string", receipt: "string",
};
const statementClaims: Spec = {
  agreement: "string", answer: "string", aud: "string", decision: "int", iat: "int", iss: "string", jti: "string", max_age_days: "int", permit: "string",
  policy_revision: "string", request: "string", retention_days: "int", trace: "string",
};

function text(v: unknown): string {
  return typeof v === "string" ? v : "";
}

/** Base64url without padding, stray bits and line ends. */
function unbase64url(s: string): Buffer {
  const raw = Buffer.from(s, "base64url");
  if (raw.toString("base64url") !== s) refuse("SIGNATURE_MALFORMED");
  return raw;
}

/** The header of a JWS, of four members at most. */
function header(raw: Buffer): { alg: string; kid: string } {
  const h = orRefuse(() => parse(raw), "SIGNATURE_MALFORMED");
  if (!(h instanceof Map)) refuse("SIGNATURE_MALFORMED");
  for (const [name, value] of h) {
    if (!["alg", "kid", "typ", "x5t#S256"].includes(name) || (typeof value !== "string" && value !== null)) refuse("SIGNATURE_MALFORMED");
  }
  const alg = text(h.get("alg"));
  const kid = text(h.get("kid"));
  if (alg === "" || kid === "" || h.get("typ") !== resultKind) refuse("SIGNATURE_MALFORMED");
  return { alg, kid };
}

/** Claims in the canonical form, of an issuer that has the form of one. */
function claimsOf(payload: Buffer): Map<string, Json> {
  const claims = orRefuse(() => {
    const v = parse(payload);
    return jcs(v) === payload.toString("utf8") ? v : null;
  }, "SIGNATURE_MALFORMED");
  if (!(claims instanceof Map) || !/^[0-9]{20}$/.test(text(claims.get("iss"))) || !modest(claims, 1)) refuse("SIGNATURE_MALFORMED");
  return claims;
}

/** Whether names are plain ASCII, no two alike but for their case, and nothing is too deep or too many. */
function modest(v: Json, depth: number): boolean {
  if (Array.isArray(v)) return depth <= 8 && v.every((one) => modest(one, depth + 1));
  if (!(v instanceof Map)) return true;
  const names = [...v.keys()];
  const fine = names.every((n) => /^[\x20-\x5b\x5d-\x7f]*$/.test(n) && !n.includes('"')) && names.length <= 128;
  return depth <= 8 && fine && new Set(names.map((n) => n.toLowerCase())).size === names.length && [...v.values()].every((one) => modest(one, depth + 1));
}

/** Claims of exactly these members and types. One with a question mark is left out when it is zero. */
function exactly(claims: Map<string, Json>, spec: Spec): Record<string, string | boolean | bigint> {
  const out: Record<string, string | boolean | bigint> = {};
  for (const name of claims.keys()) if (!Object.hasOwn(spec, name)) refuse("SIGNATURE_MALFORMED");
  for (const [name, type] of Object.entries(spec)) {
    const v = claims.get(name);
    if (v === undefined && type.endsWith("?")) continue;
    if (type === "string" && typeof v === "string") out[name] = v;
    else if (type === "bool" && typeof v === "boolean") out[name] = v;
    else if (type.startsWith("int") && v instanceof Num && !(type.endsWith("?") && v.text === "0")) out[name] = BigInt(v.text);
    else refuse("SIGNATURE_MALFORMED");
  }
  return out;
}

function orRefuse<T>(get: () => T, reason: string): T {
  try {
    return get();
  } catch (e) {
    if (e instanceof NotJson) refuse(reason);
    throw e;
  }
}

/** Whether a key is of a type and size that counts for its algorithm. RS256 is for outside tokens alone. */
function fits(alg: string, kinds: string[], key: KeyObject): boolean {
  const size = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const rsa = key.asymmetricKeyType === "rsa";
  if (kinds.length === 0) return false;
  if (alg === "ES256") return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
  if (alg === "EdDSA") return key.asymmetricKeyType === "ed25519";
  if (alg === "PS256") return rsa && size >= 3072;
  return alg === "RS256" && rsa && size >= 2048 && kinds.length === 1 && kinds[0] === "at+jwt";
}

function checkSignature(k: { alg: string; key: KeyObject }, input: string, signature: Buffer): boolean {
  const data = Buffer.from(input, "ascii");
  if (k.alg === "ES256") return signature.length === 64 && verifySignature("sha256", data, { key: k.key, dsaEncoding: "ieee-p1363" }, signature);
  if (k.alg === "EdDSA") return signature.length === 64 && verifySignature(null, data, k.key, signature);
  return verifySignature("sha256", data, { key: k.key, padding: 6 /* RSA_PKCS1_PSS_PADDING */, saltLength: 32 }, signature);
}

// --- receipts: the release stands in the log ------------------------------------------------

const most = (1n << 53n) - 2n;

function checkReceipt(r: Message | undefined, digest: Buffer, keys: LogKey[]): void {
  if (!r) refuse("RECEIPT_MISSING");
  if (keys.length === 0) refuse("LOG_KEY_MISSING");
  const raw = (r.leaf as Buffer | undefined) ?? Buffer.alloc(0);
  const leaf = readLeaf(raw);
  const index = (r.index as bigint | undefined) ?? 0n;
  const salt = (r.salt as Buffer | undefined) ?? Buffer.alloc(0);
  if (leaf.kind !== "release") refuse("LEAF_KIND");
  if (leaf.decided !== ((r.decision_index as bigint | undefined) ?? 0n) || (leaf.decided as bigint) >= index) refuse("LEAF_DECISION");
  if (salt.length !== 32) refuse("SALT_MALFORMED");
  if (sha256("ontschot/leaf/1/payload\0", salt, digest).toString("base64url") !== leaf.payload) refuse("LEAF_PAYLOAD");
  const head = openCheckpoint(text(r.checkpoint), keys);
  if (text(r.origin) !== head.origin) refuse("CHECKPOINT_ORIGIN");
  const proof = (r.proof ?? []) as Buffer[];
  if (proof.length > 64 || proof.some((h) => h.length !== 32)) refuse("PROOF_MALFORMED");
  if (index < 0n || index >= head.size) refuse("PROOF_INDEX");
  if (!included(sha256(Buffer.of(0), raw), index, head, proof)) refuse("PROOF_INCLUSION");
}

interface Head {
  origin: string;
  size: bigint;
  root: Buffer;
}

/** RFC 9162, section 2.1.3.2, of which the hashes are those of RFC 6962. */
function included(hash: Buffer, index: bigint, head: Head, proof: Buffer[]): boolean {
  let at = index;
  let last = head.size - 1n;
  for (const p of proof) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      hash = sha256(Buffer.of(1), p, hash);
      while (at % 2n === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = sha256(Buffer.of(1), hash, p);
    }
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && hash.equals(head.root);
}

/** A verifier key of C2SP signed-note: name+hash+base64(0x01 ‖ Ed25519 key). */
function logKey(s: string): LogKey {
  const found = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(s.trim());
  const raw = Buffer.from(found?.[3] ?? "", "base64");
  if (!found || raw.length !== 33 || raw[0] !== 1) throw new Error("trust: a log key");
  const name = found[1]!;
  const hash = sha256(name, "\n", raw).subarray(0, 4);
  if (hash.toString("hex") !== found[2]) throw new Error("trust: the hash of a log key");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.subarray(1).toString("base64url") }, format: "jwk" });
  return { name, hash, key };
}

/** A signed note (C2SP signed-note) with one signature, by one of the keys; its text is a checkpoint (C2SP tlog-checkpoint) without extension lines. */
function openCheckpoint(note: string, keys: LogKey[]): Head {
  if (Buffer.byteLength(note) > 4 << 10) refuse("CHECKPOINT_MALFORMED");
  const body = openNote(note, keys);
  const name = keys[0]!.name;
  const [origin, size, root, end, more] = body.split("\n");
  if (end !== "" || more !== undefined || !/^(0|[1-9][0-9]{0,15})$/.test(size!) || BigInt(size!) > most) refuse("CHECKPOINT_MALFORMED");
  const hash = Buffer.from(root!, "base64");
  if (hash.length !== 32 || hash.toString("base64") !== root) refuse("CHECKPOINT_MALFORMED");
  const epoch = origin!.startsWith(name + "/epoch-") ? origin!.slice(name.length + 7) : "";
  const later = /^[1-9][0-9]{0,15}$/.test(epoch) && BigInt(epoch) > 1n && BigInt(epoch) <= most;
  if (origin !== name && !later) refuse("CHECKPOINT_ORIGIN");
  return { origin: origin!, size: BigInt(size!), root: hash };
}

function openNote(note: string, keys: LogKey[]): string {
  const at = note.lastIndexOf("\n\n");
  const body = note.slice(0, at + 1);
  const found = at < 0 || /[\x00-\x09\x0b-\x1f]/.test(note) ? null : /^— ([^+\s]+) ([A-Za-z0-9+/]+=*)\n$/u.exec(note.slice(at + 2));
  const raw = Buffer.from(found?.[2] ?? "", "base64");
  const key = keys.find((k) => k.name === found?.[1] && k.hash.equals(raw.subarray(0, 4)));
  if (!found || !key || raw.length !== 68 || raw.toString("base64") !== found[2]) refuse("CHECKPOINT_SIGNATURE");
  if (!verifySignature(null, Buffer.from(body, "utf8"), key.key, raw.subarray(4))) refuse("CHECKPOINT_SIGNATURE");
  return body;
}

// --- leaves ---------------------------------------------------------------------------------

const isText = (s: string): boolean => /^[A-Za-z0-9._:/#@=,-]{0,128}$/.test(s);
const isHex = (n: number) => (s: string): boolean => s.length === n && /^[0-9a-f]*$/.test(s);
const isHash = (s: string): boolean => /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(s);
const isOIN = (s: string): boolean => /^[0-9]{20}$/.test(s);
const isUUIDv7 = (s: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(s);
const orNone = (is: (s: string) => boolean) => (s: string): boolean => s === "" || is(s);

/** Which form the texts of a leaf have; those in optional are left out when they are empty. */
const leafTexts: Record<string, (s: string) => boolean> = {
  activity: isText, case: orNone(isHash), confirm: isHash, day: isDay, decision: isText, end: orNone(isHash), id: isUUIDv7, key: isHex(64), kind: isText,
  payload: orNone(isHash), policy: isText, put: orNone(isHash), snapshot: isHex(64), status: isText, tenant: isOIN, trace: orNone(isHex(32)),
};
const leafLists: Record<string, [number, (s: string) => boolean]> = {
  agreements: [64, isHex(64)], consents: [224, isHash], organisations: [32, isOIN], rests: [448, isHash], subjects: [224, isHash],
};
const leafNumbers = ["decided", "epoch", "retry_of", "time", "version"];
const optional = ["confirm", "day", "epoch", "key", "snapshot"];
const traced = ["request", "decision", "source_call", "release", "deny", "break_glass"];
const untraced = ["consent", "agreement", "withdrawal", "policy", "key", "admin", "epoch", "confirmation", "snapshot", "erasure"];

function isDay(s: string): boolean {
  const found = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(s);
  if (!found) return false;
  const [year, month, day] = found.slice(1).map(Number) as [number, number, number];
  const is = new Date(Date.UTC(year, month - 1, day));
  return year >= 1850 && year <= 2299 && is.getUTCMonth() === month - 1 && is.getUTCDate() === day;
}

type Leaf = Record<string, string | bigint | string[]>;

/** Reads a leaf: RFC 8785 JSON with exactly these members, each in its form. */
function readLeaf(raw: Buffer): Leaf {
  const value = orRefuse(() => {
    const v = raw.length > 32 << 10 ? null : parse(raw);
    return v !== null && jcs(v) === raw.toString("utf8") ? v : null;
  }, "LEAF_MALFORMED");
  if (!(value instanceof Map)) refuse("LEAF_MALFORMED");
  const leaf: Leaf = {};
  for (const [name, v] of value) leaf[name] = leafMember(name, v);
  const all = [...Object.keys(leafTexts), ...Object.keys(leafLists), ...leafNumbers];
  if (all.some((name) => leaf[name] === undefined && !optional.includes(name)) || !leafRules(leaf)) refuse("LEAF_MALFORMED");
  return leaf;
}

function leafMember(name: string, v: Json): string | bigint | string[] {
  if (Object.hasOwn(leafTexts, name) && typeof v === "string" && leafTexts[name]!(v)) return v;
  if (leafNumbers.includes(name) && v instanceof Num) return BigInt(v.text);
  if (Object.hasOwn(leafLists, name) && Array.isArray(v)) {
    const [limit, is] = leafLists[name]!;
    if (v.length <= limit && v.every((one) => typeof one === "string" && is(one))) return v as string[];
  }
  return refuse("LEAF_MALFORMED");
}

function leafRules(l: Leaf): boolean {
  const n = (name: string): bigint => (l[name] as bigint | undefined) ?? 0n;
  const kind = l.kind as string;
  const decided = n("decided");
  const retry = n("retry_of");
  return (
    (n("version") === 3n || n("version") === 2n) &&
    (traced.includes(kind) || untraced.includes(kind)) &&
    n("time") > 0n && n("time") <= most + 1n &&
    (l.trace !== "" || untraced.includes(kind)) &&
    (kind === "release") === (decided >= 0n) && decided >= -1n && decided <= most &&
    retry >= -1n && retry <= most && (retry === -1n || kind === "decision" || kind === "deny") &&
    (l.day !== undefined) === (n("version") === 3n) && !(n("version") === 2n && l.key !== undefined) &&
    (l.key === undefined || (kind === "key" && (l.organisations as string[]).length > 0 && ["in_use", "retired", "lost"].includes(l.status as string))) &&
    (kind === "epoch") === (l.epoch !== undefined) && (l.epoch === undefined || (n("epoch") > 1n && n("epoch") <= most)) &&
    (kind === "confirmation") === (l.confirm !== undefined) &&
    (kind === "snapshot") === (l.snapshot !== undefined)
  );
}

/** Whether each member of a source's statement has its form. */
function sound(s: Record<string, string | boolean | bigint>): boolean {
  const days = (v: unknown): boolean => (v as bigint) >= 1n && (v as bigint) <= 3650n;
  return (
    days(s.retention_days) && days(s.max_age_days) && isHex(64)(s.agreement as string) && isHex(64)(s.policy_revision as string) &&
    isHash(s.answer as string) && isHash(s.request as string) && isHex(32)(s.trace as string) &&
    isUUIDv7(s.jti as string) && isUUIDv7(s.permit as string) && (s.iat as bigint) > 0n && (s.iat as bigint) <= 253402300799n
  );
}
