from kdrec.targets.coral_edgetpu.backends.hosts.generate import hosts

__all__ = ["hosts"]
