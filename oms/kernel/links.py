"""Links to what a floor above may serve: by URL name, and only where it is served."""

from django.urls import NoReverseMatch, reverse


def url_if_served(name: str, *args: object) -> str:
    """The URL of a name, or "" where no app serves it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
