package kdrec.core

/** An item's id, or a value of context, as in the log: an integer or a text, which are never equal. */
sealed interface Id {
    data class Number(val value: Long) : Id {
        override fun toString() = value.toString()
    }

    data class Text(val value: String) : Id {
        override fun toString() = value
    }

    companion object {
        fun of(value: Long): Id = Number(value)

        fun of(value: String): Id = Text(value)
    }
}
