#!/usr/bin/env bash
# From a fresh clone to a site with https, by Docker Compose. Running it again is safe: it keeps every secret and
# certificate, takes up new code, and changes only what its options say.
set -euo pipefail
set -f # a * in .env is no list of files
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 077

usage() {
    cat <<'END'
scripts/install.sh [--domain NAME]... [CERTIFICATE]

  --domain NAME                  the name people reach the site by, such as chat.example.org; given again, further ones,
                                 which the certificate is for as well. Missing: the first of .env, or it is asked for

CERTIFICATE, one of:
  --self-signed                  made here; browsers warn of it (the default while there is none)
  --certificate FILE --key FILE  one that you have, with its chain
  --acme [--email ADDRESS]       by certbot's container from Let's Encrypt, renewed by itself: the name must lead here
  --acme-server URL              another ACME directory, such as Let's Encrypt's staging
END
}

readonly SECRETS=(SECRET_KEY ENCRYPTION_KEY MYSQL_PASSWORD MYSQL_MIGRATION_PASSWORD MYSQL_ROOT_PASSWORD REDIS_PASSWORD)
readonly LIVE=/etc/letsencrypt/live/mingchat
readonly HAND_OVER="cat $LIVE/fullchain.pem >/ssl/fullchain.pem && cat $LIVE/privkey.pem >/ssl/privkey.pem"
domain='' domains=() kind='' certificate='' key='' email='' acme_server=''

main() {
    read_options "$@"
    refuse_dollars
    need_programs
    refuse_to_lose_the_database
    make_readable
    provide_certificate # before .env has the name: a certificate that is refused leaves everything as it was
    write_settings
    case $kind in given | self-signed) end_renewal ;; esac
    docker compose up -d --build
    wait_until_ready
    docker compose exec -T nginx nginx -s reload
    say_where
    if [ "$kind" = acme ]; then obtain_certificate; fi
    say_what_is_missing
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
        --domain) domains+=("${2:?--domain needs a name}"); shift ;;
        --self-signed) kind=self-signed ;;
        --certificate) kind=given certificate=${2:?--certificate needs a file}; shift ;;
        --key) key=${2:?--key needs a file}; shift ;;
        --acme) kind=acme ;;
        --email) email=${2:?--email needs an address}; shift ;;
        --acme-server) kind=acme acme_server=${2:?--acme-server needs an address}; shift ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
        esac
        shift
    done
    if [ "$kind" = given ] && [ -z "$key" ]; then fail '--certificate needs --key, the file of its key.'; fi
    name_the_site
}

