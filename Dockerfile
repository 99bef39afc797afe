# One image for every role: `onrecord up`, `project`, `worker`. Nothing of development is in it, and no pip.
FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN python -m venv /opt/onrecord
COPY schemas schemas
COPY grading grading
COPY calibration calibration
COPY engines engines
COPY eventlog eventlog
COPY projections projections
COPY producers producers
COPY consumers consumers
COPY onrecord onrecord
# The lock file holds all versions, those of development too: as constraints it pins what is installed, and no more.
RUN sed -E '/^ *--hash/d; s/ *\\$//' requirements.lock > constraints.txt \
    && /opt/onrecord/bin/pip install --no-cache-dir --constraint constraints.txt ".[kafka]"
# Libraries bring their tests, headers, and what nobody here speaks. numpy.testing, which others import, needs numpy's.
RUN cd /opt/onrecord/lib/python3.11/site-packages \
    && find . -type d -name tests -not -path "./numpy/*" -prune -exec rm -rf {} + \
    && rm -rf pyarrow/include pyarrow/src pyarrow/*_flight* \
    && /opt/onrecord/bin/pip uninstall --yes setuptools pip

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --home-dir /data --shell /usr/sbin/nologin onrecord
COPY --from=build /opt/onrecord /opt/onrecord
ENV PATH=/opt/onrecord/bin:$PATH PYTHONUNBUFFERED=1 ONRECORD_HOME=/data/home
USER onrecord
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# Whoever works in the folder touches a file in it; see onrecord/heartbeat.py.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-m", "onrecord.heartbeat", "/data/home"]
ENTRYPOINT ["onrecord"]
CMD ["up"]
