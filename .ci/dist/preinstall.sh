#!/bin/sh
# The user of the service exists before the files that belong to it are unpacked.
set -e
getent group livecall >/dev/null || groupadd --system livecall
getent passwd livecall >/dev/null ||
	useradd --system --gid livecall --home-dir /var/lib/livecall --no-create-home --shell /usr/sbin/nologin livecall
