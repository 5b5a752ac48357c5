"""Damaged files: what a bad disk, a cut download or somebody hostile makes of a good one."""

from collections.abc import Iterator

import numpy as np

WORDS = (0, 1, 2, 1 << 16, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF)  # counts and offsets


def mutants(content: bytes, number: int, seed: int) -> Iterator[bytes]:
    """So many files that differ from a good one: bits turned, cut, hostile counts, offsets swapped, holes of zeros."""
    rng = np.random.default_rng(seed)
    made = 0
    while made < number:
        mutant = MUTATIONS[made % len(MUTATIONS)](content, rng)
        if mutant != content:
            made += 1
            yield mutant


def bits_turned(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 9)):
        damaged[rng.integers(len(damaged))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: rng.integers(len(content))]


def hostile_words(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place = 4 * int(rng.integers(len(content) // 4))
        damaged[place : place + 4] = int(rng.choice(WORDS)).to_bytes(4, "little")
    return bytes(damaged)


def words_swapped(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    first, second = (4 * int(place) for place in rng.integers(len(content) // 4, size=2))
    damaged[first : first + 4], damaged[second : second + 4] = content[second : second + 4], content[first : first + 4]
    return bytes(damaged)


def hole(content: bytes, rng: np.random.Generator) -> bytes:
    start, size = int(rng.integers(len(content))), int(rng.integers(1, 64))
    return (content[:start] + bytes(size) + content[start + size :])[: len(content)]


MUTATIONS = (bits_turned, cut, hostile_words, words_swapped, hole)
