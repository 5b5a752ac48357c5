"""Linux on 64-bit Arm, such as a Raspberry Pi: LiteRT, as on Android."""

from dataclasses import replace

from kdrec.targets.android import android

linux_arm64 = replace(
    android,
    name="linux_arm64",
    title="LiteRT on arm64 Linux",
    source="measured on ai-edge-litert 2.3.0; its wheel for aarch64 answered as on x86-64 under emulation",
    proof="the file in LiteRT on x86-64, with golden vectors; emulated arm64 gave equal bits, which no test repeats",
    not_proven="a board: latency, memory, what else runs there",
    sources={
        **android.sources,
        "ops": "measured on x86-64; the wheels of both machines are built of one source",
        "oracle": "measured: int8 files without DIV give equal bits on x86-64 and on arm64 under emulation",
    },
)
