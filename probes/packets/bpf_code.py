"""The language of classic BPF: instructions, labels to go to, and the program as the kernel takes it.

Tests are chained as "if … goto", each with a long jump of its own, since the 8-bit jumps of the format would grow too
short. Source: Linux Documentation/networking/filter.rst.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from probes.errors import MisuseError

# Opcodes: class | size | mode, or class | operation | source.
LOAD_HALF, LOAD_WORD_AT_X, LOAD_HALF_AT_X, LOAD_BYTE_AT_X = 0x28, 0x40, 0x48, 0x50
LOAD_X_CONSTANT, LOAD_X_MEMORY, STORE_A, STORE_X = 0x01, 0x61, 0x02, 0x03
ADD, ADD_X, SUBTRACT, SUBTRACT_X, AND, SHIFT_LEFT = 0x04, 0x0C, 0x14, 0x1C, 0x54, 0x64
JUMP, JUMP_IF_EQUAL, JUMP_IF_GREATER, JUMP_IF_NOT_LESS, JUMP_IF_ANY_BIT = 0x05, 0x15, 0x25, 0x35, 0x45
RETURN_CONSTANT, RETURN_A = 0x06, 0x16
COPY_A_TO_X, COPY_X_TO_A = 0x07, 0x87

_MAX_INSTRUCTIONS = 4096  # BPF_MAXINSNS


@dataclass(frozen=True, slots=True)
class Instruction:
    """One `struct sock_filter`."""

    code: int
    k: int = 0
    if_true: int = 0
    if_false: int = 0


@dataclass(frozen=True, slots=True)
class Label:
    """A place in the program; no instruction."""

    name: str


@dataclass(frozen=True, slots=True)
class Goto:
    """A jump forward, however far."""

    label: str


Step = Instruction | Label | Goto


def if_equal(value: int, then: str) -> Iterator[Step]:
    """Go to `then` if A is `value`."""
    yield Instruction(JUMP_IF_EQUAL, value, 0, 1)
    yield Goto(then)


def drop_unless_equal(value: int) -> Iterator[Step]:
    """Drop the packet unless A is `value`."""
    yield Instruction(JUMP_IF_EQUAL, value, 1, 0)
    yield from drop()


def drop() -> Iterator[Step]:
    """Keep nothing of the packet."""
    yield Instruction(RETURN_CONSTANT, 0)


def link(steps: Iterable[Step]) -> tuple[Instruction, ...]:
    """Replace each goto by a jump over the instructions between it and its label. All jumps go forward.

    Raises MisuseError where the program grows beyond the kernel's 4096 instructions.
    """
    placed: list[Instruction | Goto] = []
    labels: dict[str, int] = {}
    for step in steps:
        if isinstance(step, Label):
            labels[step.name] = len(placed)
        else:
            placed.append(step)
    if len(placed) > _MAX_INSTRUCTIONS:
        raise MisuseError(f"the media filter needs {len(placed)} instructions, the kernel takes {_MAX_INSTRUCTIONS}")
    return tuple(
        Instruction(JUMP, labels[step.label] - at - 1) if isinstance(step, Goto) else step
        for at, step in enumerate(placed)
    )


def encode(program: Iterable[Instruction]) -> bytes:
    """The program as an array of `struct sock_filter`, in the byte order of this machine."""
    return b"".join(struct.pack("=HBBI", step.code, step.if_true, step.if_false, step.k) for step in program)
