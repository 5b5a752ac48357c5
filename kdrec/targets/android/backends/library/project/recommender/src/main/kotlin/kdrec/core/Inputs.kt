package kdrec.core

/** What ids stand for, in their order, and those that are not known. */
internal class Split(val known: List<Int>, val unknown: List<Id>)

internal fun splitKnown(ids: Iterable<Id>, numbers: Map<Id, Int>): Split {
    val (known, unknown) = ids.partition { it in numbers }
    return Split(known.map(numbers::getValue), unknown)
}

/** The last [length] tokens, zeros on the left where there are fewer. */
fun rightAligned(tokens: List<Int>, length: Int): IntArray {
    val kept = tokens.takeLast(length)
    return IntArray(length) { place -> kept.getOrElse(place - (length - kept.size)) { 0 } }
}

/** A token for each context feature, and the names whose value was given but is unknown. */
internal class ContextTokens(val tokens: Map<String, Int>, val unknown: List<String>)

/** Index of the value + 1, or 0 where it is absent or unknown; a name that the model does not have is refused. */
internal fun contextTokens(context: Map<String, Id>, vocabularies: Map<String, List<Id>>): ContextTokens {
    context.keys.firstOrNull { it !in vocabularies }?.let { name ->
        val known = vocabularies.keys.sorted().joinToString().ifEmpty { "none" }
        throw RequestException("context has no '$name', the model takes $known; leave '$name' out")
    }
    val tokens = vocabularies.mapValues { (name, values) -> context[name]?.let { values.indexOf(it) + 1 } ?: 0 }
    return ContextTokens(tokens, context.keys.filter { tokens[it] == 0 })
}
