# Wegwijs as a container: docker build -t wegwijs . && docker run -p 8080:8080 -v wegwijs:/wegwijs/var wegwijs
FROM python:3.11-slim AS build
WORKDIR /wegwijs
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project --compile-bytecode
COPY bot bot
COPY locales locales
COPY knowledge knowledge
# Whole seconds are what an image keeps of a file's time, and what was learnt is known by the times of the files.
RUN find bot locales knowledge -exec touch -d "@$(date +%s)" {} +
RUN uv sync --frozen --no-dev --compile-bytecode && .venv/bin/python -m compileall -q bot
# What is learnt now need not be learnt when the container starts.
RUN .venv/bin/wegwijs ask hello > /dev/null

FROM python:3.11-slim
RUN useradd --uid 1000 --no-create-home --home-dir /wegwijs --shell /usr/sbin/nologin wegwijs
COPY --from=build /wegwijs /wegwijs
RUN chown -R wegwijs /wegwijs/var
WORKDIR /wegwijs
USER wegwijs
ENV WEGWIJS_HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8080
VOLUME /wegwijs/var
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
CMD ["/wegwijs/.venv/bin/wegwijs", "serve"]
