"""One line of the benchmark table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`value` and `baseline` in `unit`, measured in the same run; `ratio` = value ÷ baseline.

    Of rates (rows/s) more is better; of durations (ms, s) less: set `lower_is_better`, the ratio must then stay below.
    A `must` of 0 means: reported, not judged.
    """

    name: str
    value: float
    unit: str
    baseline: float
    ratio: float
    must: float
    target: float
    lower_is_better: bool = False

    @property
    def verdict(self) -> str:
        """`target`, `ok` or `BELOW`; "" where nothing is asked."""
        if not self.must:
            return ""
        if self._reaches(self.target):
            return "target"
        return "ok" if self._reaches(self.must) else "BELOW"

    def _reaches(self, line: float) -> bool:
        return self.ratio <= line if self.lower_is_better else self.ratio >= line
