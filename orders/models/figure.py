from django.db import models

from orders.models.order import Order
from orders.models.shop import Shop


class OrderFigure(models.Model):
    """What one order counts for in the numbers (`orders.decide.numbers`), written by the roof's sweep only.

    Days are Tokyo days. `shipped_on` is empty for goods the channel ships itself. `touches` are human actions before
    the release, one click counting once; `single_touches` leaves out what one click did to several orders.
    """

    order = models.OneToOneField(Order, models.CASCADE, primary_key=True, related_name="figure")
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    ordered_on = models.DateField()
    shipped_on = models.DateField(null=True)
    cancelled_on = models.DateField(null=True)
    by_channel = models.BooleanField()
    cancelled = models.BooleanField()
    late = models.BooleanField()
    fault = models.BooleanField()
    oversold = models.BooleanField()
    returned = models.BooleanField(default=False)  # goods came back, or are to
    known = models.BooleanField()  # a member bought
    touches = models.PositiveIntegerField()
    single_touches = models.PositiveIntegerField()
    parcels = models.PositiveIntegerField()
    # What shipping cost: yen of freight as the rates stood when they were first known; time at cards, clicks elsewhere.
    freight = models.PositiveIntegerField(null=True)
    card_s = models.PositiveIntegerField(default=0, db_default=0)
    other_touches = models.PositiveIntegerField(default=0, db_default=0)
    # 粗利 and what the goods brought in without tax, by the costs as they stood when they were first known.
    profit = models.IntegerField(null=True)
    net_sales = models.IntegerField(null=True)
    import_s = models.PositiveIntegerField(null=True)  # empty for what was moved in from another system
    release_s = models.PositiveIntegerField(null=True)
    total = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["ordered_on", "shop"], name="figure_ordered"),
            models.Index(fields=["shipped_on", "shop"], name="figure_shipped"),
            models.Index(fields=["cancelled_on", "shop"], name="figure_cancelled"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}"


class DayFigure(models.Model):
    """One number of one shop on one day: how many orders (`n`) and their sum of yen, actions or parcels (`amount`).

    Always the sum of the `OrderFigure` rows of that day, rebuilt together with them. Times are kept by `step`, a
    logarithmic scale (`orders.decide.numbers.step_of`), so that a median of any days can be told.
    """

    basis = models.CharField(max_length=12)
    day = models.DateField()
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=16)
    step = models.PositiveSmallIntegerField(default=0)
    n = models.BigIntegerField()
    amount = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["basis", "day", "shop", "name", "step"], name="day_figure_once"),
        ]
        indexes = [models.Index(fields=["day"], name="day_figure_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.shop_id} {self.name}: {self.n}"


class FigureState(models.Model):
    """How far the sweep has read: one row."""

    event_id = models.BigIntegerField(default=0)
    order_id = models.BigIntegerField(default=0)
    swept_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.event_id}"
