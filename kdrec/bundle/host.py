"""The part of a model that the host of an Edge TPU computes, as its manifest describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kdrec.bundle.fields import Field

FIELDS_OF_KIND: dict[str, tuple[str, ...]] = {
    "attention": ("attention", "power"),
    "context": (),
    "lookup": (),
    "weighted_mean": ("position_weights", "power"),
}
TABLE_FIELDS = ("table", "table_scale", "table_zero_point")


@dataclass(frozen=True)
class HostTable:
    """An int8 table in a .npy file: row value = scale · (stored − zero_point)."""

    file: str
    scale: float
    zero_point: int

    def document(self) -> dict[str, Any]:
        return {
            "table": self.file,
            "table_scale": float(self.scale),
            "table_zero_point": int(self.zero_point),
        }

    @classmethod
    def read(cls, entry: Field) -> "HostTable":
        return cls(
            entry.key("table").text(),
            entry.key("table_scale").positive(),
            entry.key("table_zero_point").integer(),
        )


@dataclass(frozen=True)
class HostAttention:
    """How much an item counts: a_l = softmax over the items of a history of bound · tanh(t_l + p_l), for each head.

    Args:
        scores: (n_items + 1, heads), t of each item.
        position_scores: p, (length · heads,), the heads of a position side by side.
        bound: scores lie between −bound and bound.
    """

    scores: HostTable
    position_scores: tuple[float, ...]
    bound: float

    def document(self) -> dict[str, Any]:
        position_scores = [float(score) for score in self.position_scores]
        return {**self.scores.document(), "position_scores": position_scores, "bound": float(self.bound)}

    @classmethod
    def read(cls, entry: Field, length: int) -> "HostAttention":
        fields = entry.only((*TABLE_FIELDS, "position_scores", "bound"))
        scores = tuple(score.number() for score in fields["position_scores"].elements())
        if not scores or len(scores) % length:
            fields["position_scores"].refuse(f"must be {length} numbers a head, one a position of the history")
        return cls(HostTable.read(entry), scores, fields["bound"].positive())


@dataclass(frozen=True)
class HostInput:
    """How the host makes one input of the device.

    Args:
        kind: `lookup`, the rows of the history's tokens, (1, length, embedding_dim);
            `weighted_mean`, n^(−power) Σ_l w_l E_l + Σ_f C_f over the n items of a history, (1, embedding_dim);
            `attention`, n^(1−power) Σ_l a_l E_l + Σ_f C_f, each head weighing its own block of channels;
            `context`, Σ_f C_f alone, (1, embedding_dim).
        position_weights: (length,) w_l of a weighted mean; None when the kind is another.
        power: of a weighted mean or attention; None when the kind is another.
        context_tables: the table C of each context feature that is added, by name.
        attention: what a_l comes from; None when the kind is another.
    """

    kind: str
    position_weights: tuple[float, ...] | None = None
    power: float | None = None
    context_tables: Mapping[str, HostTable] = field(default_factory=dict)
    attention: HostAttention | None = None

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind}
        if self.position_weights is not None and self.power is not None:
            document |= {
                "position_weights": [float(weight) for weight in self.position_weights],
                "power": float(self.power),
            }
        if self.attention is not None and self.power is not None:
            document |= {"attention": self.attention.document(), "power": float(self.power)}
        if self.context_tables:
            document["context_tables"] = {name: table.document() for name, table in self.context_tables.items()}
        return document

    @classmethod
    def read(cls, entry: Field, length: int) -> "HostInput":
        kind = entry.key("kind").one_of(FIELDS_OF_KIND)
        names = ["kind", *FIELDS_OF_KIND[kind]]
        with_context = kind == "context" or (kind != "lookup" and "context_tables" in entry.value)
        fields = entry.only(names + (["context_tables"] if with_context else []))
        tables = {}
        if with_context:
            for name, table in fields["context_tables"].mapping().items():
                table.only(TABLE_FIELDS)
                tables[name] = HostTable.read(table)
        weights = attention = None
        if kind == "weighted_mean":
            weights = tuple(weight.number() for weight in fields["position_weights"].elements())
            if len(weights) != length:
                fields["position_weights"].refuse(f"must be {length} numbers, one a position of the history")
        elif kind == "attention":
            attention = HostAttention.read(fields["attention"], length)
        power = fields["power"].number() if "power" in names else None
        return cls(kind, weights, power, tables, attention)


@dataclass(frozen=True)
class HostPart:
    """The item table on the host, (n_items + 1, embedding_dim) with a zero row 0, and how each device input is made."""

    table: HostTable
    inputs: Mapping[str, HostInput]

    def files(self) -> set[str]:
        """The files that the host reads."""
        tables = [self.table]
        for device_input in self.inputs.values():
            tables += device_input.context_tables.values()
            tables += [device_input.attention.scores] if device_input.attention is not None else []
        return {table.file for table in tables}

    def document(self) -> dict[str, Any]:
        return {
            **self.table.document(),
            "inputs": {name: device_input.document() for name, device_input in self.inputs.items()},
        }

    @classmethod
    def read(cls, entry: Field, length: int) -> "HostPart":
        fields = entry.only((*TABLE_FIELDS, "inputs"))
        return cls(
            HostTable.read(entry),
            {name: HostInput.read(value, length) for name, value in fields["inputs"].mapping().items()},
        )
