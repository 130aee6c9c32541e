from celery import shared_task

from inventory.services import releases


@shared_task(name="inventory.tasks.close_releases")
def close_releases() -> int:
    """Hourly: stock of released pre-orders that nobody was promised joins the ordinary pools."""
    return releases.close_releases()
