package kdrec.jvm

import com.sun.jna.Memory
import com.sun.jna.Pointer
import com.sun.jna.ptr.LongByReference
import com.sun.jna.ptr.PointerByReference
import kdrec.core.ModelException

/** The memory of one tensor. */
class Buffer internal constructor(internal val handle: Pointer) : AutoCloseable {
    private val bytes = long { LiteRt.library.LiteRtGetTensorBufferPackedSize(handle, it) }

    fun write(values: IntArray) = locked(LiteRt.WRITE) { address ->
        if (4L * values.size != bytes) throw ModelException("a tensor of $bytes bytes cannot take ${values.size} integers")
        address.write(0, values, 0, values.size)
    }

    fun ints(): IntArray = locked(LiteRt.READ) { it.getIntArray(0, (bytes / 4).toInt()) }

    fun floats(): FloatArray = locked(LiteRt.READ) { it.getFloatArray(0, (bytes / 4).toInt()) }

    override fun close() = LiteRt.library.LiteRtDestroyTensorBuffer(handle)

    private fun <T> locked(mode: Int, use: (Pointer) -> T): T {
        val address = pointer { LiteRt.library.LiteRtLockTensorBuffer(handle, it, mode) }
        return use(address).also { check(LiteRt.library.LiteRtUnlockTensorBuffer(handle)) }
    }
}

/** A .tflite file in LiteRT on the CPU, called by the names of its signatures and tensors. */
class Session(path: String) : AutoCloseable {
    private val api = LiteRt.library
    private val environment = pointer { api.LiteRtCreateEnvironment(0, null, it) }
    private val model = pointer { api.LiteRtCreateModelFromFile(environment, path, it) }
    private val options = pointer { api.LiteRtCreateOptions(it) }
    private val compiled: Pointer
    private val ends: Map<String, Ends>

    private class Ends(val index: Long, val signature: Pointer, val inputs: List<String>, val outputs: List<String>)

    init {
        check(api.LiteRtSetOptionsHardwareAccelerators(options, LiteRt.CPU))
        compiled = pointer { api.LiteRtCreateCompiledModel(environment, model, options, it) }
        ends = (0 until long { api.LiteRtGetNumModelSignatures(model, it) }).associate { index ->
            val signature = pointer { api.LiteRtGetModelSignature(model, index, it) }
            val nInputs = long { api.LiteRtGetNumSignatureInputs(signature, it) }
            val nOutputs = long { api.LiteRtGetNumSignatureOutputs(signature, it) }
            val inputs = (0 until nInputs).map { n -> text { api.LiteRtGetSignatureInputName(signature, n, it) } }
            val outputs = (0 until nOutputs).map { n -> text { api.LiteRtGetSignatureOutputName(signature, n, it) } }
            text { api.LiteRtGetSignatureKey(signature, it) } to Ends(index, signature, inputs, outputs)
        }
    }

    fun inputBuffer(signature: String, name: String): Buffer {
        val of = ends(signature)
        val index = index(of.inputs, name)
        return buffer(
            pointer { api.LiteRtGetSignatureInputTensorByIndex(of.signature, index, it) },
            pointer { api.LiteRtGetCompiledModelInputBufferRequirements(compiled, of.index, index, it) },
        )
    }

    fun outputBuffer(signature: String, name: String): Buffer {
        val of = ends(signature)
        val index = index(of.outputs, name)
        return buffer(
            pointer { api.LiteRtGetSignatureOutputTensorByIndex(of.signature, index, it) },
            pointer { api.LiteRtGetCompiledModelOutputBufferRequirements(compiled, of.index, index, it) },
        )
    }

    fun run(signature: String, inputs: Map<String, Buffer>, outputs: Map<String, Buffer>) {
        val of = ends(signature)
        val given = of.inputs.map { inputs.getValue(it).handle }.toTypedArray()
        val made = of.outputs.map { outputs.getValue(it).handle }.toTypedArray()
        check(api.LiteRtRunCompiledModel(compiled, of.index, given.size.toLong(), given, made.size.toLong(), made))
    }

    override fun close() {
        api.LiteRtDestroyCompiledModel(compiled)
        api.LiteRtDestroyOptions(options)
        api.LiteRtDestroyModel(model)
        api.LiteRtDestroyEnvironment(environment)
    }

    private fun ends(signature: String): Ends =
        ends[signature] ?: throw ModelException("the model has no signature '$signature', it has ${ends.keys.sorted()}")

    private fun index(names: List<String>, name: String): Long {
        if (name !in names) throw ModelException("the model has no tensor '$name' there, it has ${names.sorted()}")
        return names.indexOf(name).toLong()
    }

    private fun buffer(tensor: Pointer, requirements: Pointer): Buffer {
        val type = Memory(LiteRt.TYPE_BYTES)
        check(api.LiteRtGetRankedTensorType(tensor, type))
        return Buffer(pointer { api.LiteRtCreateManagedTensorBufferFromRequirements(environment, type, requirements, it) })
    }
}

private fun pointer(call: (PointerByReference) -> Int): Pointer = PointerByReference().also { check(call(it)) }.value

private fun text(call: (PointerByReference) -> Int): String = pointer(call).getString(0)

private fun long(call: (LongByReference) -> Int): Long = LongByReference().also { check(call(it)) }.value

private fun check(status: Int) {
    if (status != 0) throw ModelException("LiteRT refused a call with status $status")
}
