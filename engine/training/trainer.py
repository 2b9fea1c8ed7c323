# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: stages in order, mixed precision, resuming exactly, progress with the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..contract.body_model import BodyModel
from ..contract.errors import UserError
from ..contract.whole_file import whole_file
from ..model.checkpoint import save_checkpoint
from ..model.human3r import Human3R
from ..synthetic.surface import BodySurface
from .auxiliary_heads import AuxiliaryHeads
from .curves import Curves
from .data import ClipPool
from .objectives import Objective
from .parallel import average_gradients
from .recipes import Recipe, Stage
from .schedule import learning_rate
from .skeleton import Skeleton
from .stored_clips import pool_of

_SEEDS_PER_SOURCE = 180_000
_SEEDS_PER_PROCESS = 20_000
_SURFACE_CELL_M = 0.05
_STATE_FILE = "training.pt"
WEIGHTS_FILE = "model.safetensors"


@dataclass(frozen=True)
class TrainerOptions:
    """How a run proceeds; what it learns is the recipe's business."""

    folder: Path
    """Where state, weights and curves go."""
    device: torch.device
    precision: torch.dtype | None = None
    """Reduced precision of the forward pass; None for float32."""
    checkpointing: bool = False
    """Whether blocks are computed again in the backward pass, to save memory."""
    seed: int = 0
    dataset: Path | None = None
    """Folder of a dataset whose training split gives the clips; None: they are made on the fly."""
    save_every: int = 200
    """Steps between states on disk."""
    report_every: int = 20
    """Steps between lines of progress and points of the curves."""
    rank: int = 0
    processes: int = 1


