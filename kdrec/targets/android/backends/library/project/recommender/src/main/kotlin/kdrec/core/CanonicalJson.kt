package kdrec.core

/**
 * The text over which a manifest's own sha256 is made: names in the order of their characters, `, ` and `: ` between,
 * everything but ASCII escaped, numbers as they were written.
 */
internal fun canonicalJson(value: Any?): String = StringBuilder().also { append(it, value) }.toString()

private fun append(text: StringBuilder, value: Any?) {
    when (value) {
        is Map<*, *> -> {
            val fields = value.entries.sortedWith(compareBy(BY_CHARACTER) { it.key as String })
            joined(text, '{', '}', fields) { (name, field) ->
                quote(text, name as String)
                text.append(": ")
                append(text, field)
            }
        }
        is List<*> -> joined(text, '[', ']', value) { append(text, it) }
        is String -> quote(text, value)
        else -> text.append(value) // a number, true, false or null
    }
}

private fun <T> joined(text: StringBuilder, open: Char, close: Char, values: Collection<T>, each: (T) -> Unit) {
    text.append(open)
    values.forEachIndexed { place, value ->
        if (place > 0) text.append(", ")
        each(value)
    }
    text.append(close)
}

private fun quote(text: StringBuilder, value: String) {
    text.append('"')
    for (letter in value) {
        when (letter) {
            '"', '\\' -> text.append('\\').append(letter)
            '\n' -> text.append("\\n")
            '\r' -> text.append("\\r")
            '\t' -> text.append("\\t")
            '\b' -> text.append("\\b")
            '\u000C' -> text.append("\\f")
            in ' '..'~' -> text.append(letter)
            else -> text.append("\\u").append(letter.code.toString(16).padStart(4, '0'))
        }
    }
    text.append('"')
}

/** Characters beyond 16 bits, which are two halves here, come after all others. */
private val BY_CHARACTER = Comparator<String> { left, right ->
    val differs = (0 until minOf(left.length, right.length)).firstOrNull { left[it] != right[it] }
    if (differs == null) left.length.compareTo(right.length) else order(left[differs]).compareTo(order(right[differs]))
}

private fun order(half: Char) = if (half.isSurrogate()) half.code + 0x10000 else half.code
