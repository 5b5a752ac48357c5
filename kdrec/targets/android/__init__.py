from kdrec.targets.android.target import android

__all__ = ["android"]
