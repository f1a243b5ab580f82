# One image for every process of Olive Branch; docker-compose.yml says which one it is.
FROM python:3.11-slim-trixie AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/olive
# The lock first: it changes less often than the code, so its layer is kept.
COPY requirements.lock ./
RUN /opt/olive/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY programme programme
COPY workflows workflows
COPY activities activities
COPY store store
COPY runtime runtime
COPY worker worker
COPY api api
COPY web web
COPY cli cli
RUN /opt/olive/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin olive \
    && install -d -o olive -g olive /var/lib/olive
COPY --from=build /opt/olive /opt/olive
ENV PATH=/opt/olive/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OLIVE_DATA_DIR=/var/lib/olive
USER 10001
WORKDIR /var/lib/olive
ENTRYPOINT []
CMD ["python", "-m", "api"]
