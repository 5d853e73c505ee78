#!/bin/sh
set -e
running() { [ -d /run/systemd/system ]; }
if running; then
	systemctl daemon-reload
	systemctl try-restart switchboard.service # after an upgrade; calls survive the pause
fi
if [ ! -e /etc/livecall/switchboard.yaml ]; then
	cat <<-'TEXT'
		Next: put people and schedules into /etc/livecall/switchboard.yaml
		  cp /usr/share/doc/livecall/examples/switchboard.yaml /etc/livecall/switchboard.yaml
		  switchboard config check --config /etc/livecall/switchboard.yaml
		set SWITCHBOARD_PUBLIC_URL in /etc/livecall/environment, and start the service:
		  systemctl enable --now switchboard
	TEXT
fi
