package com.google.ai.edge.litert

import android.content.res.AssetManager
import kdrec.core.ModelException
import kdrec.jvm.Buffer
import kdrec.jvm.Session
import java.io.File

/**
 * A stand-in for Google's Android library, with the part of its Kotlin API that the adapter uses, over the C API of
 * libLiteRt.so. It counts what is open, and notes what it was asked for.
 */
class CompiledModel private constructor(private val session: Session) : AutoCloseable {
    data class CpuOptions(
        val numThreads: Int? = null,
        val xnnPackFlags: Int? = null,
        val xnnPackWeightCachePath: String? = null,
    )

    class Options(vararg val accelerators: Accelerator) {
        var cpuOptions: CpuOptions? = null
    }

    fun createInputBuffer(inputName: String, signature: String? = null): TensorBuffer =
        translated { TensorBuffer(session.inputBuffer(signature!!, inputName)) }

    fun createOutputBuffer(outputName: String, signature: String? = null): TensorBuffer =
        translated { TensorBuffer(session.outputBuffer(signature!!, outputName)) }

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String) {
        Double.threads += Thread.currentThread().name
        Double.runs += signature
        translated {
            session.run(signature, inputs.mapValues { it.value.buffer }, outputs.mapValues { it.value.buffer })
        }
    }

    override fun close() {
        session.close()
        Double.open--
    }

    companion object {
        @JvmStatic
        fun create(filePath: String, options: Options, optionalEnv: Any? = null): CompiledModel {
            check(optionalEnv == null)
            Double.options += "${options.accelerators.toList()} ${options.cpuOptions?.numThreads}"
            return translated { CompiledModel(Session(filePath)) }.also { Double.open++ }
        }

        @JvmStatic
        fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options,
            optionalEnv: Any? = null,
        ): CompiledModel {
            val file = File.createTempFile("model", ".tflite")
            try {
                file.writeBytes(assetManager.open(assetName).use { it.readBytes() })
                return create(file.path, options, optionalEnv)
            } finally {
                file.delete() // LiteRT has read it
            }
        }
    }
}

enum class Accelerator { NONE, CPU, GPU, NPU }

class LiteRtException(message: String) : Exception(message)

class TensorBuffer(val buffer: Buffer) : AutoCloseable {
    init {
        Double.open++
        Double.buffers++
    }

    fun writeInt(data: IntArray) = translated { buffer.write(data) }

    fun readInt(): IntArray = translated { buffer.ints() }

    fun readFloat(): FloatArray = translated { buffer.floats() }

    override fun close() {
        buffer.close()
        Double.open--
    }
}

/** What the double saw. */
object Double {
    var open = 0
    var buffers = 0
    val threads = LinkedHashSet<String>()
    val runs = ArrayList<String>()
    val options = ArrayList<String>()
}

private fun <T> translated(action: () -> T): T =
    try {
        action()
    } catch (error: ModelException) {
        throw LiteRtException(error.message!!)
    }
