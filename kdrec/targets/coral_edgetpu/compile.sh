#!/bin/sh
# Compile model.tflite, beside this script, for the Edge TPU: model_edgetpu.tflite and the compiler's log land beside it.
set -eu
cd "$(dirname "$0")"

if ! command -v edgetpu_compiler >/dev/null 2>&1; then
    echo "compile.sh: edgetpu_compiler is not installed, so model_edgetpu.tflite was not made; it runs on x86-64 Debian:" \
        "https://coral.ai/docs/edgetpu/compiler" >&2
    exit 3
fi

edgetpu_compiler --show_operations --out_dir . model.tflite

if [ ! -f model_edgetpu.tflite ]; then
    echo "compile.sh: edgetpu_compiler ended without model_edgetpu.tflite; its log says why" >&2
    exit 4
fi
