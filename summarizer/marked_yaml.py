"""YAML in which every value knows its line, so that an error about it can name the place.

What is read is a small, unsurprising part of YAML 1.2: mappings with text keys, sequences, and
scalars. A plain scalar is null (`null`, `~` or nothing), a boolean (`true`, `false`), a number as
JSON writes one, or text: `no`, `on`, `2024-01-12`, `1_000` and `.inf` are text. Whatever is quoted
is text. Anchors, aliases, tags, several documents, duplicate keys and deep nesting are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import yaml

from summarizer.errors import InputError, near

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Word = TypeVar("Word", bound=str)
Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = "Scalar | dict[str, Plain] | list[Plain]"
Content: TypeAlias = "Scalar | Mapping[str, Marked] | tuple[Marked, ...]"

LARGEST = 256 * 1024
"""Bytes of the largest file that is read; parsing that much takes some two seconds."""

DEEPEST = 16
"""Levels of the deepest nesting that is read."""

# Also the line breaks that editors and `str.splitlines` count and others do not.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")

_CONSTANTS: Mapping[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Marked:
    """A value and where it stands; its methods say what is wanted and refuse everything else.

    Attributes:
        content: A scalar, a mapping of names to marked values, or a tuple of them.
        path: The file.
        line: Where the value begins, or the key that it belongs to, counted from 1.
        name: What the value is called in messages: `model.options.seed`, or nothing for the whole.
    """

    content: Content
    path: Path
    line: int
    name: str = ""

    def error(self, message: str, *, hint: str | None = None) -> InputError:
        """An error about this value, to be raised."""
        return InputError(message, hint=hint, path=self.path, line=self.line)

    def mapping(
        self, known: Iterable[str] | None = None, *, required: Iterable[str] = ()
    ) -> Mapping[str, Marked]:
        """The members of a mapping, in the file's order; nothing at all is an empty one.

        Args:
            known: The names that may occur; None allows any.
            required: The names that must.
        """
        members = {} if self.content is None else self.content
        if not isinstance(members, Mapping):
            raise self._wrong("a mapping")
        if known is not None:
            names = list(known)
            for name, member in members.items():
                if name not in names:
                    place = f" in {self.name!r}" if self.name else ""
                    raise member.error(
                        f"there is no setting {name!r}{place}", hint=near(name, names)
                    )
        for name in required:
            if name not in members:
                raise self.error(
                    f"{self.name or 'the file'} has no {name!r}", hint=f"Add a line `{name}: …`"
                )
        return members

    def sequence(self) -> tuple[Marked, ...]:
        """The members of a sequence; nothing at all is an empty one."""
        if self.content is None:
            return ()
        if not isinstance(self.content, tuple):
            raise self._wrong("a list")
        return self.content

    def text(self) -> str:
        """Text that is not empty."""
        if not isinstance(self.content, str):
            numeric = isinstance(self.content, int | float)
            raise self._wrong("text", hint="Put it in quotes" if numeric else None)
        if not self.content.strip():
            raise self._wrong("text")
        return self.content

    def integer(self, *, least: int | None = None) -> int:
        """A whole number, not below `least`."""
        if not isinstance(self.content, int) or isinstance(self.content, bool):
            raise self._wrong("a whole number")
        if least is not None and self.content < least:
            raise self._wrong(f"at least {least}")
        return self.content

    def number(self) -> int | float:
        """A number, whole or not."""
        if not isinstance(self.content, int | float) or isinstance(self.content, bool):
            raise self._wrong("a number")
        return self.content

    def boolean(self) -> bool:
        """`true` or `false`."""
        if not isinstance(self.content, bool):
            raise self._wrong("true or false")
        return self.content

    def one_of(self, choices: Iterable[Word]) -> Word:
        """Text that is one of the choices."""
        allowed = list(choices)
        for choice in allowed:
            if self.content == choice:
                return choice
        raise self._wrong(" or ".join(allowed))

    def plain(self) -> Plain:
        """The value without its places, as JSON knows it."""
        if isinstance(self.content, Mapping):
            return {name: member.plain() for name, member in self.content.items()}
        if isinstance(self.content, tuple):
            return [member.plain() for member in self.content]
        return self.content

    def scalars(self) -> Iterator[Marked]:
        """Every scalar in this value, itself included."""
        if isinstance(self.content, Mapping | tuple):
            within = self.content.values() if isinstance(self.content, Mapping) else self.content
            for member in within:
                yield from member.scalars()
        else:
            yield self

    def _wrong(self, wanted: str, *, hint: str | None = None) -> InputError:
        match self.content:
            case None:
                found = "empty"
            case Mapping():
                found = "a mapping"
            case tuple():
                found = "a list"
            case str() if len(self.content) > 40:
                found = f"{self.content[:40] + '…'!r}"
            case str() | int() | float():
                found = repr(self.content)
        return self.error(f"{self.name or 'the file'} is {found}, not {wanted}", hint=hint)


def optional(
    members: Mapping[str, Marked], name: str, read: Callable[[Marked], T], default: T
) -> T:
    """A member of a mapping, read; the default where it is absent."""
    return read(members[name]) if name in members else default


def read_text(path: Path) -> str:
    """Read a file that people write: UTF-8 without a byte order mark, lines that end in LF.

    Raises:
        InputError: The file cannot be read, is too large, or is not such text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"the file cannot be read: {reason}", path=path) from None
    return decode(data, path)


