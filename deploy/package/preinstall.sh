#!/bin/sh
# The gateway's user, before the folders that are to be its own are unpacked.
set -e
getent group ontschot >/dev/null || groupadd --system ontschot
getent passwd ontschot >/dev/null || useradd --system --gid ontschot --no-create-home \
  --home-dir /var/lib/ontschot --shell /usr/sbin/nologin --comment "Ontschot gateway" ontschot
