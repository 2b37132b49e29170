"""Is this budget exactly what the gateway released?

Offline, with what is pinned of the parties, and with nothing but the standard library and
`cryptography`. Reasons are those of every other verifier of the project; docs/clients.md says
which bytes are which.

    trust = Trust(json.load(open("trust.json")))
    verdict = trust.budget(open("budget.json", "rb").read())
    if verdict.reason: ...       # it must not be used
"""

import base64
import binascii
import dataclasses
import datetime
import hashlib
import json
import os
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

RESULT = "ontschot-result+jwt"
MOST = 2**53 - 2  # of an index


class Refused(Exception):
    """Why it does not verify: a word of the closed list."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class NotJson(Exception):
    """No JSON, or none that is taken here. It does not repeat the text."""


@dataclasses.dataclass
class Verdict:
    reason: str  # empty where it verifies, and only then there are claims and a message
    claims: dict = None
    message: dict = None


def sha256(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part)
    return h.digest()


def b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


# --- JSON as it stands there: numbers in their digits, no member twice, no half characters ---

class Number(str):
    """A number, as it is written."""


def parse(raw):
    """Read exactly one value from UTF-8."""
    def members(pairs):
        out = dict(pairs)
        if len(out) != len(pairs):
            raise NotJson("a member twice")
        return out

    def refuse(_):
        raise NotJson("no number")

    try:
        text = raw.decode("utf-8")
        if text.startswith("\ufeff"):
            raise NotJson("a byte order mark")
        value = json.loads(text, object_pairs_hook=members, parse_int=Number, parse_float=Number, parse_constant=refuse)
        return whole(value, 0)
    except (ValueError, RecursionError):
        raise NotJson("not one JSON value") from None


def whole(value, depth):
    """The value, if no text in it has half a character and it is not too deep."""
    if depth > 64:
        raise NotJson("too deep")
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        raise NotJson("half a character")
    if isinstance(value, dict):
        for name, one in value.items():
            whole(name, depth + 1)
            whole(one, depth + 1)
    if isinstance(value, list):
        for one in value:
            whole(one, depth + 1)
    return value


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text):
    """RFC 8785, section 3.2.2.2."""
    return '"' + re.sub(r'["\\\x00-\x1f]', lambda m: ESCAPES.get(m[0]) or "\\u%04x" % ord(m[0]), text) + '"'


def in_order(names):
    """By UTF-16 code units: RFC 8785, section 3.2.3."""
    return sorted(names, key=lambda name: name.encode("utf-16-be"))


def jcs(value):
    """The RFC 8785 form of a value whose numbers are whole and not beyond 2^53."""
    if isinstance(value, Number):
        if not re.fullmatch(r"0|-?[1-9][0-9]{0,15}", value) or abs(int(value)) > 2**53:
            raise NotJson("a number that is not whole and small")
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(jcs(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(quoted(k) + ":" + jcs(value[k]) for k in in_order(value)) + "}"
    return {None: "null", True: "true", False: "false"}[value]


# --- messages, out of their JSON form, and their canonical bytes --------------------------------

# Written by the project's own tests out of the descriptors of the messages: "int64" is left out
# when it is zero, "int64?" is set or not, "int64[]" a list, "int64{}" a map; the name of a
# message for a scalar's.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "messages.json"), encoding="utf-8") as _file:
    KINDS = json.load(_file)

RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1)}


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda m: m[1].upper(), name)


def read(kind, value):
    """What is set of a message, by the names of proto."""
    if not isinstance(value, dict):
        raise NotJson("no object where one belongs")
    fields, out, seen = KINDS[kind], {}, set()
    by_name = {**{camel(f): f for f in fields}, **{f: f for f in fields}}
    for name, one in value.items():
        field = by_name.get(name)
        if field is None or field in seen:
            raise NotJson("a member that the message does not have, or twice")
        seen.add(field)
        if one is None:
            continue
        one = field_of(fields[field], one)
        if one is not None:
            out[field] = one
    return out


def field_of(type_, value):
    """The value of a field; None where it says what is not written: zero, or nothing in it."""
    if type_.endswith("[]"):
        if not isinstance(value, list):
            raise NotJson("no list where one belongs")
        return [single(type_[:-2], one) for one in value] or None
    if type_.endswith("{}"):
        if not isinstance(value, dict):
            raise NotJson("no map where one belongs")
        return {k: single(type_[:-2], one) for k, one in value.items()} or None
    if type_.endswith("?"):
        return single(type_[:-1], value)
    value = single(type_, value)
    return value if isinstance(value, dict) else value or None


def single(type_, value):
    if type_ in KINDS:
        return read(type_, value)
    if type_ == "bool" and isinstance(value, bool):
        return value
    if type_ in RANGES and isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", value):
        low, high = RANGES[type_]
        if low <= int(value) <= high:
            return int(value)
    if isinstance(value, str) and not isinstance(value, Number):
        if type_ == "string":
            return value
        if type_ == "bytes":
            return unbase64(value)
    raise NotJson("a value of another type")


def unbase64(text):
    """Base64 of either alphabet, with or without padding."""
    alphabet = r"[A-Za-z0-9_-]*" if re.search("[-_]", text) else r"[A-Za-z0-9+/]*"
    bare = re.sub(r"={1,2}\Z", "", text) if len(text) % 4 == 0 else text
    if not re.fullmatch(alphabet, bare) or len(bare) % 4 == 1:
        raise NotJson("no base64")
    return base64.b64decode(bare.replace("-", "+").replace("_", "/") + "=" * (-len(bare) % 4))


def canonical(kind, message, *without):
    """The RFC 8785 form of a message, proto names, without some of its own fields, as UTF-8."""
    return written(kind, message, without).encode("utf-8")


def written(kind, message, without=()):
    fields = KINDS[kind]
    return "{" + ",".join(quoted(f) + ":" + value_of(fields[f].rstrip("?"), message[f]) for f in in_order(message) if f not in without) + "}"


def value_of(type_, value):
    if type_.endswith("[]"):
        return "[" + ",".join(value_of(type_[:-2], one) for one in value) + "]"
    if type_.endswith("{}"):
        return "{" + ",".join(quoted(k) + ":" + value_of(type_[:-2], value[k]) for k in in_order(value)) + "}"
    if type_ in KINDS:
        return written(type_, value)
    if type_ == "bytes":
        return quoted(base64.b64encode(value).decode("ascii"))
    if type_ == "bool":
        return "true" if value else "false"
    if type_ == "int64":
        return quoted(str(value))  # 64 bits are texts
    return str(value) if type_ in RANGES else quoted(value)


# --- trust ---------------------------------------------------------------------------------------

def fits(alg, kinds, key):
    """Whether a key is of a type and size that counts for its algorithm."""
    if not kinds:
        return False
    if alg == "ES256":
        return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    if alg == "EdDSA":
        return isinstance(key, ed25519.Ed25519PublicKey)
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    if alg == "PS256":
        return key.key_size >= 3072
    return alg == "RS256" and key.key_size >= 2048 and kinds == ["at+jwt"]  # of an outside issuer of tokens


class Party:
    def __init__(self, given):
        self.oin, self.keys = given["oin"], {}
        for k in given["keys"]:
            key = serialization.load_pem_public_key(k["pem"].encode("ascii"))
            if k["id"] in self.keys or not fits(k["alg"], k["kinds"], key):
                raise ValueError("trust: key %s of %s" % (k["id"], given["code"]))
            self.keys[k["id"]] = (k["alg"], k["kinds"], key, bool(k.get("lost")))
        self.log = [log_key(text) for text in given.get("log_keys") or []]
        if len({name for name, _, _ in self.log}) > 1:
            raise ValueError("trust: log_keys of %s" % given["code"])


class Trust:
    """Trust in parties, by their pinned keys.

    `given` is what client.yaml and its trust file say, with the keys in it:
    {"releaser": CODE, "parties": [{"code", "oin", "keys": [{"id", "alg", "kinds", "pem", "lost"}], "log_keys"}]}.
    ValueError and KeyError when it is not right.
    """

    def __init__(self, given):
        self.parties = {p["code"]: Party(p) for p in given["parties"]}
        if given["releaser"] not in self.parties:
            raise ValueError("trust: the releaser is no party")
        self.releaser = self.parties[given["releaser"]]

    def of(self, oin):
        return next((p for p in self.parties.values() if p.oin == oin), None)

    def budget(self, raw):
        """The Verdict on the bytes of a budget's JSON."""
        return self.verdict("Budget", raw, self.check_budget)

    def account(self, raw):
        return self.verdict("Account", raw, lambda m: self.check_drawn_up("Account", m, ACCOUNT, "funder"))

    def dissolution(self, raw):
        return self.verdict("Dissolution", raw, lambda m: self.check_drawn_up("Dissolution", m, DISSOLUTION, "date"))

    def verdict(self, kind, raw, check):
        try:
            message = read(kind, parse(raw))
            return Verdict("", check(message), message)
        except NotJson:
            return Verdict("MALFORMED")
        except Refused as refused:
            return Verdict(refused.reason)

    def check_budget(self, b):
        claims = self.signed(b.get("signature", ""), CLAIMS)
        digest = sha256(canonical("Budget", b, "receipt", "signature"))
        if claims["iss"] != self.releaser.oin:
            raise Refused("RELEASER")
        if claims["digest"] != b64url(digest):
            raise Refused("CHANGED")
        if claims["receipt"] != b64url(sha256(canonical("Receipt", b.get("receipt", {})))):
            raise Refused("RECEIPT_CHANGED")
        check_receipt(b.get("receipt"), digest, self.releaser.log)
        seen = set()
        for report in b.get("sources", []):
            if "disclosure" not in report:
                continue
            try:
                said = self.check_disclosure(report.get("source", ""), report["disclosure"])
                if said in seen:
                    raise Refused("TWICE")
            except Refused as refused:
                raise Refused("DISCLOSURE_" + refused.reason) from None
            seen.add(said)
        return claims

    def check_drawn_up(self, kind, m, spec, same):
        claims = self.signed(m.get("signature", ""), spec)
        if claims["iss"] != self.releaser.oin:
            raise Refused("RELEASER")
        if claims[same] != m.get(same, "") or claims["digest"] != b64url(sha256(canonical(kind, m, "signature"))):
            raise Refused("CHANGED")
        return claims

    def check_disclosure(self, code, d):
        source = self.parties.get(code)
        if source is None:
            raise Refused("PARTY")
        s = self.signed(d.get("statement", ""), STATEMENT)
        if s["iss"] != source.oin or s["aud"] != self.releaser.oin:
            raise Refused("AUDIENCE")
        if not sound(s):
            raise Refused("FORM")
        if not source.log:
            raise Refused("LOG_KEY_MISSING")
        receipt = d.get("receipt")
        if (receipt or {}).get("decision_index", 0) != s["decision"]:
            raise Refused("DECISION")
        check_receipt(receipt, base64.urlsafe_b64decode(s["answer"] + "="), source.log)
        return s["jti"]

    def signed(self, jws, spec):
        """Verify a compact JWS of a result; its claims, which are exactly those of spec."""
        parts = jws.split(".")
        if len(jws.encode("utf-8")) > 16 << 10 or len(parts) != 3 or len(parts[0]) > 8 << 10:
            raise Refused("SIGNATURE_MALFORMED")
        head, payload, signature = (unbase64url(part) for part in parts)
        if not signature:
            raise Refused("SIGNATURE_MALFORMED")
        alg, kid = header(head)
        claims = claims_of(payload)
        party = self.of(claims["iss"])
        key = party and party.keys.get(kid)
        if not key or key[3] or key[0] != alg or RESULT not in key[1]:
            raise Refused("SIGNATURE_KEY")
        if not good_signature(alg, key[2], (parts[0] + "." + parts[1]).encode("ascii"), signature):
            raise Refused("SIGNATURE_INVALID")
        return exactly(claims, spec)


