#!/usr/bin/env python3
"""Says of every vector in a folder what this verifier says: vectors.py FOLDER

It prints a line "FILE REASON" for each, and ends with 1 when one is not as the list has it.
"""

import json
import os
import sys

from verify import Trust

folder, trusts, wrong = sys.argv[1], {}, 0


def content(name):
    with open(os.path.join(folder, name), "rb") as f:
        return f.read()


vectors = json.loads(content("vectors.json"))
for v in vectors:
    trust = trusts.setdefault(v["trust"], Trust(json.loads(content(v["trust"]))))
    reason = getattr(trust, v["of"])(content(v["file"])).reason
    print(v["file"], reason)
    if reason != v["reason"]:
        wrong += 1
        print("%s: %s, and not %s" % (v["file"], reason or "it verifies", v["reason"] or "that it verifies"), file=sys.stderr)
print("%d vectors, %d wrong" % (len(vectors), wrong), file=sys.stderr)
sys.exit(wrong > 0 or not vectors)
