"""The tables of results and of sharpness as CSV with all digits, and as LaTeX with booktabs, the best mean in bold."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from backend.figures import captions
from backend.figures.table import ResultsTable
from backend.figures.tokens import ENCODER_TITLES
from backend.schemas import ResultRow

HEADINGS = {
    "abs_rel": "rel",
    "log10": r"$\log_{10}$",
    "rmse": "rms (m)",
    "rmse_log": r"rms$_{\log}$",
    "delta1": r"$\delta<1.25$ (\%)",
    "delta2": r"$\delta<1.25^2$ (\%)",
    "delta3": r"$\delta<1.25^3$ (\%)",
}

LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "δ": r"$\delta$",
    "λ": r"$\lambda$",
    "∇": r"$\nabla$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "²": r"$^2$",
    "³": r"$^3$",
    "–": "--",
    captions.THIN: r"\,",
}


Block = tuple[str | None, int | None]
"""Data set and training images: what rows must share to be ranked."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read a cell as a formula."""


def to_csv(numbers: ResultsTable) -> str:
    """Stored units (metres, shares 0..1), every digit; each metric is followed by its sample standard deviation over seeds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    metrics = [column for metric in numbers.metrics for column in (metric, f"{metric}_std")]
    writer.writerow(["kind", "label", "loss", "dataset", "train_size", "encoder", "n", "run_ids", *metrics, "note"])
    for row in numbers.rows:
        pairs = [_digits(v) for m in numbers.metrics for v in (row.values.get(m), row.spread.get(m))]
        size = "" if row.train_size is None else row.train_size
        ids = " ".join(map(str, row.run_ids))
        names = [inert(text or "") for text in (row.label, row.loss, row.dataset)]
        facts = [row.kind, *names, size, row.encoder or "", row.n, ids]
        writer.writerow([*facts, *pairs, inert(row.note or "")])
    return out.getvalue()


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of datasets and splits come from people."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _digits(value: float | None) -> str:
    return "" if value is None else repr(value)


def to_latex(numbers: ResultsTable) -> str:
    """A table environment for the booktabs package; the runs behind each row stand in comments, all of them in the caption.

    A column of notes where one of our rows has one: what is lost to a mean, or cannot be compared. Bold is the best mean of ours on one
    data set at one size, as printed, and the comment says that no test decides it.
    """
    best = _best(numbers)
    several = len({row.dataset for row in numbers.rows if row.kind == "run"}) > 1
    noted = any(row.kind == "run" and row.note for row in numbers.rows)
    kinds = {kind: [row for row in numbers.rows if row.kind == kind] for kind in ("run", "constant", "published")}
    body: list[str] = []
    for kind, rows in kinds.items():
        if rows:
            body += [r"\midrule"] + ([r"\multicolumn{4}{l}{Published, quoted} \\"] if kind == "published" else [])
            body += _ruled(rows, [_latex_row(row, numbers.metrics, best, noted=noted, several=several) for row in rows])
    runs = sorted({run_id for row in numbers.rows for run_id in row.run_ids})
    caption = captions.join(numbers.caption, f"Runs {ranges(runs)}." if runs else "")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            "% bold: the best mean of ours on one data set at one size; no test decides it. Published rows are never compared with ours",
            "% \\pm: sample standard deviation over n seeds",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{latex(caption)}}}",
            rf"\begin{{tabular}}{{llrr{'r' * len(numbers.metrics)}{'l' * noted}}}",
            r"\toprule",
            " & ".join(["Loss", "Encoder", "Images", "n", *map(heading, numbers.metrics), *["Note"] * noted]) + r" \\",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def heading(metric: str) -> str:
    """A column's name as LaTeX: the papers' own where they have one, else the label with its unit."""
    known = captions.KNOWN[metric]
    return HEADINGS.get(metric) or latex(f"{known.label} ({known.unit})" if known.unit else known.label)


def _ruled(rows: list[ResultRow], lines: list[str]) -> list[str]:
    """A thin space where data or size changes."""
    blocks = [_block(row) for row in rows]
    return [
        rf"\addlinespace{chr(10)}{line}" if i and blocks[i] != blocks[i - 1] and rows[i].kind == "run" else line
        for i, line in enumerate(lines)
    ]


def _block(row: ResultRow) -> Block:
    return row.dataset, row.train_size


def _best(numbers: ResultsTable) -> dict[tuple[Block, str], str]:
    """The best mean of ours by block and metric, as it is printed: two that print alike are both best."""
    found: dict[tuple[Block, str], tuple[float, str]] = {}
    for row in numbers.rows:
        for metric in numbers.metrics:
            value = row.values.get(metric)
            if row.kind == "run" and value is not None:
                ranked = (_badness(metric, value), _printed(metric, value))
                found[_block(row), metric] = min(found.get((_block(row), metric), ranked), ranked)
    return {key: printed for key, (_, printed) in found.items()}


def _badness(metric: str, value: float) -> float:
    known = captions.KNOWN[metric]
    if known.ideal is not None:
        return abs(value - known.ideal)
    return value if known.lower_is_better else -value


def _printed(metric: str, value: float) -> str:
    return f"{captions.shown(metric, value):.{captions.decimals(metric)}f}"


def _latex_row(
    row: ResultRow, metrics: Iterable[str], best: dict[tuple[Block, str], str], *, noted: bool, several: bool
) -> str:
    encoder = ENCODER_TITLES.get(row.encoder or "", row.encoder or "")
    size = "" if row.train_size is None else captions.count(row.train_size)
    label = f"{row.label}, {row.dataset}" if several and row.kind != "published" else row.label
    facts = [latex(label), latex(encoder), latex(size), str(row.n) if row.kind == "run" else ""]
    note = [latex(row.note or "") if row.kind == "run" else ""] * noted
    line = " & ".join([*facts, *(_latex_value(row, m, best) for m in metrics), *note]) + r" \\"
    return line + (f" % runs {ranges(row.run_ids)}" if row.run_ids else "")


def _latex_value(row: ResultRow, metric: str, best: dict[tuple[Block, str], str]) -> str:
    value, spread = row.values.get(metric), row.spread.get(metric)
    if value is None:
        return "--"
    text = _printed(metric, value)
    if row.kind == "run" and best.get((_block(row), metric)) == text:
        text = rf"\mathbf{{{text}}}"
    return f"${text}$" if spread is None else rf"${text} \pm {_printed(metric, spread)}$"


def latex(text: str) -> str:
    """Plain text as LaTeX."""
    return "".join(
        LATEX.get(character, character) for character in text if character in LATEX or character.isprintable()
    )


def ranges(numbers: list[int]) -> str:
    """[1, 2, 3, 7] -> `1–3, 7`."""
    parts: list[list[int]] = []
    for n in sorted(numbers):
        if parts and n == parts[-1][-1] + 1:
            parts[-1].append(n)
        else:
            parts.append([n])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts)
