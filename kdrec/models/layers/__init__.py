from kdrec.models.layers.pooling import HistoryAttention, HistoryMean
from kdrec.models.layers.recurrent import HistoryGru
from kdrec.models.layers.shared_rows import EveryItem, HistoryRows
from kdrec.models.layers.tables import Boundary, ItemTable, PaddingRow, TableInitializer, TiedScores, UntiedScores

__all__ = [
    "Boundary",
    "EveryItem",
    "HistoryAttention",
    "HistoryGru",
    "HistoryMean",
    "HistoryRows",
    "ItemTable",
    "PaddingRow",
    "TableInitializer",
    "TiedScores",
    "UntiedScores",
]
