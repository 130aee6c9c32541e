from django.db import models

from orders.models.shop import Shop


class StageCount(models.Model):
    """How many orders of a shop stood in a stage when deltas were last folded in."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    stage = models.CharField(max_length=18)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "stage"], name="stage_count_once")]

    def __str__(self) -> str:
        return f"{self.shop_id} {self.stage}: {self.count}"


class StageDelta(models.Model):
    """One transaction's change of a count: appended beside the orders, folded into `StageCount` by the sweep."""

    shop = models.ForeignKey(Shop, models.CASCADE)
    stage = models.CharField(max_length=18)
    delta = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.shop_id} {self.stage}: {self.delta:+}"
