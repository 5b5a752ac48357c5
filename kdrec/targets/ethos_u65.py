"""Cortex-M or Cortex-A with the NPU Ethos-U65, which takes the operators of the Ethos-U55."""

from dataclasses import replace
from functools import partial

from kdrec.targets.base import vela
from kdrec.targets.ethos_u55 import ethos_u55

ethos_u65 = replace(
    ethos_u55,
    name="ethos_u65",
    title="Ethos-U65",
    proof=ethos_u55.proof.replace("128 MACs", "256 MACs"),
    sources={
        **ethos_u55.sources,
        "finish": "Vela for ethos-u65-256, with its default system and memory, which `vela.json` names",
    },
    finish=partial(vela.compiled, accelerator="ethos-u65-256"),
)
