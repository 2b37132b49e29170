#!/bin/sh
# What the operator made stays, also after a purge: keys and the record of consents are nobody's to
# throw away with a program. So does the user whose files those are.
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
