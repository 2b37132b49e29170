// JSON as it stands there: numbers in the digits they are written in, no member twice, no half
// characters. JSON.parse rounds numbers, takes the last of two members and lets __proto__ in.

/** A number, as it is written. */
export class Num {
  constructor(readonly text: string) {}
}

/** One JSON value. Objects are maps, so that no name of a member means anything. */
export type Json = null | boolean | string | Num | Json[] | Map<string, Json>;

/** What is no JSON, or none that is taken here. It does not repeat the text. */
export class NotJson extends Error {}

const deepest = 64;
const number = /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const plain = /[^"\\\u0000-\u001f]*/y;
const escapes: Record<string, string> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Reads exactly one value from UTF-8. Throws NotJson. */
export function parse(raw: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw new NotJson("not UTF-8");
  }
  const r = new Reader(text);
  const value = r.value(0);
  r.space();
  if (r.at !== text.length) throw new NotJson("more than one value");
  return value;
}

class Reader {
  at = 0;
  constructor(readonly text: string) {}

  space(): void {
    while (" \t\r\n".includes(this.text[this.at] ?? "x")) this.at++;
  }

  private is(c: string): boolean {
    if (!this.text.startsWith(c, this.at)) return false;
    this.at += c.length;
    return true;
  }

  private must(c: string): void {
    this.space();
    if (!this.is(c)) throw new NotJson(`no ${c} where one belongs`);
  }

  value(depth: number): Json {
    if (depth > deepest) throw new NotJson("too deep");
    this.space();
    if (this.is("{")) return this.object(depth);
    if (this.is("[")) return this.list(depth);
    if (this.text[this.at] === '"') return this.string();
    if (this.is("true")) return true;
    if (this.is("false")) return false;
    if (this.is("null")) return null;
    return new Num(this.match(number));
  }

  private match(what: RegExp): string {
    what.lastIndex = this.at;
    const found = what.exec(this.text);
    if (!found) throw new NotJson("no value");
    this.at += found[0].length;
    return found[0];
  }

  private object(depth: number): Json {
    const members = new Map<string, Json>();
    this.space();
    if (this.is("}")) return members;
    for (;;) {
      this.space();
      const name = this.string();
      if (members.has(name)) throw new NotJson("a member twice");
      this.must(":");
      members.set(name, this.value(depth + 1));
      this.space();
      if (this.is("}")) return members;
      this.must(",");
    }
  }

  private list(depth: number): Json {
    const all: Json[] = [];
    this.space();
    if (this.is("]")) return all;
    for (;;) {
      all.push(this.value(depth + 1));
      this.space();
      if (this.is("]")) return all;
      this.must(",");
    }
  }

  private string(): string {
    if (!this.is('"')) throw new NotJson("no text where one belongs");
    let out = "";
    for (;;) {
      out += this.match(plain);
      if (this.is('"')) break;
      if (!this.is("\\")) throw new NotJson("a control character, or no end");
      const c = this.text[this.at++] ?? "";
      if (c === "u") {
        const digits = this.text.slice(this.at, this.at + 4);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new NotJson("an escape");
        out += String.fromCharCode(parseInt(digits, 16));
        this.at += 4;
      } else {
        const meant = escapes[c];
        if (meant === undefined) throw new NotJson("an escape");
        out += meant;
      }
    }
    if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(out)) throw new NotJson("half a character");
    return out;
  }
}

/** Writes a text as RFC 8785, section 3.2.2.2 does: so JSON.stringify does, for whole characters. */
export function quoted(s: string): string {
  return JSON.stringify(s);
}

/** Orders names by their UTF-16 code units (RFC 8785, section 3.2.3): so JavaScript compares texts. */
export function inOrder(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Gives the RFC 8785 form of a value whose numbers are whole and not beyond 2^53, up to where
 * every reader reads the same. Throws NotJson for any other.
 */
export function canonical(v: Json): string {
  if (v instanceof Num) {
    if (!/^(0|-?[1-9][0-9]*)$/.test(v.text) || !exact(BigInt(v.text))) throw new NotJson("a number that is not whole and small");
    return v.text;
  }
  if (typeof v === "string") return quoted(v);
  if (Array.isArray(v)) return "[" + v.map(canonical).join(",") + "]";
  if (v instanceof Map) return "{" + inOrder(v.keys()).map((k) => quoted(k) + ":" + canonical(v.get(k)!)).join(",") + "}";
  return String(v);
}

function exact(n: bigint): boolean {
  const most = 1n << 53n;
  return n <= most && n >= -most;
}
