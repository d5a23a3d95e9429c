from __future__ import annotations

import io
import re
from datetime import UTC, datetime

from PIL import Image

from backend.figures import imprint
from backend.figures.imprint import Imprint

MARK = Imprint(
    "Convergence",
    (("experiment", "7, =cmd|' /C calc'!A0, <script>\n% two"), ("data", "rooms 672c")),
    datetime(2026, 11, 1, 12, 30, tzinfo=UTC),
)

PDF = b"""%PDF-1.4
1 0 obj
<</Title (Kaleido-fier)
/Producer (Skia/PDF m156)
/CreationDate (D:20261122064438+00'00')
/ModDate (D:20261122064438+00'00')>>
endobj
xref
0 2
0000000000 65535 f
0000000009 00000 n
trailer
<</Size 2
/Root 1 0 R
/Info 1 0 R>>
startxref
150
%%EOF
"""


def test_identifiers_of_svg_are_numbered_in_order_with_what_refers_to_them() -> None:
    drawn = [
        f'<svg width="1"><clipPath id="clip{uid}xy"/><g id="top{uid}" class="trace scatter trace{uid}" clip-path="url(#clip{uid}xy)"/>'
        f"""<g style="clip-path: url('#clip{uid}xy')"/><use href="#top{uid}"/></svg>"""
        for uid in ("ea582d", "03fa91")
    ]
    first, second = (imprint.in_svg(svg.encode(), None) for svg in drawn)
    assert first == second
    assert b'id="d1"' in first
    assert first.count(b"#d1") == 2
    assert b'href="#d2"' in first


def test_svg_carries_the_words_as_text_that_nothing_runs() -> None:
    svg = imprint.in_svg(b"<svg><g/></svg>", MARK).decode()
    assert "<script>" not in svg
    assert "&lt;script&gt; % two" in svg
    assert svg.startswith("<svg><metadata>Convergence\n")


def test_svg_has_its_size_in_millimetres() -> None:
    svg = imprint.sized_svg(
        b'<svg class="a" width="10" height="20" viewBox="0 0 10 20"><rect width="3"/></svg>', 84, 168
    )
    assert svg == b'<svg class="a" width="84mm" height="168mm" viewBox="0 0 10 20"><rect width="3"/></svg>'


def test_png_carries_words_and_dots_an_inch() -> None:
    plain = io.BytesIO()
    Image.new("RGB", (2, 2)).save(plain, "PNG")
    read = Image.open(io.BytesIO(imprint.in_png(plain.getvalue(), MARK, 300 / 25.4)))
    read.load()
    assert read.info["Title"] == "Convergence"
    assert "data: rooms 672c" in read.info["Description"].splitlines()
    assert round(read.info["dpi"][0]) == 300


def test_pdf_has_the_time_of_its_data_and_an_identifier_of_its_content() -> None:
    made = imprint.in_pdf(PDF, MARK)
    assert b"20261122" not in made
    assert made.count(b"D:20261101123000+00'00'") == 4
    assert made == imprint.in_pdf(PDF.replace(b"064438", b"235959"), MARK)
    start = int(re.findall(rb"startxref\n(\d+)", made)[-1])
    assert made[start:].startswith(b"xref\n0 1\n")
    entry = re.search(rb"\n1 1\n(\d{10}) 00000 n ", made[start:])
    assert entry
    assert made[int(entry[1]) :].startswith(b"1 0 obj\n<</Title <feff")
    assert b"/Prev 150" in made
    identifier = re.search(rb"/ID \[<([0-9a-f]{32})> <\1>\]", made)
    assert identifier
    assert identifier[1] not in imprint.in_pdf(PDF, MARK.with_fact("drawn by", "another"))


def test_comments_are_one_line_a_fact_and_no_formula_of_a_spreadsheet() -> None:
    csv = imprint.in_csv("a,b\n", MARK)
    assert csv.splitlines()[-1] == "a,b"
    assert all(line.startswith("# ") and "," not in line for line in csv.splitlines()[:-1])
    assert imprint.in_latex("x\n", MARK).splitlines()[0].startswith("% experiment: 7, =cmd")
    assert all(line.startswith("% ") for line in imprint.in_latex("x\n", MARK).splitlines()[:-1])
    page = imprint.in_html("<html><head></head></html>", MARK)
    assert "<script>" not in page
    assert '<meta name="depthboard:data-of" content="2026-11-01T12:30:00Z">' in page
