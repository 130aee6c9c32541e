from django.db import models


class PublisherMark(models.Model):
    """Append-only: what the channels are told of this SKU (or of a bundle that contains it) may have changed.

    No unique key, so two writers never wait for each other here. The consumer deletes what it takes (`SKIP LOCKED`)
    and de-duplicates; each consumer has a table of its own.
    """

    sku_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sku_id} {self.at}"


class AllocatorMark(models.Model):
    """Append-only, as `PublisherMark`: stock of this SKU became free, lines that wait for it may be served now."""

    sku_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sku_id} {self.at}"


class StockWatch(models.Model):
    """Somebody above wants to know when stock of this SKU moves: only then `WatcherMark`s are written for it."""

    sku_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.sku_id)


class WatcherMark(models.Model):
    """Append-only, as `PublisherMark`: stock of a watched SKU moved, a level may have been crossed."""

    sku_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.sku_id} {self.at}"
