"""`python -m oms.runtime.pins` (`make pins`): writes constraints.txt from what is installed here.

Only what pyproject.toml asks for and what that needs in turn, so that a developer's own tools stay out.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement

from oms.runtime.install import CONSTRAINTS, requirements

HEAD = "# Exact versions of everything pyproject.toml pulls in. Names no index. Written by `make pins`.\n"


def pins() -> list[str]:
    """`name==version` of the whole closure, sorted."""
    found: dict[str, str] = {}
    waiting = [(Requirement(line), frozenset[str]()) for line in requirements(["local", "dev"])]
    while waiting:
        wanted, extras = waiting.pop()
        if wanted.marker and not any(wanted.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            continue
        try:
            package = distribution(wanted.name)
        except PackageNotFoundError as absent:
            raise SystemExit(f"{wanted.name} is not installed: run `make install` first") from absent
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        key = f"{name}[{','.join(sorted(wanted.extras))}]"
        if key in found:
            continue
        found[key] = f"{package.metadata['Name']}=={package.version}"
        waiting += [(Requirement(line), frozenset(wanted.extras)) for line in package.requires or ()]
    return sorted(set(found.values()), key=str.lower)


if __name__ == "__main__":
    CONSTRAINTS.write_text(HEAD + "\n".join(pins()) + "\n")
