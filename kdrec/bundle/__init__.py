from kdrec.bundle.items import Items
from kdrec.bundle.manifest import DataSource, HistoryInput, Manifest
from kdrec.bundle.read import Bundle, open_bundle
from kdrec.bundle.signatures import SignatureSpec, TensorSpec
from kdrec.bundle.write import write_bundle

__all__ = [
    "Bundle",
    "DataSource",
    "HistoryInput",
    "Items",
    "Manifest",
    "SignatureSpec",
    "TensorSpec",
    "open_bundle",
    "write_bundle",
]
