"""The reader as a torch module, for training: BERT layers, and heads for passage, span and sentences.

Written out rather than taken from transformers because two cores train it: bfloat16 weights with float32 masters in
the optimizer, one matrix for query, key and value, attention written as matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from training.reader.backbone import Backbone

EPSILON = 1e-12
"""Of the layer norms, as in BERT."""


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """softmax(q k' / sqrt(d) + mask) v, all `(batch, heads, length, d)`; `mask` `(batch, 1, 1, length)`.

    Where gradients are wanted the shares are kept: on a CPU torch's fused backward pass takes a third of a step.
    """
    if not q.requires_grad:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    return torch.softmax(scores.add_(mask), dim=-1) @ v


class Layer(nn.Module):
    """One BERT layer: attention and feed-forward, each added and normalised after."""

    def __init__(self, hidden: int, heads: int, feed_forward: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.attention_output = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=EPSILON)
        self.up = nn.Linear(hidden, feed_forward)
        self.down = nn.Linear(feed_forward, hidden)
        self.output_norm = nn.LayerNorm(hidden, eps=EPSILON)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` `(batch, length, hidden)` -> the same shape."""
        batch, length, hidden = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = attention(q, k, v, mask)
        x = self.attention_norm(x + self.attention_output(mixed.transpose(1, 2).reshape(batch, length, hidden)))
        return self.output_norm(x + self.down(F.gelu(self.up(x))))


@dataclass
class Output:
    """Logits, float32, of a batch of question-passage pairs."""

    answers: Tensor
    """`(batch,)`: whether the passage answers."""
    spans: Tensor
    """`(batch, length, 2)`: start and end of the answer; position 0 stands for none."""
    hidden: Tensor
    """`(batch, length, hidden)`, for `ReaderNetwork.sentences`."""


class ReaderNetwork(nn.Module):
    """Cross-encoder: question and passage in, evidence out."""

    def __init__(
        self, hidden: int, heads: int, feed_forward: int, layers: int, vocabulary: int, positions: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(positions, hidden)
        self.norm = nn.LayerNorm(hidden, eps=EPSILON)
        self.layers = nn.ModuleList(Layer(hidden, heads, feed_forward) for _ in range(layers))
        self.answer_dense = nn.Linear(hidden, hidden)
        self.answer_score = nn.Linear(hidden, 1)
        self.span_score = nn.Linear(hidden, 2)
        self.sentence_dense = nn.Linear(2 * hidden, hidden)
        self.sentence_score = nn.Linear(hidden, 1)
        self.frozen = 0

    @classmethod
    def from_backbone(cls, backbone: Backbone) -> ReaderNetwork:
        """The backbone with heads that know nothing yet."""
        shape = backbone.shape
        network = cls(
            shape["hidden"],
            shape["heads"],
            shape["feed_forward"],
            shape["layers"],
            shape["vocabulary"],
            shape["positions"],
        )
        state = {name: torch.from_numpy(values) for name, values in backbone.weights.items()}
        types = state.pop("types")
        # Every token is of the first type, so its row is one with the positions.
        merged = {"positions.weight": state.pop("positions") + types[0]}
        for i in range(shape["layers"]):
            parts = [f"layers.{i}.{name}" for name in ("query", "key", "value")]
            merged[f"layers.{i}.qkv.weight"] = torch.cat([state.pop(f"{part}.weight") for part in parts])
            merged[f"layers.{i}.qkv.bias"] = torch.cat([state.pop(f"{part}.bias") for part in parts])
        scales = torch.from_numpy(backbone.scales).float().repeat_interleave(32, dim=1)
        merged["words.weight"] = torch.from_numpy(backbone.codes).float() * scales
        missing, unexpected = network.load_state_dict({**state, **merged}, strict=False)
        assert not unexpected, unexpected
        assert all("score" in name or "dense" in name for name in missing), missing
        return network

    def freeze(self, layers: int) -> None:
        """Keep the token table, the positions and the lowest `layers` as they are."""
        self.frozen = layers
        for part in (self.words, self.positions, self.norm, *self.layers[:layers]):
            part.requires_grad_(False)

    def forward(self, ids: Tensor, mask: Tensor) -> Output:
        """`ids` int64 `(batch, length)`, `mask` bool of the same shape: True where there is a token."""
        blocked = torch.zeros(mask.shape, dtype=self.words.weight.dtype).masked_fill_(~mask, -1e4)[:, None, None, :]
        with torch.no_grad():
            x = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
            for layer in self.layers[: self.frozen]:
                x = layer(x, blocked)
        for layer in self.layers[self.frozen :]:
            x = layer(x, blocked)
        hidden = x.float()
        answers = self.answer_score(torch.tanh(self.answer_dense(hidden[:, 0])))[:, 0]
        spans = self.span_score(hidden).masked_fill(~mask[:, :, None], -1e4)
        return Output(answers, spans, hidden)

    def sentences(self, hidden: Tensor, rows: Tensor, starts: Tensor, ends: Tensor) -> Tensor:
        """Evidence logits `(n,)` of the sentences `hidden[rows, starts:ends]` (mean of their tokens, beside `<s>`)."""
        sums = F.pad(hidden.cumsum(1), (0, 0, 1, 0))
        means = (sums[rows, ends] - sums[rows, starts]) / (ends - starts).unsqueeze(1)
        seen = torch.cat([means, hidden[rows, 0]], dim=1)
        return self.sentence_score(F.gelu(self.sentence_dense(seen)))[:, 0]

    HEADS = ("answer_dense", "answer_score", "span_score", "sentence_dense", "sentence_score")

    def to_bfloat16(self) -> ReaderNetwork:
        """The layers in bfloat16, the heads in float32."""
        self.bfloat16()
        for name in self.HEADS:
            getattr(self, name).float()
        return self
