# One image for every role (web, worker, beat, migrate); docker-compose.yml gives each its command.
FROM python:3.11-slim AS build
WORKDIR /app
COPY pyproject.toml constraints.txt ./
COPY oms/runtime/install.py oms/runtime/install.py
RUN python -m venv /venv \
    && python oms/runtime/install.py --print > /tmp/requirements.txt \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt -r /tmp/requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LANG=C.UTF-8 \
    OMS_ENV=production \
    OMS_DATA=/data \
    PROMETHEUS_MULTIPROC_DIR=/tmp/metrics
RUN useradd --system --uid 10001 --no-create-home oms \
    && mkdir /data \
    && chown oms: /data
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# Settings want every variable; these values are used for collecting files only and stay out of the image's environment.
RUN SECRET_KEY=build ALLOWED_HOSTS=build DATABASE_URL=postgresql://build/build REDIS_URL=redis://build \
    OMS_ENCRYPTION_KEYS=build EMAIL_HOST=build DEFAULT_FROM_EMAIL=build@example.com \
    sh -c 'python -m oms.runtime.messages && python manage.py collectstatic --noinput --verbosity 0' \
    && python -m compileall -q /app
USER oms
EXPOSE 8000
ENTRYPOINT ["/app/oms/runtime/container.sh"]
CMD ["web"]
