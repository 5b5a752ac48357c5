from kdrec.targets.base.check import ManualRow, Violation, check, manual, require
from kdrec.targets.base.target import Target

__all__ = ["ManualRow", "Target", "Violation", "check", "manual", "require"]
