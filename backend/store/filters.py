"""The language in which people say which runs they want: `loss in (l1, berhu) and optimiser.lr > 1e-3 and not rmse > 0.5`.

    or      = and { "or" and }                     a name   loss, optimiser.lr, val/rmse, param.x, metric.x, "a b"
    and     = not { ["and"] not }                  a value  word, 12, 12k, 1e-3, "a text"; `*` in a word stands for anything
    not     = "not" not | "(" or ")" | test
    test    = name ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value     `~`: contains, whatever the case
            | name ["not"] "in" "(" value { "," value } ")"
            | "has" "(" name ")"                                                 the run has it at all
            | word                                                               somewhere in what the run is called

A text becomes a tree here; backend.store.matching makes SQL of the tree, every value a bound parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from depthboard.errors import InvalidInput

LONGEST = 2000
MOST_TESTS = 100
DEEPEST = 40

TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>(?P<prefix>(?:param|metric)\.)?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
    | (?P<operator><=|>=|==|!=|!~|[=<>~])
    | (?P<mark>[(),])
    | (?P<word>[^\s()<>=!~,"']+)
    )""",
    re.VERBOSE | re.DOTALL,
)
NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)([kM]?)", re.ASCII)
FACTORS = {"": 1.0, "k": 1e3, "M": 1e6}
KEYWORDS = frozenset({"and", "or", "not", "in", "has"})
OPPOSITES = {"!=": "=", "!~": "~"}


@dataclass(frozen=True)
class Name:
    """What is asked about, and where in the text it stands (from 0)."""

    text: str
    at: int


@dataclass(frozen=True)
class Value:
    """`number`: what it is as a number, where it is one and stands without quotes; `pattern`: its `*` stand for anything."""

    text: str
    number: float | None
    pattern: bool
    at: int


@dataclass(frozen=True)
class Compare:
    """`name operator value`; with several values it is true where one of them makes it so."""

    name: Name
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Has:
    name: Name


@dataclass(frozen=True)
class Word:
    text: str


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class Every:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Some:
    parts: tuple[Node, ...]


Node = Compare | Has | Word | Not | Every | Some


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Node | None:
    """The tree of a filter; None for an empty one. Raises InvalidInput that names the place in the text."""
    if len(text) > LONGEST:
        raise InvalidInput(
            f"a filter of {len(text)} characters is too long.", field="filter", remedy=f"At most {LONGEST}."
        )
    tokens = _tokens(text)
    return None if tokens[0].kind == "end" else _Reader(tokens).whole()


def wrong(message: str, at: int, remedy: str | None = None) -> NoReturn:
    """Raise InvalidInput for a place of the filter, counted from 0 here and from 1 for people."""
    raise InvalidInput(f"the filter, at character {at + 1}: {message}", field="filter", remedy=remedy)


def _tokens(text: str) -> list[Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at, end)
        if found is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            quote = text[at] in "\"'"
            wrong(
                "this text has no end." if quote else f"{text[at]!r} means nothing here.",
                at,
                "Close the quotes." if quote else None,
            )
        kind = found.lastgroup or ""
        tokens.append(Token(kind, _plain(found) if kind == "text" else found[kind], found.start(kind)))
        at = found.end()
    return [*tokens, Token("end", "", len(text))]


def _plain(found: re.Match[str]) -> str:
    prefix = found["prefix"] or ""
    return prefix + re.sub(r"\\(.)", r"\1", found["text"][len(prefix) + 1 : -1], flags=re.DOTALL)


class _Reader:
    """Reads the tokens from left to right."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens, self.place, self.depth, self.tests = tokens, 0, 0, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def keyword(self, *words: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.place + ahead, len(self.tokens) - 1)]
        return token.kind == "word" and token.text.lower() in words

    def marked(self, mark: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.place + ahead, len(self.tokens) - 1)]
        return token.kind == "mark" and token.text == mark

    def expect(self, mark: str, why: str) -> None:
        if not self.marked(mark):
            wrong(f"{mark!r} is missing {why}.", self.next.at)
        self.take()

    def whole(self) -> Node:
        tree = self.some()
        if self.next.kind != "end":
            wrong(
                f"{self.next.text!r} comes unexpectedly.", self.next.at, "Join tests with and, or; group them with ( )."
            )
        return tree

    def some(self) -> Node:
        parts = [self.every()]
        while self.keyword("or"):
            self.take()
            parts.append(self.every())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def every(self) -> Node:
        parts = [self.negated()]
        while self.keyword("and") or self._goes_on():
            if self.keyword("and"):
                self.take()
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _goes_on(self) -> bool:
        return (self.next.kind in ("word", "text") and not self.keyword("or", "in")) or self.marked("(")

    def negated(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            wrong(f"more than {DEEPEST} levels of not and ( ).", self.next.at)
        if self.keyword("not"):
            self.take()
            tree: Node = Not(self.negated())
        elif self.marked("("):
            self.take()
            tree = self.some()
            self.expect(")", "here")
        else:
            tree = self.test()
        self.depth -= 1
        return tree

    def test(self) -> Node:
        self.tests += 1
        if self.tests > MOST_TESTS:
            wrong(f"more than {MOST_TESTS} tests.", self.next.at)
        if self.keyword("has") and self.marked("(", ahead=1):
            return self._has()
        subject = self.take()
        if subject.kind not in ("word", "text") or (subject.kind == "word" and subject.text.lower() in KEYWORDS):
            found = "the end" if subject.kind == "end" else repr(subject.text)
            wrong(f"a name or a word is missing before {found}.", subject.at)
        name = Name(subject.text, subject.at)
        if self.next.kind == "operator":
            return self._compare(name)
        if self.keyword("in") or (self.keyword("not") and self.keyword("in", ahead=1)):
            return self._among(name)
        return Word(subject.text)

    def _has(self) -> Node:
        self.take()
        self.take()
        token = self.take()
        if token.kind not in ("word", "text"):
            wrong("has( ) wants a name.", token.at, "Write has(val/rmse).")
        self.expect(")", "after the name")
        return Has(Name(token.text, token.at))

    def _compare(self, name: Name) -> Node:
        operator = self.take().text.replace("==", "=")
        value = self.value(f"after {operator}")
        if operator in OPPOSITES:
            return Not(Compare(name, OPPOSITES[operator], (value,)))
        return Compare(name, operator, (value,))

    def _among(self, name: Name) -> Node:
        negative = self.keyword("not")
        if negative:
            self.take()
        self.take()
        self.expect("(", "after in")
        values = [self.value("in the list")]
        while self.marked(","):
            self.take()
            values.append(self.value("in the list"))
        self.tests += len(values)
        self.expect(")", "after the list")
        found = Compare(name, "=", tuple(values))
        return Not(found) if negative else found

    def value(self, where: str) -> Value:
        token = self.take()
        if token.kind not in ("word", "text"):
            wrong(f"a value is missing {where}.", token.at, 'Texts with spaces or signs stand in quotes: name = "a b".')
        if token.kind == "text":
            return Value(token.text, None, False, token.at)
        return Value(token.text, _number(token.text), "*" in token.text, token.at)


def _number(text: str) -> float | None:
    found = NUMBER.fullmatch(text)
    return None if found is None else float(found[1]) * FACTORS[found[2]]
