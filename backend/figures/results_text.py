"""The tables of results and of sharpness as CSV with all digits, and as LaTeX with booktabs."""

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
        names = [_inert(text or "") for text in (row.label, row.loss, row.dataset)]
        facts = [row.kind, *names, size, row.encoder or "", row.n, ids]
        writer.writerow([*facts, *pairs, _inert(row.note or "")])
    return out.getvalue()


def _inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of datasets and splits come from people."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _digits(value: float | None) -> str:
    return "" if value is None else repr(value)


def to_latex(numbers: ResultsTable) -> str:
    """A table environment for the booktabs package; the runs behind each row stand in comments, all of them in the caption.

    A column of notes where one of our rows has one: what is lost to a mean, or cannot be compared.
    """
    noted = any(row.kind == "run" and row.note for row in numbers.rows)
    kinds = {kind: [row for row in numbers.rows if row.kind == kind] for kind in ("run", "constant", "published")}
    body: list[str] = []
    for kind, rows in kinds.items():
        if rows:
            body += [r"\midrule"] + ([r"\multicolumn{4}{l}{Published, quoted} \\"] if kind == "published" else [])
            body += [_latex_row(row, numbers.metrics, noted) for row in rows]
    runs = sorted({run_id for row in numbers.rows for run_id in row.run_ids})
    caption = captions.join(numbers.caption, f"Runs {ranges(runs)}." if runs else "")
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
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


def _latex_row(row: ResultRow, metrics: Iterable[str], noted: bool) -> str:
    encoder = ENCODER_TITLES.get(row.encoder or "", row.encoder or "")
    size = "" if row.train_size is None else captions.count(row.train_size)
    label = f"{row.label}, {row.dataset}" if row.kind != "published" else row.label
    facts = [latex(label), latex(encoder), latex(size), str(row.n) if row.kind == "run" else ""]
    note = [latex(row.note or "") if row.kind == "run" else ""] * noted
    line = " & ".join([*facts, *(_latex_value(row, m) for m in metrics), *note]) + r" \\"
    return line + (f" % runs {ranges(row.run_ids)}" if row.run_ids else "")


def _latex_value(row: ResultRow, metric: str) -> str:
    value, spread = row.values.get(metric), row.spread.get(metric)
    if value is None:
        return "--"
    digits = captions.decimals(metric)
    text = f"{captions.shown(metric, value):.{digits}f}"
    return f"${text}$" if spread is None else rf"${text} \pm {captions.shown(metric, spread):.{digits}f}$"


def latex(text: str) -> str:
    """Plain text as LaTeX."""
    return "".join(LATEX.get(character, character) for character in text)


def ranges(numbers: list[int]) -> str:
    """[1, 2, 3, 7] -> `1–3, 7`."""
    parts: list[list[int]] = []
    for n in sorted(numbers):
        if parts and n == parts[-1][-1] + 1:
            parts[-1].append(n)
        else:
            parts.append([n])
    return ", ".join(str(p[0]) if len(p) == 1 else f"{p[0]}–{p[-1]}" for p in parts)
