# Wegwijs as a container: docker build -t wegwijs . && docker run -p 8080:8080 -v wegwijs:/wegwijs/var wegwijs
FROM python:3.11-slim AS build
WORKDIR /wegwijs
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project --compile-bytecode
COPY bot bot
COPY locales locales
COPY knowledge knowledge
RUN uv sync --frozen --no-dev --compile-bytecode && .venv/bin/python -m compileall -q bot

FROM python:3.11-slim
RUN useradd --system --home /wegwijs wegwijs && install -d -o wegwijs /wegwijs/var
COPY --from=build /wegwijs /wegwijs
WORKDIR /wegwijs
USER wegwijs
ENV WEGWIJS_HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8080
VOLUME /wegwijs/var
HEALTHCHECK CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
CMD ["/wegwijs/.venv/bin/wegwijs", "serve"]
