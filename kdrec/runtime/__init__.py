from kdrec.runtime.recommender import Recommendations, Recommender

__all__ = ["Recommendations", "Recommender"]