# --- signatures ------------------------------------------------------------------------------------

CLAIMS = {"case": str, "complete": bool, "digest": str, "exp": int, "iat": int, "iss": str, "jti": str, "kept": None, "policy_revision": str, "receipt": str}
STATEMENT = {"agreement": str, "answer": str, "aud": str, "decision": int, "iat": int, "iss": str, "jti": str, "max_age_days": int, "permit": str,
             "policy_revision": str, "request": str, "retention_days": int, "trace": str}
ACCOUNT = {"digest": str, "funder": str, "iat": int, "iss": str, "jti": str}
DISSOLUTION = {"date": str, "digest": str, "iat": int, "iss": str, "jti": str}


def unbase64url(text):
    """Base64url without padding, stray bits and line ends."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise Refused("SIGNATURE_MALFORMED") from None
    if b64url(raw) != text:
        raise Refused("SIGNATURE_MALFORMED")
    return raw


def parsed(raw):
    try:
        return parse(raw)
    except NotJson:
        return None


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def header(raw):
    """alg and kid of a header, which has four members at most."""
    h = parsed(raw)
    if not isinstance(h, dict) or any(n not in ("alg", "kid", "typ", "x5t#S256") or not (v is None or is_text(v)) for n, v in h.items()):
        raise Refused("SIGNATURE_MALFORMED")
    if not h.get("alg") or not h.get("kid") or h.get("typ") != RESULT:
        raise Refused("SIGNATURE_MALFORMED")
    return h["alg"], h["kid"]


def claims_of(payload):
    """Claims in the canonical form, of an issuer that has the form of one."""
    claims = parsed(payload)
    try:
        good = isinstance(claims, dict) and jcs(claims).encode("utf-8") == payload
    except NotJson:
        good = False
    if not good or not is_text(claims.get("iss")) or not re.fullmatch(r"[0-9]{20}", claims["iss"]) or not modest(claims, 1):
        raise Refused("SIGNATURE_MALFORMED")
    return claims


def modest(value, depth):
    """Whether names are plain ASCII, no two alike but for their case, and nothing is too deep or too many."""
    if isinstance(value, list):
        return depth <= 8 and all(modest(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return True
    fine = depth <= 8 and len(value) <= 128 and all(re.fullmatch(r'[ !#-\[\]-\x7f]*', name) for name in value)
    return fine and len({name.lower() for name in value}) == len(value) and all(modest(one, depth + 1) for one in value.values())


def exactly(claims, spec):
    """Claims of exactly these members and types. `kept` (None) is left out when it is zero."""
    out = {}
    if set(claims) - set(spec):
        raise Refused("SIGNATURE_MALFORMED")
    for name, type_ in spec.items():
        value = claims.get(name)
        if type_ is None and name not in claims:
            continue
        if type_ is bool and isinstance(value, bool) or type_ is str and is_text(value):
            out[name] = value
        elif type_ in (int, None) and isinstance(value, Number) and not (type_ is None and value == "0"):
            out[name] = int(value)
        else:
            raise Refused("SIGNATURE_MALFORMED")
    return out


def good_signature(alg, key, data, signature):
    try:
        if alg == "ES256":
            if len(signature) != 64:
                return False
            r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        elif alg == "EdDSA":
            key.verify(signature, data)
        else:
            key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return True
    except (InvalidSignature, ValueError):
        return False


# --- receipts: the release stands in the log ---------------------------------------------------------

def check_receipt(r, digest, keys):
    if r is None:
        raise Refused("RECEIPT_MISSING")
    if not keys:
        raise Refused("LOG_KEY_MISSING")
    raw, index, salt, proof = r.get("leaf", b""), r.get("index", 0), r.get("salt", b""), r.get("proof", [])
    leaf = read_leaf(raw)
    if leaf["kind"] != "release":
        raise Refused("LEAF_KIND")
    if leaf["decided"] != r.get("decision_index", 0) or leaf["decided"] >= index:
        raise Refused("LEAF_DECISION")
    if len(salt) != 32:
        raise Refused("SALT_MALFORMED")
    if b64url(sha256(b"ontschot/leaf/1/payload\0", salt, digest)) != leaf["payload"]:
        raise Refused("LEAF_PAYLOAD")
    origin, size, root = open_checkpoint(r.get("checkpoint", ""), keys)
    if r.get("origin", "") != origin:
        raise Refused("CHECKPOINT_ORIGIN")
    if len(proof) > 64 or any(len(h) != 32 for h in proof):
        raise Refused("PROOF_MALFORMED")
    if not 0 <= index < size:
        raise Refused("PROOF_INDEX")
    if not included(sha256(b"\0", raw), index, size, root, proof):
        raise Refused("PROOF_INCLUSION")


def included(h, at, size, root, proof):
    """RFC 9162, section 2.1.3.2, of which the hashes are those of RFC 6962."""
    last = size - 1
    for p in proof:
        if last == 0:
            return False
        if at % 2 == 1 or at == last:
            h = sha256(b"\1", p, h)
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            h = sha256(b"\1", h, p)
        at, last = at >> 1, last >> 1
    return last == 0 and h == root


def log_key(text):
    """A verifier key of C2SP signed-note: name+hash+base64(0x01 || Ed25519 key)."""
    found = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)", text.strip())
    raw = base64.b64decode(found[3]) if found else b""
    if len(raw) != 33 or raw[0] != 1 or sha256(found[1].encode("utf-8"), b"\n", raw)[:4].hex() != found[2]:
        raise ValueError("trust: a log key")
    return found[1], bytes.fromhex(found[2]), ed25519.Ed25519PublicKey.from_public_bytes(raw[1:])


def open_checkpoint(note, keys):
    """Origin, size and root of a checkpoint (C2SP tlog-checkpoint) without extension lines."""
    if len(note.encode("utf-8")) > 4 << 10:
        raise Refused("CHECKPOINT_MALFORMED")
    lines, name = open_note(note, keys).split("\n"), keys[0][0]
    if len(lines) != 4 or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]) or int(lines[1]) > MOST:
        raise Refused("CHECKPOINT_MALFORMED")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error):
        root = b""
    if len(root) != 32 or base64.b64encode(root).decode("ascii") != lines[2]:
        raise Refused("CHECKPOINT_MALFORMED")
    epoch = lines[0][len(name) + 7:] if lines[0].startswith(name + "/epoch-") else ""
    if lines[0] != name and not (re.fullmatch(r"[1-9][0-9]{0,15}", epoch) and 1 < int(epoch) <= MOST):
        raise Refused("CHECKPOINT_ORIGIN")
    return lines[0], int(lines[1]), root


def open_note(note, keys):
    """The text of a signed note (C2SP signed-note) with one signature, by one of the keys."""
    at = note.rfind("\n\n")
    found = None if at < 0 or re.search(r"[\x00-\x09\x0b-\x1f]", note) else re.fullmatch(r"— ([^+\s]+) ([A-Za-z0-9+/]+=*)\n", note[at + 2:])
    try:
        raw = base64.b64decode(found[2], validate=True) if found else b""
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 68 or base64.b64encode(raw).decode("ascii") != found[2]:
        raise Refused("CHECKPOINT_SIGNATURE")
    for name, hash_, key in keys:
        if name == found[1] and hash_ == raw[:4] and good_signature("EdDSA", key, note[:at + 1].encode("utf-8"), raw[4:]):
            return note[:at + 1]
    raise Refused("CHECKPOINT_SIGNATURE")


# --- leaves ------------------------------------------------------------------------------------------

def form(pattern):
    return lambda text: re.fullmatch(pattern, text) is not None


def is_day(text):
    try:
        return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None and 1850 <= datetime.date.fromisoformat(text).year <= 2299
    except ValueError:
        return False


TEXT, HEX64, HEX32, OIN = form(r"[A-Za-z0-9._:/#@=,-]{0,128}"), form(r"[0-9a-f]{64}"), form(r"[0-9a-f]{32}"), form(r"[0-9]{20}")
HASH, UUID7 = form(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"), form(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def or_none(is_form):
    return lambda text: text == "" or is_form(text)


LEAF_TEXTS = {"activity": TEXT, "case": or_none(HASH), "confirm": HASH, "day": is_day, "decision": TEXT, "end": or_none(HASH), "id": UUID7, "key": HEX64, "kind": TEXT,
              "payload": or_none(HASH), "policy": TEXT, "put": or_none(HASH), "snapshot": HEX64, "status": TEXT, "tenant": OIN, "trace": or_none(HEX32)}
LEAF_LISTS = {"agreements": (64, HEX64), "consents": (224, HASH), "organisations": (32, OIN), "rests": (448, HASH), "subjects": (224, HASH)}
LEAF_NUMBERS = ("decided", "epoch", "retry_of", "time", "version")
LEAF_OPTIONAL = {"confirm", "day", "epoch", "key", "snapshot"}
TRACED = ("request", "decision", "source_call", "release", "deny", "break_glass")
UNTRACED = ("consent", "agreement", "withdrawal", "policy", "key", "admin", "epoch", "confirmation", "snapshot", "erasure")


def read_leaf(raw):
    """A leaf: RFC 8785 JSON with exactly these members, each in its form."""
    value = parsed(raw) if len(raw) <= 32 << 10 else None
    try:
        good = isinstance(value, dict) and jcs(value).encode("utf-8") == raw
    except NotJson:
        good = False
    if not good:
        raise Refused("LEAF_MALFORMED")
    leaf = {name: leaf_member(name, one) for name, one in value.items()}
    if {*LEAF_TEXTS, *LEAF_LISTS, *LEAF_NUMBERS} - LEAF_OPTIONAL - set(leaf) or not leaf_rules(leaf):
        raise Refused("LEAF_MALFORMED")
    return leaf


def leaf_member(name, value):
    if name in LEAF_TEXTS and is_text(value) and LEAF_TEXTS[name](value):
        return value
    if name in LEAF_NUMBERS and isinstance(value, Number):
        return int(value)
    if name in LEAF_LISTS and isinstance(value, list):
        limit, is_form = LEAF_LISTS[name]
        if len(value) <= limit and all(is_text(one) and is_form(one) for one in value):
            return value
    raise Refused("LEAF_MALFORMED")


def leaf_rules(l):
    kind, decided, retry, version = l["kind"], l["decided"], l["retry_of"], l["version"]
    return (
        version in (2, 3)
        and kind in TRACED + UNTRACED
        and 0 < l["time"] <= MOST + 1
        and (l["trace"] != "" or kind in UNTRACED)
        and (kind == "release") == (decided >= 0) and -1 <= decided <= MOST
        and -1 <= retry <= MOST and (retry == -1 or kind in ("decision", "deny"))
        and ("day" in l) == (version == 3) and not (version == 2 and "key" in l)
        and ("key" not in l or kind == "key" and l["organisations"] and l["status"] in ("in_use", "retired", "lost"))
        and (kind == "epoch") == ("epoch" in l) and ("epoch" not in l or 1 < l["epoch"] <= MOST)
        and (kind == "confirmation") == ("confirm" in l)
        and (kind == "snapshot") == ("snapshot" in l)
    )


def sound(s):
    """Whether each member of a source's statement has its form."""
    return (
        1 <= s["retention_days"] <= 3650 and 1 <= s["max_age_days"] <= 3650 and HEX64(s["agreement"]) and HEX64(s["policy_revision"])
        and HASH(s["answer"]) and HASH(s["request"]) and HEX32(s["trace"]) and UUID7(s["jti"]) and UUID7(s["permit"]) and 0 < s["iat"] <= 253402300799
    )
