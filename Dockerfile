# MingChat's web server. Mirrors are build arguments (docs/deployment.md): REGISTRY for the base image, PIP_INDEX_URL for
# Python's packages.
ARG REGISTRY=docker.io

FROM ${REGISTRY}/library/python:3.13-slim AS build
ARG PIP_INDEX_URL=https://pypi.org/simple
ARG OBSERVE=
ARG BUCKET=
WORKDIR /build
# pip stays behind in an environment of its own.
RUN python3 -m venv /opt/pip && python3 -m venv --without-pip /opt/venv
COPY requirements.txt requirements-observe.txt requirements-s3.txt ./
RUN /opt/pip/bin/pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --require-hashes --no-deps \
        --only-binary :all: -r requirements.txt ${OBSERVE:+-r requirements-observe.txt} ${BUCKET:+-r requirements-s3.txt}
COPY . /app
# A clone made under `umask 077` is readable to its owner alone, who is not the account that runs it.
RUN chmod -R a+rX /app && install -d -m 700 /app/instance \
    && install -d /app/ssl

FROM ${REGISTRY}/library/python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp HOST=0.0.0.0 FLASK_APP=wsgi PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# A volume's folder: settlements that wait for the database. Docker gives a new volume this owner.
RUN chown 10001:10001 instance
# What a server and a command import is compiled here: whoever compiles while it starts keeps the memory that this took.
RUN PYTHONDONTWRITEBYTECODE='' python -OO -m scripts.bytecode && PYTHONDONTWRITEBYTECODE='' python -m scripts.bytecode
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "scripts.health"]
CMD ["python", "-OO", "-m", "gunicorn"]
