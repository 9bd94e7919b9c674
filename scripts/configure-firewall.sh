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

# Those that sshd listens on: whoever runs this from afar is not to be shut out.
ssh_ports() {
    local ports
    ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
    echo "${ports:-22}"
}

fail() {
    echo "$1" >&2
    exit 1
}

main