class Trainer:
    """Trains a model through a recipe. Make one, call :meth:`run`; the same call after a crash goes on exactly."""

    def __init__(
        self,
        model: Human3R,
        recipe: Recipe,
        body: BodyModel,
        options: TrainerOptions,
        say: Callable[[str], None] = print,
    ) -> None:
        self.model, self.recipe, self.options = model.to(options.device), recipe, options
        torch.manual_seed(options.seed)
        self.heads = AuxiliaryHeads(model.config).to(options.device)
        self.body, self.skeleton = body, Skeleton(body, options.device)
        self.surface = BodySurface(body, options.device, _SURFACE_CELL_M)
        self.curves = Curves(options.folder)
        self.stage_number, self.step = 0, 0
        self._say = say if options.rank == 0 else lambda _: None
        self._optimizer: torch.optim.AdamW | None = None
        self._pools: list[ClipPool] = []
        options.folder.mkdir(parents=True, exist_ok=True)
        if options.checkpointing:
            _checkpoint_blocks(model)

    def run(self, stop_after: int | None = None) -> bool:
        """Go on to the end, or for ``stop_after`` steps; true at the end. Starts where the folder's state stands."""
        torch.manual_seed(self.options.seed + self.options.rank)
        self._resume()
        taken = 0
        while self.stage_number < len(self.recipe.stages):
            stage = self.recipe.stages[self.stage_number]
            if self._optimizer is None:
                self._enter(stage)
            objective = Objective(self.model, self.heads, self.skeleton, self.surface, stage.weights)
            started, first = time.monotonic(), self.step
            while self.step < stage.steps:
                if taken == stop_after:
                    self.save()
                    return False
                losses = self._train_step(stage, objective)
                self.step += 1
                taken += 1
                if self.step % self.options.report_every == 0 or self.step == stage.steps:
                    self._report(stage, losses, time.monotonic() - started, self.step - first)
                if self.step % self.options.save_every == 0:
                    self.save()
            self.stage_number, self.step, self._optimizer = self.stage_number + 1, 0, None
            self.save()
        return True

    def save(self) -> None:
        """State for resuming, weights for using, curves for looking at; written by the first process alone."""
        if self.options.rank:
            return
        state = {
            "recipe": self.recipe.name, "stage": self.stage_number, "step": self.step, "model": self.model.state_dict(),
            "heads": self.heads.state_dict(), "random": torch.get_rng_state(),
            "draws": [pool.draws for pool in self._pools],
            "optimizer": None if self._optimizer is None else self._optimizer.state_dict(),
        }  # fmt: skip
        target = self.options.folder / _STATE_FILE
        with whole_file(target, synced=True) as written:
            torch.save(state, written)
        save_checkpoint(self.model, self.options.folder / WEIGHTS_FILE)
        self.curves.draw()

    def _resume(self) -> None:
        path = self.options.folder / _STATE_FILE
        if not path.exists():
            return
        state = torch.load(path, map_location=self.options.device, weights_only=True)
        if state["recipe"] != self.recipe.name or state["stage"] > len(self.recipe.stages):
            raise UserError(
                "training-mismatch",
                "{folder} holds a training with the recipe {recipe}.",
                "Choose another folder, or use that recipe.",
                folder=self.options.folder,
                recipe=state["recipe"],
            )
        self.model.load_state_dict(state["model"])
        self.heads.load_state_dict(state["heads"])
        self.stage_number, self.step = state["stage"], state["step"]
        names = [stage.name for stage in self.recipe.stages]
        if self.stage_number < len(names):
            stage = self.recipe.stages[self.stage_number]
            if self.options.rank == 0:
                self.curves.forget_after(names, stage.name, self.step)
            if state["optimizer"] is not None:
                self._enter(stage)
                assert self._optimizer is not None
                self._optimizer.load_state_dict(state["optimizer"])
                for pool, draws in zip(self._pools, state["draws"], strict=True):
                    pool.resume(draws)
        torch.set_rng_state(state["random"].cpu())
        self._say(f"resumed at stage {self.stage_number + 1} of {len(names)}, step {self.step}")

    def _enter(self, stage: Stage) -> None:
        """Decide what learns, and start its optimizer and its clips."""
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(stage.learns(name))
            parameter.grad = None
        self._optimizer = torch.optim.AdamW(
            self._learning(), stage.learning_rate, betas=self.recipe.betas, weight_decay=self.recipe.weight_decay
        )
        offset = self.options.seed + self.options.rank * _SEEDS_PER_PROCESS + self.stage_number * 7919
        self._pools = [
            pool_of(
                self.options.dataset,
                self.body,
                source.settings,
                stage.pool,
                stage.fresh,
                offset + number * _SEEDS_PER_SOURCE,
                self.options.device,
            )
            for number, source in enumerate(stage.sources)
        ]

    def _learning(self) -> list[nn.Parameter]:
        own = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        return [*own, *self.heads.parameters()]

    def _train_step(self, stage: Stage, objective: Objective) -> dict[str, float]:
        assert self._optimizer is not None
        _set_modes(self.model, stage.keep_statistics)
        rate = learning_rate(self.step, stage.steps, stage.learning_rate, stage.warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        turns = [number for number, source in enumerate(stage.sources) for _ in range(source.weight)]
        truth = self._pools[turns[self.step % len(turns)]].draw(stage.batch)
        if stage.way == "people":
            truth = truth.as_single_frames()
        precision = self.options.precision
        with torch.autocast(self.options.device.type, dtype=precision, enabled=precision is not None):
            losses: dict[str, Tensor] = getattr(objective, stage.way)(truth)
        total = torch.stack([value.float() for value in losses.values()]).sum()
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        learning = self._learning()
        if self.options.processes > 1:
            average_gradients(learning)
        norm = nn.utils.clip_grad_norm_(learning, stage.clip_gradient)
        if norm.isfinite():  # one bad batch must not spoil the run
            self._optimizer.step()
        return {name: float(value.detach()) for name, value in losses.items()} | {"total": float(total.detach())}

    def _report(self, stage: Stage, losses: dict[str, float], seconds: float, steps: int) -> None:
        if self.options.rank:
            return
        self.curves.add(stage.name, self.step, losses)
        left = seconds / max(steps, 1) * (stage.steps - self.step)
        terms = ", ".join(f"{name} {value:.3g}" for name, value in losses.items())
        self._say(f"{stage.name} {self.step}/{stage.steps}, {_duration(left)} left in this stage: {terms}")


def _set_modes(model: Human3R, keep_statistics: bool) -> None:
    """Training mode, except that frozen batch norms keep their statistics: frozen means bit for bit."""
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d) and (keep_statistics or not module.weight.requires_grad):
            module.eval()


def _checkpoint_blocks(model: Human3R) -> None:
    """Make every transformer block forget its inner values and compute them again in the backward pass."""
    for blocks in (model.enc_blocks, model.dec_blocks, model.dec_blocks_state):
        for block in blocks:
            block.forward = _recomputed(block.forward)


def _recomputed(forward: Callable[..., object]) -> Callable[..., object]:
    def call(*arguments: object, **named: object) -> object:
        return checkpoint(partial(forward, **named), *arguments, use_reentrant=False)

    return call


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
