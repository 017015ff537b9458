# For a build that can be repeated, name the base by digest; where Docker Hub or the usual package index is far away,
# name nearer ones:
#   docker build --build-arg PYTHON_IMAGE=python:3.12-slim@sha256:... --build-arg PIP_INDEX_URL=https://... .
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
ARG PIP_INDEX_URL
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/syncer \
    && /opt/syncer/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE mirrors.yaml ./
COPY docs/errors.md ./docs/errors.md
COPY syncer ./syncer
RUN /opt/syncer/bin/pip install --no-cache-dir --no-deps . \
    && /opt/syncer/bin/pip uninstall --yes pip \
    && mkdir /state

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="syncer" \
      org.opencontainers.image.description="Mirrors container images into Amazon ECR" \
      org.opencontainers.image.licenses="Apache-2.0"
# HOME is where Docker's and AWS's configuration are looked for; without it, a user that has no name has no home.
ENV PATH=/opt/syncer/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/home/syncer \
    SYNCER_STATE_DIR=/var/lib/syncer
COPY --from=build /opt/syncer /opt/syncer
COPY --from=build --chown=65532:65532 /state /home/syncer
COPY --from=build --chown=65532:65532 /state /var/lib/syncer
VOLUME /var/lib/syncer
WORKDIR /config
USER 65532:65532
# SIGTERM drains: what can be finished in 25 s is, so give it 30 before the kill.
STOPSIGNAL SIGTERM
ENTRYPOINT ["syncer"]
