"""One run over days in batches, with short waits, as a process that can be killed.

python -m benchmarks.faults.in_batches HOME SPAN URL
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path

from benchmarks.faults.runs import MODEL, Days, make_range
from summarizer.models.openai import OpenAIModel

_PACE = 0.002


async def _run(home: str, span: str, url: str) -> int:
    key = os.environ.get("OPENAI_API_KEY")
    async with aclosing(OpenAIModel(MODEL, key=key, base_url=url)) as model:
        report = await make_range(Days(Path(home), span), model, engine="batch", pace=_PACE)
    reasons = [paper.reason for day in report.days for paper in day.papers]
    print(*filter(None, (report.stopped, *reasons)), sep="\n", file=sys.stderr)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(*sys.argv[1:])))
