"""What other tools reached on the same data by the same metric code. Nothing here is measured by this benchmark."""

from __future__ import annotations

SOURCE = "other tools, measured elsewhere"
COLUMNS = ("A", "B", "A, 8 x coarser", "A, 32 x coarser", "change, %")

OTHER_TOOLS = {
    "lulcc, best CLUE-S": ("0.032", "0.033", "0.10-0.12", "0.18-0.24", "15"),
    "lulcc, best ordered": ("0.029", "0.033", "0.13-0.16", "0.31-0.44", "3.4"),
    "MOLUSCE, best of ANN, LR, WoE": ("0.033", "0.036", "0.13-0.15", "0.38-0.42", "3.4"),
    "CLUMondo (Python port)": ("0.030", "0.033", "0.10", "0.25", "5.8"),
    "FLUS-like (rewritten)": ("0.027", "0.033", "0.13", "0.33", "2.7"),
    "FUTURES (built only)": ("0.023", "0.028", "0.10", "0.29", "2.7"),
    "logistic regression, neighbourhood, momentum (cut chosen on the test date)": (
        "0.059",
        "0.064",
        "0.11",
        "0.29",
        "3.5",
    ),
}
