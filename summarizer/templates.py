"""Messages with places for a paper's texts, split once at roles and names.

Roles and names are Prompty's, a part of them: a line `system:`, `user:` or `assistant:` begins a
message, `{{name}}` is a place. What is put into a place is never read as either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from summarizer.errors import near
from summarizer.models import Message, Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from summarizer.marked_yaml import Marked

_ROLES: tuple[Role, ...] = get_args(Role)

# Prompty's rule for a role line, and wider: a misspelt role must not pass for text.
_ROLE_LINE = re.compile(r"\s*#?\s*(\w+)(\[.*\])?\s*:\s*")
_FOREIGN_ROLES = ("developer", "tool", "function", "human", "ai")

_OPENING = re.compile(r"\{[{%#]")
_NAME = re.compile(r"\{\{[ \t]*([A-Za-z_]\w*)[ \t]*\}\}")


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A message with places for a paper's texts.

    Attributes:
        parts: Text, the name of an input, text, … in turn; begins and ends with text.
    """

    role: Role
    parts: tuple[str, ...]

    def fill(self, values: Mapping[str, str]) -> Message:
        """The message with a value in each place."""
        filled = [values[part] if i % 2 else part for i, part in enumerate(self.parts)]
        return Message(role=self.role, content="".join(filled))


def split_messages(body: Sequence[Marked], inputs: Sequence[str]) -> Iterator[MessageTemplate]:
    """Split a prompt's body into its messages.

    Args:
        body: Its lines.
        inputs: The names that may stand in `{{ }}`.

    Raises:
        InputError: A role, a name or a message is wrong.
    """
    blocks: list[tuple[Role, Marked, list[str]]] = []
    for line in body:
        content = str(line.content)
        if role := _role(line):
            blocks.append((role, line, []))
        elif blocks:
            _check_names(line, inputs)
            blocks[-1][2].append(content)
        elif content.strip():
            raise line.error("text stands before the first role", hint="Begin with `system:`")
    for role, line, lines in blocks:
        text = "\n".join(lines).strip("\n")
        if not text.strip():
            raise line.error(f"the {role} message is empty")
        yield MessageTemplate(role, tuple(_NAME.split(text)))


def _role(line: Marked) -> Role | None:
    """The role that a line begins, None where it is text; almost a role is an error."""
    found = _ROLE_LINE.fullmatch(str(line.content))
    if not found:
        return None
    word = found[1].lower()
    if word in _ROLES and not found[2]:
        return next(role for role in _ROLES if role == word)
    if word in _FOREIGN_ROLES or get_close_matches(word, _ROLES, n=1, cutoff=0.8):
        raise line.error(
            f"{found[0].strip()!r} is not a role",
            hint=f"Write {', '.join(f'`{role}:`' for role in _ROLES)}, or more text on the line",
        )
    return None


def _check_names(line: Marked, inputs: Sequence[str]) -> None:
    content = str(line.content)
    for opening in _OPENING.finditer(content):
        found = _NAME.match(content, opening.start())
        if not found:
            raise line.error(
                f"{content[opening.start() :][:20]!r} is not the name of an input",
                hint="Only {{name}} is read: no expressions, blocks or comments",
            )
        if found[1] not in inputs:
            raise line.error(
                f"no input {found[1]!r} is declared",
                hint=near(found[1], inputs) if inputs else "Declare it under `inputs`",
            )
