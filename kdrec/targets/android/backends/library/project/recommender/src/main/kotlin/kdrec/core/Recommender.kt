package kdrec.core

/**
 * A list of items, best first.
 *
 * [scores] compare within one list only, and are 0 each when [fallback]: the history named no known item, and the most
 * popular items are listed. [unknown] are ids given that the catalogue does not have, which were skipped; a rare item is
 * known in a history alone. [unknownContext] names features whose value the model does not know.
 */
data class Recommendations(
    val items: List<Id>,
    val scores: List<Float>,
    val titles: List<String>,
    val unknown: List<Id> = emptyList(),
    val unknownContext: List<String> = emptyList(),
    val fallback: Boolean = false,
)

/** A bundle, ready to recommend; answers as kdrec's own recommender in Python does. Not for several threads at once. */
class Recommender(val bundle: Bundle, private val model: ItemModel) {
    private val items = bundle.items
    private val popularFirst: List<Int>

    init {
        check("history length", bundle.manifest.length, model.length)
        check("number of items", bundle.manifest.nItems, model.nItems)
        popularFirst = (items.popular + items.ids.indices).distinct()
    }

    /**
     * The [k] best items for a history: score descending, then lower position.
     *
     * The file's own top K answers when it is enough; else the scores of all items are ranked. A history without any
     * known item gives the most popular items.
     *
     * @param history item ids, the most recent last, any number; the model reads the last of them.
     * @param exclude ids that are not listed.
     * @param candidates ids that may be listed; null allows the whole catalogue.
     * @param context value of each context feature, by name; an absent or unknown value is the model's "unknown".
     * @param excludeHistory whether items of the history are left out.
     * @throws RequestException k is larger than the number of items that may be listed, or context has an unknown name.
     */
    fun recommend(
        history: Iterable<Id>,
        k: Int = 10,
        exclude: Iterable<Id> = emptyList(),
        candidates: Iterable<Id>? = null,
        context: Map<String, Id> = emptyMap(),
        excludeHistory: Boolean = true,
    ): Recommendations {
        val seen = splitKnown(history, items.tokens)
        val barred = splitKnown(exclude, items.positions)
        val wanted = candidates?.let { splitKnown(it, items.positions) }
        val allowed = BooleanArray(items.ids.size) { wanted == null }
        wanted?.known?.forEach { allowed[it] = true }
        barred.known.forEach { allowed[it] = false }
        if (excludeHistory) seen.known.filter { it <= items.ids.size }.forEach { allowed[it - 1] = false }
        checkK(k, allowed)
        val given = contextTokens(context, bundle.manifest.context)
        val unknown = (seen.unknown + barred.unknown + wanted?.unknown.orEmpty()).distinct()
        if (seen.known.isEmpty()) {
            val popular = popularFirst.filter { allowed[it] }.take(k).toIntArray()
            return list(popular, FloatArray(k), unknown, given.unknown, fallback = true)
        }
        val tokens = given.tokens.mapValues { intArrayOf(it.value) } + ("history" to rightAligned(seen.known, model.length))
        val ranked = rank(tokens, allowed, k, whole = candidates != null)
        return list(ranked.positions, ranked.scores, unknown, given.unknown)
    }

    /** The [k] best items for somebody whose history is this one item, which is left out itself. */
    fun similarItems(item: Id, k: Int = 10): Recommendations {
        if (item !in items.positions) {
            throw RequestException("item $item is not among the ${items.ids.size} of the catalogue; give a known id")
        }
        return recommend(listOf(item), k)
    }

    private fun rank(tokens: Map<String, IntArray>, allowed: BooleanArray, k: Int, whole: Boolean): Top {
        if (model.k > 0 && !whole) {
            val top = model.recommended(tokens)
            bestOfTop(top, allowed, k)?.let { listed ->
                return Top(listed.map { top.positions[it] }.toIntArray(), listed.map { top.scores[it] }.toFloatArray())
            }
        }
        val scores = model.scores(tokens)
        val positions = best(scores, allowed, k)
        return Top(positions, positions.map { scores[it] }.toFloatArray())
    }

    private fun list(
        positions: IntArray,
        scores: FloatArray,
        unknown: List<Id>,
        unknownContext: List<String>,
        fallback: Boolean = false,
    ) = Recommendations(
        items = positions.map { items.ids[it] },
        scores = scores.asList(),
        titles = positions.map { items.titles[it] },
        unknown = unknown,
        unknownContext = unknownContext,
        fallback = fallback,
    )

    private fun checkK(k: Int, allowed: BooleanArray) {
        if (k < 1) throw RequestException("k must be an integer of at least 1, received $k; 10 is usual")
        val left = allowed.count { it }
        if (k > left) {
            throw RequestException(
                "k must be at most $left, the items that may be listed of a catalogue of ${allowed.size}, received $k; " +
                    "ask for fewer, exclude less or give more candidates",
            )
        }
    }

    private fun check(what: String, expected: Int, received: Int) {
        if (expected != received) {
            throw ModelException(
                "${bundle.model} must have the $what that the manifest says, $expected, received $received; " +
                    "export the bundle again",
            )
        }
    }
}
