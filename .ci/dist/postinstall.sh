#!/bin/sh
set -e
running() { [ -d /run/systemd/system ]; }
if running; then
	systemctl daemon-reload
	systemctl try-restart switchboard.service # after an upgrade; calls survive the pause
fi
if [ ! -e /etc/livecall/switchboard.yaml ] && [ ! -e /var/lib/livecall/switchboard.yaml ]; then
	cat <<-'TEXT'
		Next: answer a few questions, take the settings that come of them, and start the service:
		  sudo -u livecall switchboard init --config /var/lib/livecall/switchboard.yaml
		  sudo sh -c 'cat /var/lib/livecall/switchboard.env >>/etc/livecall/environment'
		  sudo systemctl enable --now switchboard
	TEXT
fi
