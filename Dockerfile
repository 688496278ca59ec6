# The serving image: onnxruntime, Flask, Waitress and DuckDB; no scikit-learn, no pandas.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
COPY requirements-serve.txt /tmp/
RUN pip install --no-cache-dir --no-compile --require-hashes --target /opt/sextant/packages \
      -r /tmp/requirements-serve.txt
WORKDIR /opt/sextant/packages
# What no request ever reaches: the C library beside onnxruntime's Python module (which does not
# link it), its tools for making models and what only those import, the parts of numpy that serving
# does not call, headers, type stubs and the packages' own tests.
RUN rm -rf onnxruntime/capi/libonnxruntime.so* onnxruntime/transformers onnxruntime/quantization \
      onnxruntime/tools onnxruntime/datasets google protobuf-* flatbuffers* packaging* \
      numpy/f2py numpy/typing numpy/_core/include numpy/_core/lib numpy/random numpy/fft \
      numpy/polynomial numpy/_core/_simd.* numpy/_core/_multiarray_tests.* \
      duckdb/experimental bin && \
    find . \( -name tests -o -name testing \) -type d -prune -exec rm -rf {} + && \
    find . \( -name '*.pyi' -o -name '*.pxd' -o -name '*.h' \) -delete
WORKDIR /opt/sextant
COPY LICENSE ./
COPY server server
COPY models/sdss.onnx models/
# Compiled now: nobody can write there later, and compiling at every start triples the CPU it takes.
RUN python -m compileall -q -j 0 .
# What all of it is, with its licences; what writes that stays behind.
ARG REVISION=unknown
COPY ops/image /tmp/image/
RUN PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/sextant/packages:/opt/sextant \
    python /tmp/image/sbom.py packages "$REVISION" >/tmp/sbom.cdx.json && \
    mv /tmp/sbom.cdx.json .

FROM python:${PYTHON}-slim-bookworm
COPY --from=build /opt/sextant /opt/sextant
WORKDIR /opt/sextant
# What threads have used goes back to the system, and few arenas hold what is left.
ENV MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    PYTHONPATH=/opt/sextant/packages \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    SEXTANT_HOST=0.0.0.0 \
    SEXTANT_PORT=8080 \
    SEXTANT_MODEL=/opt/sextant/models/sdss.onnx \
    SEXTANT_DATABASE=/data/predictions.duckdb
# One prediction with what is left: it proves that nothing needed was removed, and leaves the
# compiled standard library behind, which the base image ships without. Whoever mounts an empty
# file system over /data keeps the folder's mode but not its owner, so it is open as /tmp is.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin sextant && \
    mkdir -m 1777 /data && \
    SEXTANT_HOST=127.0.0.1 SEXTANT_DATABASE=/tmp/smoke.duckdb python -c "\
import os, server.__main__, server.pages.home; \
from server.app import create_app; \
from server.config import Settings; \
app = create_app(Settings.from_environment(os.environ)); \
example = server.pages.home.example_instance(app.extensions['sextant'].model.contract); \
assert app.test_client().post('/predict', json=example).status_code == 200; \
app.extensions['sextant'].log.close()" && \
    rm -rf /tmp/* && chown sextant /data
USER 10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['SEXTANT_PORT']), timeout=2); c.request('GET', '/health/ready'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["python", "-m", "server"]
