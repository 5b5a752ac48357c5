package kdrec.core

import java.util.PriorityQueue

/** Score descending, then lower position. `<` and not `compareTo`, which would put 0.0 above -0.0. */
private fun ranking(score: (Int) -> Float, position: (Int) -> Int) = Comparator<Int> { left, right ->
    val one = score(left)
    val other = score(right)
    if (one > other) -1 else if (one < other) 1 else position(left).compareTo(position(right))
}

/** Positions of the [k] best allowed items, best first; at least k must be allowed. */
fun best(scores: FloatArray, allowed: BooleanArray, k: Int): IntArray {
    val order = ranking({ scores[it] }, { it })
    val kept = PriorityQueue(k + 1, order.reversed()) // the worst of them first
    for (position in scores.indices) {
        if (!allowed[position]) continue
        if (kept.size == k && scores[position] <= scores[kept.element()]) continue
        kept.add(position)
        if (kept.size > k) kept.poll()
    }
    return kept.sortedWith(order).toIntArray()
}

/**
 * Places in a file's own top K of the [k] best allowed items, if that top K is enough to know them.
 *
 * It is not when fewer than k of it are allowed, nor when the k-th is as good as the last of K: an item beyond K may
 * then tie with it and have a lower position.
 */
fun bestOfTop(top: Top, allowed: BooleanArray, k: Int): IntArray? {
    val kept = top.positions.indices
        .sortedWith(ranking({ top.scores[it] }, { top.positions[it] }))
        .filter { allowed[top.positions[it]] }
    if (kept.size < k) return null
    val isWhole = top.positions.size >= allowed.size
    val isAboveTheLast = top.scores.any { it < top.scores[kept[k - 1]] }
    return if (isWhole || isAboveTheLast) kept.take(k).toIntArray() else null
}
