"""Browser windows that are used again: one per person that a test shows at the same time.

A new window for every test costs a second: a process that finds its fonts, compiles the scripts and fetches all files
anew. Here a window stays open between the tests and holds nothing of an earlier one: no cookie, no storage, no page.
"""

from typing import Any

WIDTH, HEIGHT = 1440, 900
KEPT = 3  # more at once are opened and closed again
STAYS = "/static/img/mark.svg"  # a page of the same site, so that its process outlives the pages of a test


class Windows:
    def __init__(self, chromium: Any, root: str) -> None:
        self._chromium, self._root = chromium, root
        self._free: list[tuple[Any, Any]] = []  # (context, its page that stays)
        self._used: list[tuple[Any, Any]] = []

    def page(self, cookies: list[Any], *, width: int = WIDTH, height: int = HEIGHT) -> Any:
        """A blank page in a window that nobody else uses, with these cookies and no others."""
        context, stays = self._free.pop() if self._free else self._open()
        self._used.append((context, stays))
        _close_others(context, stays)  # a page that the last test opened in its last moment
        context.add_cookies(cookies)
        page = context.new_page()
        if (width, height) != (WIDTH, HEIGHT):
            page.set_viewport_size({"width": width, "height": height})
        return page

    def give_back(self) -> None:
        """Everything that the last test opened is gone, and whatever it stored."""
        while self._used:
            context, stays = self._used.pop()
            try:
                kept = len(self._free) < KEPT and self._tidied(context, stays)
            except Exception:  # a page that crashed takes the process of its window along
                kept = False
            if kept:
                self._free.append((context, stays))
            else:
                context.close()

    def _open(self) -> tuple[Any, Any]:
        context = self._chromium.new_context(
            base_url=self._root,
            viewport={"width": WIDTH, "height": HEIGHT},
            locale="ja-JP",
            timezone_id="Asia/Tokyo",
        )
        stays = context.new_page()
        stays.goto(STAYS)
        return context, stays

    def _tidied(self, context: Any, stays: Any) -> bool:
        _close_others(context, stays)
        context.set_offline(False)
        context.clear_cookies()
        stays.evaluate("localStorage.clear()")
        return True


def _close_others(context: Any, stays: Any) -> None:
    for page in context.pages:
        if page != stays:
            page.close()
