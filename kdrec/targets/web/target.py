"""A browser: LiteRT compiled to WebAssembly, as on Android."""

from dataclasses import replace

from kdrec.targets.android import android

web = replace(
    android,
    name="web",
    title="LiteRT.js",
    source="measured on ai-edge-litert 2.3.0; LiteRT.js 2.5.3 answers as it does in Chromium on x86-64",
    proof="the page in Chromium on x86-64: golden vectors to the bit, lists as in Python, no request to another server",
    not_proven="WebGPU, other browsers and processors (the page asks the golden vectors there), latency",
    min_runtime="LiteRT.js 2.5.3; older ones were not tried",
    sources={
        **android.sources,
        "min_runtime": "measured in headless Chromium",
        "ops": "measured on LiteRT for x86-64, and not one by one in the wasm of LiteRT.js",
        "oracle": "measured: int8 files without DIV give equal bits on x86-64 and in LiteRT.js 2.5.3",
    },
)
