#!/usr/bin/env python3
"""Asks for one budget and says it in words:

    PYTHONPATH=gen python3 ask.py client.yaml client/token request.json [SECONDS]

request.json is an AssembleBudgetRequest. With SECONDS it asks again and again for that long, on
the one client, and then says how often.
"""

import sys
import time

import grpc

from client import Client, NotVerified, content, read_request


def euros(cents):
    if cents is None:
        return "niet bekend"
    n = int(cents)
    text = "{:,}.{:02}".format(abs(n) // 100, abs(n) % 100)
    return ("-" if n < 0 else "") + "€ " + text.translate(str.maketrans(",.", ".,"))


def say(b):
    print("Het budget van %s tot en met %s." % (b["window"]["from"], b["window"]["to"]))
    for line in b.get("lines", []):
        product = line.get("product", {})
        print("- %s: %s (%s), betaald door %s: %s" % (
            line["person"], product.get("label") or product.get("code"), line["law"], line["funder"], euros(line.get("value_cents"))))
    print("Samen voor zorg: %s. Inkomen: %s." % (euros(b.get("care_total_cents")), euros(b.get("income_cents"))))
    for finding in b.get("findings", []):
        print("Let op: " + finding["text_nl"])
    for gap in b.get("gaps", []):
        print("Ontbreekt: %s bij %s (%s)" % (gap["person"], gap["source"], gap["reason"]))
    peers = sum("disclosure" in report for report in b.get("sources", []))
    print("Gecontroleerd: de handtekening, de inhoud, het bewijs van het logboek en %d verklaringen van bronnen kloppen." % peers)


def main():
    config, token, request = sys.argv[1:4]
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 0
    client = Client(config, lambda: content(token).decode("ascii").strip())
    asked, until, times = read_request(request), time.monotonic() + seconds, 0
    try:
        while times == 0 or time.monotonic() < until:
            budget = client.assemble_budget(asked)
            if times == 0:
                say(budget)
            times += 1
            if seconds:
                time.sleep(0.1)
    except NotVerified as e:
        sys.exit("Geen budget: %s" % e)
    except grpc.RpcError as e:
        sys.exit("Geen budget: %s: %s" % (e.code().name, e.details()))
    finally:
        client.close()
    if seconds:
        print("%d keer gevraagd en gecontroleerd." % times)


if __name__ == "__main__":
    main()
