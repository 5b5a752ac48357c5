package kdrec.jvm

import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.Pointer
import com.sun.jna.ptr.LongByReference
import com.sun.jna.ptr.PointerByReference

/**
 * What this sample calls of LiteRT's C API, as ai-edge-litert 2.3.0 has it; a status of 0 is success.
 *
 * Of older versions the functions that load a model take no environment: they are not compatible.
 */
@Suppress("FunctionName")
internal interface LiteRt : Library {
    fun LiteRtCreateEnvironment(nOptions: Int, options: Pointer?, environment: PointerByReference): Int

    fun LiteRtCreateModelFromFile(environment: Pointer, path: String, model: PointerByReference): Int

    fun LiteRtCreateOptions(options: PointerByReference): Int

    fun LiteRtSetOptionsHardwareAccelerators(options: Pointer, accelerators: Int): Int

    fun LiteRtCreateCompiledModel(env: Pointer, model: Pointer, options: Pointer, compiled: PointerByReference): Int

    fun LiteRtGetNumModelSignatures(model: Pointer, n: LongByReference): Int

    fun LiteRtGetModelSignature(model: Pointer, index: Long, signature: PointerByReference): Int

    fun LiteRtGetSignatureKey(signature: Pointer, key: PointerByReference): Int

    fun LiteRtGetNumSignatureInputs(signature: Pointer, n: LongByReference): Int

    fun LiteRtGetNumSignatureOutputs(signature: Pointer, n: LongByReference): Int

    fun LiteRtGetSignatureInputName(signature: Pointer, index: Long, name: PointerByReference): Int

    fun LiteRtGetSignatureOutputName(signature: Pointer, index: Long, name: PointerByReference): Int

    fun LiteRtGetSignatureInputTensorByIndex(signature: Pointer, index: Long, tensor: PointerByReference): Int

    fun LiteRtGetSignatureOutputTensorByIndex(signature: Pointer, index: Long, tensor: PointerByReference): Int

    fun LiteRtGetRankedTensorType(tensor: Pointer, type: Pointer): Int

    fun LiteRtGetCompiledModelInputBufferRequirements(
        compiled: Pointer, signature: Long, index: Long, requirements: PointerByReference,
    ): Int

    fun LiteRtGetCompiledModelOutputBufferRequirements(
        compiled: Pointer, signature: Long, index: Long, requirements: PointerByReference,
    ): Int

    fun LiteRtCreateManagedTensorBufferFromRequirements(
        env: Pointer, type: Pointer, requirements: Pointer, buffer: PointerByReference,
    ): Int

    fun LiteRtGetTensorBufferPackedSize(buffer: Pointer, size: LongByReference): Int

    fun LiteRtLockTensorBuffer(buffer: Pointer, address: PointerByReference, mode: Int): Int

    fun LiteRtUnlockTensorBuffer(buffer: Pointer): Int

    fun LiteRtRunCompiledModel(
        compiled: Pointer, signature: Long, nInputs: Long, inputs: Array<Pointer>, nOutputs: Long, outputs: Array<Pointer>,
    ): Int

    fun LiteRtDestroyTensorBuffer(buffer: Pointer)

    fun LiteRtDestroyCompiledModel(compiled: Pointer)

    fun LiteRtDestroyOptions(options: Pointer)

    fun LiteRtDestroyModel(model: Pointer)

    fun LiteRtDestroyEnvironment(environment: Pointer)

    companion object {
        const val CPU = 1
        const val READ = 0
        const val WRITE = 1
        const val TYPE_BYTES = 256L // more than LiteRtRankedTensorType has

        /** The library of the system property `litert`, the path of libLiteRt.so. */
        val library: LiteRt by lazy { Native.load(System.getProperty("litert"), LiteRt::class.java) }
    }
}