def decode(data: bytes, path: Path) -> str:
    """The text of a file that people write, as `read_text` wants it.

    Raises:
        InputError: The file is too large, or is not such text.
    """
    if len(data) > LARGEST:
        raise InputError(f"the file is larger than {LARGEST // 1024} KB", path=path)

    def refuse(message: str, offset: int, hint: str) -> InputError:
        return InputError(message, hint=hint, path=path, line=data.count(b"\n", 0, offset) + 1)

    if data.startswith(b"\xef\xbb\xbf"):
        raise refuse("the file begins with a byte order mark", 0, "Save it as UTF-8 without BOM")
    if (at := data.find(b"\r")) >= 0:
        raise refuse("the line does not end in LF alone", at, "Save the file with Unix line ends")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise refuse("the line is not UTF-8", error.start, "Save the file as UTF-8") from None
    if found := _UNPRINTABLE.search(text):
        at = len(text[: found.start()].encode())
        raise refuse(f"the line holds the control character {found[0]!r}", at, "Take it out")
    return text


def parse_yaml(text: str, path: Path, *, first_line: int = 1) -> Marked:
    """Parse YAML.

    Args:
        text: As `read_text` gives it, or a part of that.
        path: Where the text is from, for messages.
        first_line: Line of the file at which the text begins.

    Raises:
        InputError: The text is not YAML, or uses what this module refuses.
    """
    fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(text, path, first_line, fast).document()
    except InputError:
        # libyaml takes a tenth of the time, but is less exact about where a mistake is.
        return _Builder(text, path, first_line, yaml.SafeLoader).document()


class _Builder:
    """Builds marked values from the parser's events; depth and names are bounded on the way."""

    def __init__(self, text: str, path: Path, first_line: int, loader: type[Any]) -> None:
        self._events = yaml.parse(text, Loader=loader)
        self._path = path
        self._first = first_line

    def document(self) -> Marked:
        self._next()  # the stream starts
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Marked(None, self._path, self._first)
        whole = self._value(self._next(), name="", depth=0)
        self._next()  # the document ends
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document begins", hint="Write one a file")
        return whole

    def _next(self) -> yaml.Event:
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise InputError(
                f"this is not valid YAML: {error.problem or error.context}",
                hint="Check indentation and quotes here and on the line above",
                path=self._path,
                line=None if mark is None else int(self._first + mark.line),
            ) from None
        except yaml.YAMLError as error:
            problem = str(error).splitlines()[0]
            raise InputError(f"this is not valid YAML: {problem}", path=self._path) from None

    def _value(
        self, event: yaml.Event, *, name: str, depth: int, line: int | None = None
    ) -> Marked:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._error(event, "anchors and aliases are not read", hint="Write the value out")
        if getattr(event, "tag", None):
            raise self._error(event, "tags are not read", hint="Take the `!…` away")
        if depth > DEEPEST:
            raise self._error(event, f"the nesting is deeper than {DEEPEST} levels")
        content: Content
        if isinstance(event, yaml.ScalarEvent):
            content = self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            content = self._mapping(name, depth)
        else:
            content = self._sequence(name, depth)
        return Marked(content, self._path, line or self._line(event), name)

    def _mapping(self, name: str, depth: int) -> Mapping[str, Marked]:
        members: dict[str, Marked] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            if not isinstance(key, yaml.ScalarEvent) or key.anchor or key.tag:
                raise self._error(key, "a key is not plain text")
            if key.value in members:
                first = members[key.value].line
                raise self._error(
                    key, f"{key.value!r} stands here a second time, first on line {first}"
                )
            members[key.value] = self._value(
                self._next(),
                name=f"{name}.{key.value}" if name else key.value,
                depth=depth + 1,
                line=self._line(key),
            )
        return members

    def _sequence(self, name: str, depth: int) -> tuple[Marked, ...]:
        members: list[Marked] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            members.append(self._value(event, name=f"{name}[{len(members)}]", depth=depth + 1))
        return tuple(members)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        value: str = event.value
        if not event.implicit[0]:  # quoted, or a block
            return value
        if value in _CONSTANTS:
            return _CONSTANTS[value]
        if _INTEGER.fullmatch(value):
            return int(value)
        if _NUMBER.fullmatch(value):
            if not math.isfinite(number := float(value)):
                raise self._error(event, "the number is too large", hint="Put it in quotes")
            return number
        return value

    def _line(self, event: yaml.Event) -> int:
        mark = event.start_mark
        return self._first if mark is None else int(self._first + mark.line)

    def _error(self, event: yaml.Event, message: str, *, hint: str | None = None) -> InputError:
        return InputError(message, hint=hint, path=self._path, line=self._line(event))
