#!/usr/bin/env python3
"""An adapter in Python, without anything of Ontschot but descriptors.binpb.

It asks an agency's system over HTTP: POST URL/rows {"number": BSN} gives {"Rows": [...]}.
Change `ask` and `line` for a system of your own; the rest is what any adapter must do.

Needs Debian's python3-grpcio and python3-protobuf. `ontschot adapter exam` says whether
it is right.
"""

import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import ssl
import sys
import threading
import time
import urllib.parse
import uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ID, VERSION = "clerk-python", "1.0.0"
LAWS = ["WMO", "JW"]
CATEGORIES = ["entitlement", "product", "period", "amount", "reference"]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object", "additionalProperties": False, "required": ["party", "url"],
    "properties": {
        "party": {"type": "string", "minLength": 1, "maxLength": 32},
        "url": {"type": "string", "pattern": "^https?://"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "ca_pem": {"type": "string"},
    },
}
MAX_REQUEST, MAX_ANSWER = 1 << 20, 4 << 20


# --- messages: from the descriptors, so that nothing has to be generated -----------------

def load(path):
    pool, files = descriptor_pool.DescriptorPool(), descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as f:
        files.ParseFromString(f.read())
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


POOL = load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "descriptors.binpb"))


def message(name):
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):  # protobuf 4.22 and later
        return message_factory.GetMessageClass(descriptor)
    return FACTORY.GetPrototype(descriptor)


FACTORY = None if hasattr(message_factory, "GetMessageClass") else message_factory.MessageFactory(POOL)

A, B = "ontschot.adapter.v1.", "ontschot.budget.v1."
FetchRequest, FetchResponse = message(B + "FetchRequest"), message(B + "FetchResponse")
BudgetLine, HistoryLine = message(B + "BudgetLine"), message(B + "HistoryLine")
Status, ErrorInfo = message("google.rpc.Status"), message("google.rpc.ErrorInfo")


# --- errors: a reason and a place, never a text of the source ------------------------------

class Fault(Exception):
    def __init__(self, code, reason, **metadata):
        super().__init__(reason)
        self.code, self.reason, self.metadata = code, reason, metadata


def not_configured():
    return Fault(grpc.StatusCode.FAILED_PRECONDITION, "NOT_CONFIGURED")


def unsupported(path):
    return Fault(grpc.StatusCode.INVALID_ARGUMENT, "SCOPE_UNSUPPORTED", path=path)


def unavailable():
    return Fault(grpc.StatusCode.UNAVAILABLE, "SOURCE_UNAVAILABLE")


def too_late():
    return Fault(grpc.StatusCode.DEADLINE_EXCEEDED, "SOURCE_TIMEOUT")


def bad_data(path, rule):
    return Fault(grpc.StatusCode.DATA_LOSS, "BAD_DATA_AT_SOURCE", path=path, rule=rule)


def bug():
    return Fault(grpc.StatusCode.INTERNAL, "ADAPTER_BUG")


def fail(context, fault):
    """Ends a call with the error of a fault."""
    info = ErrorInfo(reason=fault.reason, domain="adapter.ontschot.nl", metadata=fault.metadata)
    details = Status(code=fault.code.value[0], message=fault.reason)
    detail = details.details.add()
    detail.type_url, detail.value = "type.googleapis.com/google.rpc.ErrorInfo", info.SerializeToString()
    context.set_trailing_metadata((("grpc-status-details-bin", details.SerializeToString()),))
    context.abort(fault.code, fault.reason)


# --- configuration -------------------------------------------------------------------------

class Settings:
    def __init__(self, values, secrets):
        self.party, self.url = values["party"], urllib.parse.urlsplit(values["url"])
        self.ca = values.get("ca_pem")
        self.token, self.key = secrets["token"], bytes.fromhex(secrets["record_key"])


def findings(raw, secrets):
    """What is wrong with a configuration: (path, Dutch, English), never a value."""
    try:
        values = json.loads(raw)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return [(".", "geen JSON-object", "no JSON object")]
    found = []
    for key in values:
        if key not in SCHEMA["properties"]:
            found.append((key, "onbekende sleutel", "unknown key"))
    for key, rule in SCHEMA["properties"].items():
        if key not in values:
            if key in SCHEMA["required"]:
                found.append((key, "ontbreekt", "is needed"))
        elif not conforms(values[key], rule):
            found.append((key, "voldoet niet aan het schema", "not as the schema has it"))
    if not secrets.get("token"):
        found.append(("secrets.token", "ontbreekt", "is needed"))
    if not re.fullmatch("[0-9a-f]{64}", secrets.get("record_key", "")):
        found.append(("secrets.record_key", "32 bytes hexadecimaal nodig", "32 bytes in hexadecimal are needed"))
    return found


def conforms(value, rule):
    if rule["type"] == "integer":
        whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value)
        return whole and rule["minimum"] <= value <= rule["maximum"]
    if not isinstance(value, str):
        return False
    if "pattern" in rule and not re.search(rule["pattern"], value):
        return False
    return rule.get("minLength", 0) <= len(value) <= rule.get("maxLength", 1 << 20)