name_the_site() {
    [ ${#domains[@]} -gt 0 ] || domain=$(first_word "$(known_hosts)")
    if [ ${#domains[@]} -eq 0 ] && [ -z "$domain" ] && [ -t 0 ]; then
        read -rp 'The name people reach the site by (chat.example.org): ' domain
    fi
    [ ${#domains[@]} -gt 0 ] || domains=("$domain")
    domain=${domains[0]}
    [ -n "$domain" ] || fail 'Which name? Give --domain NAME.'
    local name
    for name in "${domains[@]}"; do
        [[ $name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]] || fail "Not the name of a host: $name"
    done
}

# Compose takes $word in .env for a setting of that name, and the containers would get the rest: a passphrase that its
# owner does not know. Only between single quotes it is left alone.
refuse_dollars() {
    [ -f .env ] || return 0
    local name
    name=$(sed -nE "/^[[:space:]]*(export[[:space:]]+)?[A-Za-z_][A-Za-z0-9_]*[[:space:]]*=[[:space:]]*[^'[:space:]]/{
        s/^[[:space:]]*(export[[:space:]]+)?//
        /^[A-Za-z_0-9[:space:]]+=[[:space:]]*\"/!s/[[:space:]]#.*//
        s/^([A-Za-z_0-9]+)[[:space:]]*=.*[\$].*/\1/p
    }" .env | head -n 1)
    [ -z "$name" ] || fail "$name in .env has a \$, which Docker Compose would replace. Put the value between single quotes: $name='...'"
}

need_programs() {
    command -v openssl >/dev/null || fail 'openssl is missing: apt install openssl'
    docker compose version >/dev/null 2>&1 ||
        fail 'Docker with Compose 2 is missing: https://docs.docker.com/engine/install/'
    docker info >/dev/null 2>&1 || fail 'The Docker engine does not answer: is it started, and may you use it?'
}

# The passwords in a volume are those of its first start: without them it could never be opened again.
refuse_to_lose_the_database() {
    docker volume inspect mingchat_mysql >/dev/null 2>&1 || return 0
    local name
    for name in "${SECRETS[@]}"; do
        [ -n "$(setting "$name")" ] ||
            fail "There is a database already (the volume mingchat_mysql), but .env has no $name. Bring .env back."
    done
}

write_settings() {
    touch .env
    chmod 600 .env
    local name
    for name in "${SECRETS[@]}"; do
        [ -n "$(setting "$name")" ] || set_to "$name" "$(openssl rand -hex 32)"
    done
    local hosts=("${domains[@]}") # links are made with the first
    for name in $(known_hosts); do
        [[ " ${hosts[*]} " == *" $name "* ]] || hosts+=("$name")
    done
    [ "${hosts[*]}" = "$(known_hosts)" ] || set_to ALLOWED_HOSTS "\"${hosts[*]}\""
}

# What the containers read under accounts of their own. Nothing of it is secret.
make_readable() {
    chmod -R a+rX nginx mysql
    mkdir -p ssl
}

provide_certificate() {
    case $kind in
    given) install_pair "$certificate" "$key" ;;
    self-signed) make_self_signed ;;
    *) [ -s ssl/fullchain.pem ] && [ -s ssl/privkey.pem ] || make_self_signed ;; # nginx begins with it
    esac
    chmod a+rX ssl ssl/fullchain.pem # the application tells when it ends; the key is its owner's
}

install_pair() {
    openssl x509 -in "$1" -noout || fail "$1 is no certificate."
    openssl x509 -in "$1" -noout -checkend 0 >/dev/null || fail "$1 has ended: $(openssl x509 -in "$1" -noout -enddate)."
    openssl pkey -in "$2" -passin pass: -noout </dev/null || fail "$2 cannot be read, or has a passphrase, which nobody types \
when nginx starts. Without it: openssl pkey -in $2 -out key.pem"
    local name staged
    for name in "${domains[@]}"; do
        openssl x509 -in "$1" -noout -checkhost "$name" | grep -q 'does match' || fail "$1 is not for $name."
    done
    [ "$(openssl x509 -in "$1" -noout -pubkey)" = "$(openssl pkey -in "$2" -passin pass: -pubout)" ] || fail "$2 is not the key of $1."
    staged=$(mktemp -d ssl/.new.XXXXXX) # they may be the very files in ssl/
    cat "$1" >"$staged/fullchain.pem"
    cat "$2" >"$staged/privkey.pem"
    mv -f "$staged/fullchain.pem" "$staged/privkey.pem" ssl/
    rmdir "$staged"
}

make_self_signed() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$domain" \
        -addext "subjectAltName=$(printf 'DNS:%s\n' "${domains[@]}" | paste -sd , -)" -keyout ssl/privkey.pem -out ssl/fullchain.pem 2>/dev/null
    echo "Made a certificate for $domain that browsers warn of."
}

obtain_certificate() {
    order_certificate || fail "No certificate by ACME: what certbot said is above. The site serves with the one that it has.
Most often a name does not lead to this server yet, or port 80 is closed: curl -I http://$domain/ from elsewhere says so.
Then run this again: scripts/install.sh$(printf ' --domain %s' "${domains[@]}") --acme${email:+ --email $email}\
${acme_server:+ --acme-server $acme_server}"
    [ -n "$(setting COMPOSE_PROFILES)" ] || set_to COMPOSE_PROFILES acme
    docker compose --profile acme up -d --no-deps certbot # renews it from now on
    docker compose exec -T nginx nginx -s reload
    echo "The certificate for ${domains[*]} is there, and is renewed by itself."
}

# The next renewal would put the old one back in the place of the one that was given.
end_renewal() {
    local profiles
    profiles=$(setting COMPOSE_PROFILES)
    [[ ,$profiles, == *,acme,* ]] || return 0
    docker compose --profile acme rm --stop --force certbot
    set_to COMPOSE_PROFILES "$(tr , '\n' <<<"$profiles" | sed '/^acme$/d' | paste -sd , -)"
    echo 'The certificate by ACME is renewed no more: the site has another one now.'
}

order_certificate() {
    local contact=(--register-unsafely-without-email) names=() name
    [ -z "$email" ] || contact=(--email "$email")
    for name in "${domains[@]}"; do names+=(--domain "$name"); done
    docker compose run --rm --no-deps -T --entrypoint certbot certbot certonly --non-interactive --agree-tos --webroot \
        --webroot-path /var/www/acme "${names[@]}" --cert-name mingchat --keep-until-expiring --renew-with-new-domains \
        "${contact[@]}" ${acme_server:+--server "$acme_server"} --deploy-hook "$HAND_OVER" &&
        docker compose run --rm --no-deps -T --entrypoint sh certbot -c "$HAND_OVER" # where it was there already
}

wait_until_ready() {
    local _
    for _ in $(seq 60); do
        if docker compose exec -T nginx wget -q -O /dev/null http://127.0.0.1:5000/readyz 2>/dev/null; then return; fi
        sleep 2
    done
    docker compose ps
    fail 'It is not ready after two minutes. See: docker compose logs'
}

say_where() {
    local code
    code=$(docker compose exec -T flask-app python -c 'import wsgi
from flask_app.services.people import setup_service
print(setup_service.code_line() or "")')
    echo
    echo "MingChat is ready: https://$domain"
    [ -z "$code" ] || echo "$code"
}

# People may come in by a name that the certificate is not for, such as one that was added alone.
say_what_is_missing() {
    local name missing=()
    for name in $(known_hosts); do
        [[ $name =~ [a-zA-Z]$ && $name != .* ]] || continue # an address, or every name below one
        openssl x509 -in ssl/fullchain.pem -noout -checkhost "$name" | grep -q 'does match' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] || echo "The certificate is not for ${missing[*]}, where browsers warn of it. \
Run this again with a certificate and --domain for each name, or take what is not used out of ALLOWED_HOSTS in .env."
}

# One space between each; .env may have commas too.
known_hosts() {
    setting ALLOWED_HOSTS | tr -s ', ' ' '
}

setting() {
    [ -f .env ] || return 0
    sed -n "s/^$1=//p" .env | tail -n 1 | sed -E 's/[[:space:]]+#.*//' | tr -d "\"'"
}

# Whole or not at all: without the secrets that a full disk took, nobody opens the database again.
set_to() {
    local rest
    rest=$(grep -v "^$1=" .env || true)
    cp -p .env .env.new # for its owner and mode
    printf '%s\n' ${rest:+"$rest"} "$1=$2" >.env.new
    mv -f .env.new .env
}

first_word() {
    echo "${1%% *}"
}

fail() {
    echo "$1" >&2
    exit 1
}

main "$@"
