from kdrec.targets.base.check import ManualRow, Violation, check, estimate, manual, require
from kdrec.targets.base.estimates import Estimate
from kdrec.targets.base.target import Finished, Target

__all__ = ["Estimate", "Finished", "ManualRow", "Target", "Violation", "check", "estimate", "manual", "require"]
