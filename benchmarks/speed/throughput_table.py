"""The page's part on contenders side by side."""

from __future__ import annotations

from collections.abc import Iterator

from speed.aims import AIMS, aim_row, ratio, row_of
from speed.figures import paired
from speed.markdown import Result, machine_lines, number, percent, ranged, table, tiny


def throughput_lines(result: Result) -> Iterator[str]:
    """Side by side, as Markdown."""
    mix, settings = result["mix"], result["settings"]
    yield "## Side by side"
    yield ""
    yield from machine_lines(result["machine"])
    yield (
        f"{mix['texts']} texts of {number(mix['words']['low'])} to "
        f"{number(mix['words']['high'])} words (mean {number(mix['words']['mean'])}, logarithms "
        f"equally spread), {number(mix['tokens'])} tokens, from {mix['source']}, seed "
        f"{mix['seed']}. The peers cut texts off at {mix['peers_cut_at']} tokens and read "
        f"{number(mix['tokens_read_by_peers'])} of them; ours read all. Median of "
        f"{settings['repeats']} alternating repeats; every contender in a process of its own."
    )
    yield ""
    peaks = ", ".join(
        f"{name} {number(p['gops'])} ({p['library']}, {' x '.join(map(str, p['size']))})"
        for name, p in result["peaks"].items()
    )
    yield f"Fastest matrix products of this machine, 10^9 operations a second: {peaks}."
    yield ""
    yield from contender_table(result)
    yield "### What was aimed at, for the pooled model"
    yield ""
    yield from table(("", "aimed at", "measured", ""), [aim_row(aim, result) for aim in AIMS])
    yield from _int8_lines(result)
    yield from _choice_lines(result)


def contender_table(result: Result) -> Iterator[str]:
    """One line a contender."""
    head = ("", "texts/s", "tokens/s", "x pipeline, tokens", "x pipeline, texts", "of the peak",
            "peak MB", "cold start s", "30 words: p50 ms", "p95 ms", "batch-mates")  # fmt: skip
    base = row_of(result, "pipeline")
    rows, missing = [], []
    for row in result["rows"]:
        if "seconds" not in row:
            missing.append(f"Not measured: {row['what']} ({row['unmeasured']}).")
            continue
        ratios = []
        for kind in ("tokens", "texts"):
            found = ratio(row, base, kind)
            ratios.append("1" if row is base else "-" if found is None else ranged(found))
        rows.append(
            [row["what"], number(row["texts_per_s"], 1), number(row["tokens_per_s"]), *ratios,
             percent(row.get("peak_share")), number(row["memory_mb"]),
             number(row["cold_s"]["median"], 2), number(row["p50_ms"], 2),
             number(row["p95_ms"], 2), tiny(row["batch_mate_change"])]
        )  # fmt: skip
    yield from table(head, rows)
    yield (
        "Brackets: lowest and highest of the repeats. *Of the peak*: operations that the tokens "
        "need, padding left out, against the fastest matrix product of the same precision. "
        "*Cold start*: a new process, until the first text is scored. *Batch-mates*: largest "
        "change of a score (0 to 1) when the text is scored alone."
    )
    yield ""
    for line in missing:
        yield line
        yield ""
    yield from table(
        ("cold start of the command", "first result s", "end s"),
        [
            (f"`persona-lab score --detector {run['model']}`", ranged(run["first_s"]),
             ranged(run["whole_s"]))
            for run in result["commands"]
        ],
    )  # fmt: skip


def _int8_lines(result: Result) -> Iterator[str]:
    """What rounding costs."""
    yield "### What int8 costs"
    yield ""
    found = result["int8"].get("texts")
    if found is None:
        yield "Not measured: this run did without the float weights."
    else:
        yield (
            f"The bundled int8 encoder against the same graph in float32, {found['judgements']} "
            f"judgements on {found['texts']} texts: same side of the threshold "
            f"{percent(found['same_side'], 1)}, same label or abstention "
            f"{percent(found['same_label'], 1)}; probabilities differ by "
            f"{found['mean_difference']:.4f} on average, {found['max_difference']:.4f} at most."
        )
    yield ""
    essays = result["int8"].get("essays")
    if essays is not None:
        yield (
            f"On {essays['texts']} essays ({essays['judgements']} labels; the model has been "
            f"trained on them, so only the difference counts): int8 {essays['int8']:.1f} %, "
            f"float32 {essays['fp32']:.1f} %."
        )
        yield ""
    alike = [
        (row["what"], row["differs"]["from"], tiny(row["differs"]["mean"]),
         tiny(row["differs"]["max"]), percent(row["differs"]["same_half"], 1))
        for row in result["rows"] if "differs" in row
    ]  # fmt: skip
    if alike:
        yield from table(
            ("scores against those of a neighbour", "of", "mean", "largest", "same half"), alike
        )
    if result["sizes"]:
        sizes = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in result["sizes"].items())
        yield f"Files in MB: {sizes}."
        yield ""


def _choice_lines(result: Result) -> Iterator[str]:
    """What each choice bought, and where the rest of the time goes."""
    yield "### What each choice bought"
    yield ""
    yield (
        "The same work, done as shipped and with one choice taken back, in alternating repeats. "
        "Above 1 the choice pays."
    )
    yield ""
    yield from table(
        ("as shipped", "instead", "bought"),
        [
            (row["shipped"], row["instead"],
             ranged(paired(row["seconds_instead"], row["seconds_shipped"])) + " x")
            for row in result["choices"]
        ],
    )  # fmt: skip
    total = sum(result["parts"].values())
    yield "Where the time of the pooled model goes, over the mix of texts:"
    yield ""
    yield from table(
        ("", "seconds", "share"),
        [(name, number(s, 3), percent(s / total)) for name, s in result["parts"].items()],
    )
