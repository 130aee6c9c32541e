"""Links to what a floor above may serve: by URL name, and only where it is served."""

from django.urls import NoReverseMatch, reverse

from oms.kernel import scope


def url_if_served(name: str, *args: object) -> str:
    """The URL of a name, or "" where no app serves it, or not to whoever is limited to some shops or places."""
    if not scope.may_open(name):
        return ""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
