package kdrec.android

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import kdrec.core.ItemModel
import kdrec.core.Manifest
import kdrec.core.ModelException
import kdrec.core.Signature
import kdrec.core.TensorSpec
import kdrec.core.Top

/**
 * A bundle's model in LiteRT, called by the names of its signatures and tensors.
 *
 * Its buffers are made once, here, and closed with it. It is not for several threads at once: [DeviceRecommender] keeps
 * it on one.
 */
class LiteRtModel private constructor(private val compiled: CompiledModel, manifest: Manifest) :
    ItemModel,
    AutoCloseable {
    private val calls = HashMap<String, Call>()
    override val length = manifest.tensor("score", "history", "int32").size
    override val nItems = manifest.tensor("score", "scores", "float32").size
    override val k = if ("recommend" in manifest.signatures) manifest.tensor("recommend", "items", "int32").size else 0

    init {
        try {
            for (name in listOf("score", "recommend")) {
                manifest.signatures[name]?.let { calls[name] = Call(name, it) }
            }
        } catch (error: Exception) {
            close()
            throw error
        }
    }

    override fun scores(tokens: Map<String, IntArray>): FloatArray =
        run("score", tokens) { outputs -> outputs.getValue("scores").readFloat() }

    override fun recommended(tokens: Map<String, IntArray>): Top =
        run("recommend", tokens) { outputs ->
            Top(outputs.getValue("items").readInt(), outputs.getValue("scores").readFloat())
        }

    /** Run everything once, with an empty history: the first call prepares what later ones find ready. */
    fun warmUp() {
        for ((name, call) in calls) run(name, call.signature.inputs.mapValues { IntArray(it.value.size) }) {}
    }

    override fun close() {
        calls.values.forEach { it.close() }
        calls.clear()
        compiled.close()
    }

    private fun <T> run(name: String, tokens: Map<String, IntArray>, read: (Map<String, TensorBuffer>) -> T): T {
        val call = calls[name] ?: throw ModelException("the model has no signature '$name', or was closed")
        return litert("LiteRT failed in '$name'") {
            for ((input, buffer) in call.inputs) buffer.writeInt(call.checked(input, tokens))
            compiled.run(call.inputs, call.outputs, name)
            read(call.outputs)
        }
    }

    /** A signature and the buffers of its tensors, by name. */
    private inner class Call(private val name: String, val signature: Signature) : AutoCloseable {
        val inputs = HashMap<String, TensorBuffer>()
        val outputs = HashMap<String, TensorBuffer>()

        init {
            litert("the model's tensors of '$name' cannot be made") {
                for (input in signature.inputs.keys) inputs[input] = compiled.createInputBuffer(input, name)
                for (output in signature.outputs.keys) outputs[output] = compiled.createOutputBuffer(output, name)
            }
        }

        /** Tokens of an input; a number of them that LiteRT would not refuse by name. */
        fun checked(input: String, tokens: Map<String, IntArray>): IntArray {
            val given = tokens[input] ?: throw ModelException("'$name' takes ${inputs.keys.sorted()}, and lacks '$input'")
            val size = signature.inputs.getValue(input).size
            if (given.size != size) throw ModelException("'$input' must have $size tokens, received ${given.size}")
            return given
        }

        override fun close() {
            (inputs.values + outputs.values).forEach { it.close() }
        }
    }

    companion object {
        /** [create] compiles the model with the options that it is given; [threads] is how many LiteRT may use. */
        fun open(manifest: Manifest, threads: Int, create: (CompiledModel.Options) -> CompiledModel): LiteRtModel {
            if (threads < 1) throw ModelException("threads must be at least 1, received $threads; use 1")
            val options = CompiledModel.Options(Accelerator.CPU)
            options.cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
            val compiled = litert("the model cannot be loaded; export it again, or copy it again") { create(options) }
            return LiteRtModel(compiled, manifest)
        }

        private fun Manifest.tensor(signature: String, name: String, dtype: String): TensorSpec {
            val ends = signatures.getValue(signature)
            val tensor = ends.inputs[name] ?: ends.outputs[name]
            if (tensor?.dtype == dtype) return tensor
            throw ModelException("'$signature' must have '$name' in $dtype, it has ${tensor?.dtype}; export with recipe int8")
        }

        private fun <T> litert(what: String, action: () -> T): T =
            try {
                action()
            } catch (error: LiteRtException) {
                throw ModelException("$what: ${error.message}", error)
            }
    }
}
