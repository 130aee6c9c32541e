"""What operators see from outside: logs, /healthz, /metrics."""
