"""The part of a model that the host of an Edge TPU computes, as its manifest describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kdrec.bundle.fields import Field

KINDS = ("context", "lookup", "weighted_mean")


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
class HostInput:
    """How the host makes one input of the device.

    Args:
        kind: `lookup`, the rows of the history's tokens, (1, length, embedding_dim);
            `weighted_mean`, n^(−power) Σ_l w_l E_l + Σ_f C_f over the n items of a history, (1, embedding_dim);
            `context`, Σ_f C_f alone, (1, embedding_dim).
        position_weights: (length,) w_l of a weighted mean; None when the kind is another.
        power: of a weighted mean; None when the kind is another.
        context_tables: the table C of each context feature that is added, by name.
    """

    kind: str
    position_weights: tuple[float, ...] | None = None
    power: float | None = None
    context_tables: Mapping[str, HostTable] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"kind": self.kind}
        if self.position_weights is not None and self.power is not None:
            document |= {
                "position_weights": [float(weight) for weight in self.position_weights],
                "power": float(self.power),
            }
        if self.context_tables:
            document["context_tables"] = {name: table.document() for name, table in self.context_tables.items()}
        return document

    @classmethod
    def read(cls, entry: Field, length: int) -> "HostInput":
        kind = entry.key("kind").one_of(KINDS)
        names = ["kind"] + (["position_weights", "power"] if kind == "weighted_mean" else [])
        with_context = kind == "context" or (kind == "weighted_mean" and "context_tables" in entry.value)
        fields = entry.only(names + (["context_tables"] if with_context else []))
        tables = {}
        if with_context:
            for name, table in fields["context_tables"].mapping().items():
                table.only(("table", "table_scale", "table_zero_point"))
                tables[name] = HostTable.read(table)
        if kind != "weighted_mean":
            return cls(kind, context_tables=tables)
        weights = tuple(weight.number() for weight in fields["position_weights"].elements())
        if len(weights) != length:
            fields["position_weights"].refuse(f"must be {length} numbers, one a position of the history")
        return cls(kind, weights, fields["power"].number(), tables)


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
        return {table.file for table in tables}

    def document(self) -> dict[str, Any]:
        return {
            **self.table.document(),
            "inputs": {name: device_input.document() for name, device_input in self.inputs.items()},
        }

    @classmethod
    def read(cls, entry: Field, length: int) -> "HostPart":
        fields = entry.only(("table", "table_scale", "table_zero_point", "inputs"))
        return cls(
            HostTable.read(entry),
            {name: HostInput.read(value, length) for name, value in fields["inputs"].mapping().items()},
        )
