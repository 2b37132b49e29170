// The messages of the protocol, out of their JSON form, and their canonical bytes.

import { readFileSync } from "node:fs";
import { type Json, NotJson, Num, inOrder, parse, quoted } from "./json.js";

/** What is set of a message, by the names of proto. Whole numbers are bigint, bytes Buffer, maps Map. */
export type Message = { [field: string]: Value };
export type Value = string | boolean | bigint | Buffer | Message | Value[] | Map<string, Value>;

// Written by the project's own tests out of the descriptors of the messages: "int64" is left out
// when it is zero, "int64?" is set or not, "int64[]" a list, "int64{}" a map; the name of a
// message for a scalar's.
const kinds = JSON.parse(readFileSync(new URL("../messages.json", import.meta.url), "utf8")) as Record<string, Record<string, string>>;

const bits: Record<string, [bigint, bigint]> = {
  int32: [-(1n << 31n), (1n << 31n) - 1n],
  uint32: [0n, (1n << 32n) - 1n],
  int64: [-(1n << 63n), (1n << 63n) - 1n],
};

/** Reads a message of the JSON mapping of proto3 (both names of a member, strings or numbers). Throws NotJson. */
export function read(kind: string, raw: Uint8Array): Message {
  return message(kind, parse(raw));
}

function message(kind: string, v: Json): Message {
  if (!(v instanceof Map)) throw new NotJson("no object where one belongs");
  const fields = kinds[kind]!;
  const seen = new Set<string>();
  const out: Message = Object.create(null);
  for (const [name, value] of v) {
    const field = Object.hasOwn(fields, name) ? name : Object.keys(fields).find((f) => camel(f) === name);
    if (field === undefined) throw new NotJson("a member that the message does not have");
    if (seen.has(field)) throw new NotJson("a member twice");
    seen.add(field);
    if (value === null) continue;
    const set = field_(fields[field]!, value);
    if (set !== undefined) out[field] = set;
  }
  return out;
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());
}

/** The value of a field; undefined where it says what is not written: zero, or nothing in it. */
function field_(type: string, v: Json): Value | undefined {
  if (type.endsWith("[]")) {
    if (!Array.isArray(v)) throw new NotJson("no list where one belongs");
    return v.length === 0 ? undefined : v.map((one) => single(type.slice(0, -2), one));
  }
  if (type.endsWith("{}")) {
    if (!(v instanceof Map)) throw new NotJson("no map where one belongs");
    return v.size === 0 ? undefined : new Map([...v].map(([k, one]) => [k, single(type.slice(0, -2), one)]));
  }
  if (type.endsWith("?")) return single(type.slice(0, -1), v);
  const value = single(type, v);
  return value === "" || value === false || value === 0n || (Buffer.isBuffer(value) && value.length === 0) ? undefined : value;
}

function single(type: string, v: Json): Value {
  if (Object.hasOwn(kinds, type)) return message(type, v);
  if (type === "bool" && typeof v === "boolean") return v;
  if (type === "string" && typeof v === "string") return v;
  if (type === "bytes" && typeof v === "string") return bytes(v);
  const range = bits[type];
  const digits = v instanceof Num ? v.text : v;
  if (range && typeof digits === "string" && /^-?(0|[1-9][0-9]*)$/.test(digits) && digits.length <= 20) {
    const n = BigInt(digits);
    if (n >= range[0] && n <= range[1]) return n;
  }
  throw new NotJson("a value of another type");
}

/** Base64 of either alphabet, with or without padding. */
function bytes(s: string): Buffer {
  const alphabet = /[-_]/.test(s) ? /^[A-Za-z0-9_-]*$/ : /^[A-Za-z0-9+/]*$/;
  const bare = s.length % 4 === 0 ? s.replace(/={1,2}$/, "") : s;
  if (!alphabet.test(bare) || bare.length % 4 === 1) throw new NotJson("no base64");
  return Buffer.from(bare, "base64");
}

/** The RFC 8785 form of a message, proto names, without some of its own fields, as UTF-8. */
export function canonical(kind: string, m: Message, ...without: string[]): Buffer {
  return Buffer.from(written(kind, m, without), "utf8");
}

function written(kind: string, m: Message, without: string[] = []): string {
  const names = inOrder(Object.keys(m)).filter((f) => !without.includes(f));
  return "{" + names.map((f) => quoted(f) + ":" + value(kinds[kind]![f]!.replace(/\?$/, ""), m[f]!)).join(",") + "}";
}

function value(type: string, v: Value): string {
  if (Array.isArray(v)) return "[" + v.map((one) => value(type.slice(0, -2), one)).join(",") + "]";
  if (v instanceof Map) return "{" + inOrder(v.keys()).map((k) => quoted(k) + ":" + value(type.slice(0, -2), v.get(k)!)).join(",") + "}";
  if (Buffer.isBuffer(v)) return quoted(v.toString("base64"));
  if (typeof v === "bigint") return type === "int64" ? quoted(v.toString()) : v.toString(); // 64 bits are texts
  if (typeof v === "string") return quoted(v);
  if (typeof v === "boolean") return String(v);
  return written(type, v);
}
