"""What a file says of itself: experiment, data, code, the address that draws it again, and the time of its data.

Whatever differs from one drawing to the next is taken out, so that one figure of one record has one file: identifiers of SVG are
renumbered, dates of PDF are those of the data. Title and words are written where each format keeps them.
"""

from __future__ import annotations

import hashlib
import html
import re
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

PNG_HEAD = 33
"""Bytes of a PNG up to the end of its first chunk, after which others may stand."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """`facts`: what -> words; `at`: when the data last changed."""

    title: str
    facts: tuple[tuple[str, str], ...]
    at: datetime

    def lines(self) -> list[str]:
        return [f"{what}: {' '.join(words.split())}" for what, words in (*self.facts, ("data of", self.day))]

    @property
    def day(self) -> str:
        return self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def with_fact(self, what: str, words: str) -> Imprint:
        return Imprint(self.title, (*self.facts, (what, words)), self.at)


# --- SVG -------------------------------------------------------------------------------------------------------------


def in_svg(svg: bytes, imprint: Imprint | None) -> bytes:
    text = _renumbered(svg.decode())
    if imprint is None:
        return text.encode()
    words = html.escape("\n".join([imprint.title, *imprint.lines()]), quote=False)
    return re.sub(r"(<svg\b[^>]*>)", lambda m: f"{m[1]}<metadata>{words}</metadata>", text, count=1).encode()


def _renumbered(svg: str) -> str:
    """Plotly draws identifiers and classes anew each time: `id`s become d1, d2, …, classes with a trace's number lose it."""
    names = {name: f"d{i}" for i, name in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg)), 1)}
    number = lambda match: f"{match[1]}{names.get(match[2], match[2])}{match[3]}"
    svg = re.sub(r'(\bid=")([^"]+)(")', number, svg)
    svg = re.sub(r"(url\((?:&quot;|['\"])?#)([^)'\"&]+)((?:&quot;|['\"])?\))", number, svg)
    svg = re.sub(r'(href="#)([^"]+)(")', number, svg)
    return re.sub(r'(class="trace [\w ]*?)trace[0-9a-f]{6}\b', r"\1", svg)


def sized_svg(svg: bytes, width: float, height: float) -> bytes:
    """With its size in millimetres, so that it is placed as wide as it was asked for."""
    text = svg.decode()
    head = re.match(r"<svg\b[^>]*>", text)
    assert head is not None
    sized = re.sub(r'(?<=\s)width="[^"]*"', f'width="{width:.6g}mm"', head[0], count=1)
    sized = re.sub(r'(?<=\s)height="[^"]*"', f'height="{height:.6g}mm"', sized, count=1)
    return (sized + text[head.end() :]).encode()


# --- PNG -------------------------------------------------------------------------------------------------------------


def in_png(png: bytes, imprint: Imprint | None, px_per_mm: float | None = None) -> bytes:
    added = b""
    if px_per_mm is not None:
        per_metre = round(1000 * px_per_mm)
        added += _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1))
    if imprint is not None:
        words = [("Title", imprint.title), ("Description", "\n".join(imprint.lines())), ("Creation Time", imprint.day)]
        added += b"".join(_chunk(b"iTXt", f"{key}\0\0\0\0\0".encode() + text.encode()) for key, text in words)
    kept = b"".join(chunk for kind, chunk in _chunks(png[PNG_HEAD:]) if kind not in (b"pHYs", b"tIME"))
    return png[:PNG_HEAD] + added + kept


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 0
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        found.append((png[at + 4 : at + 8], png[at : at + length + 12]))
        at += length + 12
    return found


# --- PDF -------------------------------------------------------------------------------------------------------------


def in_pdf(pdf: bytes, imprint: Imprint | None) -> bytes:
    """As an update at the file's end (PDF 1.7, 7.5.6): a new information dictionary, and an identifier that follows from the content."""
    if imprint is None:
        return pdf
    at = imprint.at.astimezone(UTC).strftime("D:%Y%m%d%H%M%S+00'00'").encode()
    pdf = re.sub(rb"D:\d{14}\+00'00'", at, pdf)
    place = re.findall(rb"startxref\s+(\d+)", pdf)[-1].decode()
    trailer = pdf[pdf.rindex(b"trailer") :]
    info, size, root = (_entry(trailer, key) for key in (rb"Info\s+(\d+)", rb"Size\s+(\d+)", rb"Root\s+(\d+ \d+ R)"))
    producer = re.search(rb"/Producer \(([^)]*)\)", pdf)
    words = {
        "Title": _pdf_text(imprint.title),
        "Subject": _pdf_text("; ".join(imprint.lines())),
        "Creator": _pdf_text("Depthboard"),
        "Producer": _pdf_text(producer[1].decode("latin-1") if producer else ""),
        "CreationDate": f"({at.decode()})",
        "ModDate": f"({at.decode()})",
    }
    body = " ".join(f"/{key} {text}" for key, text in words.items())
    begin = len(pdf) + 1
    update = f"\n{info} 0 obj\n<<{body}>>\nendobj\n"
    table = f"xref\n0 1\n0000000000 65535 f \n{info} 1\n{begin:010d} 00000 n \n"
    digest = hashlib.sha256(pdf + update.encode()).hexdigest()[:32]
    end = f"trailer\n<</Size {size} /Root {root} /Info {info} 0 R /Prev {place} /ID [<{digest}> <{digest}>]>>\n"
    start = f"startxref\n{len(pdf) + len(update.encode())}\n%%EOF\n"
    return pdf + (update + table + end + start).encode()


def _entry(trailer: bytes, pattern: bytes) -> str:
    match = re.search(rb"/" + pattern, trailer)
    assert match is not None, "a PDF of Chromium has all three"
    return match[1].decode()


def _pdf_text(text: str) -> str:
    marked = "\ufeff" + text
    return f"<{marked.encode('utf-16-be').hex()}>"


# --- texts -----------------------------------------------------------------------------------------------------------


def in_csv(text: str, imprint: Imprint) -> str:
    """Comment lines before the head: no field of theirs can be taken for a formula, nor for a second column."""
    lines = [re.sub(r"[^\w .:/?&=%+*()-]", "_", line.replace(",", "")) for line in imprint.lines()]
    return "".join(f"# {line}\n" for line in lines) + text


def in_latex(text: str, imprint: Imprint) -> str:
    return "".join(f"% {line}\n" for line in imprint.lines()) + text


def in_html(page: str, imprint: Imprint) -> str:
    tags = "".join(
        f'<meta name="depthboard:{html.escape(what.replace(" ", "-"))}" content="{html.escape(words)}">'
        for what, words in (*imprint.facts, ("data of", imprint.day))
    )
    return page.replace("</head>", f"{tags}</head>", 1)
