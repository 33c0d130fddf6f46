"""Whether a summary has the form of one: enough points, not too many, none empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from summarizer.digest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from summarizer.checks.reading import Readings


def shape(
    readings: Readings, *, min_points: int = 1, max_points: int = 20
) -> Iterator[Finding]:
    """Find a wrong number of points, and empty points.

    Args:
        min_points: Fewer are an error.
        max_points: More are an error.
    """
    points = readings.summary.points
    if not min_points <= len(points) <= max_points:
        yield Finding(
            check="shape",
            severity="error",
            message=f"the summary has {len(points)} points; {min_points} to {max_points} are wanted",
        )
    for number, point in enumerate(points):
        if not point.text.strip():
            yield Finding(check="shape", severity="error", point=number, message="the point is empty")
