"""The reader's layers as an ONNX graph, built from its arrays in memory and run by onnxruntime on the CPU.

Weights are int8 per output channel; activations are quantised as they come (onnxruntime's `DynamicQuantizeMatMul`,
`MultiHeadAttention` and `SkipLayerNormalization` contrib operators). BERT (Devlin et al., arXiv 1810.04805): each layer
adds attention, then a feed-forward network with GELU, and normalises after each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import onnxruntime

Array = npt.NDArray[Any]

EPSILON: Final = 1e-12
"""Of the layer norms, as in BERT."""
_OPSET: Final = 20
_CONTRIB: Final = "com.microsoft"


class _Builder:
    """Collects the nodes and weights of a graph."""

    def __init__(self, arrays: Mapping[str, Array], heads: int) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._numpy = helper, numpy_helper
        self._arrays = arrays
        self._heads = heads
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def constant(self, name: str, values: Array) -> str:
        self.weights.append(self._numpy.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:
        self.nodes.append(self._helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        """`x @ weight.T + bias`, with the weight as it is stored: int8 rows, a scale for each."""
        codes, scales = self._arrays[f"{name}.codes"], self._arrays[f"{name}.scales"].astype(np.float32)
        weight = self.constant(f"{name}.w", codes.T)
        scale = self.constant(f"{name}.s", scales)
        zero = self.constant(f"{name}.z", np.zeros(len(scales), np.int8))
        bias = self.constant(f"{name}.b", self._float(f"{name}.bias"))
        return self.node("DynamicQuantizeMatMul", [x, weight, scale, zero, bias], f"{name}.out", _CONTRIB)

    def normalised(self, x: str, added: str, name: str) -> str:
        """The layer norm of `x + added`."""
        gain, shift = (self.constant(f"{name}.{part}", self._float(f"{name}.{part}")) for part in ("weight", "bias"))
        return self.node("SkipLayerNormalization", [x, added, gain, shift], f"{name}.out", _CONTRIB, epsilon=EPSILON)

    def layer(self, x: str, number: int) -> str:
        at = f"layers.{number}"
        qkv = self.linear(x, f"{at}.qkv")
        names = [f"{at}.{part}" for part in ("q", "k", "v")]
        self.nodes.append(self._helper.make_node("Split", [qkv], names, axis=2, num_outputs=3))
        mixed = self.node("MultiHeadAttention", [*names, "", "mask"], f"{at}.mixed", _CONTRIB, num_heads=self._heads)
        attended = self.normalised(x, self.linear(mixed, f"{at}.attention_output"), f"{at}.attention_norm")
        raised = self.node("Gelu", [self.linear(attended, f"{at}.up")], f"{at}.raised")
        return self.normalised(attended, self.linear(raised, f"{at}.down"), f"{at}.output_norm")

    def _float(self, name: str) -> Array:
        return self._arrays[name].astype(np.float32)


def build_session(arrays: Mapping[str, Array], heads: int, threads: int) -> onnxruntime.InferenceSession:
    """A session that runs the layers.

    It takes `embedded` float32 `(n, length, hidden)` (words and positions, not yet normalised) and `mask` int32
    `(n, length)` (1 where there is a token), and gives `hidden` float32 `(n, length, hidden)`.
    """
    import onnxruntime
    from onnx import TensorProto, helper

    builder = _Builder(arrays, heads)
    gain = builder.constant("norm.weight", arrays["norm.weight"].astype(np.float32))
    shift = builder.constant("norm.bias", arrays["norm.bias"].astype(np.float32))
    x = builder.node("LayerNormalization", ["embedded", gain, shift], "norm.out", epsilon=EPSILON, axis=-1)
    layers = 1 + max(int(name.split(".")[1]) for name in arrays if name.startswith("layers."))
    for number in range(layers):
        x = builder.layer(x, number)
    builder.node("Identity", [x], "hidden")
    width = arrays["norm.weight"].shape[0]
    graph = helper.make_graph(
        builder.nodes,
        "jinwen-reader",
        [
            helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["n", "length", width]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["n", "length"]),
        ],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["n", "length", width])],
        builder.weights,
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
