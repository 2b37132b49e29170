#!/bin/sh
# deb says remove and rpm 0 when the package goes; with an upgrade the gateway goes on.
set -e
case "$1" in
remove | 0)
  if [ -d /run/systemd/system ]; then systemctl disable --now ontschot.service || true; fi
  ;;
esac
