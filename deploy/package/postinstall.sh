#!/bin/sh
# A first installation starts nothing: there is nothing to serve yet. A later one restarts what runs.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart ontschot.service || echo "ontschot: did not start again; see: journalctl -u ontschot" >&2
fi
