package kdrec.test

import kdrec.core.ItemModel
import kdrec.core.Top

private const val TOP = 6

/** Scores by a formula with many ties, which the test has in Python too; it ranks a top 6 itself. */
class Formula(override val nItems: Int, override val length: Int) : ItemModel {
    override val k = TOP

    override fun scores(tokens: Map<String, IntArray>): FloatArray {
        val context = tokens.filterKeys { it != "history" }.values.sumOf { it.single() }
        val sum = tokens.getValue("history").withIndex().sumOf { (place, token) -> (place + 1) * token } + context
        // -0.0 and 0.0 are equal scores
        return FloatArray(nItems) { item -> ((sum * (item + 3)) % 7 - 3) * (if (item % 2 == 0) 0.5f else -0.5f) }
    }

    override fun recommended(tokens: Map<String, IntArray>): Top {
        val scores = scores(tokens)
        val listed = scores.indices.sortedWith(compareBy({ -scores[it].toDouble() + 0.0 }, { it })).take(TOP)
        return Top(listed.toIntArray(), listed.map { scores[it] }.toFloatArray())
    }
}
