"""What to type: the commands at the end of each help."""

BEGIN = {
    "kdrec run": "the embedded data set, start to end, in a few minutes",
    "kdrec run --data my_log.csv --user-column u --item-column i --time-column t": "",
    "kdrec distill --data my_log.csv --loss rrd --assistant 128": "the student alone, judged beside its teacher",
    "kdrec recommend tflite_models/demo/android --history I0012 --history I0007": "",
}

# Command -> what to type -> what that does, where it needs to be said.
EXAMPLES: dict[str, dict[str, str]] = {
    "run": {
        "kdrec run --data my_log.csv --user-column u --item-column i --time-column t": "",
        "kdrec run --target android --recipe int4_table --quantize-epochs 6 --sparsity 0": "item rows of four bits",
        "kdrec run --data my_log.csv --rare-below 5 --shrink-dim 16": "fewer items, narrower rows",
    },
    "distill": {
        "kdrec distill --data my_log.csv --loss rrd --loss feature_matching --loss-weight 1 --loss-weight 0.1": "",
        "kdrec distill --teacher ease,als --temperature linear:4:1": "the better teacher, the temperature falling",
    },
    "compare": {
        "kdrec compare": "of the embedded data set, what distillation, pruning and rounding bring",
        "kdrec compare --data my_log.csv --clusters 16 --quantize-epochs 6": "with clustering, too",
    },
    "search": {
        "kdrec search --keep 0.98 --target android": "the smallest file that keeps 98 % of the teacher's NDCG",
        "kdrec search --bytes 48KiB --over embedding_dim --over recipe --trials 20": "the best one within 48 KiB",
    },
    "sensitivity": {
        "kdrec sensitivity --target android": "which matrix may have how many bits",
        "kdrec sensitivity --data my_log.csv --allowed 0.005": "for half of the usual loss",
    },
    "evaluate": {
        "kdrec evaluate tflite_models/demo/android --data demo": "",
        "kdrec evaluate popularity --data my_log.csv --user-column u --item-column i": "what needs no model",
    },
    "recommend": {
        "kdrec recommend tflite_models/demo/android --history I0012 --history I0007 -k 5": "",
        "kdrec recommend tflite_models/demo/android --history I0012 --context daypart=evening": "",
    },
    "inspect": {
        "kdrec inspect tflite_models/demo/android --picture bytes.png": "",
        "kdrec inspect any.tflite --json": "a file of whatever origin",
    },
    "bench": {
        "kdrec bench tflite_models/demo/android --signature score": "a history to all scores",
        "kdrec bench tflite_models/demo/android --every-form": "in LiteRT, and its page in Chromium",
    },
    "check": {
        "kdrec check tflite_models/demo/micro": "by the device that the bundle names",
        "kdrec check any.tflite --target micro": "",
    },
    "export": {
        "kdrec export tflite_models/demo/micro --out recommender": "C99 without a runtime",
        "kdrec export tflite_models/demo/micro --backend tflm --out firmware": "sources for TensorFlow Lite Micro",
        "kdrec export tflite_models/demo/android --out library": "a Gradle project: Kotlin, an app, samples",
        "kdrec export tflite_models/demo/android --target web --out page": "an ES module and a page",
    },
}  # fmt: skip


def epilog(examples: dict[str, str]) -> str:
    """Examples as the Markdown that ends a help, a paragraph each.

    >>> epilog({"kdrec check FILE": "a file", "kdrec run": ""})
    '`kdrec check FILE` : a file\\n\\n`kdrec run`'
    """
    return "\n\n".join(f"`{command}`" + (f" : {does}" if does else "") for command, does in examples.items())
