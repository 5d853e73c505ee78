#!/bin/sh
# "remove" is Debian's word and "0" RPM's for the last version; an upgrade does not stop the service here.
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
	if [ -d /run/systemd/system ]; then
		systemctl disable --now switchboard.service
	fi
fi
