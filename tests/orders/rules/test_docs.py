"""The tables of docs/rules.md are what the program offers. `OMS_WRITE_DOCS=1` writes them anew."""

import os

from django.conf import settings
from django.utils.translation import override

from orders.decide.rules.actions import SPECS
from orders.decide.rules.fields import FIELDS, OPERATORS

PATH = settings.BASE_DIR / "docs" / "rules.md"


def tables() -> dict[str, str]:
    with override("ja"):
        fields = {
            lines: ["| Code | Name | Kind | Also says |", "|---|---|---|---|"]
            + [
                f"| `{one.code}` | {one.label} | {one.kind} | {' '.join(filter(None, (one.arg, one.also)))} |"
                for one in FIELDS.values()
                if one.line == lines
            ]
            for lines in (False, True)
        }
        operators = ["| Code | Says | Kinds | Value |", "|---|---|---|---|"] + [
            f"| `{one.code}` | {one.label} | {' '.join(one.kinds)} | {one.takes} |" for one in OPERATORS.values()
        ]
        actions = ["| Code | Does | Asks | Taken back | Late |", "|---|---|---|---|---|"] + [
            f"| `{one.code}` | {one.label} | {', '.join(f'`{p.name}`' for p in one.params)} | "
            f"{'yes' if one.undoable else 'no'} | {'yes' if one.late else 'no'} |"
            for one in SPECS.values()
        ]
    parts = {"fields": fields[False], "line fields": fields[True], "operators": operators, "actions": actions}
    return {name: "\n".join(lines) for name, lines in parts.items()}


def test_the_document_names_every_field_operator_and_action():
    text = PATH.read_text()
    for name, table in tables().items():
        before, rest = text.split(f"<!-- {name} -->\n", 1)
        after = rest[rest.index("\n\n") :] if rest.startswith("|") else "\n" + rest
        text = f"{before}<!-- {name} -->\n{table}{after}"
    if os.environ.get("OMS_WRITE_DOCS"):
        PATH.write_text(text)
    assert PATH.read_text() == text
