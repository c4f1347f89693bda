"""What the network is trained to say."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.reader.batches import Batch
from training.reader.network import ReaderNetwork


def loss_of(network: ReaderNetwork, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch, and its parts.

    - `answers`: cross-entropy of each passage by itself (calibration), and of the passages of a group against each
      other and against none of them (order; Clark and Gardner, ACL 2018: shared normalisation).
    - `span`: start and end, all right ones together, position 0 where there is none.
    - `sentences`: the same two for every sentence.
    """
    out = network(batch.ids, batch.mask)
    logits = network.sentences(out.hidden, batch.rows, batch.starts, batch.ends)
    parts = {
        "answers": F.binary_cross_entropy_with_logits(out.answers, batch.answers),
        "passages": 0.5 * _against_each_other(out.answers, batch.answers, batch.groups),
        "span": _span_loss(out.spans, batch.spans),
        "sentences": 2.0 * F.binary_cross_entropy_with_logits(logits, batch.evidence),
        "evidence": 0.5 * _against_each_other(logits, batch.evidence, batch.groups[batch.rows]),
    }
    total = torch.stack(list(parts.values())).sum()
    return total, {name: float(value.detach()) for name, value in parts.items()}


def _against_each_other(logits: Tensor, right: Tensor, groups: Tensor) -> Tensor:
    """Mean over groups of -log(share of what is right), none of them having the logit 0."""
    count = int(groups.max()) + 1
    top = torch.zeros(count).scatter_reduce(0, groups, logits.detach(), "amax", include_self=True)
    weights = torch.exp(logits - top[groups])
    none = torch.exp(-top)
    total = none.index_add(0, groups, weights)
    good = torch.zeros(count).index_add(0, groups, weights * right)
    answered = torch.zeros(count).index_add(0, groups, right) > 0
    share = torch.where(answered, good, none) / total
    return -torch.log(share.clamp_min(1e-9)).mean()


def _span_loss(spans: Tensor, right: Tensor) -> Tensor:
    shares = F.log_softmax(spans, dim=1)
    return -torch.logsumexp(shares.masked_fill(~right, -1e4), dim=1).mean()
