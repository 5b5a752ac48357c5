"""Linux on 64-bit Arm, such as a Raspberry Pi: LiteRT, as on Android."""

from dataclasses import replace

from kdrec.targets.android import android

linux_arm64 = replace(
    android,
    name="linux_arm64",
    title="LiteRT on arm64 Linux",
    source="measured on ai-edge-litert 2.3.0, and on its wheel for aarch64 under qemu",
    proof="the file and `recommend.py` in LiteRT on x86-64, with golden vectors; `scripts/arm64` asks them on emulated "
    "cores: a Cortex-A53 gave equal bits, a Cortex-A76 equal queries and 15 of 16 lists of ten",
    not_proven="a board: latency, memory, what else runs there",
    sources={
        **android.sources,
        "ops": "measured on x86-64; the wheels of both machines are built of one source",
        "oracle": "measured under emulation: int8 graphs without DIV give the bits of x86-64; float32 scores over int8 "
        "rows do on cores without dot products of bytes, and differ by up to .41 % of their range on the others",
    },
)
