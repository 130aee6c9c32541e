"""Which queue a task waits in, and what beat starts by itself. Tasks are named by string; settings import this.

Queues are kinds of work, so that a slow mall or a slow mail server delays only its own kind:
`intake` (orders in), `publish` (stock out), `outbox` (mails and notices), `reading` (whole catalogues and days of a
mall, call by call at the mall's own pace: hours where it allows one a second), `default` (everything else).
The first pattern that fits a task's name decides; each app adds its own lines to both tables.
"""

from typing import Any

QUEUES = ("intake", "publish", "outbox", "reading", "default")

# Busy for hours at times, so no task can tell that a worker of theirs lives: the worker itself does (oms/celery.py).
LONG_QUEUES = ("reading",)

ROUTES: list[tuple[str, dict[str, str]]] = [
    ("oms.kernel.tasks.deliver_*", {"queue": "outbox"}),
    ("orders.tasks.collect_bounces", {"queue": "outbox"}),
    ("channels.tasks.import_listings", {"queue": "reading"}),
    ("channels.tasks.publish_compare_shop", {"queue": "reading"}),
    ("channels.tasks.intake_compare", {"queue": "reading"}),
    ("channels.tasks.intake_by_number", {"queue": "reading"}),
    ("channels.tasks.pull*", {"queue": "intake"}),
    ("channels.tasks.poll*", {"queue": "intake"}),
    ("channels.tasks.intake*", {"queue": "intake"}),
    ("channels.tasks.publish*", {"queue": "publish"}),
    ("channels.tasks.push*", {"queue": "publish"}),
]

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # one per queue that is never busy for long: its arrival proves beat, the broker and a worker of that queue
    # (oms.kernel.observability.health)
    **{
        f"heartbeat-{queue}": {
            "task": "oms.kernel.observability.tasks.heartbeat",
            "schedule": 15.0,
            "args": (queue,),
            "options": {"queue": queue, "expires": 60},
        }
        for queue in QUEUES
        if queue not in LONG_QUEUES
    },
    "outbox-sweep": {"task": "oms.kernel.tasks.deliver_effects", "schedule": 10.0, "options": {"expires": 30}},
}
BEAT_SCHEDULE |= {
    "clear-sessions": {"task": "oms.kernel.tasks.clear_sessions", "schedule": 3600.0, "options": {"expires": 3000}},
}
BEAT_SCHEDULE |= {
    "stage-sweep": {"task": "orders.tasks.sweep_stages", "schedule": 60.0, "options": {"expires": 60}},
    "resume-bulk": {"task": "orders.tasks.resume_bulk", "schedule": 60.0, "options": {"expires": 60}},
    "fold-counts": {"task": "orders.tasks.fold_counts", "schedule": 20.0, "options": {"expires": 20}},
    "allocate": {"task": "fulfillment.tasks.allocate_waiting", "schedule": 5.0, "options": {"expires": 5}},
}
BEAT_SCHEDULE |= {
    "poll": {"task": "channels.tasks.poll", "schedule": 2.0, "options": {"expires": 2}},
    "events": {"task": "channels.tasks.intake_events", "schedule": 3.0, "options": {"expires": 3}},
    "publish": {"task": "channels.tasks.publish", "schedule": 5.0, "options": {"expires": 5}},  # changes wake it
    "read-back": {"task": "channels.tasks.push_read_back", "schedule": 30.0, "options": {"expires": 30}},
}
BEAT_SCHEDULE |= {
    "close-releases": {"task": "inventory.tasks.close_releases", "schedule": 3600.0, "options": {"expires": 3600}},
}
BEAT_SCHEDULE |= {
    "merge": {"task": "fulfillment.tasks.merge_sweep", "schedule": 60.0, "options": {"expires": 60}},
    "release": {"task": "fulfillment.tasks.release_due", "schedule": 30.0, "options": {"expires": 30}},
}
BEAT_SCHEDULE |= {
    "warn-of-expiry": {"task": "channels.tasks.warn_of_expiry", "schedule": 3600.0, "options": {"expires": 3600}},
    "renewals": {"task": "channels.tasks.renewals", "schedule": 60.0, "options": {"expires": 60}},
    "forget-calls": {"task": "channels.tasks.forget_calls", "schedule": 3600.0, "options": {"expires": 3600}},
    "publish-windows": {"task": "channels.tasks.publish_windows", "schedule": 30.0, "options": {"expires": 30}},
    "publish-compare": {"task": "channels.tasks.publish_compare", "schedule": 60.0, "options": {"expires": 60}},
    "oversell": {"task": "channels.tasks.publish_oversell_sweep", "schedule": 30.0, "options": {"expires": 30}},
    "compare-days": {"task": "channels.tasks.intake_compare_due", "schedule": 300.0, "options": {"expires": 300}},
    "replay-due": {"task": "channels.tasks.intake_replay_due", "schedule": 300.0, "options": {"expires": 300}},
    "listings-due": {"task": "channels.tasks.listings_due", "schedule": 300.0, "options": {"expires": 300}},
    "run-rules": {"task": "orders.tasks.run_rules", "schedule": 5.0, "options": {"expires": 5}},
    "rule-moments": {"task": "orders.tasks.run_rule_moments", "schedule": 60.0, "options": {"expires": 60}},
    "fold-rule-tallies": {"task": "orders.tasks.fold_rule_tallies", "schedule": 300.0, "options": {"expires": 300}},
    "review-by-time": {"task": "orders.tasks.review_by_time", "schedule": 900.0, "options": {"expires": 600}},
}
BEAT_SCHEDULE |= {
    "payments": {"task": "orders.tasks.follow_payments", "schedule": 1800.0, "options": {"expires": 1800}},
}
BEAT_SCHEDULE |= {
    "figures": {"task": "oms.pages.tasks.refresh_figures", "schedule": 60.0, "options": {"expires": 60}},
}
BEAT_SCHEDULE |= {
    "resume-move-ins": {"task": "orders.tasks.resume_move_ins", "schedule": 60.0, "options": {"expires": 60}},
}
BEAT_SCHEDULE |= {
    "attachment-sweep": {"task": "orders.tasks.sweep_attachments", "schedule": 3600.0, "options": {"expires": 3000}},
    "document-files": {"task": "orders.tasks.make_missing_files", "schedule": 60.0, "options": {"expires": 60}},
}
BEAT_SCHEDULE |= {
    "mail-bounces": {"task": "orders.tasks.collect_bounces", "schedule": 60.0, "options": {"expires": 60}},
}
BEAT_SCHEDULE |= {
    "resume-exports": {"task": "orders.tasks.resume_exports", "schedule": 60.0, "options": {"expires": 60}},
    "forget-exports": {"task": "orders.tasks.forget_exports", "schedule": 3600.0, "options": {"expires": 3000}},
    "forget-waybills": {"task": "fulfillment.tasks.forget_waybills", "schedule": 3600.0, "options": {"expires": 3000}},
}
BEAT_SCHEDULE |= {
    "erase-personal": {"task": "orders.tasks.erase_personal", "schedule": 3600.0, "options": {"expires": 3000}},
}
