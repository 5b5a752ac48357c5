from kdrec.targets.coral_edgetpu.target import coral_edgetpu

__all__ = ["coral_edgetpu"]
