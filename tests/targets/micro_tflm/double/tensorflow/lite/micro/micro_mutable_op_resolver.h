// A double for tests, written for them: what generated code calls of TensorFlow Lite Micro, under its names. Its operators
// do nothing but count.
#ifndef DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H_
#define DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H_

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

namespace tflite {

class MicroOpResolver {
 public:
  unsigned added = 0;
};

template <unsigned tOpCount>
class MicroMutableOpResolver : public MicroOpResolver {
 public:
#define METHOD(name) \
  TfLiteStatus Add##name() { return added++ < tOpCount ? kTfLiteOk : kTfLiteError; }
  METHOD(Abs) METHOD(Add) METHOD(AddN) METHOD(ArgMax) METHOD(ArgMin) METHOD(AssignVariable) METHOD(AveragePool2D)
  METHOD(BatchMatMul) METHOD(BatchToSpaceNd) METHOD(BroadcastArgs) METHOD(BroadcastTo) METHOD(CallOnce) METHOD(Cast)
  METHOD(Ceil) METHOD(Concatenation) METHOD(Conv2D) METHOD(Cos) METHOD(CumSum) METHOD(DepthToSpace)
  METHOD(DepthwiseConv2D) METHOD(Dequantize) METHOD(Div) METHOD(DynamicUpdateSlice) METHOD(EmbeddingLookup) METHOD(Elu)
  METHOD(Equal) METHOD(Exp) METHOD(ExpandDims) METHOD(Fill) METHOD(Floor) METHOD(FloorDiv) METHOD(FloorMod)
  METHOD(FullyConnected) METHOD(Gather) METHOD(GatherNd) METHOD(Greater) METHOD(GreaterEqual) METHOD(HardSwish)
  METHOD(If) METHOD(L2Normalization) METHOD(L2Pool2D) METHOD(LeakyRelu) METHOD(Less) METHOD(LessEqual) METHOD(Log)
  METHOD(LogicalAnd) METHOD(LogicalNot) METHOD(LogicalOr) METHOD(Logistic) METHOD(LogSoftmax) METHOD(Maximum)
  METHOD(MaxPool2D) METHOD(MirrorPad) METHOD(Mean) METHOD(Minimum) METHOD(Mul) METHOD(Neg) METHOD(NotEqual)
  METHOD(Pack) METHOD(Pad) METHOD(PadV2) METHOD(Prelu) METHOD(Quantize) METHOD(ReadVariable) METHOD(ReduceAll)
  METHOD(ReduceMax) METHOD(ReduceMin) METHOD(Relu) METHOD(Relu6) METHOD(Reshape) METHOD(ResizeBilinear)
  METHOD(ResizeNearestNeighbor) METHOD(ReverseV2) METHOD(Round) METHOD(Rsqrt) METHOD(SelectV2) METHOD(Shape)
  METHOD(Sin) METHOD(Slice) METHOD(Softmax) METHOD(SpaceToBatchNd) METHOD(SpaceToDepth) METHOD(Split) METHOD(SplitV)
  METHOD(Squeeze) METHOD(Sqrt) METHOD(Square) METHOD(SquaredDifference) METHOD(StridedSlice) METHOD(Sub) METHOD(Sum)
  METHOD(Svdf) METHOD(Tanh) METHOD(TransposeConv) METHOD(Transpose) METHOD(Unpack) METHOD(UnidirectionalSequenceLSTM)
  METHOD(VarHandle) METHOD(While) METHOD(ZerosLike)
#undef METHOD
};

}  // namespace tflite

#endif  // DOUBLE_MICRO_MUTABLE_OP_RESOLVER_H_
