"""Networks of TensorFlow Lite: a flat buffer with tensors and operations, channels last."""

from __future__ import annotations

import numpy as np
import tflite

from .stored import INPUT, StoredNetwork, same_padding

_TYPES = {0: np.float32, 1: np.float16, 2: np.int32}
_ACTIVATIONS = {0: "", 1: "relu", 3: "relu6"}
_SAME = 0
_NAMES = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}


def read(content: bytes, outputs: tuple[str, ...]) -> StoredNetwork:
    """The network in a .tflite file, its outputs named in the order in which the file lists them."""
    return _Reader(content).network(outputs)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.model = tflite.Model.GetRootAsModel(content, 0)
        self.graph = self.model.Subgraphs(0)
        count = self.graph.TensorsLength()
        self.shapes = [self._shape(index) for index in range(count)]
        self.constants = {index: tensor for index in range(count) if (tensor := self._constant(index)) is not None}

    def network(self, outputs: tuple[str, ...]) -> StoredNetwork:
        (picture,) = self.graph.InputsAsNumpy().tolist()
        size = self.shapes[picture][1]
        assert self.shapes[picture] == [1, size, size, 3], self.shapes[picture]
        made = StoredNetwork(scale=1 / 255, offset=0.0, multiple=size, size=size)
        self.made, self.names = made, {picture: INPUT}
        for index in range(self.graph.OperatorsLength()):
            self._operation(self.graph.Operators(index))
        indices = self.graph.OutputsAsNumpy().tolist()
        assert len(indices) == len(outputs), (len(indices), outputs)
        made.outputs = {called: self._as_vector(index) for called, index in zip(outputs, indices, strict=True)}
        return made

    def _shape(self, index: int) -> list[int]:
        tensor = self.graph.Tensors(index)
        return tensor.ShapeAsNumpy().tolist() if tensor.ShapeLength() else []

    def _constant(self, index: int) -> np.ndarray | None:
        tensor = self.graph.Tensors(index)
        buffer = self.model.Buffers(tensor.Buffer())
        if not buffer.DataLength():
            return None
        assert tensor.Sparsity() is None, "a sparse tensor"
        return np.frombuffer(buffer.DataAsNumpy().tobytes(), _TYPES[tensor.Type()]).reshape(self.shapes[index])

    def _operation(self, operator: tflite.Operator) -> None:
        codes = self.model.OperatorCodes(operator.OpcodeIndex())
        kind = _NAMES[max(codes.DeprecatedBuiltinCode(), codes.BuiltinCode())]
        inputs, (output,) = operator.InputsAsNumpy().tolist(), operator.OutputsAsNumpy().tolist()
        if kind == "DEQUANTIZE" and inputs[0] in self.constants:  # the engine widens half-precision weights itself
            self.constants[output] = self.constants[inputs[0]]
            return
        getattr(self, f"_{kind.lower()}")(operator, inputs, output)

    def _options(self, operator: tflite.Operator, kind: type) -> object:
        options, table = kind(), operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _add_operation(self, kind: str, inputs: list[int], output: int, **more: object) -> None:
        self.names[output] = str(output)
        called = [self.names[index] for index in inputs]
        self.made.operations.append({"kind": kind, "inputs": called, "output": str(output), **more})

    def _stored(self, tensor: int, role: str, values: np.ndarray) -> str:
        name = f"{len(self.made.operations)}.{role}"
        self.made.tensors[name] = values
        return name

    def _as_vector(self, index: int) -> str:
        """The value of an output; maps of one pixel become vectors."""
        shape = self.shapes[index]
        if len(shape) == 4 and shape[1:3] == [1, 1]:
            self._add_operation("flatten", [index], -index)
            return self.names[-index]
        return self.names[index]

    # -- one method for each operation of TensorFlow Lite ------------------------------------------------------------

    def _conv_2d(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = self._options(operator, tflite.Conv2DOptions)
        self._convolution(options, inputs, output, self.constants[inputs[1]].transpose(0, 3, 1, 2), 1)

    def _depthwise_conv_2d(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = self._options(operator, tflite.DepthwiseConv2DOptions)
        kernel = self.constants[inputs[1]].transpose(3, 0, 1, 2)
        assert len(kernel) == self.shapes[inputs[0]][3], "a depthwise convolution that makes channels"
        self._convolution(options, inputs, output, kernel, len(kernel))

    def _convolution(self, options, inputs: list[int], output: int, kernel: np.ndarray, groups: int) -> None:
        assert options.DilationHFactor() == options.DilationWFactor() == 1, "a dilated convolution"
        assert options.StrideH() == options.StrideW(), "strides that differ"
        stride, padding = options.StrideH(), [0, 0, 0, 0]
        if options.Padding() == _SAME:
            rows, columns = (
                same_padding(self.shapes[inputs[0]][axis], kernel.shape[axis + 1], stride) for axis in (1, 2)
            )
            padding = [*columns, *rows]
        self._add_operation(
            "conv",
            inputs[:1],
            output,
            weight=self._stored(inputs[1], "weight", kernel),
            bias=self._stored(inputs[2], "bias", self.constants[inputs[2]]),
            stride=stride,
            padding=padding,
            groups=groups,
            activation=_ACTIVATIONS[options.FusedActivationFunction()],
        )

    def _fully_connected(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = self._options(operator, tflite.FullyConnectedOptions)
        assert options.FusedActivationFunction() == 0, "an activation behind a fully connected layer"
        self._add_operation(
            "linear",
            inputs[:1],
            output,
            weight=self._stored(inputs[1], "weight", self.constants[inputs[1]]),
            bias=self._stored(inputs[2], "bias", self.constants[inputs[2]]),
        )

    def _prelu(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        slopes = self.constants[inputs[1]]
        assert slopes.shape[:2] == (1, 1), "slopes that differ from pixel to pixel"
        self._add_operation("prelu", inputs[:1], output, weight=self._stored(inputs[1], "slopes", slopes[0, 0]))

    def _add(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        activation = _ACTIVATIONS[self._options(operator, tflite.AddOptions).FusedActivationFunction()]
        self._add_operation("add", inputs, output, activation=activation)

    def _max_pool_2d(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = self._options(operator, tflite.Pool2DOptions)
        sides = {options.StrideH(), options.StrideW(), options.FilterHeight(), options.FilterWidth()}
        assert len(sides) == 1 and options.Padding() != _SAME, "a pool that overlaps"
        self._add_operation("pool", inputs, output, side=sides.pop())

    def _resize_bilinear(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        options = self._options(operator, tflite.ResizeBilinearOptions)
        before, after = self.shapes[inputs[0]][1:3], self.shapes[output][1:3]
        assert options.HalfPixelCenters() and not options.AlignCorners(), "a resize of another kind"
        assert after == [2 * side for side in before], "a resize that does not double"
        self._add_operation("double", inputs[:1], output)

    def _pad(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        batch, rows, columns, channels = self.constants[inputs[1]].tolist()
        assert batch == [0, 0] and channels[0] == 0
        if channels[1]:
            assert rows == columns == [0, 0]
            self._add_operation("pad_channels", inputs[:1], output, count=channels[1])
        else:
            self._add_operation("pad", inputs[:1], output, padding=[*columns, *rows])

    def _strided_slice(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        """Only the first channels are ever taken. The batch of one that is written there is not looked at."""
        begin, end, step = (self.constants[index].tolist() for index in inputs[1:])
        assert begin == [0, 0, 0, 0] and step == [1, 1, 1, 1] and end[1:3] == self.shapes[inputs[0]][1:3]
        self._add_operation("first_channels", inputs[:1], output, count=end[3])

    def _reshape(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        assert self.shapes[inputs[0]][1:3] == [1, 1] and len(self.shapes[output]) == 2, "a reshape of a map"
        self._add_operation("flatten", inputs[:1], output)

    def _mean(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        assert sorted(self.constants[inputs[1]].tolist()) == [1, 2], "a mean over something else"
        self._add_operation("mean", inputs[:1], output)

    def _logistic(self, operator: tflite.Operator, inputs: list[int], output: int) -> None:
        self._add_operation("sigmoid", inputs, output)
