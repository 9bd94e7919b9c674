#!/usr/bin/env bash
# Lets in ssh, http and https, by ufw or firewalld, whichever this server has. As root.
# Docker publishes ports past such a firewall; those of MingChat that are not for everybody are on loopback (127.0.0.1).
set -euo pipefail

main() {
    [ "$(id -u)" = 0 ] || fail 'Run it as root: sudo scripts/configure-firewall.sh'
    if command -v ufw >/dev/null; then
        use_ufw
    elif command -v firewall-cmd >/dev/null; then
        use_firewalld
    else
        fail 'Neither ufw nor firewalld is here: apt install ufw, or dnf install firewalld'
    fi
}

use_ufw() {
    local port
    for port in $(ssh_ports) 80 443; do
        ufw allow "$port/tcp"
    done
    ufw default deny incoming
    ufw --force enable
    ufw status
}

use_firewalld() {
    local port
    firewall-cmd --quiet --state || fail 'firewalld does not run: systemctl enable --now firewalld'
    for port in $(ssh_ports) 80 443; do
        firewall-cmd --permanent --add-port="$port/tcp"
    done
    firewall-cmd --reload
    firewall-cmd --list-ports
}

# Whoever runs this from afar is not to be shut out. sshd's settings do not know the port of a socket that systemd opens.
ssh_ports() {
    local ports
    ports=$({
        sshd -T 2>/dev/null | awk '$1 == "port" { print $2 }'
        ss -Hltnp 2>/dev/null | awk '/"sshd"/ && $4 !~ /^(127\.|\[::1\])/ { sub(/.*:/, "", $4); print $4 }'
        sockets_for_ssh
        came_by
    } | grep -xE '[0-9]+' | sort -nu || true)
    echo "${ports:-22}"
}

sockets_for_ssh() {
    local unit
    for unit in ssh.socket sshd.socket; do
        if systemctl is-active --quiet "$unit" 2>/dev/null; then
            systemctl show --property=Listen "$unit" | sed -nE 's/^Listen=(.*:)?([0-9]+) \(Stream\)$/\2/p'
        fi
    done
}

# The port of the connection that this is typed over. sudo does not hand it on: a shell further up knows.
came_by() {
    local pid=$$
    while [ "${pid:-0}" -gt 1 ]; do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | awk '/^SSH_CONNECTION=/ { print $4 }'
        pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null)
    done
}

fail() {
    echo "$1" >&2
    exit 1
}

main
