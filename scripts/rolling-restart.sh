#!/usr/bin/env bash
# Migrates, then replaces the application's containers one after the other by new ones, of the image and the .env as they
# are now. Each new one serves before an old one is asked to end, whose answers may finish (ANSWERS_MAY_FINISH_SECONDS).
# At last whatever else docker-compose.yml or a pulled image has changed is replaced too, and nginx reads its files anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PATIENCE=180 # seconds until something that was started must be healthy; migrating takes as long as it takes

main() {
    local old more kept
    mapfile -t old < <(docker compose ps --quiet flask-app)
    if [ ${#old[@]} -eq 0 ]; then
        echo 'Nothing runs. Start it: docker compose up -d' >&2
        exit 1
    fi
    chmod -R a+rX nginx mysql # pulled under umask 077, the containers' accounts could not read them
    docker compose rm --force migrate >/dev/null 2>&1 # the old version's: the new one's runs before the first instance
    more=$((${#old[@]} + 1))
    for container in "${old[@]}"; do
        mapfile -t kept < <(docker compose ps --quiet flask-app)
        docker compose up -d --wait --wait-timeout "$PATIENCE" --no-recreate --scale flask-app="$more" flask-app || take_back
        echo "One more serves; ${container::12} may finish its answers and ends."
        docker stop "$container" >/dev/null # its own patience: stop_grace_period
        docker rm "$container" >/dev/null
    done
    docker compose up -d --wait --wait-timeout "$PATIENCE" --scale flask-app="${#old[@]}" || say_what_is_not_healthy
    docker compose exec -T nginx nginx -s reload
}

# What came last does not serve. The instances that do stay as they are, and the next run finds as many as this one did.
take_back() {
    local container
    for container in $(docker compose ps --all --quiet flask-app); do
        [[ " ${kept[*]} " == *" $container "* ]] && continue
        docker logs --tail 30 "$container" >&2
        docker rm --force "$container" >/dev/null
    done
    echo "The new instance does not serve within $PATIENCE seconds, or what it needs does not: what it said last is above. \
It is gone, and the others go on. See: docker compose ps --all; docker compose logs --tail 50 migrate mysql redis. Until \
this has come to its end nginx may not start again in the container that it has: docker compose up -d --no-deps nginx" >&2
    exit 1
}

# The instances are new already and serve; another service is not what it should be.
say_what_is_not_healthy() {
    docker compose ps --all >&2
    echo "The new instances serve, but not everything is healthy after $PATIENCE seconds. Above is what each service is; \
what one says of it: docker compose logs --tail 50 SERVICE. Once that is mended, run this again." >&2
    exit 1
}

main
