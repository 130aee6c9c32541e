"""`manage.py makemessages --locale en` as this project wants it. Needs the gettext programs; only translators do."""

from pathlib import Path
from typing import Any

import polib
from django.core.management.commands import makemessages

from oms.runtime.places import BASE_DIR

IGNORED = ["var", "bench", "tests"]
HEADER = "English words of the screens. The source is Japanese; docs/screens.md tells how to renew this file."
KEPT_METADATA = ("Language", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Plural-Forms")


class Command(makemessages.Command):
    """Never guesses a translation from a similar one; leaves no dates, names or line numbers that change every time."""

    # our short names for gettext_lazy and gettext_noop, and sentences that are stored (`oms.kernel.said`)
    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=lazy", "--keyword=noop", "--keyword=said"]
    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]

    def handle(self, *args: Any, **options: Any) -> None:
        options["ignore_patterns"] = [*options["ignore_patterns"], *IGNORED]
        super().handle(*args, **{**options, "no_obsolete": True, "no_wrap": True, "add_location": "file"})
        for catalogue in sorted((BASE_DIR / "locale").glob("*/LC_MESSAGES/django.po")):
            untranslated = tidy(catalogue)
            self.stdout.write(f"{catalogue.relative_to(BASE_DIR)}: {untranslated} to translate")


def tidy(catalogue: Path) -> int:
    """Replace the header by ours, without dates and names; returns how many entries wait for a translation."""
    words = polib.pofile(str(catalogue), wrapwidth=0)
    words.header = HEADER
    words.metadata_is_fuzzy = False
    words.metadata = {"Project-Id-Version": "order-desk"} | {key: words.metadata[key] for key in KEPT_METADATA}
    words.metadata["Language"] = catalogue.parts[-3]
    words.save()
    return len(words.untranslated_entries())