# --- a question ------------------------------------------------------------------------------

DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def is_date(text):
    try:
        return bool(DATE.fullmatch(text)) and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


def is_bsn(text):
    """Nine digits that pass the 11-check."""
    if not re.fullmatch("[0-9]{9}", text):
        return False
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(w * int(d) for w, d in zip(weights, text)) % 11 == 0


def check(q):
    """Refuses a question that makes no sense, by the path of the field."""
    if not is_bsn(q.identifiers.bsn):
        raise unsupported("identifiers.bsn")
    if not is_date(getattr(q.window, "from")):
        raise unsupported("window.from")
    if not is_date(q.window.to) or q.window.to < getattr(q.window, "from"):
        raise unsupported("window.to")
    if not is_date(q.history_from):
        raise unsupported("history_from")
    if not 1 <= len(q.scopes) <= 16:
        raise unsupported("scopes")
    for i, scope in enumerate(q.scopes):
        if scope.law not in LAWS:
            raise unsupported("scopes[%d].law" % i)
        if not scope.categories:
            raise unsupported("scopes[%d].categories" % i)
    if not re.fullmatch("[0-9]{20}", q.requester):
        raise unsupported("requester")


def granted(q, law):
    """The categories that may be told whole under a law, and those that may be told at all."""
    whole, masked = set(), set()
    for scope in q.scopes:
        if scope.law == law:
            whole.update(scope.categories)
            masked.update(c for c, mask in scope.masks.items() if mask != "none")
    return whole - masked, whole


# Which field of a line is of which category.
FIELDS = {"product": "product", "period": "period", "amount": "amount", "decision": "reference"}


def minimise(line, whole):
    for field, category in FIELDS.items():
        if field in line.DESCRIPTOR.fields_by_name and category not in whole:
            line.ClearField(field)
    if isinstance(line, BudgetLine) and "reference" not in whole:
        for provenance in line.provenance:
            provenance.ClearField("record_id")


class Source:
    """One question to the agency's system, within the time of who asks."""

    def __init__(self, settings, context):
        left = context.time_remaining()
        left = 10.0 if left is None else min(left, 10.0)
        self.until = time.monotonic() + left - min(left / 10, 0.3)  # some is kept for the answer
        self.ended = None  # why it was broken off
        kind = http.client.HTTPSConnection if settings.url.scheme == "https" else http.client.HTTPConnection
        more = {"context": ssl.create_default_context(cadata=settings.ca)} if settings.url.scheme == "https" else {}
        self.connection = kind(settings.url.hostname, settings.url.port, timeout=max(left, 0.01), **more)
        self.settings = settings
        self.alarm = threading.Timer(max(self.until - time.monotonic(), 0), self.stop, ["late"])
        self.alarm.daemon = True
        context.add_callback(lambda: self.stop("gone"))  # who asked hung up, or is answered

    def stop(self, why):
        self.ended = self.ended or why
        sock = self.connection.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
            except OSError:
                pass

    def post(self, path, body):
        self.alarm.start()
        try:
            self.connection.request("POST", path, json.dumps(body), {
                "Content-Type": "application/json", "Authorization": "Bearer " + self.settings.token,
            })
            answer = self.connection.getresponse()
            raw = answer.read(MAX_ANSWER + 1)
            if self.ended:
                raise too_late()
        except (OSError, http.client.HTTPException):
            raise too_late() if self.ended or time.monotonic() >= self.until else unavailable()
        finally:
            self.alarm.cancel()
            self.connection.close()
        if answer.status in (401, 403):
            raise Fault(grpc.StatusCode.PERMISSION_DENIED, "NOT_AUTHORISED_AT_SOURCE")
        if answer.status != 200:
            raise unavailable()
        try:
            return json.loads(raw)
        except ValueError:
            raise bad_data("/", "JSON")


def ask(settings, context, bsn):
    answer = Source(settings, context).post(settings.url.path + "/rows", {"number": bsn})
    if not isinstance(answer, dict):
        raise bad_data("/", "an object")
    rows = answer.get("Rows")
    if rows is not None and not isinstance(rows, list):
        raise bad_data("/Rows", "a list")
    return rows or []


def line(settings, i, row):
    """A record of the source as a line."""
    try:
        one = BudgetLine(
            law=row["Law"], funder=settings.party, kind="ENTITLEMENT", delivery_form="PGB", fungibility="POOLABLE",
            product={"system": "WMO020", "code": row["Code"], "label": row["Label"]},
            period={"start": row["Start"], "end": row["End"]}, decision={"number": row["Number"]},
        )
        if row["Cents"] > 0:
            one.amount.cents, one.amount.basis = row["Cents"], "PERIOD_TOTAL"
    except (KeyError, TypeError, ValueError):
        raise bad_data("/Rows/%d" % i, "as documented")
    if not (is_date(row["Start"]) and is_date(row["End"]) and row["Start"] <= row["End"]):
        raise bad_data("/Rows/%d" % i, "two dates in order")
    if not all(c.isprintable() for c in row["Label"]):
        one.product.label = "onbekend"
    return one


