from django.db import models


class HandMove(models.Model):
    """A form by which somebody changed stock. Its key makes the second click on it nothing."""

    key = models.CharField(primary_key=True, max_length=40)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key
