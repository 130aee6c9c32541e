"""What stops the start, in words a merchant understands: Japanese first, one line of English below."""


class Problem(Exception):
    """A cause that the person can remove. Shown without a traceback; the program ends with status 1."""

    def __init__(self, japanese: str, english: str) -> None:
        super().__init__(f"{japanese}\n{english}")
