package kdrec.jvm

import kdrec.core.ItemModel
import kdrec.core.Manifest
import kdrec.core.Top

/** A bundle's model on a computer. */
class SessionModel(private val session: Session, private val manifest: Manifest) : ItemModel, AutoCloseable {
    private val calls = manifest.signatures.filterKeys { it in setOf("score", "recommend") }.mapValues { (name, ends) ->
        Call(
            ends.inputs.keys.associateWith { session.inputBuffer(name, it) },
            ends.outputs.keys.associateWith { session.outputBuffer(name, it) },
        )
    }

    private class Call(val inputs: Map<String, Buffer>, val outputs: Map<String, Buffer>)

    override val length get() = manifest.length
    override val nItems get() = manifest.nItems
    override val k get() = manifest.signatures["recommend"]?.outputs?.getValue("items")?.size ?: 0

    override fun scores(tokens: Map<String, IntArray>): FloatArray = run("score", tokens).getValue("scores").floats()

    override fun recommended(tokens: Map<String, IntArray>): Top =
        run("recommend", tokens).let { Top(it.getValue("items").ints(), it.getValue("scores").floats()) }

    override fun close() {
        calls.values.flatMap { it.inputs.values + it.outputs.values }.forEach { it.close() }
        session.close()
    }

    private fun run(signature: String, tokens: Map<String, IntArray>): Map<String, Buffer> {
        val call = calls.getValue(signature)
        for ((name, buffer) in call.inputs) buffer.write(tokens.getValue(name))
        session.run(signature, call.inputs, call.outputs)
        return call.outputs
    }
}
