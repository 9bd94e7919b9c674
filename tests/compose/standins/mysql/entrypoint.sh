#!/bin/bash
# What the official image's entry point does: MYSQL_* and /docker-entrypoint-initdb.d while the volume is empty.
set -euo pipefail

readonly DATA=/var/lib/mysql SOCKET=/run/mysqld/mysqld.sock

main() {
    if [ "$(id -u)" = 0 ]; then
        install -d -o mysql -g mysql /run/mysqld
        chown mysql:mysql "$DATA"
        exec setpriv --reuid=mysql --regid=mysql --clear-groups "$0" "$@"
    fi
    set -- mysqld --no-defaults --secure-file-priv=NULL --datadir="$DATA" --socket="$SOCKET" "$@"
    [ -d "$DATA/mysql" ] || install_database "$@"
    exec "$@"
}

install_database() {
    "$@" --initialize-insecure
    "$@" --skip-networking &
    until mysqladmin --no-defaults -S "$SOCKET" ping --silent; do sleep 0.2; done
    docker_process_sql <<SQL
CREATE DATABASE $MYSQL_DATABASE;
CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON $MYSQL_DATABASE.* TO '$MYSQL_USER'@'%';
SQL
    for file in /docker-entrypoint-initdb.d/*.sh; do
        # shellcheck source=/dev/null
        . "$file"
    done
    docker_process_sql <<<"ALTER USER root@localhost IDENTIFIED BY '$MYSQL_ROOT_PASSWORD'"
    kill %1
    wait %1
}

docker_process_sql() {
    mysql --no-defaults -u root -S "$SOCKET"
}

mysql_error() {
    echo "$1" >&2
    exit 1
}

main "$@"
