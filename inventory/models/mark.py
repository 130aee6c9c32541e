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