def fetch(settings, q, context):
    check(q)
    answer = FetchResponse(adapter=ID, version=VERSION, as_of_ms=int(time.time() * 1000), answer_id=str(uuid.uuid4()))
    salt = hmac.new(settings.key, answer.answer_id.encode(), hashlib.sha256).digest()
    first, last = getattr(q.window, "from"), q.window.to
    for i, row in enumerate(ask(settings, context, q.identifiers.bsn)):
        one = line(settings, i, row)
        whole, asked = granted(q, one.law)
        if "entitlement" not in asked:
            continue
        if one.period.end < first:
            if one.period.end >= q.history_from:
                past = HistoryLine(law=one.law, product=one.product, period=one.period)
                minimise(past, whole)
                answer.history.append(past)
            continue
        if one.period.start > last:
            continue
        native = json.dumps(row, sort_keys=True).encode()
        one.provenance.add(
            source=settings.party, adapter=ID, version=VERSION, record_type="case_system", record_id=row["Number"],
            pointer="/%d" % i, sha256=hashlib.sha256(salt + native).digest(), fetched_at_ms=answer.as_of_ms,
        )
        minimise(one, whole)
        answer.lines.append(one)
    if answer.ByteSize() > MAX_ANSWER:
        raise bad_data(".", "at most %d bytes" % MAX_ANSWER)
    return answer


# --- the service -------------------------------------------------------------------------------

class Adapter:
    def __init__(self):
        self.settings = None  # one reference: a question keeps the one it began with

    def Describe(self, _, __):
        return message(A + "DescribeResponse")(
            id=ID, version=VERSION, laws=LAWS, categories=CATEGORIES, identifiers=["bsn"],
            config_schema=json.dumps(SCHEMA, sort_keys=True).encode(), secrets=["token"], egress=["url"],
            capabilities=["validate", "probe"],
        )

    def ValidateConfig(self, q, _):
        return message(A + "ValidateConfigResponse")(findings=told(findings(q.config, q.secrets)))

    def Configure(self, q, _):
        found = findings(q.config, q.secrets)
        if not found:
            self.settings = Settings(json.loads(q.config), q.secrets)
        return message(A + "ConfigureResponse")(findings=told(found))

    def Fetch(self, q, context):
        settings = self.settings
        if settings is None:
            raise not_configured()
        return fetch(settings, q, context)

    def Probe(self, _, context):
        if self.settings is None:
            raise not_configured()
        ask(self.settings, context, "999940004")  # given to nobody
        return message(A + "ProbeResponse")()


def told(found):
    return [{"path": path, "text_nl": nl, "text_en": en} for path, nl, en in found]


def guarded(call):
    """Keeps what goes wrong to its call, and its text to ourselves."""
    def run(q, context):
        try:
            return call(q, context)
        except Fault as fault:
            problem = fault
        except Exception:  # a mistake of ours; the text may quote a record
            problem = bug()
        return fail(context, problem)
    return run


def handlers(adapter):
    calls = {}
    for method in POOL.FindServiceByName("ontschot.adapter.v1.AdapterService").methods:
        q, a = message(method.input_type.full_name), message(method.output_type.full_name)
        calls[method.name] = grpc.unary_unary_rpc_method_handler(
            guarded(getattr(adapter, method.name)), request_deserializer=q.FromString, response_serializer=a.SerializeToString)
    serving = b"\x08\x01"  # grpc.health.v1.HealthCheckResponse{status: SERVING}
    return (
        grpc.method_handlers_generic_handler("ontschot.adapter.v1.AdapterService", calls),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
            "Check": grpc.unary_unary_rpc_method_handler(lambda q, context: serving),
        }),
    )


# --- the process: what a gateway expects of a program it starts ----------------------------------

def pem(kind, text):
    body = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return ("-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind, body, kind)).encode()


def hold_lifeline():
    """Ignores signals, reads the pair of this run, and ends when the gateway is gone."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline = os.fdopen(int(os.environ["ONTSCHOT_LIFELINE"]), "rb")
    words = lifeline.readline(4096).decode().split()
    if len(words) != 2:
        os._exit(1)

    def wait():
        lifeline.read()
        os._exit(0)
    threading.Thread(target=wait, daemon=True).start()
    return pem("CERTIFICATE", words[0]), pem("PRIVATE KEY", words[1])


def main():
    if os.environ.get("ONTSCHOT_ADAPTER") != "c1b7f0a6-3f1e-4d6e-9f3a-6d0c5c1f7b52":
        sys.exit("This is an adapter: a gateway starts it.\nDit is een adapter: een gateway start hem.")
    certificate, key = hold_lifeline()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=64), handlers=handlers(Adapter()), options=[
        ("grpc.max_receive_message_length", MAX_REQUEST), ("grpc.max_send_message_length", MAX_ANSWER), ("grpc.so_reuseport", 0),
    ])
    path = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "adapter-%d" % os.getpid())
    server.add_secure_port("unix:" + path, grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=certificate, require_client_auth=True))  # that one certificate, and no other
    server.start()
    print("1|1|unix|%s|grpc" % path, flush=True)
    os.dup2(2, 1)  # nothing else goes to standard output
    server.wait_for_termination()


if __name__ == "__main__":
    main()
