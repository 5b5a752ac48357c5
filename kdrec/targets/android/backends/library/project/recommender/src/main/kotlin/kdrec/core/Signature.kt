package kdrec.core

private val DTYPES = listOf("float16", "float32", "int8", "int16", "int32", "int64", "uint8")

/** A tensor at the edge of a graph; [dtype] is a numpy name, [shape] has fixed sizes. */
data class TensorSpec(val dtype: String, val shape: List<Int>) {
    val size get() = shape.fold(1, Int::times)
}

/** What a file can be called with: inputs and outputs by name, never by order. */
data class Signature(val file: String, val inputs: Map<String, TensorSpec>, val outputs: Map<String, TensorSpec>) {
    internal companion object {
        fun read(entry: Field): Signature {
            entry.only(listOf("file", "inputs", "outputs"))
            return Signature(
                entry["file"].text(),
                entry["inputs"].mapping().mapValues { (_, tensor) -> readTensor(tensor) },
                entry["outputs"].mapping().mapValues { (_, tensor) -> readTensor(tensor) },
            )
        }

        private fun readTensor(entry: Field): TensorSpec {
            entry.only(listOf("dtype", "shape", "scale", "zero_point"))
            val isQuantized = entry["scale"].value != null
            if (isQuantized != (entry["zero_point"].value != null)) {
                entry.refuse("must have both scale and zero_point or neither")
            }
            if (isQuantized) {
                entry["scale"].positive()
                entry["zero_point"].long()
            }
            return TensorSpec(entry["dtype"].oneOf(DTYPES), entry["shape"].elements().map { it.integer(1) })
        }
    }
}
