"""A client of one gateway: client.yaml, mutual TLS, an access token for each call, and no budget
that does not verify. It needs Debian's python3-grpcio, python3-protobuf and python3-yaml, and the
messages as grpc_tools.protoc generates them (README.md).
"""

import json
import os
import uuid

import grpc
import yaml
from google.protobuf import json_format

from ontschot.v1 import exchange_pb2, exchange_pb2_grpc
from verify import Trust


class NotVerified(Exception):
    """What came does not verify, or answers another request: nothing of it may be used."""


def content(path):
    with open(path, "rb") as f:
        return f.read()


def beside(path, name):
    return os.path.join(os.path.dirname(os.path.abspath(path)), name)


def read_trust(path):
    """Whose word counts: client.yaml, the trust file it names, and the keys that that names."""
    conf = yaml.safe_load(content(path))
    at = beside(path, conf["trust"])
    parties = yaml.safe_load(content(at))["parties"]
    for party in parties:
        for key in party["keys"]:
            key["pem"] = content(beside(at, key["file"])).decode("ascii")
    return Trust({"releaser": conf["releaser"], "parties": parties})


class Client:
    """Opens a client.yaml. token() gives an access token at every call; it may keep one for as
    long as it lives. Make one client and keep it."""

    def __init__(self, path, token):
        conf = yaml.safe_load(content(path))
        tls = {name: content(beside(path, conf["tls"][name])) for name in ("ca", "key", "certificate")}
        self.trust, self.token = read_trust(path), token
        self.channel = grpc.secure_channel(
            conf["gateway"], grpc.ssl_channel_credentials(tls["ca"], tls["key"], tls["certificate"]),
            options=[("grpc.max_receive_message_length", 16 << 20)])
        self.exchange = exchange_pb2_grpc.ExchangeServiceStub(self.channel)

    def assemble_budget(self, request, progress=lambda source: None):
        """The integrated budget of the persons in an AssembleBudgetRequest, as the JSON mapping of
        protobuf has it: proto names, amounts as texts, in cents. Errors: grpc.RpcError, NotVerified."""
        metadata = (("authorization", "Bearer " + self.token()),
                    ("idempotency-key", str(uuid.uuid4())))  # under which a client that gets no response can retry
        budget = None
        for event in self.exchange.AssembleBudget(request, metadata=metadata, timeout=30, wait_for_ready=True):
            if event.HasField("progress"):
                progress(event.progress.source)
            if event.HasField("budget"):
                budget = event.budget
        if budget is None:
            raise NotVerified("the stream ended without a budget")
        found = json_format.MessageToDict(budget, preserving_proto_field_name=True)
        verdict = self.trust.budget(json.dumps(found).encode("ascii"))
        if verdict.reason:
            raise NotVerified(verdict.reason)
        # An older budget of the same gateway verifies as well.
        same = budget.purpose == request.purpose and budget.window == request.window and not budget.view_of
        if not same or [row.person for row in budget.matrix] != [p.ref for p in request.persons]:
            raise NotVerified("it answers another request")
        return found

    def close(self):
        self.channel.close()


def read_request(path):
    return json_format.Parse(content(path), exchange_pb2.AssembleBudgetRequest())
