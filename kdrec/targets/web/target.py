"""A browser: LiteRT compiled to WebAssembly, as on Android."""

from dataclasses import replace

from kdrec.targets.android import android

web = replace(
    android,
    name="web",
    title="LiteRT.js",
    source="measured on ai-edge-litert 2.3.0; LiteRT.js answered as it does",
    proof="the file in LiteRT on x86-64, with golden vectors; LiteRT.js gave equal bits, which no test repeats",
    not_proven="WebGPU, the browsers that readers have, latency there",
    sources={
        **android.sources,
        "ops": "measured on LiteRT for x86-64, and not one by one in the wasm of LiteRT.js",
        "oracle": "measured: int8 files without DIV give equal bits on x86-64 and in LiteRT.js 2.5.3",
    },
)
