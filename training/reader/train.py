"""Train the reader: `python -m training.reader.train OUT --data DATA`; resumes by itself.

Two stages: questions of the public sets, then those that we wrote over news, mixed with some of the first. The
batches are made beside the training by `training.reader.prepare` (without `--data` they must be in OUT already).
`OUT/checkpoint.pt` is written every few minutes and is what `training.reader.export` ships.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from training.reader.backbone import package_file, read_backbone
from training.reader.batches import Batch
from training.reader.losses import loss_of
from training.reader.network import ReaderNetwork
from training.reader.prepare import SEED, STAGES, Stage, shards_of

WARM_UP: Final = 60
"""Steps until the learning rate is reached."""


@dataclass(frozen=True)
class Place:
    """How far a training has come."""

    stage: int
    shard: int
    steps: int


class Trainer:
    """The network with float32 masters of its bfloat16 weights."""

    def __init__(self, network: ReaderNetwork) -> None:
        self.network = network.to_bfloat16()
        self.trained = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        self.masters = [p.detach().float().clone().requires_grad_(True) for _, p in self.trained]
        heads = [
            m for (name, _), m in zip(self.trained, self.masters, strict=True) if name.split(".")[0] in network.HEADS
        ]
        ids = {id(m) for m in heads}
        body = [m for m in self.masters if id(m) not in ids]
        self.optimizer = torch.optim.AdamW(
            [{"params": body, "scale": 1.0}, {"params": heads, "scale": 3.0}],
            lr=0.0,
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )

    def step(self, batches: Sequence[Batch], rate: float) -> dict[str, float]:
        """One step of the optimizer over `batches`; the mean parts of their losses."""
        sums: Counter[str] = Counter()
        for batch in batches:
            loss, parts = loss_of(self.network, batch)
            (loss / len(batches)).backward()
            sums.update(parts)
        for (_, p), master in zip(self.trained, self.masters, strict=True):
            master.grad = None if p.grad is None else p.grad.float()
            p.grad = None
        torch.nn.utils.clip_grad_norm_(self.masters, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        self.optimizer.step()
        with torch.no_grad():
            for (_, p), master in zip(self.trained, self.masters, strict=True):
                p.copy_(master)
        return {name: value / len(batches) for name, value in sums.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        masters = {name: m.detach() for (name, _), m in zip(self.trained, self.masters, strict=True)}
        return {"masters": masters, "optimizer": self.optimizer.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            for (name, p), master in zip(self.trained, self.masters, strict=True):
                master.copy_(state["masters"][name])
                p.copy_(master)


def run(args: argparse.Namespace) -> None:
    """Train, from the last checkpoint if there is one."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    args.out.mkdir(parents=True, exist_ok=True)
    network = ReaderNetwork.from_backbone(read_backbone(package_file()))
    network.freeze(args.frozen)
    trainer = Trainer(network)
    checkpoint = args.out / "checkpoint.pt"
    place = Place(0, 0, 0)
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        trainer.load(state)
        place = Place(*state["place"])
        print("resuming at", place, flush=True)
    for number, stage in enumerate(STAGES):
        if number < place.stage or (args.stage and stage.name != args.stage):
            continue
        if number > place.stage:
            place = Place(number, 0, place.steps)
        if args.data:
            command = [sys.executable, "-m", "training.reader.prepare", str(args.data), str(args.out), stage.name]
            subprocess.Popen(command + (["--examples", str(args.examples)] if args.examples else []))
        place = _run_stage(args, trainer, stage, place, checkpoint)
        save(checkpoint, trainer, Place(number + 1, 0, place.steps))


def _run_stage(args: argparse.Namespace, trainer: Trainer, stage: Stage, place: Place, checkpoint: Path) -> Place:
    total = args.shards or 1
    started = saved = time.monotonic()
    tokens = 0
    sums: Counter[str] = Counter()
    for number, count, batches in shards_of(args.out, stage.name, place.shard):
        total = count or args.shards or max(total, number + 2)
        for at in range(0, len(batches), args.accumulate):
            rate = stage.rate[0] + (stage.rate[1] - stage.rate[0]) * min(1.0, number / total)
            taken = batches[at : at + args.accumulate]
            sums.update(trainer.step(taken, rate * min(1.0, (place.steps + 1) / WARM_UP)))
            tokens += sum(batch.tokens for batch in taken)
            place = replace(place, steps=place.steps + 1)
            sums["n"] += 1
        place = replace(place, shard=number + 1)
        if sums["n"] >= args.report:
            minutes = (time.monotonic() - started) / 60
            shown = " ".join(f"{k} {v / sums['n']:.3f}" for k, v in sums.items() if k != "n")
            speed = f"{tokens / minutes / 60:.0f} tokens/s"
            print(f"{stage.name} {number + 1}/{total} {minutes:.1f} min {speed} {shown}", flush=True)
            sums.clear()
        if time.monotonic() - saved > args.save_every:
            save(checkpoint, trainer, place)
            saved = time.monotonic()
    return place


def save(path: Path, trainer: Trainer, place: Place) -> None:
    """Write a checkpoint whole or not at all."""
    part = path.with_suffix(".part")
    torch.save({**trainer.state(), "place": astuple(place)}, part)
    part.replace(path)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="make the batches as well")
    parser.add_argument("--shards", type=int, help="how many there will be, for the learning rate")
    parser.add_argument("--stage", help="only this one")
    parser.add_argument("--examples", type=int, help="only so many of each stage")
    parser.add_argument("--frozen", type=int, default=4, help="lowest layers that stay as they are")
    parser.add_argument("--accumulate", type=int, default=4, help="batches to a step")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report", type=int, default=25, help="steps between lines of progress")
    parser.add_argument("--save-every", type=float, default=300, help="seconds between checkpoints")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
