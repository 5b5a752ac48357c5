package kdrec.core

/** What is refused here: the message names what it is about, the rule, the value received, and the way out. */
open class RecommenderException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A bundle that is incomplete, altered, or newer than this code. */
class BundleException(message: String, cause: Throwable? = null) : RecommenderException(message, cause)

/** A request that cannot be met: too many items asked for, or context that the model does not have. */
class RequestException(message: String) : RecommenderException(message)

/** A model that cannot be run, or does not fit its manifest. */
class ModelException(message: String, cause: Throwable? = null) : RecommenderException(message, cause)
