#!/bin/sh
# Data and user stay, even after a purge: calls, messages and keys are nobody's to delete by the way.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
