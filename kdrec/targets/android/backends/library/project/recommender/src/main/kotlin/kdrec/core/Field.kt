package kdrec.core

/** A value of a JSON file, with the path to it: it is asked for by name and type, and a refusal says where it stands. */
internal class Field(val file: String, val path: String, val value: Any?) {
    fun refuse(rule: String): Nothing {
        val shown = if (value is String) "'$value'" else "$value"
        throw BundleException(
            "$file: ${path.ifEmpty { "the document" }} $rule, received ${shown.cut(80)}; " +
                "the file was altered or written by another program: export the bundle again",
        )
    }

    fun mapping(): Map<String, Field> {
        if (value !is Map<*, *>) refuse("must be an object")
        return value.entries.associate { (name, field) ->
            name as String to Field(file, if (path.isEmpty()) name else "$path.$name", field)
        }
    }

    operator fun get(name: String): Field = mapping()[name] ?: refuse("must have '$name'")

    fun has(name: String): Boolean = name in mapping()

    fun only(names: Collection<String>) {
        names.forEach { get(it) }
        (mapping().keys - names.toSet()).minOrNull()?.let { refuse("must have no field '$it'") }
    }

    fun elements(): List<Field> {
        if (value !is List<*>) refuse("must be a list")
        return value.mapIndexed { place, element -> Field(file, "$path[$place]", element) }
    }

    fun text(): String = if (value is String && value.isNotEmpty()) value else refuse("must be a text that is not empty")

    fun anyText(): String = value as? String ?: refuse("must be a text")

    /** An integer of at most 64 bits. */
    fun long(): Long {
        val isInteger = value is JsonNumber && value.isInteger
        return (if (isInteger) value.toString().toLongOrNull() else null) ?: refuse("must be an integer")
    }

    fun integer(least: Int = Int.MIN_VALUE): Int {
        val rule = if (least == Int.MIN_VALUE) "must be an integer" else "must be an integer of at least $least"
        val number = long()
        return if (number in least..Int.MAX_VALUE) number.toInt() else refuse(rule)
    }

    fun number(): Double {
        if (value !is JsonNumber) refuse("must be a number")
        return value.text.toDouble().also { if (it.isInfinite()) refuse("must be a finite number") }
    }

    fun positive(): Double = number().also { if (it <= 0) refuse("must be a number above 0") }

    fun boolean(): Boolean = value as? Boolean ?: refuse("must be true or false")

    fun id(): Id = if (value is String) Id.Text(value) else Id.Number(long())

    fun oneOf(known: Collection<String>): String =
        (value as? String)?.takeIf { it in known } ?: refuse("must be one of ${known.sorted().joinToString()}")

    fun digest(): String = text().also { if (!DIGEST.matches(it)) refuse("must be a sha256 in hex") }

    private companion object {
        val DIGEST = Regex("[0-9a-f]{64}")
    }
}

internal fun String.cut(most: Int): String = if (length <= most) this else take(most - 3) + "..."
