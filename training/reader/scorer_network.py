"""The network of the sentence scorer, as it is trained; `rag.answering.sentence_scorer` runs the same with numpy.

A question and windows of text are read together. Every token is a row of the static encoder, projected; tokens of a
window look at the question's tokens (aligned question embedding of DrQA, Chen et al., ACL 2017; a second time between
the layers, as in QANet, Yu et al., ICLR 2018), and depthwise convolutions read them in context. A sentence is scored
from its tokens (attention pooling), from how well it, its neighbours, the title and the window match each token of the
question (late interaction, Khattab and Zaharia, SIGIR 2020), and from its rank. All sentences of all windows compete in
one softmax with "none of them" (shared normalisation, Clark and Gardner, ACL 2018).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
import torch.nn.functional as f
from torch import nn

TITLE: Final = -1
PADDING: Final = -2
"""Values in the place of a sentence number."""
SAME_WORD: Final = 0.5
_ABSENT: Final = -1e4
_LOWEST_EVIDENCE: Final = -20.0


class Block(nn.Module):
    """Depthwise convolution, then two dense layers around a rectifier, with a shortcut (ConvNeXt, Liu et al., 2022)."""

    def __init__(self, width: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv1d(width, width, kernel, padding=padding, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.drop = nn.Dropout1d(0.1)

    def forward(self, x: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """`(n, length, width)` -> the same; what is not `there` `(n, length)` is not read."""
        read = self.conv((x * there.unsqueeze(-1)).transpose(1, 2)).transpose(1, 2)
        told = self.down(torch.relu(self.up(self.norm(read))))
        return x + self.drop.forward(told.transpose(1, 2)).transpose(1, 2) if self.training else x + told


class ScorerNetwork(nn.Module):
    """Question and windows -> a logit for every sentence, one for "none", one for every token."""

    def __init__(self, table: np.ndarray, *, width: int = 128, free: int = 3000, longest_question: int = 40) -> None:
        """`table`: float32 `(vocabulary, dim)`, rows of the static encoder; they are not trained.

        `free` of the tokens get a row of their own beside the projected one.
        """
        super().__init__()
        rows = torch.tensor(table)
        norms = rows.norm(dim=1)
        weight = torch.log(norms + 1e-3)
        self.register_buffer("unit", rows / (norms.unsqueeze(1) + 1e-6), persistent=False)
        self.register_buffer("weight", (weight - weight.mean()) / weight.std().clamp(min=1e-6), persistent=False)
        self.register_buffer("free_row", torch.zeros(len(table), dtype=torch.int32))
        self.project = nn.Linear(table.shape[1], width, bias=False)
        self.free = nn.Embedding(free, width)
        self.position = nn.Embedding(longest_question, width)
        self.question_blocks = nn.ModuleList([Block(width, 3), Block(width, 3)])
        self.question_pool = nn.Linear(width, 1)
        self.align = nn.Linear(width, width)
        self.likeness = nn.Parameter(torch.tensor(6.0))
        self.inward = nn.Linear(3 * width + 7, width)
        self.early = nn.ModuleList([Block(width, 5), Block(width, 5, 2)])
        self.look = nn.Linear(width, width, bias=False)
        self.merge = nn.Linear(3 * width, width)
        self.late = nn.ModuleList([Block(width, 5), Block(width, 5, 3)])
        self.match_question = nn.Linear(width, width, bias=False)
        self.match_text = nn.Linear(width, width, bias=False)
        self.term_weight = nn.Linear(width, 1)
        self.attend = nn.Linear(width, width)
        self.hidden = nn.Linear(2 * width + 13, 64)
        self.hidden_question = nn.Linear(width, 64)
        self.outer = nn.Linear(64, 1)
        self.none = nn.Linear(width, 1)
        self.span = nn.Linear(width, width)
        self._start(table)

    def _start(self, table: np.ndarray) -> None:
        nn.init.zeros_(self.free.weight)
        nn.init.normal_(self.position.weight, std=0.02)
        with torch.no_grad():
            sample = self.unit[torch.randperm(len(table))[:6000]]
            axes = torch.linalg.svd(sample, full_matrices=False)[2][: len(self.project.weight)]
            self.project.weight[: len(axes)] = 8 * axes

    def forward(
        self,
        question: torch.Tensor,
        text: torch.Tensor,
        sentence: torch.Tensor,
        owner: torch.Tensor,
        rank: torch.Tensor,
        sentences: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits `(windows, sentences)`, `(questions,)` for none of them, `(windows, length)` for tokens.

        :param question: token ids + 1, `(questions, longest)`, 0 where there is none.
        :param text: the same of windows, `(windows, length)`.
        :param sentence: number of the sentence of each token, `TITLE` or `PADDING`.
        :param owner: the question of each window.
        :param rank: 1-based rank of each window.
        :param sentences: the most sentences of a window.
        """
        asked, there = (question > 0).float(), (text > 0).float()
        q_unit, q_row, q_weight = self._rows(question)
        unit, row, weight = self._rows(text)
        q_row = q_row + self.position.weight[: question.shape[1]]
        q = q_row
        for block in self.question_blocks:
            q = block(q, asked)
        summary = (torch.softmax(self.question_pool(q).squeeze(-1) - 1e4 * (1 - asked), 1).unsqueeze(-1) * q).sum(1)
        hide = -1e4 * (1 - asked)[owner].unsqueeze(-1)
        cosine = torch.einsum("wqd,wtd->wqt", q_unit[owner], unit).float()
        scale = 1 / math.sqrt(q.shape[-1])
        aligned = torch.einsum("wqd,wtd->wqt", torch.relu(self.align(q_row))[owner], torch.relu(self.align(row)))
        looked = self._look(aligned * scale + self.likeness * cosine + hide, q[owner])
        marks = _marks(question[owner], text, sentence, cosine + hide, weight, q_weight[owner])
        x = torch.relu(self.inward(torch.cat([row, looked, row * looked, marks], -1)))
        for block in self.early:
            x = block(x, there)
        again = self._look(torch.einsum("wqd,wtd->wqt", self.look(q)[owner], x) * scale + hide, q[owner])
        x = x + self.merge(torch.cat([x, again, x * again], -1))
        for block in self.late:
            x = block(x, there)
        x = x.float()
        matched = torch.einsum(
            "wqd,wtd->wqt",
            f.normalize(self.match_question(q).float(), dim=-1)[owner],
            f.normalize(self.match_text(x).float(), dim=-1),
        ).float()
        place = (sentence + 2).clamp(min=0)
        terms = _shares(f.softplus(self.term_weight(q).squeeze(-1).float()) * asked)[owner]
        plain = _shares(torch.exp(q_weight) * asked)[owner]
        covers = [c for m in (cosine, matched) for c in _covers(_best_of(m, place, sentences), terms)]
        own_plain, _, window_plain, _ = _covers(_best_of(cosine, place, sentences), plain)
        evidence, pooled, length = self._pool(x, summary[owner], there, place, sentences, scale)
        figures = [
            evidence.unsqueeze(-1) / 5,
            torch.stack([*covers, own_plain, window_plain], -1),
            (torch.log1p(length) / 5).unsqueeze(-1),
            (1 / rank).view(-1, 1, 1).expand(-1, sentences, 1),
        ]
        seen = torch.cat([pooled, pooled * summary[owner].unsqueeze(1), *figures], -1)
        hidden = self.hidden(seen) + self.hidden_question(summary)[owner].unsqueeze(1)
        logits = self.outer(torch.relu(hidden)).squeeze(-1).float().masked_fill(length == 0, _ABSENT)
        tokens = (x * self.span(summary)[owner].unsqueeze(1)).sum(-1) * scale - 1e4 * (1 - there)
        return logits, self.none(summary).squeeze(-1).float(), tokens.float()

    def _rows(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        known = (ids - 1).clamp(min=0)
        free_row = self.free_row[known].long()
        unit = self.unit[known]
        return unit, self.project(unit) + self.free(free_row) * (free_row > 0).unsqueeze(-1), self.weight[known]

    @staticmethod
    def _look(scores: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
        return torch.einsum("wqt,wqd->wtd", torch.softmax(scores, 1), q)

    def _pool(
        self,
        x: torch.Tensor,
        summary: torch.Tensor,
        there: torch.Tensor,
        place: torch.Tensor,
        sentences: int,
        scale: float,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Evidence (log of a sum of exponentials), attention-pooled tokens and length of every sentence."""
        n, width = len(x), x.shape[-1]
        scores = (x * self.attend(summary).float().unsqueeze(1)).sum(-1) * scale - 1e4 * (1 - there)
        top = torch.full((n, sentences + 2), _ABSENT).scatter_reduce(1, place, scores, "amax")
        parts = torch.exp(scores - top.gather(1, place).detach()) * there
        total = torch.zeros(n, sentences + 2).scatter_add(1, place, parts)
        spread = place.unsqueeze(-1).expand(-1, -1, width)
        pooled = torch.zeros(n, sentences + 2, width).scatter_add(1, spread, parts.unsqueeze(-1) * x)
        length = torch.zeros(n, sentences + 2).scatter_add(1, place, there)
        evidence = (top + torch.log(total + 1e-6)).clamp(min=_LOWEST_EVIDENCE)
        return evidence[:, 2:], (pooled / (total.unsqueeze(-1) + 1e-6))[:, 2:], length[:, 2:]


def _marks(
    question: torch.Tensor,
    text: torch.Tensor,
    sentence: torch.Tensor,
    cosine: torch.Tensor,
    weight: torch.Tensor,
    q_weight: torch.Tensor,
) -> torch.Tensor:
    """What is known of every token before reading, `(windows, length, 7)`."""
    best, where = cosine.max(1)
    same = ((question.unsqueeze(-1) == text.unsqueeze(1)) & (text.unsqueeze(1) > 0)).float().amax(1)
    rare = q_weight.gather(1, where) * best
    return torch.stack(
        [best, same, weight, rare, (sentence == TITLE).float(), same * weight, (best > SAME_WORD).float()], -1
    )


def _shares(weights: torch.Tensor) -> torch.Tensor:
    return weights / (weights.sum(1, keepdim=True) + 1e-6)


def _best_of(matched: torch.Tensor, place: torch.Tensor, sentences: int) -> torch.Tensor:
    """How well each sentence, with the title and padding before them, matches each token of the question, >= 0."""
    n, q, _ = matched.shape
    best = torch.zeros(n, q, sentences + 2)
    return best.scatter_reduce(2, place.unsqueeze(1).expand(-1, q, -1), matched, "amax")


def _covers(best: torch.Tensor, terms: torch.Tensor) -> list[torch.Tensor]:
    """Share of the question that the sentence, with title, with neighbours as well, and the whole window hold."""
    own, title = best[:, :, 2:], best[:, :, 1:2]
    titled = torch.maximum(own, title.expand_as(own))
    before, after = f.pad(own, (1, 0))[:, :, :-1], f.pad(own, (0, 1))[:, :, 1:]
    around = torch.maximum(titled, torch.maximum(before, after))
    whole = own.amax(2, keepdim=True).expand_as(own)
    return [torch.einsum("wqs,wq->ws", held, terms) for held in (own, titled, around, whole)]
