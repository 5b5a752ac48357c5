from kdrec.targets.linux_arm64.target import linux_arm64

__all__ = ["linux_arm64"]
