#!/bin/sh
# The roles of the production image: web · worker QUEUES · beat · migrate · healthy · any manage.py command.
set -eu
cd /app

role=${1:-web}
[ $# -gt 0 ] && shift

case "$role" in
web)
    # counters of an earlier run of this container would be added to the new ones
    rm -rf "$PROMETHEUS_MULTIPROC_DIR"
    mkdir -p "$PROMETHEUS_MULTIPROC_DIR"
    exec granian --interface wsgi --host 0.0.0.0 --port 8000 --no-ws \
        --workers "${WEB_WORKERS:-2}" --blocking-threads "${WEB_THREADS:-4}" \
        --respawn-failed-workers --workers-max-rss "${WEB_MEMORY_MB:-400}" --workers-kill-timeout 30 \
        oms.wsgi:application
    ;;
worker)
    queues=${1:-intake,publish,outbox,default}
    unset PROMETHEUS_MULTIPROC_DIR
    exec celery -A oms.celery worker -Q "$queues" -n "$(echo "$queues" | tr , -)@%h" \
        -c "${WORKER_PROCESSES:-2}" --without-gossip --without-mingle --loglevel INFO
    ;;
beat)
    unset PROMETHEUS_MULTIPROC_DIR
    exec celery -A oms.celery beat --pidfile= --loglevel INFO
    ;;
migrate)
    python manage.py migrate --noinput
    exec python manage.py standard_texts
    ;;
healthy)
    exec python -m oms.runtime.healthy
    ;;
*)
    exec python manage.py "$role" "$@"
    ;;
esac
