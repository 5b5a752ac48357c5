"""A report as the demo's would be, for tests only."""

import numpy as np

FORMS = {
    # name: (target, form, parameters, bytes, ndcg, tied share, p50, arena)
    "random": (None, "baseline", None, None, 0.0041, 0.0, None, None),
    "popularity": (None, "baseline", None, None, 0.0448, 0.0, None, None),
    "teacher": (None, "keras", 482_000, 1_928_000, 0.1262, 0.0, None, None),
    "student": (None, "keras", 46_800, 187_200, 0.0912, 0.0, None, None),
    "student_distilled": (None, "keras", 46_800, 187_200, 0.1249, 0.0, None, None),
    "pruned": (None, "keras", 46_800, 187_200, 0.1241, 0.0, None, None),
    "int8_android": ("android", "file", 44_900, 52_112, 0.1234, 0.31, 21.4, None),
    "int8_coral_edgetpu": ("coral_edgetpu", "file", 82_800, 89_904, 0.1233, 0.32, 6.2, None),
    "int8_micro": ("micro", "file", 44_900, 46_208, 0.1231, 0.33, 19.9, 9_824),
}


def fake_row(name: str, k: int = 10) -> dict:
    target, form, parameters, size, ndcg, tied, p50, arena = FORMS[name]
    row = {
        "name": name, "target": target, "recipe": "int8" if target else None, "form": form, "parameters": parameters,
        "bytes": size, "gzip_bytes": size and int(size * 0.71), "table_bytes": size and int(size * 0.86),
        "overhead_bytes": 6_144 if target else None, "sparsity": 0.5 if name == "pruned" or target else 0.0,
        "keep": ndcg / 0.1262, "tied_share": tied, "auc": min(0.5 + 3 * ndcg, 1.0),
        "latency_us_p50": p50, "latency_us_p90": p50 and p50 * 1.1, "latency_us_p99": p50 and p50 * 1.7,
        "arena_bytes": arena, f"ndcg@{k}": ndcg, f"ndcg@{k}_low": ndcg * 0.95, f"ndcg@{k}_high": ndcg * 1.05,
        f"ndcg@{k}_pessimistic": ndcg * (1 - 0.1 * tied), f"coverage@{k}": 0.62, f"popularity@{k}": 0.02,
    }  # fmt: skip
    for metric, factor in {"recall": 1.9, "hr": 1.9, "precision": 0.19, "f1": 0.35, "mrr": 0.8, "map": 0.8}.items():
        row[f"{metric}@{k}"] = ndcg * factor
    return row


def fake_curve(epochs: int, top: float, rng: np.random.Generator) -> list[dict]:
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / 4)
    return [
        {
            "loss": float(7 - 2 * part), "total_loss": float(6.5 - 2.4 * part), "student_loss": float(7 - 1.9 * part),
            "distillation_loss": float(6 - 2.9 * part), "val_ndcg@10": float(top * part + rng.normal() * 0.001),
        }
        for part in rise
    ]  # fmt: skip


def fake_report(names: tuple[str, ...] = tuple(FORMS), data: str = "demo") -> dict:
    rng = np.random.default_rng(0)
    nouns = ("Harbour", "Letters", "Orchard", "Signal", "Winter", "Atlas", "Machine")
    titles = [f"The {a} {b}" for a in ("Silent", "Amber", "Northern", "Paper", "Glass", "Hollow") for b in nouns]

    def sample(user: str | int, length: int) -> dict:
        picked = [titles[place] for place in rng.permutation(len(titles))]
        teacher = picked[:10]
        student = teacher[:3] + [teacher[4], teacher[3]] + teacher[5:8] + picked[10:12]
        return {
            "user": user,
            "target": "android",
            "history": picked[20 : 20 + length],
            "held_out": [picked[2 if length == 9 else 11 if length == 5 else 40]],
            "teacher": teacher,
            "student": student,
        }

    seconds = {
        "data": 1.2, "teacher": 41.3, "teacher_cache": 3.9, "student": 22.0, "student_distilled": 38.8, "pruned": 12.2,
        "export": 44.1, "evaluate": 8.7,
    }  # fmt: skip
    teacher_curve, student_curve = fake_curve(14, 0.128, rng), fake_curve(16, 0.093, rng)
    return {
        "schema": 1, "kdrec": "0.1.0", "libraries": {"tensorflow": "2.21.0", "tf_keras": "2.21.0", "numpy": "2.4.0"},
        "seed": 0,
        "config": {"data": data, "embedding_dim": 32, "losses": ["softened_kl"], "targets": ["android", "micro"]},
        "data": {
            "name": data, "fingerprint": "5f" * 32, "users": 3_000, "items": 1_200, "pairs": 96_412,
            "density": 96_412 / 3.6e6,
            "summary": "3,000 users, 1,200 items, 96,412 pairs from 2023-01-01 to 2024-01-01",
            "filters": [
                {"name": "deduplicate", "pairs_before": 98_001, "pairs_after": 97_120},
                {"name": "k_core", "pairs_before": 97_120, "pairs_after": 96_412, "users_after": 3_000},
            ],
        },
        "split": {
            "method": "leave_last_out", "ordered": True, "train_pairs": 90_412, "valid_pairs": 3_000,
            "test_pairs": 3_000, "test_users": 3_000,
            "note": "Histories are ordered by time; on test they hold the training and validation items.",
        },
        "k": 10,
        "stages": [
            {"name": name, "seconds": s, "peak_memory_bytes": int((600 + 12 * s) * 2**20), "cached": name == "data"}
            for name, s in seconds.items()
        ],
        "teacher": {"name": "two_tower", "validation_ndcg": {"ease": 0.1203, "two_tower": 0.1281}},
        "rows": [fake_row(name) for name in names],
        "curves": {
            "teacher": [{name: epoch[name] for name in ("total_loss", "val_ndcg@10")} for epoch in teacher_curve],
            "student": [{name: epoch[name] for name in ("loss", "val_ndcg@10")} for epoch in student_curve],
            "student_distilled": fake_curve(20, 0.126, rng),
            "pruned": [{**e, "val_ndcg@10": 0.121 + 0.001 * n} for n, e in enumerate(fake_curve(4, 0.126, rng))],
        },
        "samples": [sample("u0042", 14), sample("u0777", 5), sample(1204, 9)],
    }  # fmt: skip


def fake_comparison(names: tuple[str, ...] = ("nothing", "pruning", "distillation, four bits")) -> list[dict]:
    """What `kdrec compare` adds: a file without each step."""
    return [
        {**fake_row("int8_android"), "name": name, "target": None, "peak_memory_bytes": 2 * size, "bytes": size}
        for name, size in zip(names, (190_000, 180_000, 34_000), strict=True)
    ]


def fake_devices() -> dict:
    """What a run with the target micro adds, and one whose compiler was not there."""
    cost = {"target": "micro", "core": "Cortex-M3", "machine": "mps2-an385", "flash_bytes": 40 * 1024, "ram_bytes": 640}
    part = {"part": "Chip 3", "source": "its datasheet, table 1", "energy_microjoules": 182.14}
    nothing = dict.fromkeys(part)
    return {
        "costs": [
            {**cost, "instructions": 207_573, **part},
            {**cost, "core": "Cortex-M0", "machine": "microbit", "instructions": 403_033, **nothing},
        ],
        "missing": {},
    }
