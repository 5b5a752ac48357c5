package kdrec.core

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

private const val DEPTH = 100

/** A number as it is written; an integer has neither a point nor an exponent. */
internal class JsonNumber(val text: String) {
    val isInteger get() = text.none { it == '.' || it == 'e' || it == 'E' }

    override fun toString() = text
}

/** JSON by its letter: maps, lists, texts, [JsonNumber], booleans and null; of equal names the last one counts. */
internal class Json private constructor(private val text: String) {
    private var at = 0

    private fun document(): Any? {
        val value = value(0)
        space()
        if (at < text.length) fail("something follows the value")
        return value
    }

    private fun value(depth: Int): Any? {
        if (depth > DEPTH) fail("more than $DEPTH levels")
        space()
        return when (next()) {
            '{' -> mapping(depth)
            '[' -> list(depth)
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun mapping(depth: Int): Map<String, Any?> {
        val fields = LinkedHashMap<String, Any?>()
        at++
        space()
        if (taken('}')) return fields
        do {
            space()
            if (next() != '"') fail("a name must be a text")
            val name = string()
            space()
            if (!taken(':')) fail("a name must be followed by ':'")
            fields[name] = value(depth + 1)
            space()
        } while (taken(','))
        if (!taken('}')) fail("an object must end with '}'")
        return fields
    }

    private fun list(depth: Int): List<Any?> {
        val values = ArrayList<Any?>()
        at++
        space()
        if (taken(']')) return values
        do {
            values += value(depth + 1)
            space()
        } while (taken(','))
        if (!taken(']')) fail("a list must end with ']'")
        return values
    }

    private fun string(): String {
        val built = StringBuilder()
        at++
        while (true) {
            val letter = next()
            at++
            when {
                letter == '"' -> return built.toString().also(::checkPairs)
                letter == '\\' -> built.append(escaped())
                letter < ' ' -> fail("a text must escape control characters")
                else -> built.append(letter)
            }
        }
    }

    private fun escaped(): Char {
        val letter = next()
        at++
        return when (letter) {
            '"', '\\', '/' -> letter
            'b' -> '\b'
            'f' -> '\u000C'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                val digits = if (at + 4 <= text.length) text.substring(at, at + 4) else ""
                if (!HEX.matches(digits)) fail("\\u must be followed by four digits in hex")
                at += 4
                digits.toInt(16).toChar()
            }
            else -> fail("no such escape")
        }
    }

    /** Characters beyond 16 bits are two halves; one that stands alone is none that could be shown. */
    private fun checkPairs(value: String) {
        var place = 0
        while (place < value.length) {
            val letter = value[place++]
            if (!letter.isSurrogate()) continue
            val isPair = letter.isHighSurrogate() && place < value.length && value[place].isLowSurrogate()
            if (!isPair) fail("half a character")
            place++
        }
    }

    private fun number(): JsonNumber {
        val found = NUMBER.matchAt(text, at) ?: fail("no value")
        at = found.range.last + 1
        return JsonNumber(found.value)
    }

    private fun word(word: String, value: Any?): Any? {
        if (!text.startsWith(word, at)) fail("no value")
        at += word.length
        return value
    }

    private fun next(): Char = if (at < text.length) text[at] else fail("it ends too soon")

    private fun taken(letter: Char): Boolean = (at < text.length && text[at] == letter).also { if (it) at++ }

    private fun space() {
        while (at < text.length && text[at] in " \t\n\r") at++
    }

    private fun fail(what: String): Nothing = throw IllegalArgumentException("$what, at character $at")

    companion object {
        private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")
        private val HEX = Regex("[0-9a-fA-F]{4}")

        /** The root of a file; what is not JSON in UTF-8 is refused by the file's name. */
        fun parse(file: String, content: ByteArray): Field =
            try {
                val text = Charsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString()
                Field(file, "", Json(text).document())
            } catch (error: IllegalArgumentException) {
                throw BundleException(notJson(file, error.message), error)
            } catch (error: CharacterCodingException) {
                throw BundleException(notJson(file, "no UTF-8"), error)
            }

        private fun notJson(file: String, why: String?) =
            "$file is not JSON ($why); the file was cut or altered: export the bundle again"
    }
}
